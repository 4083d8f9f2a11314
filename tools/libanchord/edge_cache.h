/*
 * Private to libanchord: the verdict cache of eval/ in terms of plain values. It stands apart because the
 * headers for plugins, which eval/verdict.h is made of, and those for clients give some names to different
 * things.
 *
 * Threading: any thread, at any time; no locks.
 */
#ifndef LIBANCHORD_EDGE_CACHE_H
#define LIBANCHORD_EDGE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

#include "base/must.h"

struct edge_cache;

struct edge_kept {
    bool verified, revoked;
    int32_t depth, anchor; /* anchor: number in the trust set; -1: none */
    int64_t from_ms, until_ms;
    char error[56], text[184];
};

int edge_cache_new(size_t max, struct edge_cache **ret, acd_err *err) ACD_MUSTCHECK;
void edge_cache_free(struct edge_cache *c); /* NULL is fine */
/* epoch: of the revocation data that the verdict rests on (struct snap_trust). */
bool edge_cache_find(struct edge_cache *c, const uint8_t chain[32], const uint8_t trust[32], uint64_t epoch,
                     int64_t at_ms, struct edge_kept *ret);
void edge_cache_put(struct edge_cache *c, const uint8_t chain[32], const uint8_t trust[32], uint64_t epoch,
                    const struct edge_kept *k);

#endif
