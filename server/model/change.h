/*
 * What a committed change touched, named so that whoever publishes can read the new truth and replace just
 * that. Items live in a region; one thread at a time.
 */
#ifndef MODEL_CHANGE_H
#define MODEL_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "model/assoc.h"

enum change_kind {
    CHANGED_ZONE,        /* key: zone id */
    CHANGED_CERT,        /* key: certificate id */
    CHANGED_HOST,        /* key: host pattern in normal form */
    CHANGED_RULES,       /* key: zone id */
    CHANGED_ORIGIN,      /* key: zone id: its custom origin trust store */
    CHANGED_ACCESS_HOST, /* key: host pattern in normal form, among those of Access */
    CHANGED_REVOCATION,  /* key: certificate id */
    CHANGED_TOKEN,       /* key: token id; no part of the snapshot */
};

/* The CAs that a host has after the change, in no order. */
struct change_host {
    acd_slice zone_id;
    const struct assoc *cas;
    size_t n;
};

struct change_item {
    enum change_kind kind;
    const char *key;
    const struct change_host *host; /* of CHANGED_HOST, where it is known; NULL: to be read */
};

struct change_set {
    struct mem_region *region;
    struct change_item *items;
    size_t n, cap;
};

void change_init(struct change_set *set, struct mem_region *region);
int change_add(struct change_set *set, enum change_kind kind, const char *key) ACD_MUSTCHECK;
/* A host with all that it has now, so that nobody need read it again. Everything is copied. Of several items
 * about one host the last counts. */
int change_add_host(struct change_set *set, acd_slice pattern, acd_slice zone_id, const struct assoc *cas,
                    size_t n) ACD_MUSTCHECK;

#endif
