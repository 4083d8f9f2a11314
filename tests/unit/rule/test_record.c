/* Rulesets as bytes. */
#include "rule/record.h"

#include "base/str.h"
#include "lib/main.h"

static const acd_slice phases[] = {SLICE_LIT("http_ratelimit")},
                       products[] = {SLICE_LIT("waf"), SLICE_LIT("bic")};
static const acd_slice ids[] = {SLICE_LIT("r1"), SLICE_LIT("r2")};
static const struct rule_skip_ids skip_ids[] = {{SLICE_LIT("set"), ids, 2}};

static struct rule_in rules[] = {
    {.id = SLICE_LIT("1"),
     .ref = SLICE_LIT("mtls"),
     .description = SLICE_LIT("d"),
     .expression = SLICE_LIT("not ssl"),
     .action = SLICE_LIT("block"),
     .version = 3,
     .response = {true, 418, SLICE_LIT("no"), SLICE_LIT("text/plain")}},
    {.id = SLICE_LIT("2"),
     .ref = SLICE_LIT("2"),
     .description = SLICE_LIT(""),
     .expression = SLICE_LIT("ssl"),
     .action = SLICE_LIT("skip"),
     .version = 1,
     .disabled = true,
     .logging = RULE_LOG_OFF,
     .skip = {.ruleset = SLICE_LIT("current"),
              .phases = phases,
              .nphases = 1,
              .products = products,
              .nproducts = 2,
              .rules = skip_ids,
              .nrules = 1}},
};
static int64_t updated[] = {1700000000000, -5};
static const struct rule_record record = {SLICE_LIT("set"), 7, rules, updated, 2};

static void
encode(struct buf *out)
{
    rule_record_encode(out, &record);
    ck_assert_int_eq(out->failed, 0);
}

START_TEST(what_was_written_is_read)
{
    struct buf out = BUF_INIT(1 << 16), again = BUF_INIT(1 << 16);
    struct mem_region region;
    struct rule_record rec;
    mem_init(&region, 4096, 0);
    encode(&out);
    ck_assert_int_eq(rule_record_decode(&region, slice_of(out.data, out.len), &rec), 0);
    ck_assert(slice_eqs(rec.id, "set") && rec.version == 7 && rec.n == 2);
    ck_assert(slice_eqs(rec.rules[0].ref, "mtls") && rec.rules[0].version == 3 && rec.updated_ms[1] == -5);
    ck_assert(rec.rules[0].response.present && rec.rules[0].response.status_code == 418);
    ck_assert(rec.rules[1].disabled && rec.rules[1].logging == RULE_LOG_OFF);
    ck_assert(slice_eqs(rec.rules[1].skip.products[1], "bic") && !rec.rules[1].skip.phase.ptr);
    ck_assert(slice_eqs(rec.rules[1].skip.rules[0].rules[1], "r2"));
    rule_record_encode(&again, &rec);
    ck_assert(slice_eq(slice_of(out.data, out.len), slice_of(again.data, again.len)));
    buf_done(&out);
    buf_done(&again);
    mem_done(&region);
}
END_TEST

START_TEST(every_damaged_byte_is_seen)
{
    struct buf out = BUF_INIT(1 << 16);
    struct mem_region region;
    struct rule_record rec;
    mem_init(&region, 4096, 0);
    encode(&out);
    for (size_t i = 0; i < out.len; i++) {
        out.data[i] ^= 1;
        ck_assert_msg(rule_record_decode(&region, slice_of(out.data, out.len), &rec) == ACD_ECORRUPT,
                      "byte %zu", i);
        out.data[i] ^= 1;
    }
    for (size_t n = 0; n < out.len; n++) {
        ck_assert_int_eq(rule_record_decode(&region, slice_of(out.data, n), &rec), ACD_ECORRUPT);
        if (n >= RULE_RECORD_HEAD)
            ck_assert_int_eq(
                rule_record_body(&region, slice_of(out.data + RULE_RECORD_HEAD, n - RULE_RECORD_HEAD), &rec),
                ACD_ECORRUPT);
    }
    ck_assert_ptr_null(rule_record_digest(slice_of(out.data, RULE_RECORD_HEAD - 1)));
    buf_done(&out);
    mem_done(&region);
}
END_TEST

START_TEST(same_definition)
{
    struct rule_in other = rules[1];
    other.id = SLICE_LIT("other");
    other.version = 99;
    ck_assert(rule_record_same(&rules[1], &other));
    other.logging = RULE_LOG_ON;
    ck_assert(!rule_record_same(&rules[1], &other));
    other = rules[1];
    other.skip.nproducts = 1;
    ck_assert(!rule_record_same(&rules[1], &other));
    other = rules[0];
    other.response.status_code = 403;
    ck_assert(!rule_record_same(&rules[0], &other));
    ck_assert(!rule_record_same(&rules[0], &rules[1]));
}
END_TEST

START_TEST(bounds)
{
    static const uint8_t too_many[] = {0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xe9, 3, 0, 0};
    struct buf out = BUF_INIT(64);
    struct mem_region region;
    struct rule_record rec;
    mem_init(&region, 4096, 0);
    ck_assert_int_eq(rule_record_body(&region, slice_of(too_many, sizeof(too_many)), &rec), ACD_ELIMIT);
    rule_record_encode(&out, &record);
    ck_assert_int_eq(out.failed, ACD_ELIMIT);
    buf_done(&out);
    mem_done(&region);
}
END_TEST

Suite *suite_record(void);

Suite *
suite_record(void)
{
    Suite *s = suite_create("record");
    ADD_TESTS(s, "record", what_was_written_is_read, every_damaged_byte_is_seen, same_definition, bounds);
    return s;
}
