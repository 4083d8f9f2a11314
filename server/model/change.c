#include "model/change.h"

#include <string.h>

#include "base/err.h"

void
change_init(struct change_set *set, struct mem_region *region)
{
    *set = (struct change_set){.region = region};
}

static int
item_add(struct change_set *set, const struct change_item *item)
{
    if (set->n == set->cap) {
        size_t cap = set->cap ? set->cap * 2 : 16;
        struct change_item *items = mem_new_n(set->region, cap, struct change_item);
        if (!items)
            return ACD_ENOMEM;
        if (set->n)
            memcpy(items, set->items, set->n * sizeof(*items));
        set->items = items;
        set->cap = cap;
    }
    set->items[set->n++] = *item;
    return 0;
}

int
change_add(struct change_set *set, enum change_kind kind, const char *key)
{
    const char *copy = mem_strdup(set->region, key);
    return copy ? item_add(set, &(struct change_item){kind, copy, NULL}) : ACD_ENOMEM;
}

int
change_add_host(struct change_set *set, acd_slice pattern, acd_slice zone_id, const struct assoc *cas,
                size_t n)
{
    const char *key = mem_strndup(set->region, pattern.ptr, pattern.len);
    struct change_host *host = mem_new(set->region, struct change_host);
    struct assoc *copy = mem_new_n(set->region, n, struct assoc);
    if (!key || !host || !copy)
        return ACD_ENOMEM;
    *host = (struct change_host){mem_slice(set->region, zone_id), copy, n};
    memcpy(copy, cas, n * sizeof(*cas));
    return host->zone_id.ptr ? item_add(set, &(struct change_item){CHANGED_HOST, key, host}) : ACD_ENOMEM;
}
