#include "plug/storage.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "plug/life.h"
#include "plug/meta.h"

enum { SESSION_MAGIC = 0x73657373, COUNTER_KEY_MAX = PLUG_NAME_MAX + 1 + PLUG_ROW_KEY_MAX };

struct plug_session {
    unsigned magic;
    struct plug_storage *st;
    void *s;
    enum { TXN_NONE, TXN_READ, TXN_WRITE } txn;
    uint64_t deadline_ns;
};

void
plug_storage_init(struct plug_storage *st, struct plug *plug)
{
    must(plug->desc && plug->desc->kind == ACD_STORAGE);
    *st = (struct plug_storage){.plug = plug, .ops = plug->desc->ops};
}

static int
rows_check(const acd_collection *c, acd_err *err)
{
    if (c->ncols != PLUG_ROW_COLS || c->npk != 2 || c->cols[PLUG_ROW_PLUGIN].type != ACD_COL_TEXT ||
        c->cols[PLUG_ROW_KEY].type != ACD_COL_BLOB || c->cols[PLUG_ROW_VALUE].type != ACD_COL_BLOB)
        return err_set(err, ACD_EINVAL, "collection %s cannot keep the rows of plugins", c->name);
    return 0;
}

int
plug_storage_schema(struct plug_storage *st, const acd_collection *colls, size_t n, uint32_t version,
                    uint32_t rows, acd_err *err)
{
    struct plug_step step;
    must(rows < n);
    int rc = rows_check(&colls[rows], err);
    if (rc == 0)
        rc = plug_enter(&step, st->plug, "schema", 0, err);
    if (rc < 0)
        return rc;
    rc = plug_leave(&step, st->ops->schema(st->plug->inst, colls, n, version, err), err);
    if (rc == 0)
        st->rows = rows;
    return rc;
}

int
plug_backup(struct plug_storage *st, int fd, acd_err *err)
{
    struct plug_step step;
    int rc = plug_enter(&step, st->plug, "backup", 0, err);
    return rc < 0 ? rc : plug_leave(&step, st->ops->backup(st->plug->inst, fd, err), err);
}

int
plug_session_open(struct plug_storage *st, struct plug_session **ret, acd_err *err)
{
    struct plug_step step;
    struct plug_session *s = calloc(1, sizeof(*s));
    if (!s)
        return err_set(err, ACD_ENOMEM, "out of memory");
    s->magic = SESSION_MAGIC;
    s->st = st;
    int rc = plug_enter(&step, st->plug, "session_open", 0, err);
    if (rc == 0)
        rc = plug_leave(&step, st->ops->session_open(st->plug->inst, &s->s, err), err);
    if (rc < 0) {
        free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

void
plug_session_close(struct plug_session *s)
{
    struct plug_step step;
    if (!s)
        return;
    plug_rollback(s);
    plug_enter_always(&step, s->st->plug, "session_close");
    s->st->ops->session_close(s->s);
    (void)plug_leave(&step, 0, NULL);
    s->magic = 0;
    free(s);
}

int
plug_begin(struct plug_session *s, bool write, uint64_t deadline_ns, acd_err *err)
{
    struct plug_step step;
    acd_call call = {.struct_size = sizeof(call), .deadline_ns = deadline_ns};
    CHECK_MAGIC(s, SESSION_MAGIC);
    must(s->txn == TXN_NONE);
    int rc = plug_enter(&step, s->st->plug, "begin", deadline_ns, err);
    if (rc < 0)
        return rc;
    rc = plug_leave(&step, s->st->ops->begin(s->s, write, &call, err), err);
    if (rc == 0) {
        s->txn = write ? TXN_WRITE : TXN_READ;
        s->deadline_ns = deadline_ns;
    }
    return rc;
}

int
plug_commit(struct plug_session *s, acd_err *err)
{
    struct plug_step step;
    CHECK_MAGIC(s, SESSION_MAGIC);
    must(s->txn != TXN_NONE);
    int rc = plug_enter(&step, s->st->plug, "commit", s->deadline_ns, err);
    if (rc < 0) {
        plug_rollback(s);
        return rc;
    }
    rc = plug_leave(&step, s->st->ops->commit(s->s, err), err);
    s->txn = TXN_NONE;
    return rc;
}

void
plug_rollback(struct plug_session *s)
{
    struct plug_step step;
    CHECK_MAGIC(s, SESSION_MAGIC);
    if (s->txn == TXN_NONE)
        return;
    plug_enter_always(&step, s->st->plug, "rollback");
    s->st->ops->rollback(s->s);
    (void)plug_leave(&step, 0, NULL);
    s->txn = TXN_NONE;
}

bool
plug_writing(const struct plug_session *s)
{
    CHECK_MAGIC(s, SESSION_MAGIC);
    return s->txn == TXN_WRITE;
}

uint32_t
plug_session_rows(const struct plug_session *s)
{
    return s->st->rows;
}

/* Inside a transaction. */
static int
enter(struct plug_step *step, struct plug_session *s, const char *func, acd_err *err)
{
    CHECK_MAGIC(s, SESSION_MAGIC);
    must(s->txn != TXN_NONE);
    return plug_enter(step, s->st->plug, func, s->deadline_ns, err);
}

int
plug_get(struct plug_session *s, uint32_t coll, const acd_value *keys, size_t n, acd_row_fn fn, void *ctx,
         acd_err *err)
{
    struct plug_step step;
    int rc = enter(&step, s, "get", err);
    return rc < 0 ? rc : plug_leave(&step, s->st->ops->get(s->s, coll, keys, n, fn, ctx, err), err);
}

int
plug_scan(struct plug_session *s, const acd_scan *scan, acd_row_fn fn, void *ctx, acd_err *err)
{
    struct plug_step step;
    acd_scan copy = *scan;
    copy.struct_size = sizeof(copy);
    int rc = enter(&step, s, "scan", err);
    return rc < 0 ? rc : plug_leave(&step, s->st->ops->scan(s->s, &copy, fn, ctx, err), err);
}

int
plug_put(struct plug_session *s, uint32_t coll, const acd_value *row, size_t ncols, uint64_t if_rev,
         acd_err *err)
{
    struct plug_step step;
    int rc = enter(&step, s, "put", err);
    return rc < 0 ? rc : plug_leave(&step, s->st->ops->put(s->s, coll, row, ncols, if_rev, err), err);
}

int
plug_del(struct plug_session *s, uint32_t coll, const acd_value *keys, size_t n, uint64_t if_rev,
         acd_err *err)
{
    struct plug_step step;
    int rc = enter(&step, s, "del", err);
    return rc < 0 ? rc : plug_leave(&step, s->st->ops->del(s->s, coll, keys, n, if_rev, err), err);
}

int
plug_counter_step(struct plug_session *s, const char *owner, acd_slice key, int64_t delta, int64_t lo,
                  int64_t hi, int64_t *ret_now, acd_err *err)
{
    struct plug_step step;
    char full[COUNTER_KEY_MAX];
    size_t n = strlen(owner);
    if (!key.ptr || key.len == 0 || key.len > PLUG_ROW_KEY_MAX)
        return err_set(err, ACD_EINVAL, "a counter's key has 1 to %u bytes", PLUG_ROW_KEY_MAX);
    must(n + 1 + key.len <= sizeof(full));
    memcpy(full, owner, n);
    full[n] = ':'; /* in no plugin's name */
    memcpy(full + n + 1, key.ptr, key.len);
    acd_slice k = {full, n + 1 + key.len};
    int rc = enter(&step, s, "counter_add", err);
    if (rc < 0)
        return rc;
    return plug_leave(&step, s->st->ops->counter_add(s->s, k, delta, lo, hi, ret_now, err), err);
}

int
plug_counter_add(struct plug_session *s, acd_slice key, int64_t delta, int64_t lo, int64_t hi,
                 int64_t *ret_now, acd_err *err)
{
    /* No plugin has the empty name, so the host's counters are apart from theirs. */
    return plug_counter_step(s, "", key, delta, lo, hi, ret_now, err);
}

int
plug_counter_get(struct plug_session *s, acd_slice key, int64_t *ret_now, acd_err *err)
{
    return plug_counter_step(s, "", key, 0, INT64_MIN, INT64_MAX, ret_now, err);
}

int
plug_next_seq(struct plug_session *s, uint64_t *ret_seq, acd_err *err)
{
    struct plug_step step;
    int rc = enter(&step, s, "next_seq", err);
    return rc < 0 ? rc : plug_leave(&step, s->st->ops->next_seq(s->s, ret_seq, err), err);
}

int
plug_seq_now(struct plug_session *s, uint64_t *ret_seq, acd_err *err)
{
    struct plug_step step;
    int rc = enter(&step, s, "seq_now", err);
    return rc < 0 ? rc : plug_leave(&step, s->st->ops->seq_now(s->s, ret_seq, err), err);
}
