/* Who may call what: the peer for itself, a delegated call by its credentials alone. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "core/authz.h"
#include "lib/main.h"

#define TOKEN "anc_0123456789abcdefghijklmnopqrstuvwxyzABCD"

static char dir[] = "/tmp/anchord-authz-XXXXXX";
static char path[64];
static struct authz authz;
static acd_err problem;

static void
setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/admin.token", dir);
    problem = (acd_err)ACD_ERR_INIT;
}

static void
teardown(void)
{
    (void)unlink(path);
    (void)rmdir(dir);
}

static void
put_file(const char *text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(io_write_all(fd, text, strlen(text)), 0);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    (void)close(fd);
}

/* Metadata as key, value, key, value, ..., NULL. */
static int
authorize(uint32_t uid, const char *method, const char *const *meta, struct rpc_call *call)
{
    static struct rpc_peer peer;
    static struct mem_region region;
    peer = (struct rpc_peer){.transport = RPC_IPC, .uid_known = true, .uid = uid};
    mem_done(&region);
    mem_init(&region, 4096, 0);
    *call = (struct rpc_call){.region = &region, .peer = &peer, .method = rpc_method_find(slice_str(method))};
    ck_assert_ptr_nonnull(call->method);
    for (; meta && meta[0]; meta += 2)
        call->frame.meta[call->frame.n_meta++] =
            (struct frame_meta){slice_str(meta[0]), slice_str(meta[1] ? meta[1] : "")};
    return core_authorize(&authz, call, &problem);
}

static const char admin_method[] = "anchord.v1.ZoneService/CreateZone";
static const char edge_method[] = "anchord.v1.EdgeService/GetTrust";

START_TEST(peers_go_by_uid)
{
    struct rpc_call call;
    authz = (struct authz){0};
    ck_assert_int_eq(authorize(0, admin_method, NULL, &call), 0);
    ck_assert_int_eq(authorize(geteuid(), admin_method, NULL, &call), 0);
    ck_assert_int_eq(authorize(geteuid() + 1, admin_method, NULL, &call), ACD_EDENIED);
    ck_assert_int_eq(authorize(geteuid() + 1, edge_method, NULL, &call), 0);
}
END_TEST

/* Root's own connection does not help a call that is made for somebody else. */
START_TEST(delegated_calls_go_by_credentials)
{
    const char *const none[] = {"delegated", "192.0.2.1", NULL};
    const char *const empty[] = {"delegated", NULL, NULL};
    const char *const wrong[] = {"delegated", "192.0.2.1", "authorization", "Bearer " TOKEN "x", NULL};
    const char *const basic[] = {"delegated", "192.0.2.1", "authorization", "Basic " TOKEN, NULL};
    const char *const bare[] = {"delegated", "192.0.2.1", "authorization", "Bearer ", NULL};
    const char *const email[] = {"delegated", "192.0.2.1", "x-auth-email", "a@b", "x-auth-key", TOKEN, NULL};
    const char *const good[] = {"authorization", "Bearer " TOKEN, "delegated", "192.0.2.1", NULL};
    const char *const *const refused[] = {none, empty, wrong, basic, bare, email};
    struct rpc_call call;
    put_file(TOKEN "\n", 0600);
    ck_assert_int_eq(authz_load(&authz, dir, &problem), 0);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        ck_assert_int_eq(authorize(0, admin_method, refused[i], &call), ACD_EUNAUTH);
        ck_assert_int_eq(authorize(0, edge_method, refused[i], &call), ACD_EUNAUTH);
        ck_assert_ptr_null(call.actor);
    }
    ck_assert_int_eq(authorize(4711, admin_method, good, &call), 0);
    ck_assert_str_eq(call.actor, "token:admin");
    ck_assert_int_eq(authorize(4711, admin_method, good + 2, &call), ACD_EUNAUTH);
}
END_TEST

START_TEST(without_a_file_no_token_is_known)
{
    const char *const good[] = {"delegated", "192.0.2.1", "authorization", "Bearer " TOKEN, NULL};
    struct rpc_call call;
    ck_assert_int_eq(authz_load(&authz, dir, &problem), 0);
    ck_assert(!authz.has_token);
    ck_assert_int_eq(authorize(0, admin_method, good, &call), ACD_EUNAUTH);
}
END_TEST

START_TEST(bad_files_are_refused)
{
    static const struct {
        const char *text;
        mode_t mode;
    } bad[] = {
        {TOKEN "\n", 0640},
        {TOKEN "\n", 0604},
        {"", 0600},
        {"\n", 0600},
        {"too-short\n", 0600},
        {TOKEN " x\n", 0600},
        {TOKEN "\n\n", 0600},
        {TOKEN "\n" TOKEN "\n", 0600},
        {"0123456789012345678901234567890123456789012345678901234567890123456789012345678901", 0600},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put_file(bad[i].text, bad[i].mode);
        ck_assert_int_eq(authz_load(&authz, dir, &problem), ACD_EINVAL);
        ck_assert(strstr(problem.text, "admin.token") != NULL);
        ck_assert(strstr(problem.text, TOKEN) == NULL);
        ck_assert(!authz.has_token);
    }
    put_file("0123456789012345678901234567890123456789", 0400);
    ck_assert_int_eq(authz_load(&authz, dir, &problem), 0);
}
END_TEST

Suite *suite_authz(void);

Suite *
suite_authz(void)
{
    Suite *s = suite_create("core/authz");
    TCase *c = tcase_create("authz");
    const TTest *tests[] = {peers_go_by_uid, delegated_calls_go_by_credentials,
                            without_a_file_no_token_is_known, bad_files_are_refused};
    tcase_add_checked_fixture(c, setup, teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
