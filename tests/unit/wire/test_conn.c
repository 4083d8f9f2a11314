#include "lib/main.h"
#include "wire/bus_conn.h"

static struct conn_table table;

static int
add(uint32_t number)
{
    return conn_add(&table, &(struct rpc_peer){.conn = number});
}

START_TEST(test_at_below_above_the_limit)
{
    conn_table_init(&table, 2);
    ck_assert_int_eq(add(1), 0);
    ck_assert_int_eq(add(1 + CONN_BUCKETS), 0); /* the same bucket */
    ck_assert_int_eq(add(3), ACD_ELIMIT);
    ck_assert_uint_eq(table.refused, 1);
    conn_remove(&table, 1);
    ck_assert_int_eq(add(3), 0);
    ck_assert_uint_eq(table.opened, 3);
    conn_table_done(&table);
}
END_TEST

START_TEST(test_find)
{
    conn_table_init(&table, 10);
    ck_assert_int_eq(add(1), 0);
    ck_assert_int_eq(add(1 + CONN_BUCKETS), 0);
    struct conn *c = conn_get(&table, 1);
    ck_assert_uint_eq(c->peer.conn, 1);
    conn_remove(&table, 1);
    conn_remove(&table, 1);
    ck_assert_ptr_null(conn_get(&table, 1));
    ck_assert_uint_eq(c->peer.conn, 1); /* still ours */
    conn_unref(c);
    conn_table_done(&table);
}
END_TEST

START_TEST(test_stuck)
{
    struct conn *got[4];
    conn_table_init(&table, 10);
    ck_assert_int_eq(add(1), 0);
    ck_assert_int_eq(add(2), 0);
    struct conn *slow = conn_get(&table, 1), *lively = conn_get(&table, 2);
    conn_sending(slow);
    conn_sending(lively);
    for (int i = 0; i < 3; i++) {
        /* the lively one takes a reply now and then, and always has another waiting */
        conn_sending(lively);
        conn_sent(lively);
        ck_assert_uint_eq(conn_stuck(&table, 10, 39, got, 4), 0);
    }
    conn_sending(lively);
    conn_sent(lively);
    ck_assert_uint_eq(conn_stuck(&table, 10, 39, got, 4), 1);
    ck_assert_ptr_eq(got[0], slow);
    conn_unref(got[0]);
    conn_sent(slow);
    ck_assert_uint_eq(conn_stuck(&table, 10, 39, got, 4), 0);
    conn_unref(slow);
    conn_unref(lively);
    conn_table_done(&table);
}
END_TEST

Suite *suite_conn(void);
Suite *
suite_conn(void)
{
    Suite *s = suite_create("conn");
    ADD_TESTS(s, "conn", test_at_below_above_the_limit, test_find, test_stuck);
    return s;
}
