#include "base/queue.h"
#include "base/thread.h"
#include "lib/main.h"

#include <stdint.h>

START_TEST(full_refuses_at_once)
{
    struct queue q;
    ck_assert_int_eq(queue_init(&q, 2), 0);
    ck_assert(queue_put(&q, &q));
    ck_assert(queue_put(&q, &q));
    ck_assert(!queue_put(&q, &q));
    ck_assert_ptr_eq(queue_take(&q), &q);
    ck_assert(queue_put(&q, &q));
    queue_close(&q);
    ck_assert(!queue_put(&q, &q));
    ck_assert_ptr_eq(queue_take(&q), &q);
    ck_assert_ptr_eq(queue_take(&q), &q);
    ck_assert_ptr_null(queue_take(&q));
    queue_done(&q);
}
END_TEST

struct taker {
    struct queue *q;
    uint64_t sum;
};

static void
take_all(void *arg)
{
    struct taker *t = arg;
    void *items[8];
    size_t n;
    while ((n = queue_take_many(t->q, items, 8)) > 0)
        for (size_t i = 0; i < n; i++)
            t->sum += (uintptr_t)items[i];
}

START_TEST(every_item_is_taken_once)
{
    struct queue q;
    struct thread threads[3];
    struct taker takers[3];
    ck_assert_int_eq(queue_init(&q, 64), 0);
    for (int i = 0; i < 3; i++) {
        takers[i] = (struct taker){&q, 0};
        ck_assert_int_eq(thread_start(&threads[i], "taker", take_all, &takers[i]), 0);
    }
    uint64_t want = 0;
    for (uintptr_t v = 1; v <= 20000; v++) {
        while (!queue_put(&q, (void *)v))
            ;
        want += v;
    }
    queue_close(&q);
    for (int i = 0; i < 3; i++)
        thread_join(&threads[i]);
    ck_assert_uint_eq(takers[0].sum + takers[1].sum + takers[2].sum, want);
    queue_done(&q);
}
END_TEST

Suite *suite_queue(void);

Suite *
suite_queue(void)
{
    Suite *s = suite_create("queue");
    ADD_TESTS(s, "queue", full_refuses_at_once, every_item_is_taken_once);
    return s;
}
