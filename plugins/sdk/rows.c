#include "rows.h"

#include <string.h>

#include "sdk.h"

const acd_collection *
sdk_coll(const acd_collection *colls, size_t i)
{
    return (const acd_collection *)(const void *)((const char *)colls + i * colls->struct_size);
}

static bool
name_ok(const char *s)
{
    size_t n = s ? strlen(s) : 0;
    if (n == 0 || n > SDK_NAME_MAX || strncmp(s, "anchord_", 8) == 0 || strncmp(s, "sqlite_", 7) == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!((s[i] >= 'a' && s[i] <= 'z') || s[i] == '_' || (i && s[i] >= '0' && s[i] <= '9')))
            return false;
    return true;
}

static int
ref_check(const acd_collection *colls, size_t n, const acd_collection *c, const acd_column *col, acd_err *err)
{
    if (!col->ref)
        return 0;
    const acd_collection *to = col->ref <= n ? sdk_coll(colls, col->ref - 1u) : NULL;
    if (!to || to->npk != 1 || to->ncols < 1 || to->cols[0].type != col->type)
        return sdk_fail(err, ACD_EINVAL, "column %s.%s refers to no single-column primary key of its type",
                        c->name, col->name);
    return 0;
}

static int
columns_check(const acd_collection *colls, size_t n, const acd_collection *c, acd_err *err)
{
    unsigned revs = 0;
    for (size_t i = 0; i < c->ncols; i++) {
        const acd_column *col = &c->cols[i];
        if (!name_ok(col->name))
            return sdk_fail(err, ACD_EINVAL, "column %zu of collection %s has no valid name", i, c->name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(c->cols[k].name, col->name) == 0)
                return sdk_fail(err, ACD_EINVAL, "column %s.%s is named twice", c->name, col->name);
        if (col->type < ACD_COL_INT || col->type > ACD_COL_BLOB)
            return sdk_fail(err, ACD_EINVAL, "column %s.%s has unknown type %u", c->name, col->name,
                            col->type);
        if ((col->flags & ACD_COL_NULL) && (col->type == ACD_COL_INT || i < c->npk))
            return sdk_fail(err, ACD_EINVAL, "column %s.%s cannot be NULL", c->name, col->name);
        if ((col->flags & ACD_COL_REV) && (col->type != ACD_COL_INT || i < c->npk || ++revs > 1))
            return sdk_fail(err, ACD_EINVAL, "column %s.%s cannot be the revision", c->name, col->name);
        int rc = ref_check(colls, n, c, col, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int
indexes_check(const acd_collection *c, acd_err *err)
{
    for (size_t i = 0; i < c->nindexes; i++) {
        const acd_index *ix = &c->indexes[i];
        if (!name_ok(ix->name) || ix->ncols < 1 || ix->ncols > SDK_KEY_MAX)
            return sdk_fail(err, ACD_EINVAL, "index %zu of collection %s is not valid", i, c->name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(c->indexes[k].name, ix->name) == 0)
                return sdk_fail(err, ACD_EINVAL, "index %s of collection %s is named twice", ix->name,
                                c->name);
        for (unsigned k = 0; k < ix->ncols; k++)
            if (ix->cols[k] >= c->ncols)
                return sdk_fail(err, ACD_EINVAL, "index %s of collection %s names column %u of %zu", ix->name,
                                c->name, ix->cols[k], c->ncols);
    }
    return 0;
}

int
sdk_colls_check(const acd_collection *colls, size_t n, uint32_t version, acd_err *err)
{
    if (n == 0 || n > SDK_COLLECTIONS_MAX || version == 0)
        return sdk_fail(err, ACD_EINVAL, "a schema has 1 to %u collections and a version above 0",
                        SDK_COLLECTIONS_MAX);
    if (!ACD_HAS(colls, since))
        return sdk_fail(err, ACD_EABI, "a collection of %u bytes is older than this plugin",
                        colls->struct_size);
    for (size_t i = 0; i < n; i++) {
        const acd_collection *c = sdk_coll(colls, i);
        if (c->struct_size != colls->struct_size || !name_ok(c->name))
            return sdk_fail(err, ACD_EINVAL, "collection %zu has no valid name", i);
        for (size_t k = 0; k < i; k++)
            if (strcmp(sdk_coll(colls, k)->name, c->name) == 0)
                return sdk_fail(err, ACD_EINVAL, "collection %s is named twice", c->name);
        if (c->ncols < 1 || c->ncols > SDK_COLUMNS_MAX || c->npk < 1 || c->npk > SDK_KEY_MAX ||
            c->npk > c->ncols || c->nindexes > SDK_INDEXES_MAX || c->since > version)
            return sdk_fail(err, ACD_EINVAL, "collection %s: columns, key, indexes or version out of range",
                            c->name);
        int rc = columns_check(colls, n, c, err);
        if (rc == 0)
            rc = indexes_check(c, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int
value_check(const acd_collection *c, const acd_column *col, const acd_value *v, acd_err *err)
{
    if (col->type == ACD_COL_INT)
        return 0;
    if (!v->bytes.ptr) {
        if ((col->flags & ACD_COL_NULL) && v->bytes.len == 0)
            return 0;
        return sdk_fail(err, ACD_EINVAL, "column %s.%s cannot be NULL", c->name, col->name);
    }
    if (col->type == ACD_COL_TEXT && !sdk_text_valid(v->bytes))
        return sdk_fail(err, ACD_EINVAL, "column %s.%s takes UTF-8 text without NUL", c->name, col->name);
    return 0;
}

int
sdk_row_check(const acd_collection *c, const acd_value *row, size_t ncols, acd_err *err)
{
    if (ncols != c->ncols)
        return sdk_fail(err, ACD_EINVAL, "a row of %s has %zu values, not %zu", c->name, c->ncols, ncols);
    for (size_t i = 0; i < ncols; i++) {
        int rc = value_check(c, &c->cols[i], &row[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int
sdk_key_check(const acd_collection *c, const acd_value *key, size_t nkey, acd_err *err)
{
    if (nkey != c->npk)
        return sdk_fail(err, ACD_EINVAL, "the key of %s has %u values, not %zu", c->name, c->npk, nkey);
    for (size_t i = 0; i < nkey; i++) {
        int rc = value_check(c, &c->cols[i], &key[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int
sdk_scan_check(const acd_collection *c, const acd_scan *scan, acd_err *err)
{
    uint16_t order[SDK_ORDER_MAX];
    if (scan->index > c->nindexes)
        return sdk_fail(err, ACD_EINVAL, "%s has no index %u", c->name, scan->index);
    size_t own = scan->index ? c->indexes[scan->index - 1].ncols : c->npk;
    if (scan->neq > own)
        return sdk_fail(err, ACD_EINVAL, "index %u of %s has %zu columns, not %zu", scan->index, c->name, own,
                        scan->neq);
    (void)sdk_order(c, scan->index, order);
    for (size_t i = 0; i < scan->neq; i++) {
        int rc = value_check(c, &c->cols[order[i]], &scan->eq[i], err);
        if (rc < 0)
            return rc;
        if (scan->after && sdk_value_cmp(&c->cols[order[i]], &scan->eq[i], &scan->after[order[i]]) != 0)
            return sdk_fail(err, ACD_EINVAL, "a walk of %s continues after a row that is not in it", c->name);
    }
    return scan->after ? sdk_row_check(c, scan->after, c->ncols, err) : 0;
}

int
sdk_rev_check(const acd_collection *c, uint64_t if_rev, bool del, acd_err *err)
{
    if (if_rev == ACD_REV_ANY || (if_rev == ACD_REV_NEW && !del))
        return 0;
    if (if_rev == ACD_REV_NEW || if_rev > INT64_MAX || sdk_rev_column(c) < 0)
        return sdk_fail(err, ACD_EINVAL, "%s cannot be asked for revision %llu", c->name,
                        (unsigned long long)if_rev);
    return 0;
}

size_t
sdk_order(const acd_collection *c, uint32_t index, uint16_t ret[SDK_ORDER_MAX])
{
    size_t n = 0;
    if (index) {
        const acd_index *ix = &c->indexes[index - 1];
        for (; n < ix->ncols; n++)
            ret[n] = ix->cols[n];
    }
    size_t own = n;
    for (uint16_t k = 0; k < c->npk; k++) {
        size_t i = 0;
        while (i < own && ret[i] != k)
            i++;
        if (i == own)
            ret[n++] = k;
    }
    return n;
}

bool
sdk_value_null(const acd_column *col, const acd_value *v)
{
    return col->type != ACD_COL_INT && !v->bytes.ptr;
}

int
sdk_value_cmp(const acd_column *col, const acd_value *a, const acd_value *b)
{
    if (col->type == ACD_COL_INT)
        return (a->num > b->num) - (a->num < b->num);
    if (!a->bytes.ptr || !b->bytes.ptr)
        return (a->bytes.ptr != NULL) - (b->bytes.ptr != NULL);
    size_t n = a->bytes.len < b->bytes.len ? a->bytes.len : b->bytes.len;
    int d = n ? memcmp(a->bytes.ptr, b->bytes.ptr, n) : 0;
    return d ? d : (a->bytes.len > b->bytes.len) - (a->bytes.len < b->bytes.len);
}

int
sdk_rev_column(const acd_collection *c)
{
    for (size_t i = 0; i < c->ncols; i++)
        if (c->cols[i].flags & ACD_COL_REV)
            return (int)i;
    return -1;
}
