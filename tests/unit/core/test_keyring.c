/* Where wrapping keys come from, and what is said when they do not. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "core/keyring.h"
#include "lib/main.h"

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "FF112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"

static char folder[64], own[96], file[96], other[96];

static void
setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/anchord-keyring-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(own, sizeof(own), "%s/own", folder);
    (void)snprintf(file, sizeof(file), "%s/file", folder);
    (void)snprintf(other, sizeof(other), "%s/other", folder);
}

static void
teardown(void)
{
    (void)unlink(own);
    (void)unlink(file);
    (void)unlink(other);
    (void)rmdir(folder);
}

static void
put(const char *path, const char *text, unsigned mode)
{
    ck_assert_int_eq(io_write_durable(path, text, strlen(text), mode, NULL), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static struct keyring *
open_ring(struct keyring_opts opts)
{
    struct keyring *r = NULL;
    opts.own = own;
    ck_assert_int_eq(keyring_open(&opts, &r, NULL), 0);
    return r;
}

START_TEST(our_own_file_is_made_once)
{
    struct keyring *r = open_ring((struct keyring_opts){0});
    char id[KEYRING_ID_LEN + 1];
    struct stat st;
    ck_assert_ptr_null(keyring_current(r));
    ck_assert_str_eq(keyring_why(r), "");
    ck_assert(keyring_may_make(r));
    ck_assert_int_ne(access(own, F_OK), 0);
    ck_assert_int_eq(keyring_make(r, NULL), 0);
    ck_assert_ptr_nonnull(keyring_current(r));
    memcpy(id, keyring_current(r)->id, sizeof(id));
    ck_assert_int_eq(stat(own, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    ck_assert_int_eq(keyring_make(r, NULL), 0);
    ck_assert_str_eq(keyring_current(r)->id, id);
    keyring_free(r);
    r = open_ring((struct keyring_opts){0});
    ck_assert_str_eq(keyring_current(r)->id, id);
    ck_assert(!keyring_may_make(r));
    keyring_free(r);
}
END_TEST

START_TEST(each_source_gives_the_same_key)
{
    put(file, KEY_A "\n", 0600);
    ck_assert_int_eq(setenv("CREDENTIALS_DIRECTORY", folder, 1), 0);
    ck_assert_int_eq(setenv("WRAPPING", KEY_A, 1), 0);
    const struct keyring_opts sources[] = {{.file = file}, {.credential = "file"}, {.env = "WRAPPING"}};
    char id[KEYRING_ID_LEN + 1] = "";
    for (size_t i = 0; i < 3; i++) {
        struct keyring *r = open_ring(sources[i]);
        const struct wrap_key *k = keyring_current(r);
        ck_assert_msg(k != NULL, "source %zu: %s", i, keyring_why(r));
        ck_assert_uint_eq(strlen(k->id), KEYRING_ID_LEN);
        ck_assert(i == 0 || strcmp(k->id, id) == 0);
        memcpy(id, k->id, sizeof(id));
        ck_assert_ptr_null(strstr(KEY_A, id));
        ck_assert(!keyring_may_make(r));
        keyring_free(r);
    }
}
END_TEST

/* Each is told by name, with the reason, and is no reason to make a key of our own. */
START_TEST(a_source_that_fails_says_why)
{
    put(file, KEY_A, 0640);
    put(other, "short", 0600);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    (void)unsetenv("WRAPPING");
    const struct {
        struct keyring_opts opts;
        const char *why;
    } cases[] = {
        {{.file = "/nonexistent/key"}, "/nonexistent/key: No such file"},
        {{.file = file}, "read by others"},
        {{.file = other}, "64 hex digits"},
        {{.file = folder}, "not a regular file"},
        {{.credential = "file"}, "CREDENTIALS_DIRECTORY"},
        {{.env = "WRAPPING"}, "WRAPPING is not set"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct keyring *r = open_ring(cases[i].opts);
        ck_assert_ptr_null(keyring_current(r));
        ck_assert_msg(strstr(keyring_why(r), cases[i].why) != NULL, "case %zu: %s", i, keyring_why(r));
        ck_assert(!keyring_may_make(r));
        keyring_free(r);
    }
    put(own, KEY_A, 0644);
    struct keyring *r = open_ring((struct keyring_opts){0});
    ck_assert(!keyring_may_make(r));
    keyring_free(r);
}
END_TEST

START_TEST(earlier_keys_are_found_by_id)
{
    put(file, KEY_A, 0600);
    put(other, KEY_B, 0600);
    const char *old[] = {other};
    struct keyring *r = open_ring((struct keyring_opts){.file = other});
    char id[KEYRING_ID_LEN + 1];
    memcpy(id, keyring_current(r)->id, sizeof(id));
    keyring_free(r);
    r = open_ring((struct keyring_opts){.file = file, .old = old, .nold = 1});
    ck_assert_str_ne(keyring_current(r)->id, id);
    ck_assert_ptr_nonnull(keyring_find(r, slice_str(id)));
    ck_assert_ptr_null(keyring_find(r, SLICE_LIT("0123456789abcdef")));
    keyring_free(r);
}
END_TEST

Suite *suite_keyring(void);

Suite *
suite_keyring(void)
{
    Suite *s = suite_create("core/keyring");
    TCase *c = tcase_create("keyring");
    const TTest *tests[] = {our_own_file_is_made_once, each_source_gives_the_same_key,
                            a_source_that_fails_says_why, earlier_keys_are_found_by_id};
    tcase_add_checked_fixture(c, setup, teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
