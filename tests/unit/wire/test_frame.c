#include "base/rand.h"
#include "lib/main.h"
#include "raw.h"
#include "wire/frame.h"

static struct mem_region region;

static void
setup(void)
{
    mem_init(&region, 65536, 0);
}

static void
teardown(void)
{
    mem_done(&region);
}

/* ---- property: the same bytes and the same values as protobuf-c ---- */

static acd_slice
some_bytes(struct prng *rng, size_t max)
{
    size_t len = prng_below(rng, 3) ? prng_below(rng, max + 1) : 0;
    uint8_t *p = mem_alloc(&region, len);
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)prng_next(rng);
    return slice_of(p, len);
}

static char *
some_text(struct prng *rng, size_t max)
{
    acd_slice s = some_bytes(rng, max);
    char *text = mem_strndup(&region, s.ptr, s.len);
    for (size_t i = 0; i < s.len; i++)
        text[i] = (char)('a' + (unsigned char)text[i] % 26);
    return text;
}

static uint64_t
some_number(struct prng *rng)
{
    return prng_next(rng) >> prng_below(rng, 65) % 64;
}

static void
call_make(struct prng *rng, Anchord__V1__Call *m, struct frame_call *f)
{
    *f = (struct frame_call){.timeout_ms = (uint32_t)some_number(rng)};
    m->method = some_text(rng, LIMIT_METHOD);
    m->idempotency_key = some_text(rng, LIMIT_IDEM_KEY);
    m->request_id = wire_bytes(some_bytes(rng, LIMIT_REQUEST_ID));
    m->payload = wire_bytes(some_bytes(rng, 5000));
    m->timeout_ms = f->timeout_ms;
    m->dry_run = f->dry_run = prng_below(rng, 2);
    m->force = f->force = prng_below(rng, 2);
    m->n_metadata = prng_below(rng, LIMIT_METADATA + 1);
    m->metadata = wire_list(&region, m->n_metadata, Anchord__V1__Metadata, anchord__v1__metadata);
    f->method = slice_str(m->method);
    f->idem_key = slice_str(m->idempotency_key);
    f->request_id = wire_slice(m->request_id);
    f->payload = wire_slice(m->payload);
    f->n_meta = (uint32_t)m->n_metadata;
    for (size_t i = 0; i < m->n_metadata; i++) {
        m->metadata[i]->key = some_text(rng, LIMIT_METADATA_KEY - 1);
        if (!m->metadata[i]->key[0])
            m->metadata[i]->key = WIRE_STR("k");
        m->metadata[i]->value = wire_bytes(some_bytes(rng, 300));
        f->meta[i] = (struct frame_meta){slice_str(m->metadata[i]->key), wire_slice(m->metadata[i]->value)};
    }
}

static void
call_check(const struct frame_call *got, const Anchord__V1__Call *m)
{
    ck_assert(slice_eqs(got->method, m->method));
    ck_assert(slice_eqs(got->idem_key, m->idempotency_key));
    ck_assert(slice_eq(got->request_id, wire_slice(m->request_id)));
    ck_assert(slice_eq(got->payload, wire_slice(m->payload)));
    ck_assert_uint_eq(got->timeout_ms, m->timeout_ms);
    ck_assert(got->dry_run == m->dry_run && got->force == m->force);
    ck_assert_uint_eq(got->n_meta, m->n_metadata);
    for (size_t i = 0; i < m->n_metadata; i++) {
        ck_assert(slice_eqs(got->meta[i].key, m->metadata[i]->key));
        ck_assert(slice_eq(got->meta[i].value, wire_slice(m->metadata[i]->value)));
    }
}

START_TEST(test_call_is_what_protobuf_c_writes)
{
    struct prng rng = {20261122};
    for (int round = 0; round < 2000; round++) {
        Anchord__V1__Call *m = wire_new(&region, Anchord__V1__Call, anchord__v1__call);
        struct frame_call f, back;
        acd_slice want;
        acd_err err = ACD_ERR_INIT;
        call_make(&rng, m, &f);
        ck_assert_int_eq(wire_pack(&region, m, &want, NULL), 0);
        size_t len = frame_call_size(&f);
        ck_assert_uint_eq(len, want.len);
        uint8_t *out = mem_alloc(&region, len);
        frame_call_write(&f, out);
        ck_assert(slice_eq(slice_of(out, len), want));
        ck_assert_msg(frame_call_decode(want, &back, &err) == 0, "round %d: %s", round, err.text);
        call_check(&back, m);
        mem_reset(&region);
    }
}
END_TEST

static void
reply_make(struct prng *rng, Anchord__V1__Reply *m, struct frame_reply *f)
{
    *f = (struct frame_reply){.code = (uint32_t)some_number(rng),
                              .revision = some_number(rng),
                              .retry_after_ms = (uint32_t)some_number(rng)};
    m->code = f->code;
    m->revision = f->revision;
    m->retry_after_ms = f->retry_after_ms;
    m->message = some_text(rng, 300);
    m->request_id = wire_bytes(some_bytes(rng, LIMIT_REQUEST_ID));
    m->payload = wire_bytes(some_bytes(rng, 5000));
    m->n_details = prng_below(rng, 20);
    m->details = wire_list(&region, m->n_details, Anchord__V1__ErrorDetail, anchord__v1__error_detail);
    for (size_t i = 0; i < m->n_details; i++) {
        if (prng_below(rng, 4) == 0)
            continue; /* a detail that says nothing */
        Anchord__V1__Finding *finding = wire_new(&region, Anchord__V1__Finding, anchord__v1__finding);
        finding->index = (int32_t)some_number(rng);
        finding->code = some_text(rng, 40);
        m->details[i]->detail_case = ANCHORD__V1__ERROR_DETAIL__DETAIL_FINDING;
        m->details[i]->finding = finding;
    }
    f->message = slice_str(m->message);
    f->request_id = wire_slice(m->request_id);
    f->payload = wire_slice(m->payload);
    f->n_details = m->n_details;
    f->details = m->details;
    if (prng_below(rng, 2)) {
        m->effect = wire_new(&region, Anchord__V1__ChangeEffect, anchord__v1__change_effect);
        m->effect->hosts_total = some_number(rng);
        m->effect->n_hosts = prng_below(rng, 3);
        m->effect->hosts =
            wire_list(&region, m->effect->n_hosts, Anchord__V1__HostEffect, anchord__v1__host_effect);
    }
    f->effect = m->effect;
}

START_TEST(test_reply_is_what_protobuf_c_writes)
{
    struct prng rng = {4711};
    for (int round = 0; round < 2000; round++) {
        Anchord__V1__Reply *m = wire_new(&region, Anchord__V1__Reply, anchord__v1__reply);
        struct frame_reply f, back;
        acd_slice want, again;
        reply_make(&rng, m, &f);
        ck_assert_int_eq(wire_pack(&region, m, &want, NULL), 0);
        size_t len = frame_reply_size(&f);
        ck_assert_uint_eq(len, want.len);
        uint8_t *out = mem_alloc(&region, len);
        frame_reply_write(&f, out);
        ck_assert(slice_eq(slice_of(out, len), want));
        ck_assert_int_eq(frame_reply_decode(&region, want, &back, NULL), 0);
        /* What was decoded, encoded again, is the same. */
        ck_assert_uint_eq(frame_reply_size(&back), len);
        again = slice_of(mem_alloc(&region, len), len);
        frame_reply_write(&back, (uint8_t *)again.ptr);
        ck_assert(slice_eq(again, want));
        mem_reset(&region);
    }
}
END_TEST

START_TEST(test_body_is_packed_in_place)
{
    Anchord__V1__TrustQuestion *q =
        wire_new(&region, Anchord__V1__TrustQuestion, anchord__v1__trust_question);
    struct frame_call f = {.method = SLICE_LIT("m"), .body = q}, back;
    acd_slice packed;
    for (int filled = 0; filled < 2; filled++) {
        if (filled)
            q->host = WIRE_STR("a.example");
        ck_assert_int_eq(wire_pack(&region, q, &packed, NULL), 0);
        size_t len = frame_call_size(&f);
        uint8_t *out = mem_alloc(&region, len);
        frame_call_write(&f, out);
        ck_assert_int_eq(frame_call_decode(slice_of(out, len), &back, NULL), 0);
        ck_assert(slice_eq(back.payload, packed));
    }
}
END_TEST

/* ---- bounds ---- */

static int
decode(const struct buf *b, struct frame_call *ret)
{
    return frame_call_decode(raw_slice(b), ret, NULL);
}

/* A field of exactly `limit` bytes is fine, one byte more is not. */
static void
check_limit(unsigned field, size_t limit)
{
    char *text = calloc(1, limit + 2);
    for (size_t len = limit - 1; len <= limit + 1; len++) {
        struct buf b = BUF_INIT(LIMIT_MESSAGE);
        struct frame_call f;
        memset(text, 'a', len);
        raw_bytes(&b, field, text, len);
        ck_assert_int_eq(decode(&b, &f), len > limit ? ACD_ELIMIT : 0);
        buf_done(&b);
    }
    free(text);
}

START_TEST(test_limits_of_fields)
{
    check_limit(1, LIMIT_METHOD);
    check_limit(2, LIMIT_REQUEST_ID);
    check_limit(6, LIMIT_IDEM_KEY);
}
END_TEST

static int
decode_meta(unsigned n, size_t key_len, size_t value_len)
{
    struct buf b = BUF_INIT(1 << 20);
    struct frame_call f;
    char *text = calloc(1, 2 * LIMIT_METADATA_VALUE);
    memset(text, 'k', 2 * LIMIT_METADATA_VALUE);
    for (unsigned i = 0; i < n; i++) {
        struct buf m = BUF_INIT(1 << 16);
        raw_bytes(&m, 1, text, key_len);
        raw_bytes(&m, 2, text, value_len);
        raw_bytes(&b, 4, m.data, m.len);
        buf_done(&m);
    }
    int rc = decode(&b, &f);
    free(text);
    buf_done(&b);
    return rc;
}

START_TEST(test_limits_of_metadata)
{
    ck_assert_int_eq(decode_meta(LIMIT_METADATA - 1, 1, 1), 0);
    ck_assert_int_eq(decode_meta(LIMIT_METADATA, 1, 1), 0);
    ck_assert_int_eq(decode_meta(LIMIT_METADATA + 1, 1, 1), ACD_ELIMIT);
    ck_assert_int_eq(decode_meta(1, LIMIT_METADATA_KEY - 1, 1), 0);
    ck_assert_int_eq(decode_meta(1, LIMIT_METADATA_KEY, 1), 0);
    ck_assert_int_eq(decode_meta(1, LIMIT_METADATA_KEY + 1, 1), ACD_ELIMIT);
    ck_assert_int_eq(decode_meta(1, 1, LIMIT_METADATA_VALUE - 1), 0);
    ck_assert_int_eq(decode_meta(1, 1, LIMIT_METADATA_VALUE), 0);
    ck_assert_int_eq(decode_meta(1, 1, LIMIT_METADATA_VALUE + 1), ACD_ELIMIT);
    ck_assert_int_eq(decode_meta(1, 0, 1), ACD_EINVAL);
}
END_TEST

START_TEST(test_metadata_keys)
{
    static const struct {
        const char *key;
        int want;
    } cases[] = {{"authorization", 0}, {"trace.parent-1_x", 0}, {"Authorization", ACD_EINVAL},
                 {"a b", ACD_EINVAL},  {"a\n", ACD_EINVAL},     {"\xc3\xbc", ACD_EINVAL}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf m = BUF_INIT(256), b = BUF_INIT(256);
        struct frame_call f;
        raw_text(&m, 1, cases[i].key);
        raw_bytes(&b, 4, m.data, m.len);
        ck_assert_int_eq(decode(&b, &f), cases[i].want);
        buf_done(&m);
        buf_done(&b);
    }
}
END_TEST

/* A message over the limit is refused, but its request is known, so that the refusal finds its way. */
START_TEST(test_large_message_keeps_its_id)
{
    for (int over = -1; over <= 1; over++) {
        struct buf b = BUF_INIT(LIMIT_MESSAGE * 2);
        struct frame_call f;
        raw_text(&b, 2, "id");
        size_t len = (size_t)(LIMIT_MESSAGE + over) - b.len - 4;
        char *filler = calloc(1, len);
        raw_bytes(&b, 5, filler, len);
        ck_assert_int_eq((int64_t)b.len, LIMIT_MESSAGE + over);
        ck_assert_int_eq(decode(&b, &f), over > 0 ? ACD_ELIMIT : 0);
        ck_assert(slice_eqs(f.request_id, "id"));
        free(filler);
        buf_done(&b);
    }
}
END_TEST

START_TEST(test_malformed_calls)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {{"\x0a\x05"
                  "abc",
                  5},
                 {"\x0a", 1},
                 {"\x08\x01", 2},
                 {"\x0a\x01\xff", 3},
                 {"\x0a\x02"
                  "a\0",
                  4},
                 {"\x18\x80", 2},
                 {"\x00", 1},
                 {"\x1a\x01\x01", 3},
                 {"\x22\x01\x08", 3},
                 {"\x22\x02\x08\x01", 4},
                 {"\x2d\x01", 2},
                 {"\xff", 1},
                 {"\x32\x02\xc3\x28", 4}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct frame_call f;
        acd_err err = ACD_ERR_INIT;
        ck_assert_msg(frame_call_decode(slice_of(cases[i].bytes, cases[i].len), &f, &err) == ACD_EINVAL,
                      "case %zu", i);
        ck_assert(err.text[0]);
    }
}
END_TEST

START_TEST(test_last_duplicate_and_unknown)
{
    struct buf b = BUF_INIT(256);
    struct frame_call f;
    raw_text(&b, 1, "one");
    raw_number(&b, 300, 7);
    raw_text(&b, 1, "two");
    raw_number(&b, 3, UINT64_C(0x100000005)); /* cut to 32 bits */
    ck_assert_int_eq(decode(&b, &f), 0);
    ck_assert(slice_eqs(f.method, "two"));
    ck_assert_uint_eq(f.timeout_ms, 5);
    buf_done(&b);
}
END_TEST

START_TEST(test_details_at_below_above)
{
    for (int over = -1; over <= 1; over++) {
        struct buf b = BUF_INIT(1 << 16);
        struct frame_reply p;
        for (int i = 0; i < LIMIT_DETAILS + over; i++)
            raw_bytes(&b, 4, "", 0);
        ck_assert_int_eq(frame_reply_decode(&region, raw_slice(&b), &p, NULL), over > 0 ? ACD_ELIMIT : 0);
        buf_done(&b);
    }
}
END_TEST

Suite *suite_frame(void);
Suite *
suite_frame(void)
{
    Suite *s = suite_create("frame");
    TCase *tc = tcase_create("frame");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, test_call_is_what_protobuf_c_writes);
    tcase_add_test(tc, test_reply_is_what_protobuf_c_writes);
    tcase_add_test(tc, test_body_is_packed_in_place);
    tcase_add_test(tc, test_details_at_below_above);
    suite_add_tcase(s, tc);
    ADD_TESTS(s, "bounds", test_limits_of_fields, test_limits_of_metadata, test_metadata_keys,
              test_large_message_keeps_its_id, test_malformed_calls, test_last_duplicate_and_unknown);
    return s;
}
