#include "pump.h"

#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "wire/frame.h"

enum { TIMEOUT_MS = 30000, CONNECT_S = 120, REPLY_BLOCK = 4096 };

void
pump_add(struct pump_set *set, const char *method, const void *body)
{
    struct frame_call f = {.method = slice_str(method),
                           .request_id = SLICE_LIT("0123456789abcdef"),
                           .timeout_ms = TIMEOUT_MS,
                           .body = body};
    if (set->n == set->room) {
        set->room = set->room ? 2 * set->room : 64;
        set->asks = realloc(set->asks, set->room * sizeof(*set->asks));
        must(set->asks);
    }
    size_t len = frame_call_size(&f);
    uint8_t *bytes = malloc(len);
    must(bytes);
    frame_call_write(&f, bytes);
    set->asks[set->n++] = (acd_slice){bytes, len};
}

void
pump_done(struct pump_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        free((void *)set->asks[i].ptr);
    free(set->asks);
    *set = (struct pump_set){0};
}

void
pump_open(struct pump *p, const char *url, const struct pump_set *set, unsigned in_flight)
{
    acd_err err = ACD_ERR_INIT;
    *p = (struct pump){.set = set, .in_flight = in_flight};
    rig_need(link_open(url, PUMP_FLIGHTS, &p->link, &err), &err, url);
    rig_need(link_wait(p->link, rig_ns() + (uint64_t)CONNECT_S * 1000000000, &err), &err, url);
}

void
pump_close(struct pump *p)
{
    link_close(p->link);
    free(p->took_us);
    p->took_us = NULL;
    p->link = NULL;
}

static void
write_bytes(const void *arg, uint8_t *out)
{
    const acd_slice *ask = arg;
    memcpy(out, ask->ptr, ask->len);
}

static void
submit(struct pump *p, struct link_group *g)
{
    acd_err err = ACD_ERR_INIT;
    const acd_slice *ask = &p->set->asks[p->at++ % p->set->n];
    const struct link_send send = {.len = ask->len,
                                   .write = write_bytes,
                                   .arg = ask,
                                   .deadline_ns = rig_ns() + (uint64_t)TIMEOUT_MS * 1000000,
                                   .tag = p->took_us ? (void *)(uintptr_t)rig_ns() : NULL};
    rig_need(link_submit(g, &send, &err), &err, "ask");
}

static void
check(const struct link_reply *r)
{
    struct frame_reply reply;
    struct mem_region region;
    acd_err err = ACD_ERR_INIT;
    mem_init(&region, REPLY_BLOCK, 0);
    rig_need(frame_reply_decode(&region, r->bytes, &reply, &err), &err, "reply");
    if (reply.code != 0)
        rig_fail("refused with %u: %.*s", reply.code, (int)reply.message.len,
                 (const char *)reply.message.ptr);
    mem_done(&region);
}

static void
collect(struct pump *p, struct link_group *g)
{
    struct link_reply r;
    must(link_collect(g, UINT64_MAX, &r) == 1);
    if (r.status < 0)
        rig_fail("no reply: %s", status_text(r.status));
    check(&r);
    p->reply_bytes = r.bytes.len;
    if (p->took_us && p->took_n < p->took_max)
        p->took_us[p->took_n++] = (float)(rig_ns() - (uint64_t)(uintptr_t)r.tag) / 1000;
    link_reply_done(&r);
}

double
pump_run(void *pump, double seconds)
{
    struct pump *p = pump;
    struct link_group g;
    uint64_t calls = 0;
    link_group_init(&g, p->link);
    for (unsigned i = 0; i < p->in_flight; i++)
        submit(p, &g);
    uint64_t start = rig_ns();
    do {
        collect(p, &g);
        submit(p, &g);
        calls++;
    } while (rig_since(start) < seconds);
    double took = rig_since(start);
    for (unsigned i = 0; i < p->in_flight; i++)
        collect(p, &g);
    link_group_done(&g);
    return (double)calls / took;
}

acd_slice
pump_ask_once(struct pump *p, size_t which)
{
    static uint8_t payload[1 << 21];
    struct link_group g;
    struct link_reply r;
    struct frame_reply reply;
    struct mem_region region;
    acd_err err = ACD_ERR_INIT;
    link_group_init(&g, p->link);
    p->at = which;
    submit(p, &g);
    must(link_collect(&g, UINT64_MAX, &r) == 1 && r.status == 0);
    check(&r);
    mem_init(&region, REPLY_BLOCK, 0);
    rig_need(frame_reply_decode(&region, r.bytes, &reply, &err), &err, "reply");
    must(reply.payload.len <= sizeof(payload));
    memcpy(payload, reply.payload.ptr, reply.payload.len);
    p->reply_bytes = r.bytes.len;
    mem_done(&region);
    link_reply_done(&r);
    link_group_done(&g);
    return slice_of(payload, reply.payload.len);
}

static int
by_time(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

double
pump_quantile(struct pump *p, double share)
{
    must(p->took_n > 0);
    qsort(p->took_us, p->took_n, sizeof(*p->took_us), by_time);
    return (double)p->took_us[(size_t)(share * (double)(p->took_n - 1))];
}
