#include "core/authz.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

enum { TOKEN_MIN = 40, TOKEN_MAX = 80 };

static const char admin_token_actor[] = "token:admin";

/* --- the administrator's token ----------------------------------------------------------------------------
 */

static bool
is_token(acd_slice s)
{
    const char *p = s.ptr;
    for (size_t i = 0; i < s.len; i++) {
        bool alnum = (p[i] >= '0' && p[i] <= '9') || ((p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z');
        if (!alnum && p[i] != '_' && p[i] != '-')
            return false;
    }
    return s.len >= TOKEN_MIN && s.len <= TOKEN_MAX;
}

static int
read_token(const char *path, int fd, struct authz *a, acd_err *err)
{
    struct stat st;
    char text[TOKEN_MAX + 2]; /* a line feed, and one byte that is too much */
    if (fstat(fd, &st) < 0)
        return err_set(err, ACD_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077))
        return err_set(err, ACD_EINVAL, "%s: others than its owner may read it; chmod 600 it", path);
    ssize_t n = read(fd, text, sizeof(text));
    if (n < 0)
        return err_set(err, ACD_EIO, "%s: %s", path, strerror(errno));
    if (n > 0 && text[n - 1] == '\n')
        n--;
    bool good = is_token(slice_of(text, (size_t)n));
    if (good)
        digest_sha256(text, (size_t)n, a->token);
    wipe(text, sizeof(text));
    a->has_token = good;
    return good
               ? 0
               : err_set(err, ACD_EINVAL, "%s: a token is one line of %d to %d characters of 0-9 A-Z a-z _ -",
                         path, TOKEN_MIN, TOKEN_MAX);
}

int
authz_load(struct authz *a, const char *dir, acd_err *err)
{
    char path[PATH_MAX];
    *a = (struct authz){0};
    if (snprintf(path, sizeof(path), "%s/admin.token", dir) >= (int)sizeof(path))
        return err_set(err, ACD_EINVAL, "data directory: path is too long");
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_set(err, ACD_EIO, "%s: %s", path, strerror(errno));
    return read_token(path, fd, a, err);
}

/* --- calls ------------------------------------------------------------------------------------------------
 */

static int
authorize_delegated(const struct authz *a, struct rpc_call *call, acd_err *err)
{
    static const char scheme[] = "Bearer ";
    acd_slice auth = rpc_metadata(call, "authorization");
    uint8_t digest[DIGEST_LEN];
    if (a->has_token && auth.len > sizeof(scheme) - 1 && memcmp(auth.ptr, scheme, sizeof(scheme) - 1) == 0) {
        /* Digests are compared, so the time that this takes says nothing about the token. */
        digest_sha256((const char *)auth.ptr + sizeof(scheme) - 1, auth.len - (sizeof(scheme) - 1), digest);
        if (memcmp(digest, a->token, sizeof(digest)) == 0) {
            call->actor = (void *)admin_token_actor;
            return 0;
        }
    }
    rpc_detail_error_info(call, "CREDENTIALS_UNKNOWN", 0, "");
    return err_set(err, ACD_EUNAUTH, "no credentials that are known here came with the call");
}

/* The key alone says it, whatever the value. */
static bool
is_delegated(const struct rpc_call *call)
{
    for (uint32_t i = 0; i < call->frame.n_meta; i++)
        if (slice_eqs(call->frame.meta[i].key, "delegated"))
            return true;
    return false;
}

int
core_authorize(void *ctx, struct rpc_call *call, acd_err *err)
{
    const struct rpc_peer *peer = call->peer;
    call->actor = NULL;
    if (is_delegated(call))
        return authorize_delegated(ctx, call, err);
    if (call->method->class == RPC_EDGE)
        return 0;
    if (peer->transport == RPC_IPC && peer->uid_known && (peer->uid == 0 || peer->uid == geteuid()))
        return 0;
    rpc_detail_error_info(call, "NOT_ADMINISTRATOR", 0, call->method->name);
    return err_set(err, ACD_EDENIED,
                   "administration needs the local socket, as root or as the server's own user");
}
