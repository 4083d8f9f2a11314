#include "core/crl_uploads.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/str.h"
#include "core/crls.h"
#include "model/limits.h"

enum { REGION_BYTES = 4 * 1024 * 1024 };

struct crl_uploads {
    pthread_mutex_t lock;
    struct crl_upload *slots[LIMIT_CRL_UPLOADS];
};

struct crl_uploads *
crl_uploads_new(void)
{
    struct crl_uploads *t = calloc(1, sizeof(*t));
    if (t)
        must(pthread_mutex_init(&t->lock, NULL) == 0);
    return t;
}

void
crl_uploads_free(struct crl_uploads *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < LIMIT_CRL_UPLOADS; i++)
        crl_upload_free(t->slots[i]);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

int
crl_upload_new(size_t size, struct crl_upload **ret, acd_err *err)
{
    struct crl_upload *up = calloc(1, sizeof(*up));
    if (!up || !(up->bytes = malloc(size))) {
        free(up);
        return err_set(err, ACD_ENOMEM, "no memory for a list of %zu bytes", size);
    }
    up->size = size;
    mem_init(&up->region, 65536, REGION_BYTES);
    id_new_uuid(up->id);
    *ret = up;
    return 0;
}

void
crl_upload_free(struct crl_upload *up)
{
    if (!up)
        return;
    crl_checked_free(up->checked);
    mem_done(&up->region);
    free(up->bytes);
    free(up);
}

static bool
is_over(const struct crl_upload *up, int64_t now_ms)
{
    return !up->busy && (up->stored || now_ms - up->touched_ms >= LIMIT_CRL_IDLE_MS);
}

int
crl_upload_open(struct crl_uploads *t, struct crl_upload *up, acd_err *err)
{
    struct crl_upload **slot = NULL, *old = NULL;
    (void)pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < LIMIT_CRL_UPLOADS && (!slot || *slot); i++)
        if (!t->slots[i] || is_over(t->slots[i], up->touched_ms))
            slot = &t->slots[i];
    if (slot) {
        old = *slot;
        *slot = up;
    }
    (void)pthread_mutex_unlock(&t->lock);
    crl_upload_free(old);
    return slot ? 0
                : err_set(err, ACD_ELIMIT, "%d revocation lists are being uploaded already: try again later",
                          LIMIT_CRL_UPLOADS);
}

int
crl_upload_take(struct crl_uploads *t, const char *actor, const char *id, int64_t now_ms,
                struct crl_upload **ret, acd_err *err)
{
    int rc = ACD_ENOENT;
    (void)pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < LIMIT_CRL_UPLOADS; i++) {
        struct crl_upload *up = t->slots[i];
        if (!up || strcmp(up->id, id) != 0 || strcmp(up->actor, actor) != 0)
            continue;
        rc = up->busy ? ACD_EBUSY : 0;
        if (rc == 0) {
            up->busy = true;
            up->touched_ms = now_ms;
            *ret = up;
        }
    }
    (void)pthread_mutex_unlock(&t->lock);
    if (rc == ACD_ENOENT)
        return err_set(err, rc, "no upload '%s': it was ended, or idle for too long", id);
    return rc == 0 ? 0 : err_set(err, rc, "another call is working on upload '%s'", id);
}

void
crl_upload_give(struct crl_uploads *t, struct crl_upload *up, bool drop)
{
    (void)pthread_mutex_lock(&t->lock);
    up->busy = false;
    for (size_t i = 0; drop && i < LIMIT_CRL_UPLOADS; i++)
        if (t->slots[i] == up)
            t->slots[i] = NULL;
    (void)pthread_mutex_unlock(&t->lock);
    if (drop)
        crl_upload_free(up);
}
