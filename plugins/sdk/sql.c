#include "sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
sdk_text_put(struct sdk_text *t, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        t->failed = true;
    if (!t->failed && t->len + (size_t)n + 1 > t->cap) {
        size_t cap = 2 * (t->len + (size_t)n + 128);
        char *p = realloc(t->data, cap);
        t->failed = !p;
        if (p) {
            t->data = p;
            t->cap = cap;
        }
    }
    if (!t->failed) {
        (void)vsnprintf(t->data + t->len, t->cap - t->len, fmt, again);
        t->len += (size_t)n;
    }
    va_end(again);
}

void
sdk_text_clear(struct sdk_text *t)
{
    t->len = 0;
    t->failed = false;
}

void
sdk_text_done(struct sdk_text *t)
{
    free(t->data);
    *t = (struct sdk_text){0};
}

static void
put_column(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *colls,
           const acd_column *col, bool later)
{
    bool null = col->flags & ACD_COL_NULL;
    sdk_text_put(t, "\"%s\" %s", col->name, d->type[col->type]);
    if (!null)
        sdk_text_put(t, " NOT NULL");
    if (later && !null)
        sdk_text_put(t, " DEFAULT %s", d->zero[col->type]);
    if (col->ref) {
        const acd_collection *to = sdk_coll(colls, col->ref - 1u);
        sdk_text_put(t, " REFERENCES \"%s\"(\"%s\")", to->name, to->cols[0].name);
    }
}

static void
put_names(struct sdk_text *t, const acd_collection *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sdk_text_put(t, "%s\"%s\"", i ? "," : "", c->cols[i].name);
}

static void
put_key_match(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c)
{
    sdk_text_put(t, " WHERE ");
    for (unsigned i = 0; i < c->npk; i++)
        sdk_text_put(t, "%s\"%s\"=%c%u", i ? " AND " : "", c->cols[i].name, d->mark, i + 1);
}

void
sdk_sql_table(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *colls,
              const acd_collection *c)
{
    sdk_text_put(t, "CREATE TABLE \"%s\"(", c->name);
    for (size_t i = 0; i < c->ncols; i++) {
        put_column(t, d, colls, &c->cols[i], false);
        sdk_text_put(t, ",");
    }
    sdk_text_put(t, "PRIMARY KEY(");
    put_names(t, c, c->npk);
    bool one_int = c->npk == 1 && c->cols[0].type == ACD_COL_INT;
    sdk_text_put(t, "))%s", one_int ? d->table_end_int : d->table_end);
}

void
sdk_sql_add_column(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *colls,
                   const acd_collection *c, const acd_column *col)
{
    sdk_text_put(t, "ALTER TABLE \"%s\" ADD COLUMN ", c->name);
    put_column(t, d, colls, col, true);
}

void
sdk_sql_index_name(struct sdk_text *t, const acd_collection *c, const acd_index *ix)
{
    sdk_text_put(t, "ix_%s__%s", c->name, ix->name);
}

void
sdk_sql_index(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c, const acd_index *ix)
{
    sdk_text_put(t, "CREATE %sINDEX \"", ix->unique ? "UNIQUE " : "");
    sdk_sql_index_name(t, c, ix);
    sdk_text_put(t, "\" ON \"%s\"(", c->name);
    for (unsigned i = 0; i < ix->ncols; i++) {
        const acd_column *col = &c->cols[ix->cols[i]];
        sdk_text_put(t, "%s\"%s\"%s", i ? "," : "", col->name,
                     d->say_nulls_first && (col->flags & ACD_COL_NULL) ? " NULLS FIRST" : "");
    }
    sdk_text_put(t, ")");
}

bool
sdk_sql_ref_index_name(struct sdk_text *t, const acd_collection *c, size_t col)
{
    if (!c->cols[col].ref || col == 0)
        return false;
    for (size_t i = 0; i < c->nindexes; i++)
        if (c->indexes[i].cols[0] == col)
            return false;
    sdk_text_put(t, "ix_%s__ref__%s", c->name, c->cols[col].name);
    return true;
}

void
sdk_sql_ref_index(struct sdk_text *t, const acd_collection *c, size_t col)
{
    sdk_text_put(t, "CREATE INDEX \"");
    (void)sdk_sql_ref_index_name(t, c, col);
    sdk_text_put(t, "\" ON \"%s\"(\"%s\")", c->name, c->cols[col].name);
}

void
sdk_sql_get(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c)
{
    sdk_text_put(t, "SELECT ");
    put_names(t, c, c->ncols);
    sdk_text_put(t, " FROM \"%s\"", c->name);
    put_key_match(t, d, c);
}

void
sdk_sql_exists(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c)
{
    sdk_text_put(t, "SELECT 1 FROM \"%s\"", c->name);
    put_key_match(t, d, c);
}

void
sdk_sql_insert(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c, bool or_update)
{
    sdk_text_put(t, "INSERT INTO \"%s\"(", c->name);
    put_names(t, c, c->ncols);
    sdk_text_put(t, ")VALUES(");
    for (size_t i = 0; i < c->ncols; i++)
        sdk_text_put(t, "%s%c%zu", i ? "," : "", d->mark, i + 1);
    sdk_text_put(t, ")");
    if (!or_update)
        return;
    sdk_text_put(t, " ON CONFLICT(");
    put_names(t, c, c->npk);
    sdk_text_put(t, c->ncols > c->npk ? ") DO UPDATE SET " : ") DO NOTHING");
    for (size_t i = c->npk; i < c->ncols; i++)
        sdk_text_put(t, "%s\"%s\"=excluded.\"%s\"", i > c->npk ? "," : "", c->cols[i].name, c->cols[i].name);
}

void
sdk_sql_update_if(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c)
{
    sdk_text_put(t, "UPDATE \"%s\" SET ", c->name);
    for (size_t i = c->npk; i < c->ncols; i++)
        sdk_text_put(t, "%s\"%s\"=%c%zu", i > c->npk ? "," : "", c->cols[i].name, d->mark, i + 1);
    put_key_match(t, d, c);
    sdk_text_put(t, " AND \"%s\"=%c%zu", c->cols[sdk_rev_column(c)].name, d->mark, c->ncols + 1);
}

void
sdk_sql_delete(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c, bool if_rev)
{
    sdk_text_put(t, "DELETE FROM \"%s\"", c->name);
    put_key_match(t, d, c);
    if (if_rev)
        sdk_text_put(t, " AND \"%s\"=%c%u", c->cols[sdk_rev_column(c)].name, d->mark, c->npk + 1u);
}

void
sdk_walk_init(struct sdk_walk *w, const acd_collection *c, const acd_scan *scan)
{
    *w = (struct sdk_walk){.c = c, .scan = scan};
    w->norder = sdk_order(c, scan->index, w->order);
    w->level = w->norder;
}

/* Fixes ordering column i, from eq or from the row that the walk continues after. */
static void
range_fix(const struct sdk_walk *w, struct sdk_range *r, size_t i)
{
    const acd_column *col = &w->c->cols[w->order[i]];
    const acd_value *v = i < w->scan->neq ? &w->scan->eq[i] : &w->scan->after[w->order[i]];
    r->neq++;
    if (sdk_value_null(col, v)) {
        r->null_eq |= (uint8_t)(1u << i);
        return;
    }
    r->cols[r->nvals] = col;
    r->vals[r->nvals++] = v;
}

bool
sdk_walk_next(struct sdk_walk *w, struct sdk_range *ret)
{
    const acd_scan *scan = w->scan;
    for (;;) {
        *ret = (struct sdk_range){.index = (uint8_t)scan->index, .reverse = scan->reverse != 0};
        if (!scan->after) {
            if (w->done)
                return false;
            w->done = true;
            for (size_t i = 0; i < scan->neq; i++)
                range_fix(w, ret, i);
            return true;
        }
        if (!w->null_phase) {
            if (w->level <= scan->neq)
                return false;
            w->level--;
        }
        for (size_t i = 0; i < w->level; i++)
            range_fix(w, ret, i);
        const acd_column *col = &w->c->cols[w->order[w->level]];
        const acd_value *v = &scan->after[w->order[w->level]];
        if (w->null_phase) {
            w->null_phase = false;
            ret->null_eq |= (uint8_t)(1u << w->level);
            ret->neq++;
            return true;
        }
        bool null = sdk_value_null(col, v);
        if (null && scan->reverse)
            continue; /* nothing lies before NULL */
        w->null_phase = scan->reverse && (col->flags & ACD_COL_NULL);
        ret->bound = null ? SDK_BOUND_NOT_NULL : scan->reverse ? SDK_BOUND_LESS : SDK_BOUND_MORE;
        if (!null) {
            ret->cols[ret->nvals] = col;
            ret->vals[ret->nvals++] = v;
        }
        return true;
    }
}

void
sdk_sql_range(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c,
              const struct sdk_range *r)
{
    uint16_t order[SDK_ORDER_MAX];
    size_t n = sdk_order(c, r->index, order);
    unsigned param = 0;
    sdk_text_put(t, "SELECT ");
    put_names(t, c, c->ncols);
    sdk_text_put(t, " FROM \"%s\"", c->name);
    if (d->indexed_by && r->index) {
        /* Without statistics a planner may think another index and a sort cheaper, even for one page. */
        sdk_text_put(t, " INDEXED BY \"");
        sdk_sql_index_name(t, c, &c->indexes[r->index - 1]);
        sdk_text_put(t, "\"");
    }
    for (unsigned i = 0; i < r->neq; i++) {
        sdk_text_put(t, "%s\"%s\"", i ? " AND " : " WHERE ", c->cols[order[i]].name);
        if (r->null_eq & (1u << i))
            sdk_text_put(t, " IS NULL");
        else
            sdk_text_put(t, "=%c%u", d->mark, ++param);
    }
    if (r->bound) {
        sdk_text_put(t, "%s\"%s\"", r->neq ? " AND " : " WHERE ", c->cols[order[r->neq]].name);
        if (r->bound == SDK_BOUND_NOT_NULL)
            sdk_text_put(t, " IS NOT NULL");
        else
            sdk_text_put(t, "%c%c%u", r->bound == SDK_BOUND_MORE ? '>' : '<', d->mark, ++param);
    }
    for (size_t i = r->neq; i < n; i++) {
        const acd_column *col = &c->cols[order[i]];
        sdk_text_put(t, "%s\"%s\"%s", i > r->neq ? "," : " ORDER BY ", col->name, r->reverse ? " DESC" : "");
        if (d->say_nulls_first && (col->flags & ACD_COL_NULL))
            sdk_text_put(t, r->reverse ? " NULLS LAST" : " NULLS FIRST");
    }
    sdk_text_put(t, " LIMIT %c%u", d->mark, param + 1);
}
