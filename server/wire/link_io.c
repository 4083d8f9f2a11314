#include "wire/link_part.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

enum { READ_CHUNK = 65536, OUT_FIRST = 16384, OUT_KEPT = 1 << 20 };
enum { SLOT_BITS = 12, SLOT_MASK = (1 << SLOT_BITS) - 1 };
#define OWN_ID 0x80000000u
static_assert(LIMIT_CLIENT_CALLS <= SLOT_MASK + 1, "an id has room for every slot");

/* ---- slots ---- */

void
link_slot_fly(struct link_group *g, struct link_slot *s)
{
    s->state = SLOT_FLYING;
    s->group = g;
    s->next = g->flying;
    s->at = &g->flying;
    if (s->next)
        s->next->at = &s->next;
    g->flying = s;
    g->link->in_flight++;
}

static void
flying_remove(struct link_slot *s)
{
    *s->at = s->next;
    if (s->next)
        s->next->at = s->at;
    s->next = NULL;
    s->at = NULL;
}

void
link_slot_free(struct link *l, struct link_slot *s)
{
    s->state = SLOT_FREE;
    s->group = NULL;
    s->next = l->free;
    l->free = s;
}

void
link_slot_park(struct link *l, struct link_slot *s)
{
    flying_remove(s);
    s->state = SLOT_PARKED;
    s->group = NULL;
    l->parked++;
}

/* A flying or parked slot comes to its end; chunk: the reply's reference, NULL without one. */
static void
slot_finish(struct link *l, struct link_slot *s, int status, acd_slice bytes, struct chunk *chunk)
{
    struct link_group *g = s->group;
    l->in_flight--;
    if (s->state == SLOT_PARKED) {
        chunk_unref(chunk);
        l->parked--;
        link_slot_free(l, s);
        return;
    }
    flying_remove(s);
    s->state = SLOT_DONE;
    s->reply = (struct link_reply){s->send.tag, s->send.kind, status, bytes, chunk};
    if (g->done_first)
        g->done_last->next = s;
    else
        g->done_first = s;
    g->done_last = s;
    if (g->at)
        (void)pthread_cond_signal(&g->wake);
}

int
link_slot_take(struct link *l, struct link_slot **ret, acd_err *err)
{
    struct link_slot *s = l->free;
    if (l->fd < 0 || l->broken)
        return err_set(err, ACD_EUNAVAIL, "not connected to a server");
    if (s)
        l->free = s->next;
    else if (l->n_slots < l->max_slots)
        s = &l->slots[l->n_slots++];
    else
        return err_set(err, ACD_EBUSY, "%u calls are in flight already, %u of them late", l->n_slots,
                       l->parked);
    s->id = OWN_ID | (l->count++ << SLOT_BITS & ~OWN_ID) | (uint32_t)(s - l->slots);
    *ret = s;
    return 0;
}

/* ---- the connection ---- */

void
link_down(struct link *l)
{
    (void)close(l->fd);
    l->fd = -1;
    l->broken = false;
    reader_done(&l->reader);
    l->out.at = l->out.len = 0;
    for (uint32_t i = 0; i < l->n_slots; i++)
        if (l->slots[i].state == SLOT_FLYING || l->slots[i].state == SLOT_PARKED)
            slot_finish(l, &l->slots[i], ACD_EUNAVAIL, (acd_slice){NULL, 0}, NULL);
    (void)pthread_cond_broadcast(&l->changed);
}

/* Whoever notices the end of the connection while another thread leads leaves the rest to that one. */
static void
conn_ended(struct link *l)
{
    l->broken = true;
    (void)shutdown(l->fd, SHUT_RDWR);
    if (!l->leading)
        link_down(l);
}

/* Room for one more message at the end. */
static uint8_t *
out_room(struct out *o, size_t len)
{
    if (o->cap - o->len < len) {
        size_t have = o->len - o->at, cap = o->cap ? o->cap : OUT_FIRST;
        while (cap < have + len)
            cap *= 2;
        uint8_t *data = malloc(cap);
        if (!data)
            return NULL;
        if (have)
            memcpy(data, o->data + o->at, have);
        free(o->data);
        *o = (struct out){data, 0, have, cap};
    }
    o->len += len;
    return o->data + o->len - len;
}

static void
out_sent(struct out *o, size_t n)
{
    o->at += n;
    if (o->at < o->len)
        return;
    o->at = o->len = 0;
    if (o->cap > OUT_KEPT) {
        free(o->data);
        *o = (struct out){0};
    }
}

/* What the socket takes. False: the connection ended, and is so marked. */
static bool
flush(struct link *l)
{
    while (l->out.at < l->out.len) {
        ssize_t n = link_sock_send(l->fd, l->out.data + l->out.at, l->out.len - l->out.at);
        if (n < 0)
            conn_ended(l);
        if (n <= 0)
            return n == 0;
        out_sent(&l->out, (size_t)n);
    }
    return true;
}

int
link_put(struct link *l, const struct link_slot *s)
{
    size_t head = sp_head_size(l->address.framing);
    uint8_t *out = out_room(&l->out, head + SP_ID + s->send.len);
    if (!out)
        return ACD_ENOMEM;
    sp_head_write(l->address.framing, SP_ID + s->send.len, out);
    for (int i = 0; i < SP_ID; i++)
        out[head + (size_t)i] = (uint8_t)(s->id >> (24 - 8 * i));
    s->send.write(s->send.arg, out + head + SP_ID);
    return 0;
}

void
link_post(struct link *l)
{
    if (flush(l) && l->out.at < l->out.len && l->leading && !l->watches) {
        const uint64_t ring = 1;
        (void)!write(l->kick, &ring, sizeof(ring));
    }
}

/* A reply; takes the reference to its chunk. */
static void
deliver(struct link *l, acd_slice msg, struct chunk *chunk)
{
    const uint8_t *p = msg.ptr;
    if (msg.len >= SP_ID) {
        uint32_t id = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        struct link_slot *s = (id & SLOT_MASK) < l->n_slots ? &l->slots[id & SLOT_MASK] : NULL;
        if (s && s->id == id && (s->state == SLOT_FLYING || s->state == SLOT_PARKED)) {
            slot_finish(l, s, 0, slice_of(p + SP_ID, msg.len - SP_ID), chunk);
            return;
        }
    }
    chunk_unref(chunk);
}

/* A chunk that no reply lies in any more. */
static bool
chunk_ready(struct link *l)
{
    if (l->chunk && __atomic_load_n(&l->chunk->refs, __ATOMIC_ACQUIRE) == 1)
        return true;
    chunk_unref(l->chunk);
    l->chunk = chunk_new(READ_CHUNK);
    return l->chunk != NULL;
}

static bool
take_read(struct link *l, size_t n)
{
    acd_slice msg;
    struct chunk *chunk;
    int rc;
    reader_got(&l->reader, l->chunk, n);
    while ((rc = reader_next(&l->reader, l->chunk, &msg, &chunk)) == 1)
        deliver(l, msg, chunk);
    return rc == 0;
}

bool
link_lead(struct link *l, uint64_t until_ns)
{
    struct iovec iov[2];
    l->leading = true;
    int places = flush(l) && chunk_ready(l) ? reader_room(&l->reader, l->chunk, iov) : -1;
    ssize_t n = ACD_EUNAVAIL;
    if (places > 0) {
        l->watches = l->out.at < l->out.len;
        struct link_sock_wait wait = {.fd = l->fd,
                                      .kick = l->kick,
                                      .room = l->watches,
                                      .eager = l->in_flight > 1,
                                      .until_ns = until_ns};
        (void)pthread_mutex_unlock(&l->lock);
        n = link_sock_read(&wait, iov, places);
        (void)pthread_mutex_lock(&l->lock);
        if (!take_read(l, n > 0 ? (size_t)n : 0))
            n = ACD_EUNAVAIL;
    }
    l->leading = l->watches = false;
    if (n < 0 || l->broken)
        link_down(l);
    return n > 0;
}

void
link_hand_over(struct link *l)
{
    if (l->leading)
        return;
    for (struct link_group *g = l->asleep; g; g = g->next)
        if (!g->done_first) {
            (void)pthread_cond_signal(&g->wake);
            return;
        }
}
