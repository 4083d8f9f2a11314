/*
 * SQL text for collections, shared by the SQL storages: tables, indexes, statements, walks of an index.
 *
 * Every name is quoted and every value is a parameter. A text is built in a struct sdk_text and freed by its
 * owner. One thread at a time per text.
 */
#ifndef PLUGINS_SDK_SQL_H
#define PLUGINS_SDK_SQL_H

#include <stdbool.h>

#include "rows.h"

/* What differs between databases. */
struct sdk_dialect {
    char mark;                 /* '?' or '$', before the number of a parameter */
    const char *type[4];       /* by acd_col_type */
    const char *zero[4];       /* the literal of the type's zero value */
    const char *table_end;     /* after the closing bracket of CREATE TABLE */
    const char *table_end_int; /* the same for a table whose key is one INT */
    bool say_nulls_first;      /* NULL does not sort first by itself */
    bool indexed_by;           /* a range can name its index, which the planner must take */
};

struct sdk_text {
    char *data; /* NUL-terminated once something was put */
    size_t len, cap;
    bool failed; /* out of memory; sticky */
};
void sdk_text_put(struct sdk_text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sdk_text_clear(struct sdk_text *t);
void sdk_text_done(struct sdk_text *t);

/* colls: the schema that column references point into. */
void sdk_sql_table(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *colls,
                   const acd_collection *c);
/* A column that came later: with its zero value, or NULL. */
void sdk_sql_add_column(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *colls,
                        const acd_collection *c, const acd_column *col);
void sdk_sql_index_name(struct sdk_text *t, const acd_collection *c, const acd_index *ix);
void sdk_sql_index(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c,
                   const acd_index *ix);
/* A referring column that no index begins with needs one, or deleting what it refers to reads the table.
 * False: column col needs none. */
bool sdk_sql_ref_index_name(struct sdk_text *t, const acd_collection *c, size_t col);
void sdk_sql_ref_index(struct sdk_text *t, const acd_collection *c, size_t col);

/* Parameters: 1..npk the key, or 1..ncols the row; the revision, where there is one, comes last. */
void sdk_sql_get(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c);
void sdk_sql_exists(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c);
void sdk_sql_insert(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c, bool or_update);
void sdk_sql_update_if(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c);
void sdk_sql_delete(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c, bool if_rev);

/*
 * A walk that continues after a row is a series of plain ranges, each of which an index serves well even
 * where columns are NULL: the rows that agree with `after` in all ordering columns but the last and lie
 * behind it in that one, then in all but the last two, and so on.
 */
enum sdk_bound { SDK_BOUND_NONE = 0, SDK_BOUND_MORE = 1, SDK_BOUND_LESS = 2, SDK_BOUND_NOT_NULL = 3 };

struct sdk_range {
    uint8_t index, neq; /* the first neq ordering columns are fixed */
    uint8_t null_eq;    /* bit i: fixed column i is NULL, and takes no parameter */
    uint8_t bound;      /* enum sdk_bound, of ordering column neq */
    uint8_t reverse;
    uint8_t nvals;                         /* parameters in order; the limit is parameter nvals + 1 */
    const acd_value *vals[SDK_ORDER_MAX];  /* borrowed from the scan */
    const acd_column *cols[SDK_ORDER_MAX]; /* the column of each parameter */
};

struct sdk_walk {
    const acd_collection *c;
    const acd_scan *scan;
    uint16_t order[SDK_ORDER_MAX];
    size_t norder;
    size_t level;    /* ordering columns that stay to be tried */
    bool null_phase; /* the rows with NULL behind a reverse range come next */
    bool done;
};

void sdk_walk_init(struct sdk_walk *w, const acd_collection *c, const acd_scan *scan);
bool sdk_walk_next(struct sdk_walk *w, struct sdk_range *ret); /* false at the end */
void sdk_sql_range(struct sdk_text *t, const struct sdk_dialect *d, const acd_collection *c,
                   const struct sdk_range *r);

#endif
