/* The codec of the hot messages: protobuf-c's bytes, protobuf-c's structs, the scan's verdict. Messages are
 * made from their descriptors, so a field that codec.def lacks is noticed. */
#include "lib/codec_agrees.h"

#include "lib/main.h"
#include "lib/seed.h"
#include "model/limits.h"
#include "raw.h"
#include "wire/tlv.h"

enum { ROUNDS = 400, LIST_MAX = 5, TEXT_MAX = 90, NEST_MAX = LIMIT_DEPTH - 3 };

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

/* ---- random messages of any type ---- */

static uint64_t
some_number(struct prng *rng)
{
    return prng_below(rng, 3) ? prng_next(rng) >> prng_below(rng, 64) : 0;
}

static char *
some_text(struct prng *rng)
{
    static const char *const runes[] = {
        "a", "Z", "0", "-", ".", "\x7f", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    size_t n = prng_below(rng, TEXT_MAX), plain = prng_below(rng, 3);
    char *text = mem_alloc(&region, 4 * n + 1), *at = text;
    for (size_t i = 0; i < n; i++) {
        const char *rune = runes[prng_below(rng, plain ? 6 : 9)];
        at = (char *)memcpy(at, rune, strlen(rune)) + strlen(rune);
    }
    *at = '\0';
    return text;
}

static ProtobufCBinaryData
some_bytes(struct prng *rng)
{
    ProtobufCBinaryData b = {prng_below(rng, prng_below(rng, 8) ? TEXT_MAX : 6000), NULL};
    b.data = mem_alloc(&region, b.len);
    for (size_t i = 0; i < b.len; i++)
        b.data[i] = (uint8_t)prng_next(rng);
    return b;
}

static ProtobufCMessage *some_message(struct prng *rng, const wire_type *type, unsigned depth);

static void
some_value(struct prng *rng, const ProtobufCFieldDescriptor *f, void *at, unsigned depth)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)at = some_text(rng);
        return;
    case PROTOBUF_C_TYPE_BYTES:
        *(ProtobufCBinaryData *)at = some_bytes(rng);
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)at = some_message(rng, f->descriptor, depth + 1);
        return;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_INT64:
        *(uint64_t *)at = some_number(rng);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = some_number(rng) & 1;
        return;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_ENUM:
        *(uint32_t *)at = (uint32_t)some_number(rng);
        return;
    default:
        ck_abort_msg("%s is of a type that this test does not make", f->name);
    }
}

static void
some_list(struct prng *rng, const ProtobufCFieldDescriptor *f, char *m, unsigned depth)
{
    size_t n = prng_below(rng, LIST_MAX), each = f->type == PROTOBUF_C_TYPE_BYTES ? 16 : sizeof(void *);
    char *list = mem_alloc(&region, n * each);
    for (size_t k = 0; k < n; k++)
        some_value(rng, f, list + k * each, depth);
    *(size_t *)(m + f->quantifier_offset) = n;
    *(void **)(m + f->offset) = list;
}

/* One of a oneof's members is chosen by the last that comes up, or none. Messages that may be absent
 * sometimes are; what could go deeper and deeper ends. */
static ProtobufCMessage *
some_message(struct prng *rng, const wire_type *type, unsigned depth)
{
    char *m = wire_msg_new(&region, type);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        bool one = f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF, message = f->type == PROTOBUF_C_TYPE_MESSAGE;
        if ((message && depth >= NEST_MAX) || ((one || message) && prng_below(rng, 2)))
            continue;
        if (f->label == PROTOBUF_C_LABEL_REPEATED) {
            some_list(rng, f, m, depth);
            continue;
        }
        if (one) {
            *(uint32_t *)(m + f->quantifier_offset) = f->id;
            memset(m + f->offset, 0, sizeof(ProtobufCBinaryData));
        }
        some_value(rng, f, m + f->offset, depth);
    }
    return (ProtobufCMessage *)m;
}

/* ---- the same as protobuf-c ---- */

START_TEST(test_bytes_are_those_of_protobuf_c)
{
    struct prng rng = {test_seed()};
    const wire_type *type;
    for (size_t i = 0; (type = codec_type_at(i)) != NULL; i++)
        for (int round = 0; round < ROUNDS; round++) {
            acd_slice got;
            ProtobufCMessage *m = some_message(&rng, type, 1);
            acd_slice want = codec_plain_bytes(&region, m);
            ck_assert_msg(codec_encode(codec_find(type), &region, m, &got), "%s", type->name);
            ck_assert_msg(slice_eq(got, want), "%s is written with other bytes", type->name);
            ck_assert_msg(codec_agrees(type, got, 0), "%s is not read again", type->name);
            mem_reset(&region);
        }
}
END_TEST

/* Fields that the message does not know, of every wire type. */
static const char unknown[] = "\xf8\x07\x96\x01\xf9\x07"
                              "12345678"
                              "\xfd\x07"
                              "1234"
                              "\xfa\x07\x03"
                              "abc";

/* Two encodings one after the other: any order, fields twice; with unknown fields; cut or with bytes changed.
 */
static acd_slice
mangled(struct prng *rng, const wire_type *type)
{
    struct buf b = BUF_INIT(1 << 20);
    for (uint64_t n = 1 + prng_below(rng, 2); n > 0; n--) {
        acd_slice part = codec_plain_bytes(&region, some_message(rng, type, 1));
        buf_put(&b, part.ptr, part.len);
        if (prng_below(rng, 2))
            buf_put(&b, unknown, sizeof(unknown) - 1);
    }
    uint8_t *raw = mem_dup(&region, b.data, b.len);
    size_t len = b.len;
    buf_done(&b);
    for (uint64_t n = prng_below(rng, 4); len && n > 0; n--)
        raw[prng_below(rng, len < 40 || prng_below(rng, 2) ? len : 40)] ^=
            (uint8_t)(1u << prng_below(rng, 8));
    return slice_of(raw, prng_below(rng, 4) ? len : prng_below(rng, len + 1));
}

START_TEST(test_verdict_is_that_of_the_scan)
{
    struct prng rng = {test_seed()};
    const wire_type *type;
    for (size_t i = 0; (type = codec_type_at(i)) != NULL; i++) {
        unsigned accepted = 0;
        for (int round = 0; round < ROUNDS; round++) {
            accepted += codec_agrees(type, mangled(&rng, type), (uint32_t)prng_below(&rng, 8));
            mem_reset(&region);
        }
        ck_assert_uint_gt(accepted, 0);
        ck_assert_uint_lt(accepted, ROUNDS);
    }
}
END_TEST

/* ---- corners, by hand ---- */

#define TRUST    (&anchord__v1__get_trust_request__descriptor)
#define QUESTION (&anchord__v1__trust_question__descriptor)
#define VALUE    (&anchord__v1__rule_value__descriptor)
#define ENTRY    (&anchord__v1__rule_entry__descriptor)

START_TEST(test_corners)
{
    static const struct {
        const wire_type *type;
        const char *raw;
        size_t len;
        bool fine;
    } cases[] = {
#define RAW(text) text, sizeof(text) - 1
        {QUESTION, RAW(""), true},
        {QUESTION, RAW("\x0a\x00"), true},
        {QUESTION, RAW("\x0a\x01z\x0a\x02yx"), true},            /* the last one wins */
        {QUESTION, RAW("\x12\x02zz\x0a\x01y"), true},            /* any order */
        {QUESTION, RAW("\x8a\x00\x01y"), true},                  /* a tag in more bytes than it needs */
        {QUESTION, RAW("\x8a\x80\x80\x80\x80\x00\x01y"), false}, /* and in more than a tag has */
        {QUESTION, RAW("\x0a\x81\x00y"), true},
        {QUESTION, RAW("\x0a\x01\x80"), false},
        {QUESTION, RAW("\x0a\x01\x00"), false},
        {QUESTION,
         RAW("\x0a\x09"
             "abcdefgh\x00"),
         false},
        {QUESTION,
         RAW("\x0a\x09"
             "abcdefgh\x80"),
         false},
        {QUESTION, RAW("\x0a\x02y"), false},
        {QUESTION, RAW("\x08\x01"), false}, /* another type */
        {QUESTION, RAW("\x0b\x0c"), false}, /* a group */
        {QUESTION, RAW("\x02\x00"), false}, /* field 0 */
        {TRUST, RAW("\x18\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"),
         true}, /* a bit beyond 64 is still true */
        {TRUST, RAW("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), true}, /* enum -1 */
        {TRUST, RAW("\x1a\x01\x01"), false},                                /* packed, but no list */
        {VALUE, RAW("\x08\x00"), true},                                     /* chosen, and false */
        {VALUE, RAW("\x1a\x00"), true},                                     /* chosen, and empty */
        {VALUE, RAW("\x2a\x00\x08\x01"), true},                             /* the last one is chosen */
        {VALUE, RAW("\x08\x01\x2a\x00"), true},
        {VALUE, RAW("\x2a\x00\x32\x00"), true},          /* an array, then a map */
        {VALUE, RAW("\x2a\x00\x08\x01\x2a\x00"), false}, /* an array twice */
        {VALUE, RAW("\x2a\x02\x0a"), false},
        {VALUE, RAW("\x28\x01"), false},
        {ENTRY, RAW("\x12\x00"), true},
        {ENTRY, RAW("\x12\x02\x08\x01\x0a\x01k"), true},
        {ENTRY, RAW("\x12\x00\x12\x00"), false}, /* a message twice */
        {ENTRY, RAW("\x10\x01"), false},
#undef RAW
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(codec_agrees(cases[i].type, slice_of(cases[i].raw, cases[i].len), 0) == cases[i].fine,
                      "case %zu", i);
}
END_TEST

START_TEST(test_lists_at_below_above)
{
    static const uint8_t empty[] = {0x0a, 0x00};
    struct buf b = BUF_INIT(1 << 20);
    for (uint32_t n = 0; n <= LIMIT_REPEATED + 1; n++) {
        bool near = n < 20 || n + 2 > LIMIT_REPEATED;
        ck_assert(!near || codec_agrees(TRUST, raw_slice(&b), 0) == (n <= LIMIT_REPEATED));
        ck_assert(!near || codec_agrees(TRUST, raw_slice(&b), 7) == (n <= 7));
        buf_put(&b, empty, sizeof(empty));
    }
    buf_done(&b);
}
END_TEST

/* An array of one array of one ...: each takes two levels. */
START_TEST(test_depth_at_below_above)
{
    uint8_t raw[8 * LIMIT_DEPTH], *at = raw + sizeof(raw);
    for (size_t depth = 1; depth <= 2 * LIMIT_DEPTH; depth += 2) {
        size_t len = (size_t)(raw + sizeof(raw) - at);
        ck_assert(codec_agrees(VALUE, slice_of(at, len), 0) == (depth <= LIMIT_DEPTH));
        ck_assert_uint_lt(len + 4, 0x80);
        *--at = (uint8_t)len;
        *--at = 1 << 3 | TLV_BYTES;
        ck_assert(codec_agrees(&anchord__v1__rule_array__descriptor, slice_of(at, len + 2), 0) ==
                  (depth + 1 <= LIMIT_DEPTH));
        *--at = (uint8_t)(len + 2);
        *--at = 5 << 3 | TLV_BYTES;
    }
}
END_TEST

/* The door: the codec's way and the sentence of the other one. */
START_TEST(test_refusal_names_the_field)
{
    acd_err err = ACD_ERR_INIT;
    void *msg = NULL;
    ck_assert(codec_find(TRUST) != NULL);
    ck_assert_ptr_null(codec_find(&anchord__v1__zone__descriptor));
    ck_assert_int_eq(wire_unpack(&region, TRUST, SLICE_LIT("\x0a\x03\x0a\x01\xff"), &msg, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, "questions[0].host: not UTF-8");
    ck_assert_int_eq(wire_unpack(&region, TRUST, SLICE_LIT("\x0a\x03\x0a\x01z"), &msg, &err), 0);
    ck_assert_str_eq(((Anchord__V1__GetTrustRequest *)msg)->questions[0]->host, "z");
}
END_TEST

/* What is packed field by field is what the codec makes of the struct. */
START_TEST(test_pack)
{
    enum { N = 3000 }; /* more than the first room holds */
    struct pack p;
    acd_slice want;
    Anchord__V1__GetTrustResponse *m =
        wire_new(&region, Anchord__V1__GetTrustResponse, anchord__v1__get_trust_response);
    m->answers = wire_list(&region, N, Anchord__V1__TrustAnswer, anchord__v1__trust_answer);
    m->n_answers = N;
    ck_assert(pack_begin(&p, &region));
    for (size_t i = N; i-- > 0;) {
        size_t mark = pack_mark(&p);
        char *host = mem_zalloc(&region, 101);
        memset(host, 'a' + (int)(i % 26), i % 100 + 1); /* of every length, for every way to copy */
        m->answers[i]->host = host;
        m->answers[i]->set = (uint32_t)i + 1;
        ck_assert(pack_number(&p, 4, i + 1) && pack_text(&p, 1, host) && pack_head(&p, 1, mark));
    }
    ck_assert(wire_pack_fast(&region, m, &want) && slice_eq(pack_done(&p), want));
    /* the same message as a field of another, and what is too long for any */
    ck_assert(pack_begin(&p, &region) && pack_message(&p, 1, m->answers[8]) &&
              pack_message(&p, 1, m->answers[7]));
    acd_slice both = pack_done(&p);
    m->answers += 7;
    m->n_answers = 2;
    ck_assert(wire_pack_fast(&region, m, &want) && slice_eq(both, want));
    ck_assert(!pack_bytes(&p, 1, slice_of(mem_zalloc(&region, LIMIT_MESSAGE), LIMIT_MESSAGE)));
}
END_TEST

Suite *suite_codec(void);
Suite *
suite_codec(void)
{
    Suite *s = suite_create("codec");
    TCase *tc = tcase_create("codec");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_bytes_are_those_of_protobuf_c);
    tcase_add_test(tc, test_verdict_is_that_of_the_scan);
    tcase_add_test(tc, test_corners);
    tcase_add_test(tc, test_pack);
    tcase_add_test(tc, test_lists_at_below_above);
    tcase_add_test(tc, test_depth_at_below_above);
    tcase_add_test(tc, test_refusal_names_the_field);
    tcase_set_timeout(tc, 60);
    suite_add_tcase(s, tc);
    return s;
}
