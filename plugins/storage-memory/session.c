/* Sessions, transactions, counters and the sequence. */
#include "mem.h"

#include <stdlib.h>

int
mm_session_open(void *inst, void **ret, acd_err *err)
{
    struct mm *mm = inst;
    (void)pthread_mutex_lock(&mm->lock);
    bool has_schema = mm->now != NULL;
    (void)pthread_mutex_unlock(&mm->lock);
    if (!has_schema)
        return sdk_fail(err, ACD_EPRECOND, "a session cannot be opened before the schema is set");
    struct mm_session *s = calloc(1, sizeof(*s));
    if (!s)
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    s->mm = mm;
    *ret = s;
    return 0;
}

void
mm_session_close(void *session)
{
    mm_rollback(session);
    free(session);
}

int
mm_ready(const struct mm_session *s, bool write, acd_err *err)
{
    if (!s->open || (write && s->open != 2))
        return sdk_fail(err, ACD_EPRECOND, "the session is in no %stransaction", write ? "write " : "");
    if (s->deadline_ns && sdk_now_ns() >= s->deadline_ns)
        return sdk_fail(err, ACD_ETIMEOUT, "the deadline has passed");
    return 0;
}

static struct mm_state *
state_now(struct mm *mm)
{
    (void)pthread_mutex_lock(&mm->lock);
    struct mm_state *s = mm->now;
    atomic_fetch_add(&s->refs, 1);
    (void)pthread_mutex_unlock(&mm->lock);
    return s;
}

int
mm_begin(void *session, int write, const acd_call *call, acd_err *err)
{
    struct mm_session *s = session;
    struct mm *mm = s->mm;
    if (s->open)
        return sdk_fail(err, ACD_EPRECOND, "the session is in a transaction");
    int rc = mm->host->fault(mm->host, "storage-memory.begin");
    if (rc < 0)
        return sdk_fail(err, rc, "fault point");
    uint64_t deadline = sdk_deadline(call);
    if (deadline && sdk_now_ns() >= deadline)
        return sdk_fail(err, ACD_ETIMEOUT, "the deadline has passed");
    if (write &&
        (rc = sdk_gate_take(&mm->gate, deadline, sdk_now_ns() + (uint64_t)mm->busy_ms * 1000000u, err)) < 0)
        return rc;
    struct mm_state *base = state_now(mm);
    if (write) {
        s->state = mm_state_copy(base, mm->ncolls);
        mm_state_unref(base, mm->ncolls);
        if (!s->state) {
            sdk_gate_leave(&mm->gate);
            return sdk_fail(err, ACD_ENOMEM, "out of memory");
        }
        for (size_t i = 0; i < mm->ncolls; i++)
            s->own[i] = false;
    } else {
        s->state = base;
    }
    s->open = write ? 2 : 1;
    s->deadline_ns = deadline;
    return 0;
}

int
mm_commit(void *session, acd_err *err)
{
    struct mm_session *s = session;
    struct mm *mm = s->mm;
    if (!s->open)
        return sdk_fail(err, ACD_EPRECOND, "the session is in no transaction");
    if (s->open == 2) {
        int rc = mm->host->fault(mm->host, "storage-memory.commit");
        if (rc < 0) {
            mm_rollback(s);
            return sdk_fail(err, rc, "fault point");
        }
        (void)pthread_mutex_lock(&mm->lock);
        struct mm_state *old = mm->now;
        mm->now = s->state;
        s->state = old;
        (void)pthread_mutex_unlock(&mm->lock);
    }
    mm_rollback(s); /* drops what the session still holds: its view, or the state that was replaced */
    return 0;
}

void
mm_rollback(void *session)
{
    struct mm_session *s = session;
    if (!s->open)
        return;
    mm_state_unref(s->state, s->mm->ncolls);
    s->state = NULL;
    if (s->open == 2)
        sdk_gate_leave(&s->mm->gate);
    s->open = 0;
}

int
mm_counter_add(void *session, acd_slice key, int64_t delta, int64_t lo, int64_t hi, int64_t *ret_now,
               acd_err *err)
{
    struct mm_session *s = session;
    int rc = mm_ready(s, delta != 0, err);
    if (rc < 0)
        return rc;
    if (!key.ptr || key.len == 0 || key.len > SDK_COUNTER_KEY_MAX)
        return sdk_fail(err, ACD_EINVAL, "a counter's key has 1 to %u bytes", SDK_COUNTER_KEY_MAX);
    int64_t *slot = mm_counter_find(s->state, key);
    int64_t now = slot ? *slot : 0, next;
    if (__builtin_add_overflow(now, delta, &next) || next < lo || next > hi) {
        *ret_now = now;
        return sdk_fail(err, ACD_ELIMIT, "counter at %lld, step %lld leaves [%lld, %lld]", (long long)now,
                        (long long)delta, (long long)lo, (long long)hi);
    }
    if (slot && delta)
        *slot = next;
    else if (!slot && delta && mm_counter_new(s->state, key, next) < 0)
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    *ret_now = next;
    return 0;
}

int
mm_next_seq(void *session, uint64_t *ret, acd_err *err)
{
    struct mm_session *s = session;
    int rc = mm_ready(s, true, err);
    if (rc == 0)
        *ret = ++s->state->seq;
    return rc;
}

int
mm_seq_now(void *session, uint64_t *ret, acd_err *err)
{
    struct mm_session *s = session;
    int rc = mm_ready(s, false, err);
    if (rc == 0)
        *ret = s->state->seq;
    return rc;
}
