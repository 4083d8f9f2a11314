/* Names of a kind: the host table's, under keys that begin with the kind. */
#include <string.h>

#include "base/err.h"
#include "snap/writer.h"

/* 0: too long for any such name. */
static size_t
key_of(enum snap_names kind, const void *name, size_t len, char out[SNAP_HOST_KEY_MAX])
{
    if (len == 0 || len > SNAP_NAME_MAX)
        return 0;
    out[0] = (char)kind;
    memcpy(out + 1, name, len);
    return len + 1;
}

int
snap_names_find(const struct snap_view *v, enum snap_names kind, const char *name, size_t len,
                struct snap_hit *ret)
{
    char key[SNAP_HOST_KEY_MAX];
    int rc = snap_host_find(v, key, key_of(kind, name, len, key), ret);
    if (rc == 1)
        ret->match = name[0] == '*' ? SNAP_WILDCARD : SNAP_EXACT;
    return rc;
}

int
snap_names_lookup(const struct snap_view *v, enum snap_names kind, const char *host, size_t len,
                  struct snap_hit *ret)
{
    char pattern[SNAP_NAME_MAX];
    *ret = (struct snap_hit){0};
    if (len == 0 || len > SNAP_NAME_MAX || host[0] == '*')
        return 0;
    int rc = snap_names_find(v, kind, host, len, ret);
    const char *dot = rc == 0 ? memchr(host, '.', len) : NULL;
    if (!dot || dot == host)
        return rc;
    size_t rest = len - (size_t)(dot - host);
    pattern[0] = '*';
    memcpy(pattern + 1, dot, rest);
    return snap_names_find(v, kind, pattern, rest + 1, ret);
}

int
snap_put_name(struct snap_writer *w, enum snap_names kind, acd_slice name, acd_slice zone_id,
              const struct snap_ca_use *list, size_t n, acd_err *err)
{
    char key[SNAP_HOST_KEY_MAX];
    size_t len = key_of(kind, name.ptr, name.len, key);
    if (len == 0)
        return err_set(err, ACD_EINVAL, "name has a bad length");
    return snap_put_host(w, (acd_slice){key, len}, zone_id, list, n, err);
}

int
snap_del_name(struct snap_writer *w, enum snap_names kind, acd_slice name, acd_err *err)
{
    char key[SNAP_HOST_KEY_MAX];
    return snap_del_host(w, (acd_slice){key, key_of(kind, name.ptr, name.len, key)}, err);
}
