/* The head of a set is one blob, under the certificate's key; each part of a set of several is one more,
 * under that key and its number. A set of one part lies behind its head, so that a look-up costs one probe.
 */
#include "snap/revoked.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "snap/arr.h"
#include "snap/txn.h"

/* As it lies in the image, without alignment. */
struct head {
    uint64_t epoch, seed;
    int64_t from_s, until_s;
    uint32_t policy, count;
    uint8_t width, bits, listed, pad[5];
};
_Static_assert(sizeof(struct head) == 48, "a head has no padding of its own");

enum { HEAD_KEY = SNAP_ID_MAX + 1, PART_KEY = HEAD_KEY + 3 };

static bool
key_ok(acd_slice id, uint32_t index)
{
    return id.len > 0 && id.len <= SNAP_ID_MAX && index < SNAP_CA_INDEX_MAX;
}

static acd_slice
head_key(char room[PART_KEY], acd_slice id, uint32_t index)
{
    return slice_of(room, snap_ca_key(room, id, index));
}

/* Ids are text: the octet between the two numbers keeps a part's key from being some other head's. */
static acd_slice
part_key(char room[PART_KEY], acd_slice id, uint32_t index, uint32_t part)
{
    size_t len = snap_ca_key(room, id, index);
    room[len++] = (char)0xff;
    room[len++] = (char)(part >> 8);
    room[len++] = (char)part;
    return slice_of(room, len);
}

/* The state, and the part behind the head (empty when there is none). */
static int
head_find(const struct snap_view *v, acd_slice id, uint32_t index, struct snap_revoked_state *ret,
          acd_slice *ret_part)
{
    char room[PART_KEY];
    struct head h;
    acd_slice blob;
    if (!key_ok(id, index))
        return ACD_ENOENT;
    int rc = snap_blob_find(v, SNAP_BLOB_REVOKED, head_key(room, id, index), &blob);
    if (rc < 0)
        return rc;
    if (blob.len < sizeof(h))
        return ACD_ECORRUPT;
    memcpy(&h, blob.ptr, sizeof(h));
    *ret = (struct snap_revoked_state){.epoch = h.epoch,
                                       .from_s = h.from_s,
                                       .until_s = h.until_s,
                                       .policy = h.policy,
                                       .listed = h.listed != 0,
                                       .shape = {h.seed, h.count, h.width, h.bits}};
    *ret_part = slice_of((const char *)blob.ptr + sizeof(h), blob.len - sizeof(h));
    return 0;
}

int
snap_revoked_state(const struct snap_view *v, acd_slice id, uint32_t index, struct snap_revoked_state *ret)
{
    acd_slice part;
    return head_find(v, id, index, ret, &part);
}

static int
part_blob(const struct snap_view *v, acd_slice id, uint32_t index, uint32_t part, acd_slice *ret)
{
    char room[PART_KEY];
    return snap_blob_find(v, SNAP_BLOB_REVOKED, part_key(room, id, index, part), ret);
}

int
snap_revoked_part(const struct snap_view *v, acd_slice id, uint32_t index, uint32_t part, acd_slice *ret)
{
    struct snap_revoked_state s;
    int rc = head_find(v, id, index, &s, ret);
    if (rc < 0)
        return rc;
    if (!s.listed || part >> s.shape.bits)
        return ACD_ENOENT;
    return s.shape.bits > 0 ? part_blob(v, id, index, part, ret) : 0;
}

int
snap_revoked_find(const struct snap_view *v, acd_slice id, uint32_t index, acd_slice serial,
                  struct snap_revoked_entry *ret)
{
    struct snap_revoked_state s;
    acd_slice part;
    int rc = head_find(v, id, index, &s, &part);
    if (rc < 0 || !s.listed)
        return rc;
    if (s.shape.bits > 0 && part_blob(v, id, index, snap_revoked_part_of(&s.shape, serial), &part) < 0)
        return ACD_ECORRUPT; /* the head has it */
    return snap_revoked_part_find(&s.shape, part, serial, ret);
}

/* --- changes
 * ------------------------------------------------------------------------------------------------
 */

static int
blob_put(struct snap_writer *w, acd_slice key, acd_slice bytes, acd_err *err)
{
    acd_slice there;
    int rc = snap_blob_find(&w->work, SNAP_BLOB_REVOKED, key, &there);
    if (rc == ACD_ECORRUPT)
        return snap_fail(w, rc, err);
    return rc == 0 && slice_eq(there, bytes) ? 0 : snap_put_blob(w, SNAP_BLOB_REVOKED, key, bytes, err);
}

/* Parts are numbered without gaps. */
static int
parts_drop(struct snap_writer *w, acd_slice id, uint32_t index, uint32_t part, acd_err *err)
{
    char room[PART_KEY];
    int rc = 0;
    for (; rc == 0; part++)
        rc = snap_del_blob(w, SNAP_BLOB_REVOKED, part_key(room, id, index, part), err);
    return rc == ACD_ENOENT ? 0 : rc;
}

/* Trust sets that hold the certificate carry its epoch. */
static int
sets_follow(struct snap_writer *w, acd_slice id, uint32_t index, acd_err *err)
{
    uint32_t ca;
    int rc = snap_ca_find(&w->work, id, index, &ca);
    if (rc < 0)
        return rc == ACD_ENOENT ? 0 : snap_fail(w, rc, err);
    return snap_trust_renew(w, ca, err);
}

int
snap_put_revoked(struct snap_writer *w, acd_slice id, uint32_t index, const struct snap_revoked_state *s,
                 acd_slice part, acd_err *err)
{
    char room[PART_KEY];
    struct snap_revoked_state old;
    acd_slice old_part;
    struct head h = {s->epoch,       s->shape.seed,  s->from_s,     s->until_s, s->policy,
                     s->shape.count, s->shape.width, s->shape.bits, s->listed,  {0}};
    if (!key_ok(id, index))
        return err_set(err, ACD_EINVAL, "certificate id has a bad length");
    bool behind = s->listed && s->shape.bits == 0;
    int had = head_find(&w->work, id, index, &old, &old_part);
    if (had == ACD_ECORRUPT)
        return snap_fail(w, had, err);
    struct buf value = BUF_INIT(SNAP_BLOB_MAX);
    buf_put(&value, &h, sizeof(h));
    if (behind)
        buf_slice(&value, part);
    int rc = value.failed ? err_set(err, value.failed, "no memory for a revocation set")
                          : blob_put(w, head_key(room, id, index), slice_of(value.data, value.len), err);
    buf_done(&value);
    if (rc == 0)
        rc = parts_drop(w, id, index, s->listed && !behind ? 1u << s->shape.bits : 0, err);
    return rc < 0 || (had == 0 && old.epoch == s->epoch) ? rc : sets_follow(w, id, index, err);
}

int
snap_put_revoked_part(struct snap_writer *w, acd_slice id, uint32_t index, uint32_t part, acd_slice bytes,
                      acd_err *err)
{
    char room[PART_KEY];
    if (!key_ok(id, index) || part >> SNAP_REVOKED_BITS)
        return err_set(err, ACD_EINVAL, "certificate id or part number is out of range");
    return blob_put(w, part_key(room, id, index, part), bytes, err);
}

int
snap_del_revoked(struct snap_writer *w, acd_slice id, uint32_t index, acd_err *err)
{
    char room[PART_KEY];
    if (!key_ok(id, index))
        return 0;
    int rc = snap_del_blob(w, SNAP_BLOB_REVOKED, head_key(room, id, index), err);
    if (rc < 0)
        return rc == ACD_ENOENT ? 0 : rc;
    rc = parts_drop(w, id, index, 0, err);
    return rc < 0 ? rc : sets_follow(w, id, index, err);
}
