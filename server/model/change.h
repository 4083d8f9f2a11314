/*
 * What a committed change touched, named so that whoever publishes can read the new truth and replace just
 * that. Items live in a region; one thread at a time.
 */
#ifndef MODEL_CHANGE_H
#define MODEL_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

enum change_kind {
    CHANGED_ZONE,  /* key: zone id */
    CHANGED_CERT,  /* key: certificate id */
    CHANGED_HOST,  /* key: host pattern in normal form */
    CHANGED_RULES, /* key: zone id */
    CHANGED_TOKEN, /* key: token id; no part of the snapshot */
};

struct change_item {
    enum change_kind kind;
    const char *key;
};

struct change_set {
    struct mem_region *region;
    struct change_item *items;
    size_t n, cap;
};

void change_init(struct change_set *set, struct mem_region *region);
int change_add(struct change_set *set, enum change_kind kind, const char *key) ACD_MUSTCHECK;

#endif
