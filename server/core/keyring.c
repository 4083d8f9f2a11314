#include "core/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "model/digest.h"

enum { HEX_LEN = 2 * SEAL_KEY_LEN, TEXT_MAX = HEX_LEN + 2 };

struct keyring {
    pthread_mutex_t lock;  /* of n, current and may_make: one key more may come, when our own file is made */
    struct wrap_key *keys; /* in secure memory; they stay where they are */
    size_t n, cap;
    const struct wrap_key *current;
    bool may_make;
    char *own;
    char why[KEYRING_WHY];
};

/* --- one key ----------------------------------------------------------------------------------------------
 */

/* An id must not help anybody to guess the key, which is random: a hash of it does not. */
static void
name_key(struct wrap_key *k)
{
    static const char label[] = "anchord wrapping key";
    uint8_t digest[DIGEST_LEN];
    struct digest d;
    digest_init(&d);
    digest_update(&d, label, sizeof(label));
    digest_update(&d, k->bytes, sizeof(k->bytes));
    digest_final(&d, digest);
    hex_encode(digest, KEYRING_ID_LEN / 2, k->id);
}

static int
parse_key(const char *from, acd_slice text, struct wrap_key *ret, acd_err *err)
{
    const char *p = text.ptr;
    while (text.len && (p[text.len - 1] == '\n' || p[text.len - 1] == '\r'))
        text.len--;
    if (text.len != HEX_LEN || !hex_decode(text, ret->bytes, SEAL_KEY_LEN))
        return err_set(err, ACD_EINVAL, "%s does not hold a wrapping key: 64 hex digits are expected", from);
    name_key(ret);
    return 0;
}

/* Nobody else may read it. A credential is guarded by systemd, with an ACL that looks like group rights. */
static int
check_mode(const char *path, int fd, acd_err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set(err, ACD_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, ACD_EINVAL, "%s is not a regular file", path);
    if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 077))
        return err_set(err, ACD_EDENIED,
                       "%s can be read by others (mode %03o): it must belong to this user, mode 600", path,
                       (unsigned)st.st_mode & 0777);
    return 0;
}

static int
read_file(const char *path, bool credential, struct wrap_key *ret, acd_err *err)
{
    char *text = seal_alloc(TEXT_MAX);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc = text ? 0 : ACD_ENOMEM;
    if (rc == 0 && fd < 0)
        rc = err_set(err, errno == ENOENT ? ACD_ENOENT : ACD_EIO, "%s: %s", path, strerror(errno));
    if (rc == 0 && !credential)
        rc = check_mode(path, fd, err);
    ssize_t n = rc == 0 ? read(fd, text, TEXT_MAX) : 0;
    if (n < 0)
        rc = err_set(err, ACD_EIO, "%s: %s", path, strerror(errno));
    if (rc == 0)
        rc = parse_key(path, slice_of(text, (size_t)n), ret, err);
    seal_free(text, TEXT_MAX);
    return rc;
}

static int
read_credential(const char *name, struct wrap_key *ret, acd_err *err)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    char path[4096];
    if (!dir || !dir[0])
        return err_set(
            err, ACD_ENOENT,
            "the credential '%s' cannot be read: CREDENTIALS_DIRECTORY is not set (LoadCredential=)", name);
    if (strchr(name, '/') || snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
        return err_set(err, ACD_EINVAL, "'%s' is not the name of a credential", name);
    return read_file(path, true, ret, err);
}

static int
read_env(const char *name, struct wrap_key *ret, acd_err *err)
{
    const char *text = getenv(name);
    if (!text)
        return err_set(err, ACD_ENOENT, "the environment variable %s is not set", name);
    return parse_key(name, slice_str(text), ret, err);
}

/* --- the ring ---------------------------------------------------------------------------------------------
 */

static void
read_current(struct keyring *r, const struct keyring_opts *o)
{
    acd_err err = ACD_ERR_INIT;
    struct wrap_key *k = &r->keys[r->n];
    int rc = o->file         ? read_file(o->file, false, k, &err)
             : o->credential ? read_credential(o->credential, k, &err)
             : o->env        ? read_env(o->env, k, &err)
                             : read_file(o->own, false, k, &err);
    if (rc == 0)
        r->current = &r->keys[r->n++];
    r->may_make = rc == ACD_ENOENT && !o->file && !o->credential && !o->env;
    if (rc < 0 && !r->may_make)
        (void)snprintf(r->why, sizeof(r->why), "%s", err_text(&err, rc));
}

static void
read_old(struct keyring *r, const char *path)
{
    acd_err err = ACD_ERR_INIT;
    struct wrap_key *k = &r->keys[r->n];
    int rc = read_file(path, false, k, &err);
    if (rc == 0)
        r->n++;
    else if (!r->why[0])
        (void)snprintf(r->why, sizeof(r->why), "%s", err_text(&err, rc));
}

int
keyring_open(const struct keyring_opts *opts, struct keyring **ret, acd_err *err)
{
    struct keyring *r = calloc(1, sizeof(*r));
    if (!r)
        return err_set(err, ACD_ENOMEM, "out of memory");
    must(pthread_mutex_init(&r->lock, NULL) == 0);
    r->cap = opts->nold + 2; /* the current one, and one that is made later */
    if (!seal_start())
        LOG(ACD_LOG_WARNING, "keys.unlocked",
            LF_STR("why", "memory for private keys cannot be locked: raise RLIMIT_MEMLOCK, or they may be "
                          "swapped out"));
    r->keys = seal_alloc(r->cap * sizeof(*r->keys));
    r->own = strdup(opts->own);
    if (!r->keys || !r->own) {
        keyring_free(r);
        return err_set(err, ACD_ENOMEM, "no memory for the wrapping keys");
    }
    read_current(r, opts);
    for (size_t i = 0; i < opts->nold; i++)
        read_old(r, opts->old[i]);
    *ret = r;
    return 0;
}

void
keyring_free(struct keyring *r)
{
    if (!r)
        return;
    seal_free(r->keys, r->cap * sizeof(*r->keys));
    free(r->own);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

const struct wrap_key *
keyring_current(struct keyring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    const struct wrap_key *k = r->current;
    (void)pthread_mutex_unlock(&r->lock);
    return k;
}

const struct wrap_key *
keyring_find(struct keyring *r, acd_slice id)
{
    const struct wrap_key *k = NULL;
    (void)pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->n && !k; i++)
        if (slice_eqs(id, r->keys[i].id))
            k = &r->keys[i];
    (void)pthread_mutex_unlock(&r->lock);
    return k;
}

const char *
keyring_why(struct keyring *r)
{
    return r->why;
}

bool
keyring_may_make(struct keyring *r)
{
    (void)pthread_mutex_lock(&r->lock);
    bool may = r->may_make;
    (void)pthread_mutex_unlock(&r->lock);
    return may;
}

static int
write_own(const char *path, struct wrap_key *k, acd_err *err)
{
    char *text = seal_alloc(TEXT_MAX);
    if (!text)
        return err_set(err, ACD_ENOMEM, "no memory for a wrapping key");
    rand_bytes(k->bytes, sizeof(k->bytes));
    name_key(k);
    hex_encode(k->bytes, sizeof(k->bytes), text);
    text[HEX_LEN] = '\n';
    int rc = io_write_durable(path, text, HEX_LEN + 1, 0600, err);
    seal_free(text, TEXT_MAX);
    return rc;
}

int
keyring_make(struct keyring *r, acd_err *err)
{
    (void)pthread_mutex_lock(&r->lock);
    int rc = r->may_make ? write_own(r->own, &r->keys[r->n], err) : 0;
    if (rc == 0 && r->may_make) {
        r->current = &r->keys[r->n++];
        r->may_make = false;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}
