#include "base/rcu.h"
#include "base/thread.h"
#include "lib/main.h"

#include <stdatomic.h>
#include <stdlib.h>

struct value {
    struct rcu_retired retired;
    int a, b; /* always equal while the value lives */
};

static struct value *published;
static atomic_int stop, freed;

static void
value_free(struct rcu_retired *r)
{
    struct value *v = (struct value *)r;
    v->a = -1;
    free(v);
    atomic_fetch_add(&freed, 1);
}

static void
reader(void *arg)
{
    long *bad = arg;
    while (!atomic_load(&stop)) {
        rcu_enter();
        const struct value *v = rcu_get(published);
        if (v->a != v->b || v->a < 0)
            (*bad)++;
        rcu_leave();
    }
}

START_TEST(readers_never_see_a_freed_value)
{
    enum { SWAPS = 500 };
    struct thread threads[2];
    long bad[2] = {0};
    published = calloc(1, sizeof(*published));
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(thread_start(&threads[i], "reader", reader, &bad[i]), 0);
    for (int i = 1; i <= SWAPS; i++) {
        struct value *v = calloc(1, sizeof(*v));
        v->a = v->b = i;
        struct value *old = rcu_swap(published, v);
        rcu_retire(&old->retired, value_free);
    }
    atomic_store(&stop, 1);
    for (int i = 0; i < 2; i++)
        thread_join(&threads[i]);
    rcu_drain();
    ck_assert_int_eq(atomic_load(&freed), SWAPS);
    ck_assert_int_eq(bad[0] + bad[1], 0);
    free(published);
}
END_TEST

Suite *suite_rcu(void);

Suite *
suite_rcu(void)
{
    Suite *s = suite_create("rcu");
    ADD_TESTS(s, "rcu", readers_never_see_a_freed_value);
    return s;
}
