#include "rig.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "plug/load.h"

static const acd_column parent_cols[P_COLS] = {
    [P_ID] = {.name = "id", .type = ACD_COL_TEXT},
    [P_NAME] = {.name = "name", .type = ACD_COL_TEXT},
    [P_NOTE] = {.name = "note", .type = ACD_COL_TEXT, .flags = ACD_COL_NULL},
    [P_REV] = {.name = "rev", .type = ACD_COL_INT, .flags = ACD_COL_REV},
};
static const acd_index parent_indexes[] = {
    {.name = "by_name", .cols = {P_NAME}, .ncols = 1, .unique = 1},
    {.name = "by_note", .cols = {P_NOTE}, .ncols = 1},
    {.name = "by_note_rev", .cols = {P_NOTE, P_REV}, .ncols = 2},
};
static const acd_column child_cols[K_COLS] = {
    [K_A] = {.name = "a", .type = ACD_COL_TEXT, .ref = C_PARENT + 1},
    [K_B] = {.name = "b", .type = ACD_COL_INT},
    [K_OPT] = {.name = "opt", .type = ACD_COL_TEXT, .flags = ACD_COL_NULL, .ref = C_PARENT + 1},
    [K_BLOB] = {.name = "select", .type = ACD_COL_BLOB, .flags = ACD_COL_NULL},
    [K_NUM] = {.name = "num", .type = ACD_COL_INT},
};
static const acd_index child_indexes[] = {
    {.name = "by_num", .cols = {K_NUM}, .ncols = 1},
    {.name = "by_blob", .cols = {K_BLOB, K_NUM}, .ncols = 2, .unique = 1},
    {.name = "by_opt", .cols = {K_OPT, K_BLOB, K_A}, .ncols = 3},
};
static const acd_column number_cols[N_COLS] = {
    [N_N] = {.name = "n", .type = ACD_COL_INT},
    [N_VAL] = {.name = "val", .type = ACD_COL_BLOB},
};
static const acd_column rows_cols[] = {
    {.name = "plugin", .type = ACD_COL_TEXT},
    {.name = "key", .type = ACD_COL_BLOB},
    {.name = "value", .type = ACD_COL_BLOB},
};

#define COLL(i, n, c, pk, ...)                    \
    [i] = {.struct_size = sizeof(acd_collection), \
           .name = (n),                           \
           .cols = (c),                           \
           .ncols = sizeof(c) / sizeof((c)[0]),   \
           .npk = (pk),                           \
           .since = 1,                            \
           __VA_ARGS__}

const acd_collection test_colls[TEST_COLLS] = {
    COLL(C_PARENT, "parent", parent_cols, 1, .indexes = parent_indexes, .nindexes = 3),
    COLL(C_CHILD, "order", child_cols, 2, .indexes = child_indexes, .nindexes = 3),
    COLL(C_NUMBER, "number", number_cols, 1),
    COLL(C_ROWS, "plugin_row", rows_cols, 2),
};

static const char *const impl_names[IMPLS] = {"storage-memory", "storage-sqlite"};

const char *
rig_plugins(void)
{
    const char *dir = getenv("ANCHORD_PLUGINS");
    ck_assert_ptr_nonnull(dir);
    return dir;
}

void
rig_dir(char dir[64])
{
    (void)snprintf(dir, 64, "/tmp/anchord-plugins-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

void
rig_dir_remove(const char *dir)
{
    DIR *d = opendir(dir);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            ck_assert_int_eq(unlinkat(dirfd(d), e->d_name, 0), 0);
    (void)closedir(d);
    ck_assert_int_eq(rmdir(dir), 0);
}

struct plug *
rig_plug(uint32_t kind, const char *name, const struct plug_env *env, const struct plug_pair *pairs, size_t n)
{
    char path[512];
    acd_err err = ACD_ERR_INIT;
    struct plug_env own = env ? *env : (struct plug_env){0};
    struct plug *p = NULL;
    own.flags |= PLUG_BUILD_TREE;
    (void)snprintf(path, sizeof(path), "%s/%s.so", rig_plugins(), name);
    int rc = plug_new(kind, path, NULL, &own, &p, &err);
    if (rc == 0)
        rc = plug_open(p, &err);
    if (rc == 0)
        rc = plug_configure(p, pairs, n, &err);
    if (rc == 0)
        rc = plug_create(p, &err);
    if (rc == 0)
        rc = plug_start(p, &err);
    ck_assert_msg(rc == 0, "%s: %s", name, err_text(&err, rc));
    return p;
}

void
rig_start(struct rig *r, int impl, const char *dir, const struct plug_env *env, const struct plug_pair *extra,
          size_t nextra)
{
    char path[128];
    struct plug_pair pairs[8];
    size_t n = 0;
    char own[64];
    if (dir)
        (void)snprintf(own, sizeof(own), "%s", dir); /* may be the rig's own, from before */
    else
        rig_dir(own);
    *r = (struct rig){.keep = dir != NULL};
    memcpy(r->dir, own, sizeof(own));
    (void)snprintf(path, sizeof(path), "%s/t.db", r->dir);
    if (impl == IMPL_SQLITE)
        pairs[n++] = (struct plug_pair){"path", path};
    for (size_t i = 0; i < nextra; i++)
        pairs[n++] = extra[i];
    r->storage = rig_plug(ACD_STORAGE, impl_names[impl], env, pairs, n);
    plug_storage_init(&r->st, r->storage);
}

void
rig_open(struct rig *r, int impl, const char *dir, bool quota)
{
    acd_err err = ACD_ERR_INIT;
    rig_start(r, impl, dir, NULL, NULL, 0);
    int rc = plug_storage_schema(&r->st, test_colls, TEST_COLLS, 1, C_ROWS, &err);
    ck_assert_msg(rc == 0, "%s", err_text(&err, rc));
    if (quota) {
        r->quota = rig_plug(ACD_QUOTA, "quota-pool", NULL, NULL, 0);
        plug_quota_init(&r->q, r->quota);
    }
}

void
rig_close(struct rig *r)
{
    plug_free(r->quota);
    plug_free(r->storage);
    if (!r->keep)
        rig_dir_remove(r->dir);
}

struct plug_session *
rig_session(struct rig *r)
{
    struct plug_session *s = NULL;
    acd_err err = ACD_ERR_INIT;
    int rc = plug_session_open(&r->st, &s, &err);
    ck_assert_msg(rc == 0, "%s", err_text(&err, rc));
    return s;
}
