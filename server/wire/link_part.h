/*
 * The insides of a link, shared by link.c (callers, groups, the keeper) and link_io.c (slots and the
 * connection).
 *
 * One lock guards everything, and every function here wants it held. Who leads (`leading`) lets go of it
 * while it connects or reads, and is the only one then to touch reader and chunk, and to close the
 * descriptor; others may send on it. A request carries its slot and a count in its 31 bits of id, so a reply
 * that is none of ours finds no slot.
 */
#ifndef WIRE_LINK_PART_H
#define WIRE_LINK_PART_H

#include "base/clock.h"
#include "base/thread.h"
#include "model/limits.h"
#include "wire/bus_read.h"
#include "wire/link.h"
#include "wire/link_sock.h"

enum slot_state { SLOT_FREE, SLOT_FLYING, SLOT_PARKED, SLOT_DONE };

struct link_slot {
    enum slot_state state;
    uint32_t id;
    struct link_group *group;
    struct link_slot *next, **at; /* in the group's flying list, by `at`; in the done or the free list */
    struct link_send send;
    struct link_reply reply;
};

/* What has not gone out yet: [at, len). */
struct out {
    uint8_t *data;
    size_t at, len, cap;
};

struct link {
    struct link_address address;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* for link_wait: connected, ended, or nobody tries any more */
    struct thread keeper;
    pthread_cond_t keeper_wake;
    bool keeper_sleeps, closing;
    uint32_t keeper_ms; /* how often it looks while requests are in flight */
    int fd, kick;       /* fd -1: not connected; kick: wakes who leads */
    bool leading, broken,
        watches;       /* broken: to be closed by who leads; watches: who leads, for room to send */
    uint64_t retry_ns; /* not before this is connecting tried again */
    uint32_t pause_ms, count;
    struct out out;
    struct reader reader;
    struct chunk *chunk;
    struct link_group *asleep;
    uint32_t in_flight, parked, n_slots, max_slots; /* in_flight: flying and parked */
    struct link_slot *slots, *free;
};

static inline uint64_t
link_now_ns(void)
{
    return clock_mono_ns(&clock_system);
}

/* A free slot. ACD_EUNAVAIL, ACD_EBUSY. */
int link_slot_take(struct link *l, struct link_slot **ret, acd_err *err) ACD_MUSTCHECK;
void link_slot_fly(struct link_group *g, struct link_slot *s);
void link_slot_park(struct link *l, struct link_slot *s);
void link_slot_free(struct link *l, struct link_slot *s);

/* Puts the slot's request behind those that wait to go out. ACD_ENOMEM. */
int link_put(struct link *l, const struct link_slot *s) ACD_MUSTCHECK;
/* Sends what waits, and sees to it that who leads sends the rest when the socket is full. */
void link_post(struct link *l);

/* Sends what waits and reads once, for everybody, until that time at most; nobody leads yet. True: bytes
 * came. */
bool link_lead(struct link *l, uint64_t until_ns);
/* Nobody leads, but somebody may have to. */
void link_hand_over(struct link *l);

/* The connection is over: what was in flight on it fails. Nobody leads. */
void link_down(struct link *l);

#endif
