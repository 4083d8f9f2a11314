/* Which rows a query asks for, and how many requests a caller has. */
#include "base/str.h"
#include "lib/main.h"
#include "page.h"
#include "rate.h"

static void
read_page(const char *text, struct page *ret)
{
    static struct mem_region region;
    struct query q;
    mem_done(&region);
    mem_init(&region, 4096, 0);
    ck_assert(query_parse(&region, slice_str(text), &q));
    page_read(&q, 20, 50, ret);
    json_decref(ret->rows);
    ret->rows = NULL;
}

START_TEST(numbers)
{
    static const struct {
        const char *query;
        uint64_t number, size, start;
    } rows[] = {
        {"", 1, 20, 0},
        {"page=3", 3, 20, 40},
        {"page=2&per_page=10", 2, 10, 10},
        {"per_page=10&limit=5&offset=7", 1, 5, 7},
        {"limit=5&offset=7&page=3", 3, 5, 17},
        {"page=0", 1, 20, 0},
        {"page=-1", 1, 20, 0},
        {"page=x", 1, 20, 0},
        {"page=", 1, 20, 0},
        {"per_page=1000", 1, 50, 0},
        {"per_page=0", 1, 1, 0},
        {"per_page=99999999999999999999999", 1, 50, 0},
        {"offset=99999999999999999999999", 1, 20, 1000000000},
        {"page=99999999999999999999999", 1000000, 20, 19999980},
    };
    struct page p;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_page(rows[i].query, &p);
        ck_assert_msg(p.number == rows[i].number && p.size == rows[i].size && p.start == rows[i].start, "%s",
                      rows[i].query);
    }
}
END_TEST

START_TEST(rows_of_a_page)
{
    struct page p;
    unsigned wanted = 0;
    read_page("page=2&per_page=3", &p);
    for (unsigned i = 0; i < 10; i++)
        wanted |= page_wants(&p) ? 1u << i : 0;
    ck_assert_uint_eq(wanted, 0x38);
    ck_assert_uint_eq(p.at, 10);
}
END_TEST

static uint64_t fake_ns;

static int64_t
fake_wall(const struct clock *c)
{
    (void)c;
    return 0;
}

static uint64_t
fake_mono(const struct clock *c)
{
    (void)c;
    return fake_ns;
}

START_TEST(requests_of_a_caller)
{
    static const struct clock clock = {fake_wall, fake_mono};
    struct rate_state s;
    fake_ns = 5000000000;
    struct rate *r = rate_new(2, 10, &clock);
    ck_assert_ptr_nonnull(r);
    rate_take(r, "a", &s);
    ck_assert(!s.over && s.left == 1 && s.reset_s == 10);
    fake_ns += 3500000000;
    rate_take(r, "a", &s);
    ck_assert(!s.over && s.left == 0 && s.reset_s == 7);
    rate_take(r, "a", &s);
    ck_assert(s.over && s.left == 0);
    rate_take(r, "b", &s);
    ck_assert(!s.over && s.left == 1);
    fake_ns += 6500000000;
    rate_take(r, "a", &s);
    ck_assert(!s.over && s.left == 1);
    rate_free(r);
}
END_TEST

/* More callers than the table holds: nobody is refused for another one's requests. */
START_TEST(more_callers_than_room)
{
    static const struct clock clock = {fake_wall, fake_mono};
    struct rate *r = rate_new(1, 10, &clock);
    ck_assert_ptr_nonnull(r);
    for (unsigned i = 0; i < 100000; i++) {
        char who[16];
        struct rate_state s;
        (void)snprintf(who, sizeof(who), "c%u", i);
        fake_ns++;
        rate_take(r, who, &s);
        ck_assert(!s.over);
    }
    rate_free(r);
}
END_TEST

Suite *suite_page(void);

Suite *
suite_page(void)
{
    Suite *s = suite_create("gateway/page");
    ADD_TESTS(s, "page", numbers, rows_of_a_page, requests_of_a_caller, more_callers_than_room);
    return s;
}
