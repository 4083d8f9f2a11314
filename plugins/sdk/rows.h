/*
 * Collections and rows, for storage plugins: the checks that every storage must make in the same way, and the
 * order of an index. Pure functions, any thread; nothing is kept.
 */
#ifndef PLUGINS_SDK_ROWS_H
#define PLUGINS_SDK_ROWS_H

#include <stdbool.h>

#include <anchord/plugin-storage.h>

#define SDK_COLLECTIONS_MAX 64u /* collections of a schema */
#define SDK_COLUMNS_MAX     64u /* columns of a collection */
#define SDK_INDEXES_MAX     16u /* indexes of a collection */
#define SDK_KEY_MAX         4u  /* columns of a primary key or an index */
#define SDK_NAME_MAX        32u /* bytes of a collection's, column's or index's name */
#define SDK_ORDER_MAX       (2u * SDK_KEY_MAX)
#define SDK_COUNTER_KEY_MAX 512u /* bytes of a counter's key */

/* Collection i of an array whose elements may be larger than this SDK knows. */
const acd_collection *sdk_coll(const acd_collection *colls, size_t i);

/* Names, counts, keys, indexes and references of a whole schema. ACD_EINVAL with a sentence. */
int sdk_colls_check(const acd_collection *colls, size_t n, uint32_t version, acd_err *err);

/* ACD_EINVAL when the number of values, a NULL or a text is not what the column allows. */
int sdk_row_check(const acd_collection *c, const acd_value *row, size_t ncols, acd_err *err);
int sdk_key_check(const acd_collection *c, const acd_value *key, size_t nkey, acd_err *err);
int sdk_scan_check(const acd_collection *c, const acd_scan *scan, acd_err *err);
/* For put (del == false) and del: may if_rev be asked of this collection? */
int sdk_rev_check(const acd_collection *c, uint64_t if_rev, bool del, acd_err *err);

/* The columns that an index orders by: its own, then those of the primary key that are not among them. */
size_t sdk_order(const acd_collection *c, uint32_t index, uint16_t ret[SDK_ORDER_MAX]);
/* NULL is smallest; numbers by value; bytes by memcmp, a proper prefix is smaller. */
int sdk_value_cmp(const acd_column *col, const acd_value *a, const acd_value *b);
bool sdk_value_null(const acd_column *col, const acd_value *v);
int sdk_rev_column(const acd_collection *c); /* its number, or -1 */

#endif
