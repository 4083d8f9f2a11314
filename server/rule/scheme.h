/*
 * Scheme: which fields, functions and named lists an expression may name. The standard scheme is scheme.def;
 * a caller may add fields and lists of its own before it compiles anything.
 *
 * Threading: one thread fills a scheme; once filled it is read-only and may be shared. A program borrows the
 * scheme it was compiled against (fields, named lists), so the scheme must outlive its programs.
 */
#ifndef RULE_SCHEME_H
#define RULE_SCHEME_H

#include <anchord/types.h>

#include "base/map.h"
#include "base/mem.h"
#include "rule/set.h"
#include "rule/type.h"
#include "rule/value.h"

/* Numbers of the standard fields: RULE_F_HTTP_HOST and so on. */
enum rule_field_id {
#define RULE_FIELD(id, name, type, who, doc) RULE_F_##id,
#include "rule/scheme.def"
#undef RULE_FIELD
    RULE_F_STANDARD /* how many there are */
};

enum rule_func_id {
#define RULE_FUNC(id, name, least, most, params, result, doc) RULE_FN_##id,
#include "rule/scheme.def"
#undef RULE_FUNC
    RULE_FN_COUNT
};

enum rule_who { RULE_WHO_C, RULE_WHO_E, RULE_WHO_S, RULE_WHO_D, RULE_WHO_O };

struct rule_field {
    const char *name, *doc;
    size_t name_len;
    struct rule_type type;
    enum rule_who who;
};

struct rule_func {
    const char *name, *doc, *params;
    unsigned least, most;
    struct rule_type result; /* RULE_NONE: that of the first argument */
};

struct rule_list {
    char *name;
    enum rule_base kind; /* RULE_INT or RULE_IP */
    struct rule_set *set;
};

struct rule_scheme {
    struct rule_field *fields;
    unsigned nfields;
    struct map names; /* field name to struct rule_field; the array never moves */
    struct map lists; /* name to struct rule_list */
    struct mem_region region;
};

/* standard: with the rows of scheme.def. Otherwise only the constants true and false are there. */
int rule_scheme_new(bool standard, struct rule_scheme **ret) ACD_MUSTCHECK;
void rule_scheme_free(struct rule_scheme *s);

/* Name and type are checked. ACD_EEXIST: the name is taken by a field of another type (the same type is
 * fine). */
int rule_scheme_add_field(struct rule_scheme *s, acd_slice name, struct rule_type type,
                          acd_err *err) ACD_MUSTCHECK;

/* A named list of addresses and networks, or of integers; values as given by lo[i]..hi[i]. */
int rule_scheme_add_list(struct rule_scheme *s, acd_slice name, enum rule_base kind,
                         const struct rule_value *lo, const struct rule_value *hi, size_t n,
                         acd_err *err) ACD_MUSTCHECK;

/* -1: no such field. */
int rule_scheme_find_field(const struct rule_scheme *s, acd_slice name);
const struct rule_func *rule_func_find(acd_slice name); /* NULL: no such function */
const struct rule_func *rule_func_at(unsigned id);      /* id < RULE_FN_COUNT */
const struct rule_list *rule_scheme_find_list(const struct rule_scheme *s, acd_slice name);

/* Is it `part { "." part }`, part = letters, digits, underscore? */
bool rule_name_valid(acd_slice name);
/* Letters a-z, digits, underscore, dot; no dot at either end. */
bool rule_list_name_valid(acd_slice name);

#endif
