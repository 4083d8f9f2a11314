#include "lib/main.h"
#include "model/limits.h"
#include "raw.h"
#include "wire/rpc.h"
#include "wire/scan.h"

static acd_err err;

static int
scan(const wire_type *type, const struct buf *b, uint32_t batch)
{
    struct scan_bounds bounds = scan_default;
    struct scan_result seen;
    bounds.batch = batch;
    err = (acd_err)ACD_ERR_INIT;
    return scan_message(type, raw_slice(b), &bounds, &seen, &err);
}

#define TRUST  (&anchord__v1__get_trust_request__descriptor)
#define VERIFY (&anchord__v1__verify_client_request__descriptor)
#define HOSTS  (&anchord__v1__change_hosts_request__descriptor)
#define CALL   (&anchord__v1__call__descriptor)

static void
host_raw(struct buf *out, const void *host, size_t len)
{
    struct buf q = BUF_INIT(1 << 20);
    raw_bytes(&q, 1, host, len);
    raw_bytes(out, 1, q.data, q.len);
    buf_done(&q);
}

START_TEST(test_empty_message)
{
    struct buf b = BUF_INIT(16);
    ck_assert_int_eq(scan(TRUST, &b, 0), 0);
}
END_TEST

START_TEST(test_strings)
{
    static const struct {
        const char *text;
        size_t len;
        const char *wrong;
    } cases[] = {
        {"a.example", 9, NULL},
        {"b\xc3\xbc.example", 11, NULL},
        {"", 0, NULL},
        {"a\0b", 3, "questions[1].host: holds a NUL byte"},
        {"\xff", 1, "questions[1].host: not UTF-8"},
        {"\xc0\x80", 2, "questions[1].host: not UTF-8"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b = BUF_INIT(1024);
        host_raw(&b, "x", 1);
        host_raw(&b, cases[i].text, cases[i].len);
        ck_assert_int_eq(scan(TRUST, &b, 0), cases[i].wrong ? ACD_EINVAL : 0);
        ck_assert_str_eq(err.text, cases[i].wrong ? cases[i].wrong : "");
        buf_done(&b);
    }
}
END_TEST

START_TEST(test_size_at_below_above)
{
    static const int64_t over[] = {-1, 0, 1};
    for (size_t i = 0; i < 3; i++) {
        struct buf b = BUF_INIT(LIMIT_MESSAGE * 2);
        size_t len = (size_t)(LIMIT_MESSAGE + over[i]) - 4;
        char *filler = calloc(1, len);
        raw_bytes(&b, 5, filler, len); /* Call.payload: tag and three bytes of length */
        ck_assert_uint_eq(b.len, (size_t)(LIMIT_MESSAGE + over[i]));
        ck_assert_int_eq(scan(CALL, &b, 0), over[i] > 0 ? ACD_ELIMIT : 0);
        free(filler);
        buf_done(&b);
    }
}
END_TEST

static int
scan_hosts(unsigned n, uint32_t batch)
{
    struct buf b = BUF_INIT(1 << 20);
    for (unsigned i = 0; i < n; i++)
        raw_text(&b, 3, "h");
    int rc = scan(HOSTS, &b, batch);
    buf_done(&b);
    return rc;
}

START_TEST(test_repeated_at_below_above)
{
    ck_assert_int_eq(scan_hosts(LIMIT_REPEATED - 1, 0), 0);
    ck_assert_int_eq(scan_hosts(LIMIT_REPEATED, 0), 0);
    ck_assert_int_eq(scan_hosts(LIMIT_REPEATED + 1, 0), ACD_ELIMIT);
    ck_assert_str_eq(err.text, "hosts[4096]: list is longer than 4096");
}
END_TEST

START_TEST(test_batch_at_below_above)
{
    ck_assert_int_eq(scan_hosts(LIMIT_BATCH_TRUST - 1, LIMIT_BATCH_TRUST), 0);
    ck_assert_int_eq(scan_hosts(LIMIT_BATCH_TRUST, LIMIT_BATCH_TRUST), 0);
    ck_assert_int_eq(scan_hosts(LIMIT_BATCH_TRUST + 1, LIMIT_BATCH_TRUST), ACD_ELIMIT);
}
END_TEST

/* The batch bounds the request's own lists, not those of its parts. */
START_TEST(test_batch_is_of_the_outermost_message)
{
    struct buf q = BUF_INIT(1024), b = BUF_INIT(1024);
    for (int i = 0; i < 5; i++)
        raw_text(&q, 2, "der");
    raw_bytes(&b, 1, q.data, q.len);
    ck_assert_int_eq(scan(VERIFY, &b, 1), 0);
    raw_bytes(&b, 1, q.data, q.len);
    ck_assert_int_eq(scan(VERIFY, &b, 1), ACD_ELIMIT);
    buf_done(&q);
    buf_done(&b);
}
END_TEST

START_TEST(test_depth_at_below_above)
{
    struct buf b = BUF_INIT(1024);
    struct scan_bounds bounds = scan_default;
    struct scan_result seen;
    host_raw(&b, "h", 1);
    for (bounds.depth = 1; bounds.depth <= 3; bounds.depth++) {
        int want = bounds.depth < 2 ? ACD_ELIMIT : 0;
        ck_assert_int_eq(scan_message(TRUST, raw_slice(&b), &bounds, &seen, NULL), want);
    }
    buf_done(&b);
}
END_TEST

START_TEST(test_memory_at_below_above)
{
    struct buf b = BUF_INIT(1024);
    struct scan_bounds bounds = scan_default;
    struct scan_result seen;
    host_raw(&b, "h", 1);
    ck_assert_int_eq(scan_message(TRUST, raw_slice(&b), &bounds, &seen, NULL), 0);
    size_t exact = seen.memory;
    bounds.memory = exact;
    ck_assert_int_eq(scan_message(TRUST, raw_slice(&b), &bounds, &seen, NULL), 0);
    bounds.memory = exact + 1;
    ck_assert_int_eq(scan_message(TRUST, raw_slice(&b), &bounds, &seen, NULL), 0);
    bounds.memory = exact - 1;
    ck_assert_int_eq(scan_message(TRUST, raw_slice(&b), &bounds, &seen, NULL), ACD_ELIMIT);
    buf_done(&b);
}
END_TEST

/* The estimate is an upper bound of what decoding takes, also for many small and for unknown fields. */
START_TEST(test_memory_bounds_the_decoder)
{
    for (unsigned n = 1; n <= 4096; n *= 2)
        for (unsigned field = 1; field <= 99; field += 98) {
            struct buf b = BUF_INIT(1 << 20);
            struct mem_region r;
            struct scan_result seen;
            void *got;
            for (unsigned i = 0; i < n; i++)
                raw_text(&b, field == 99 ? 99 : 3, "h");
            ck_assert_int_eq(scan_message(HOSTS, raw_slice(&b), &scan_default, &seen, NULL), 0);
            mem_init(&r, seen.memory, seen.memory);
            ck_assert_int_eq(wire_unpack(&r, HOSTS, raw_slice(&b), &got, NULL), 0);
            mem_done(&r);
            buf_done(&b);
        }
}
END_TEST

START_TEST(test_malformed)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *wrong;
    } cases[] = {
        {"\x0a", 1, "message: truncated"},
        {"\x0a\x05"
         "ab",
         4, "message: truncated"},
        {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "message: truncated"},
        {"\x00\x01", 2, "message: malformed tag"},
        {"\x80", 1, "message: malformed tag"},
        {"\x10\x80", 2, "message: malformed number"},
        {"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, "message: malformed number"},
        {"\x0b", 1, "message: unknown wire type"},
        {"\x0c", 1, "message: unknown wire type"},
        {"\x0f", 1, "message: unknown wire type"},
        {"\x09\x01\x02", 3, "message: truncated"},
        {"\x0d\x01\x02", 3, "message: truncated"},
        {"\x08\x01", 2, "questions[0]: has another type"},
        {"\x12\x01\x01", 3, "detail: has another type"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf b = BUF_INIT(64);
        buf_put(&b, cases[i].bytes, cases[i].len);
        ck_assert_msg(scan(TRUST, &b, 0) == ACD_EINVAL, "case %zu", i);
        ck_assert_str_eq(err.text, cases[i].wrong);
        buf_done(&b);
    }
}
END_TEST

START_TEST(test_single_message_is_there_once)
{
    struct buf b = BUF_INIT(64);
    raw_bytes(&b, 4, "", 0);
    ck_assert_int_eq(scan(HOSTS, &b, 0), 0);
    raw_bytes(&b, 4, "", 0);
    ck_assert_int_eq(scan(HOSTS, &b, 0), ACD_EINVAL);
    ck_assert_str_eq(err.text, "expected: is there twice");
    buf_done(&b);
}
END_TEST

START_TEST(test_unknown_is_reported)
{
    struct buf b = BUF_INIT(64);
    struct scan_result seen;
    raw_number(&b, 2, 1);
    ck_assert_int_eq(scan_message(TRUST, raw_slice(&b), &scan_default, &seen, NULL), 0);
    ck_assert(!seen.unknown);
    raw_number(&b, 4000, 1);
    ck_assert_int_eq(scan_message(TRUST, raw_slice(&b), &scan_default, &seen, NULL), 0);
    ck_assert(seen.unknown);
    buf_done(&b);
}
END_TEST

/* The scan's own arrays are sized for it. */
START_TEST(test_messages_have_few_fields)
{
    for (size_t i = 0; rpc_method_at(i); i++) {
        ck_assert_uint_le(rpc_method_at(i)->request->n_fields, LIMIT_FIELDS);
        ck_assert_uint_le(rpc_method_at(i)->response->n_fields, LIMIT_FIELDS);
    }
}
END_TEST

Suite *suite_scan(void);
Suite *
suite_scan(void)
{
    Suite *s = suite_create("scan");
    ADD_TESTS(s, "scan", test_empty_message, test_strings, test_size_at_below_above,
              test_repeated_at_below_above, test_batch_at_below_above, test_batch_is_of_the_outermost_message,
              test_depth_at_below_above, test_memory_at_below_above, test_memory_bounds_the_decoder,
              test_malformed, test_single_message_is_there_once, test_unknown_is_reported,
              test_messages_have_few_fields);
    return s;
}
