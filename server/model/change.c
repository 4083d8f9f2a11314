#include "model/change.h"

#include <string.h>

#include "base/err.h"

void
change_init(struct change_set *set, struct mem_region *region)
{
    *set = (struct change_set){.region = region};
}

int
change_add(struct change_set *set, enum change_kind kind, const char *key)
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
    char *copy = mem_strdup(set->region, key);
    if (!copy)
        return ACD_ENOMEM;
    set->items[set->n++] = (struct change_item){kind, copy};
    return 0;
}
