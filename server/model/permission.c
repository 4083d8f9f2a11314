#include "model/permission.h"

#include <stddef.h>

#include "base/str.h"

struct row {
    const char *name;
    permission_set bit;
};

static const struct row rows[] = {
#define PERMISSION_ROWS(id, name) \
    {name " Read", (permission_set)1 << (2 * (id))}, {name " Write", (permission_set)1 << (2 * (id) + 1)},
    PERMISSION_AREAS(PERMISSION_ROWS)
#undef PERMISSION_ROWS
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

permission_set
permission_parse(acd_slice name)
{
    if (slice_eqs(name, "all"))
        return ((permission_set)1 << ROWS) - 1;
    for (unsigned i = 0; i < ROWS; i++)
        if (slice_eqs(name, rows[i].name))
            return rows[i].bit | (i % 2 == PERM_WRITE ? rows[i - 1].bit : 0);
    return 0;
}

const char *
permission_name(unsigned i, permission_set *ret)
{
    if (i >= ROWS)
        return NULL;
    *ret = rows[i].bit;
    return rows[i].name;
}
