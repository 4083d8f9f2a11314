#include "lib/main.h"
#include "model/limits.h"
#include "raw.h"
#include "wire/msg.h"

static struct mem_region region;

static void
setup(void)
{
    mem_init(&region, 4096, LIMIT_REGION);
}

static void
teardown(void)
{
    mem_done(&region);
}

START_TEST(test_new_message_is_initialised)
{
    Anchord__V1__TrustCa *ca = wire_new(&region, Anchord__V1__TrustCa, anchord__v1__trust_ca);
    ck_assert_ptr_eq(ca->base.descriptor, &anchord__v1__trust_ca__descriptor);
    ck_assert_str_eq(ca->subject, "");
    ck_assert_uint_eq(ca->der.len, 0);
}
END_TEST

START_TEST(test_list_and_append)
{
    size_t n = 3;
    Anchord__V1__TrustCa **list = wire_list(&region, n, Anchord__V1__TrustCa, anchord__v1__trust_ca);
    ck_assert_ptr_eq(list[2]->base.descriptor, &anchord__v1__trust_ca__descriptor);
    Anchord__V1__TrustCa *kept = list[0];
    for (unsigned i = 0; i < 100; i++) {
        Anchord__V1__TrustCa *ca = wire_new(&region, Anchord__V1__TrustCa, anchord__v1__trust_ca);
        ca->index = i;
        ck_assert_int_eq(wire_append(&region, &n, &list, ca), 0);
    }
    ck_assert_uint_eq(n, 103);
    ck_assert_ptr_eq(list[0], kept);
    for (unsigned i = 0; i < 100; i++)
        ck_assert_uint_eq(list[3 + i]->index, i);
}
END_TEST

START_TEST(test_full_region)
{
    struct mem_region small;
    mem_init(&small, 256, 1024);
    ck_assert_ptr_null(wire_list(&small, 1000, Anchord__V1__TrustCa, anchord__v1__trust_ca));
    size_t n = 0;
    void **list = NULL;
    while (n < 1000 && wire_append_ptr(&small, &n, &list, &n) == 0)
        ;
    ck_assert_uint_lt(n, 128);
    mem_done(&small);
}
END_TEST

START_TEST(test_pack_and_unpack)
{
    Anchord__V1__TrustQuestion *q =
        wire_new(&region, Anchord__V1__TrustQuestion, anchord__v1__trust_question);
    Anchord__V1__TrustQuestion *back;
    acd_slice raw;
    void *got;
    q->host = WIRE_STR("a.example");
    q->unless_digest = wire_bytes(SLICE_LIT("0123"));
    ck_assert_int_eq(wire_pack(&region, q, &raw, NULL), 0);
    ck_assert_int_eq(wire_unpack(&region, &anchord__v1__trust_question__descriptor, raw, &got, NULL), 0);
    back = got;
    ck_assert_str_eq(back->host, "a.example");
    ck_assert(slice_eqs(wire_slice(back->unless_digest), "0123"));
}
END_TEST

START_TEST(test_pack_refuses_what_is_too_large)
{
    Anchord__V1__TrustQuestion *q =
        wire_new(&region, Anchord__V1__TrustQuestion, anchord__v1__trust_question);
    acd_slice raw, body = {mem_zalloc(&region, LIMIT_MESSAGE), LIMIT_MESSAGE};
    acd_err err = ACD_ERR_INIT;
    ck_assert_ptr_nonnull(body.ptr);
    q->unless_digest = wire_bytes(body);
    ck_assert_int_eq(wire_pack(&region, q, &raw, &err), ACD_ELIMIT);
    q->unless_digest.len = LIMIT_MESSAGE - 4; /* tag and a length of three bytes */
    ck_assert_int_eq(wire_pack(&region, q, &raw, &err), 0);
    ck_assert_uint_eq(raw.len, LIMIT_MESSAGE);
}
END_TEST

/* On every level: a message that is packed again does not carry what was not understood. */
START_TEST(test_unknown_fields_are_forgotten)
{
    struct buf inner = BUF_INIT(1024), outer = BUF_INIT(1024);
    void *got;
    raw_text(&inner, 1, "a.example");
    raw_text(&inner, 77, "from the future");
    raw_bytes(&outer, 1, inner.data, inner.len);
    raw_number(&outer, 99, 1);
    ck_assert_int_eq(
        wire_unpack(&region, &anchord__v1__get_trust_request__descriptor, raw_slice(&outer), &got, NULL), 0);
    Anchord__V1__GetTrustRequest *req = got;
    ck_assert_uint_eq(req->base.n_unknown_fields, 0);
    ck_assert_uint_eq(req->questions[0]->base.n_unknown_fields, 0);
    ck_assert_str_eq(req->questions[0]->host, "a.example");
    ck_assert_uint_eq(wire_size(req), 2 + 2 + strlen("a.example"));
    buf_done(&inner);
    buf_done(&outer);
}
END_TEST

START_TEST(test_region_too_small_to_decode)
{
    struct buf raw = BUF_INIT(1 << 20);
    struct mem_region small;
    void *got;
    for (int i = 0; i < 1000; i++)
        raw_text(&raw, 3, "a.example");
    mem_init(&small, 256, 4096);
    ck_assert_int_eq(
        wire_unpack(&small, &anchord__v1__change_hosts_request__descriptor, raw_slice(&raw), &got, NULL),
        ACD_ENOMEM);
    mem_done(&small);
    buf_done(&raw);
}
END_TEST

START_TEST(test_text_becomes_utf8)
{
    ck_assert_str_eq(wire_text(&region, SLICE_LIT("gr\xc3\xbc\xc3\x9f"
                                                  "e")),
                     "gr\xc3\xbc\xc3\x9f"
                     "e");
    ck_assert_str_eq(wire_text(&region, SLICE_LIT("a\xff"
                                                  "b\0c\xc3")),
                     "a?b?c?");
    ck_assert_str_eq(wire_text(&region, SLICE_LIT("\xed\xa0\x80")), "???"); /* a surrogate */
    ck_assert_str_eq(wire_text(&region, SLICE_LIT("")), "");
    ck_assert_str_eq(WIRE_STR((const char *)NULL), "");
}
END_TEST

Suite *suite_msg(void);
Suite *
suite_msg(void)
{
    Suite *s = suite_create("msg");
    TCase *tc = tcase_create("msg");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_new_message_is_initialised);
    tcase_add_test(tc, test_list_and_append);
    tcase_add_test(tc, test_full_region);
    tcase_add_test(tc, test_pack_and_unpack);
    tcase_add_test(tc, test_pack_refuses_what_is_too_large);
    tcase_add_test(tc, test_unknown_fields_are_forgotten);
    tcase_add_test(tc, test_region_too_small_to_decode);
    tcase_add_test(tc, test_text_becomes_utf8);
    suite_add_tcase(s, tc);
    return s;
}
