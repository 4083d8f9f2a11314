/*
 * Real plugin files of the build tree, loaded, configured and started, for suites that run against every
 * implementation. One thread opens and closes a rig; failures stop the test.
 */
#ifndef TESTS_PLUGINS_RIG_H
#define TESTS_PLUGINS_RIG_H

#include <stdbool.h>
#include <string.h>

#include "lib/main.h"

#include "plug/life.h"
#include "plug/load.h"
#include "plug/quota.h"
#include "plug/storage.h"

enum { IMPL_MEMORY, IMPL_SQLITE, IMPLS };

/* The schema of the suites, and their columns. */
enum { C_PARENT, C_CHILD, C_NUMBER, C_ROWS, TEST_COLLS };
enum { P_ID, P_NAME, P_NOTE, P_REV, P_COLS };
enum { K_A, K_B, K_OPT, K_BLOB, K_NUM, K_COLS };
enum { N_N, N_VAL, N_COLS };
extern const acd_collection test_colls[TEST_COLLS];

struct rig {
    char dir[64]; /* its own, removed at the end unless keep */
    bool keep;
    struct plug *storage, *quota; /* quota may be NULL */
    struct plug_storage st;
    struct plug_quota q;
};

const char *rig_plugins(void); /* the directory of the built plugins */
void rig_dir(char dir[64]);    /* makes one */
void rig_dir_remove(const char *dir);

/* Started, without a schema. dir NULL: a new one. extra: configuration besides the path. */
void rig_start(struct rig *r, int impl, const char *dir, const struct plug_env *env,
               const struct plug_pair *extra, size_t nextra);
/* With the schema above, and quota-pool when asked for. */
void rig_open(struct rig *r, int impl, const char *dir, bool quota);
void rig_close(struct rig *r);

struct plug *rig_plug(uint32_t kind, const char *name, const struct plug_env *env,
                      const struct plug_pair *pairs, size_t n);
struct plug_session *rig_session(struct rig *r);

#define ck_ok(expr)                                    \
    do {                                               \
        int rc_ = (expr);                              \
        ck_assert_msg(rc_ == 0, "%s: %d", #expr, rc_); \
    } while (0)

static inline acd_value
v_text(const char *s)
{
    return (acd_value){.bytes = {s, s ? strlen(s) : 0}};
}
static inline acd_value
v_blob(const void *p, size_t n)
{
    return (acd_value){.bytes = {p, n}};
}
static inline acd_value
v_int(int64_t n)
{
    return (acd_value){.num = n};
}

#endif
