/* Every broken plugin is refused at exactly the step that it breaks, with a text that names the file. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "plug/load.h"
#include "plug/registry.h"
#include "plug/validator.h"
#include "rig.h"

static const char *
zoo_path(const char *name)
{
    static char path[512];
    const char *dir = getenv("ANCHORD_ZOO");
    ck_assert_ptr_nonnull(dir);
    (void)snprintf(path, sizeof(path), "%s/%s.so", dir, name);
    return path;
}

/* text: what stands behind "PATH: ". */
static void
refused(const char *path, int code, const char *text)
{
    char want[1024];
    acd_err err = ACD_ERR_INIT;
    const acd_plugin *desc = NULL;
    ck_assert_int_eq(plug_load(path, ACD_VALIDATOR, PLUG_BUILD_TREE, &desc, &err), code);
    (void)snprintf(want, sizeof(want), "%s: %s", path, text);
    want[sizeof(err.text) - 1] = '\0';
    ck_assert_str_eq(err.text, want);
    ck_assert_ptr_null(desc);
}

static const struct {
    const char *name;
    int code;
    const char *text;
} zoo[] = {
    {"bad-kind", ACD_EABI, "a quota plugin, a validator plugin was expected"},
    {"bad-kind-unknown", ACD_EABI, "unknown kind 77 of plugin"},
    {"bad-major", ACD_EABI, "plugin ABI 9, this program knows 1"},
    {"bad-note-name", ACD_EABI, "its plugin note has no valid name"},
    {"bad-no-note", ACD_EABI, "not a plugin: it has no section .note.anchord"},
    {"bad-symbol", ACD_EABI, "no symbol acd_plugin_1"},
    {"bad-size", ACD_EABI, "a descriptor of 16 bytes, 128 expected at least"},
    {"bad-desc-major", ACD_EABI, "plugin ABI 2, this program knows 1"},
    {"bad-desc-kind", ACD_EABI, "a storage plugin, a validator plugin was expected"},
    {"bad-mismatch", ACD_EABI,
     "the note says validator bad-mismatch 1.0, the descriptor says validator somebody-else 1.0"},
    {"bad-name", ACD_EABI, "the descriptor has no valid name"},
    {"bad-caps", ACD_EABI, "requires capabilities 0x10000000000, this program knows 0x0"},
    {"bad-thread", ACD_EABI, "unknown thread model 7"},
    {"bad-destroy", ACD_EABI, "destroy is missing in the descriptor"},
    {"bad-ops", ACD_EABI, "ops is missing in the descriptor"},
    {"bad-ops-size", ACD_EABI, "a validator table of 24 bytes, 56 expected at least"},
    {"bad-function", ACD_EABI, "function verify of the validator table is missing"},
    {"bad-conf", ACD_EABI, "default of a configuration item: depth: 9 is outside 1..8"},
};

START_TEST(each_of_the_zoo_is_refused)
{
    refused(zoo_path(zoo[_i].name), zoo[_i].code, zoo[_i].text);
}
END_TEST

START_TEST(an_unresolved_symbol_is_named)
{
    acd_err err = ACD_ERR_INIT;
    const acd_plugin *desc;
    const char *path = zoo_path("bad-undefined");
    ck_assert_int_eq(plug_load(path, ACD_VALIDATOR, PLUG_BUILD_TREE, &desc, &err), ACD_EABI);
    ck_assert_ptr_nonnull(strstr(err.text, "nobody_has_this"));
}
END_TEST

START_TEST(external_quota_is_not_supported)
{
    acd_err err = ACD_ERR_INIT;
    const acd_plugin *desc;
    ck_assert_int_eq(plug_load(zoo_path("bad-external"), ACD_QUOTA, PLUG_BUILD_TREE, &desc, &err),
                     ACD_ENOTSUP);
    ck_assert_ptr_nonnull(strstr(err.text, "settled outside the transaction is not supported"));
}
END_TEST

static void
copy_file(const char *from, const char *to, mode_t mode, size_t max)
{
    struct buf b = BUF_INIT(PLUG_FILE_MAX);
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char chunk[4096];
    size_t n;
    ck_assert(in && out);
    while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
        buf_put(&b, chunk, n);
    n = b.len < max ? b.len : max;
    ck_assert_uint_eq(fwrite(b.data, 1, n, out), n);
    ck_assert_int_eq(fclose(out) | fclose(in), 0);
    ck_assert_int_eq(chmod(to, mode), 0);
    buf_done(&b);
}

START_TEST(paths_and_modes_are_checked)
{
    char dir[64], path[128], link[128], want[400], good[512];
    acd_err err = ACD_ERR_INIT;
    const acd_plugin *desc = NULL;
    (void)snprintf(good, sizeof(good), "%s", zoo_path("good-validator"));
    rig_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/p.so", dir);
    (void)snprintf(link, sizeof(link), "%s/l.so", dir);
    refused("good-validator.so", ACD_EINVAL, "the path of a plugin must be absolute");
    refused(path, ACD_ENOENT, "No such file or directory");
    refused(dir, ACD_EDENIED, "not a regular file");
    ck_assert_int_eq(symlink(good, link), 0);
    refused(link, ACD_EDENIED, "not a regular file");
    copy_file(good, path, 0666, SIZE_MAX);
    refused(path, ACD_EDENIED, "the file has mode 0666, must not be writable by others");
    ck_assert_int_eq(chmod(path, 0664), 0);
    ck_assert_int_eq(plug_load(path, 0, 0, &desc, &err), ACD_EDENIED); /* installed: not even by the group */
    (void)snprintf(want, sizeof(want), "%s: the file has mode 0664, must not be writable by group or others",
                   path);
    ck_assert_str_eq(err.text, want);
    ck_assert_int_eq(plug_path_check(path, PLUG_BUILD_TREE, &err), 0);
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_int_eq(chmod(dir, 0777), 0);
    refused(path, ACD_EDENIED, "its directory has mode 0777, must not be writable by others");
    ck_assert_int_eq(chmod(dir, 0700), 0);
    if (geteuid() == 0) { /* only root can give a file away */
        ck_assert_int_eq(chown(path, 4242, 0), 0);
        refused(path, ACD_EDENIED, "the file belongs to uid 4242, must belong to 0 or 0");
        ck_assert_int_eq(chown(path, 0, 0), 0);
    }
    ck_assert_int_eq(plug_load(path, ACD_VALIDATOR, 0, &desc, &err), 0);
    ck_assert_str_eq(desc->name, "good-validator");
    rig_dir_remove(dir);
}
END_TEST

START_TEST(files_that_are_no_plugins_are_refused)
{
    char dir[64], path[128];
    rig_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/p.so", dir);
    copy_file("/etc/passwd", path, 0600, SIZE_MAX);
    refused(path, ACD_EABI, "not a 64-bit ELF shared object for this machine");
    copy_file("/etc/passwd", path, 0600, 0);
    refused(path, ACD_EABI, "not a 64-bit ELF shared object for this machine");
    copy_file(zoo_path("good-validator"), path, 0600, 4000); /* cut off before its section table */
    refused(path, ACD_EABI, "not a plugin: it has no section .note.anchord");
    rig_dir_remove(dir);
}
END_TEST

START_TEST(a_file_is_read_without_running_it)
{
    struct plug_meta meta;
    ck_ok(plug_meta_read(zoo_path("bad-major"), &meta, NULL)); /* its constructor would stop this test */
    ck_assert_str_eq(meta.name, "bad-major");
    ck_assert_str_eq(meta.version, "1.0");
    ck_assert_uint_eq(meta.major, 9);
    ck_assert_uint_eq(meta.kind, ACD_VALIDATOR);
}
END_TEST

static struct plug *
zoo_plug(const char *name)
{
    struct plug *p = NULL;
    struct plug_env env = {.flags = PLUG_BUILD_TREE};
    ck_ok(plug_new(ACD_VALIDATOR, zoo_path(name), NULL, &env, &p, NULL));
    ck_ok(plug_open(p, NULL));
    ck_ok(plug_configure(p, NULL, 0, NULL));
    return p;
}

START_TEST(create_and_start_may_fail)
{
    acd_err err = ACD_ERR_INIT;
    struct plug *p = zoo_plug("bad-create");
    ck_assert_int_eq(plug_create(p, &err), ACD_EIO);
    ck_assert_str_eq(err.text, "plugin bad-create: create: no luck");
    ck_assert_int_eq(plug_state(p), PLUG_LOADED);
    plug_free(p);
    p = zoo_plug("bad-start");
    ck_ok(plug_create(p, &err));
    ck_assert_int_eq(plug_start(p, &err), ACD_EIO);
    ck_assert_str_eq(err.text, "plugin bad-start: start: no luck");
    ck_assert_int_eq(plug_state(p), PLUG_CREATED);
    plug_free(p);
}
END_TEST

START_TEST(a_verdict_without_an_anchor_is_none)
{
    acd_err err = ACD_ERR_INIT;
    acd_verdict verdict;
    acd_verify what = {.purpose = ACD_PURPOSE_CLIENT};
    acd_bundle_spec spec = {.nanchors = 0};
    struct plug_validator v;
    struct plug_bundle *b = NULL;
    struct plug *p = zoo_plug("bad-verdict");
    ck_ok(plug_create(p, NULL));
    ck_ok(plug_start(p, NULL));
    plug_validator_init(&v, p);
    ck_ok(plug_bundle_build(&v, &spec, 0, &b, NULL));
    ck_assert_int_eq(plug_verify(b, &what, 0, &verdict, &err), ACD_EINTERNAL);
    ck_assert_str_eq(err.text, "plugin bad-verdict gave a verdict that contradicts itself");
    ck_assert_uint_eq(verdict.result, ACD_NOT_VERIFIED);
    ck_assert_int_eq(verdict.anchor, -1);
    plug_bundle_free(b);
    plug_free(p);
}
END_TEST

static void
plugin_path(const char *name, char out[512])
{
    (void)snprintf(out, 512, "%s/%s.so", rig_plugins(), name);
}

START_TEST(the_registry_brings_all_up_or_none)
{
    char storage[512], quota[512], good[512], bad[512];
    struct plug_registry *r = NULL;
    struct plug_info info;
    acd_err err = ACD_ERR_INIT;
    struct plug_registry_opts opts = {.env = {.flags = PLUG_BUILD_TREE}};
    struct plug_pair limit = {"default_limit", "7"}, unknown = {"nonsense", "7"};
    plugin_path("storage-memory", storage);
    plugin_path("quota-pool", quota);
    (void)snprintf(good, sizeof(good), "%s", zoo_path("good-validator"));
    (void)snprintf(bad, sizeof(bad), "%s", zoo_path("bad-start"));
    struct plug_spec specs[] = {{ACD_VALIDATOR, good, NULL, NULL, 0},
                                {ACD_QUOTA, quota, NULL, &limit, 1},
                                {ACD_STORAGE, storage, NULL, NULL, 0},
                                {ACD_VALIDATOR, bad, NULL, NULL, 0}};
    ck_assert_int_eq(plug_registry_open(specs, 4, &opts, &r, &err), ACD_EIO);
    ck_assert_str_eq(err.text, "plugin bad-start: start: no luck");
    ck_assert_int_eq(plug_registry_open(specs, 1, &opts, &r, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "0 storage and 0 quota plugins, exactly 1 of each expected");
    ck_assert_int_eq(plug_registry_open(specs + 1, 2, &opts, &r, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "no validator plugin, one at least expected");
    specs[3].path = good;
    ck_assert_int_eq(plug_registry_open(specs, 4, &opts, &r, &err), ACD_EINVAL);
    ck_assert_ptr_nonnull(strstr(err.text, "a plugin good-validator is loaded already"));
    specs[1].pairs = &unknown;
    ck_assert_int_eq(plug_registry_check(specs, 3, &opts, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "plugin quota-pool: nonsense: no such option");
    specs[1].pairs = &limit;
    ck_ok(plug_registry_check(specs, 3, &opts, &err));
    ck_ok(plug_registry_open(specs, 3, &opts, &r, &err));
    static const char *const order[] = {"storage-memory", "quota-pool", "good-validator"};
    for (size_t i = 0; i < 3; i++) {
        ck_assert(plug_registry_info(r, i, &info));
        ck_assert_str_eq(info.name, order[i]);
        ck_assert_str_eq(info.state, "started");
    }
    ck_assert(!plug_registry_info(r, 3, &info));
    ck_ok(plug_registry_health(r, &err));
    ck_assert_ptr_nonnull(plug_registry_validator(r, 0));
    ck_assert(plug_registry_validator(r, 0)->bounded);
    ck_assert_ptr_null(plug_registry_validator(r, 1));
    ck_ok(plug_storage_schema(plug_registry_storage(r), test_colls, TEST_COLLS, 1, C_ROWS, &err));
    plug_registry_close(r);
    opts.edge = true;
    ck_ok(plug_registry_open(specs, 1, &opts, &r, &err));
    ck_assert_ptr_null(plug_registry_storage(r));
    plug_registry_close(r);
}
END_TEST

Suite *suite_load(void);

Suite *
suite_load(void)
{
    Suite *s = suite_create("load");
    TCase *tc = tcase_create("zoo");
    tcase_add_loop_test(tc, each_of_the_zoo_is_refused, 0, (int)(sizeof(zoo) / sizeof(zoo[0])));
    suite_add_tcase(s, tc);
    ADD_TESTS(s, "load", an_unresolved_symbol_is_named, external_quota_is_not_supported,
              paths_and_modes_are_checked, files_that_are_no_plugins_are_refused,
              a_file_is_read_without_running_it, create_and_start_may_fail,
              a_verdict_without_an_anchor_is_none, the_registry_brings_all_up_or_none);
    return s;
}
