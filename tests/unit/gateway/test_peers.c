/* Who may ask at /auth. */
#include "peers.h"

#include "lib/main.h"

static struct peers
peers_of(const char *const *texts)
{
    struct peers p = {.n = 0};
    for (; *texts; texts++)
        ck_assert_int_eq(peers_add(&p, *texts, NULL), 0);
    return p;
}

START_TEST(nobody_by_default)
{
    const struct peers none = {.n = 0};
    ck_assert(!peers_have(&none, "127.0.0.1"));
    ck_assert(!peers_have(&none, "unix"));
    ck_assert(!peers_have(&none, "unknown"));
}
END_TEST

START_TEST(ranges_and_sockets)
{
    const struct peers p = peers_of((const char *const[]){"10.1.0.0/16", "::1", NULL});
    ck_assert(peers_have(&p, "10.1.255.1"));
    ck_assert(peers_have(&p, "::1"));
    ck_assert(!peers_have(&p, "10.2.0.1"));
    ck_assert(!peers_have(&p, "::2"));
    ck_assert(!peers_have(&p, "unix"));
    const struct peers u = peers_of((const char *const[]){"unix", NULL});
    ck_assert(peers_have(&u, "unix"));
    ck_assert(!peers_have(&u, "127.0.0.1"));
}
END_TEST

START_TEST(what_is_no_peer)
{
    struct peers p = {.n = 0};
    acd_err err = ACD_ERR_INIT;
    ck_assert_int_eq(peers_add(&p, "localhost", &err), ACD_EINVAL);
    ck_assert_int_eq(peers_add(&p, "10.0.0.1/8", &err), ACD_EINVAL);
    ck_assert_int_eq(peers_add(&p, "", &err), ACD_EINVAL);
    for (int i = 0; i < PEERS_MAX; i++)
        ck_assert_int_eq(peers_add(&p, "192.0.2.1", &err), 0);
    ck_assert_int_eq(peers_add(&p, "192.0.2.1", &err), ACD_ELIMIT);
}
END_TEST

Suite *suite_peers(void);

Suite *
suite_peers(void)
{
    Suite *s = suite_create("gateway/peers");
    ADD_TESTS(s, "peers", nobody_by_default, ranges_and_sockets, what_is_no_peer);
    return s;
}
