#include "base/str.h"
#include "lib/main.h"
#include "model/limits.h"
#include "wire/bus_read.h"

enum { SHARED = 256, LONGEST = 140000 };

START_TEST(test_hello)
{
    static const uint8_t req[SP_HELLO] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
    uint8_t h[SP_HELLO];
    sp_hello_write(SP_REQ, h);
    ck_assert_mem_eq(h, req, SP_HELLO);
    ck_assert_int_eq(sp_hello_check(req, SP_REQ), 0);
    ck_assert_int_eq(sp_hello_check(req, SP_REP), ACD_EINVAL);
    for (size_t i = 0; i < SP_HELLO; i++) {
        memcpy(h, req, SP_HELLO);
        h[i] ^= 0x40;
        ck_assert_int_eq(sp_hello_check(h, SP_REQ), ACD_EINVAL);
    }
}
END_TEST

START_TEST(test_head)
{
    static const uint8_t ipc[] = {1, 0, 0, 0, 0, 0, 1, 2, 3}, other[] = {2, 0, 0, 0, 0, 0, 1, 2, 3};
    uint8_t out[SP_HEAD_MAX];
    uint64_t len;
    ck_assert_uint_eq(sp_head_size(SP_IPC), 9);
    ck_assert_uint_eq(sp_head_size(SP_TCP), 8);
    ck_assert_int_eq(sp_head_parse(SP_IPC, ipc, &len), 0);
    ck_assert_uint_eq(len, 0x010203);
    ck_assert_int_eq(sp_head_parse(SP_TCP, ipc + 1, &len), 0);
    ck_assert_uint_eq(len, 0x010203);
    ck_assert_int_eq(sp_head_parse(SP_IPC, other, &len), ACD_EINVAL);
    sp_head_write(SP_IPC, 0x010203, out);
    ck_assert_mem_eq(out, ipc, 9);
    sp_head_write(SP_TCP, UINT64_MAX - 1, out);
    ck_assert_int_eq(sp_head_parse(SP_TCP, out, &len), 0);
    ck_assert_uint_eq(len, UINT64_MAX - 1);
}
END_TEST

/* One id at least, SP_HOPS at most; the last has its high bit set. */
START_TEST(test_stack)
{
    uint8_t msg[SP_STACK_MAX + SP_ID] = {0};
    size_t len;
    for (size_t ids = 1; ids <= SP_HOPS; ids++) {
        memset(msg, 0, sizeof(msg));
        msg[(ids - 1) * SP_ID] = 0x80;
        ck_assert_int_eq(sp_stack_parse(slice_of(msg, sizeof(msg)), &len), 0);
        ck_assert_uint_eq(len, ids * SP_ID);
        ck_assert_int_eq(sp_stack_parse(slice_of(msg, ids * SP_ID), &len), 0);
        ck_assert_int_eq(sp_stack_parse(slice_of(msg, ids * SP_ID - 1), &len), ACD_EINVAL);
    }
    memset(msg, 0, sizeof(msg));
    msg[SP_STACK_MAX] = 0x80;
    ck_assert_int_eq(sp_stack_parse(slice_of(msg, sizeof(msg)), &len), ACD_ELIMIT);
    ck_assert_int_eq(sp_stack_parse(slice_of(msg, 0), &len), ACD_EINVAL);
}
END_TEST

/* ---- the reader ---- */

struct feed {
    struct reader r;
    struct chunk *shared;
    struct iovec iov[2];
};

static void
feed_init(struct feed *f, enum sp_framing framing)
{
    *f = (struct feed){.r = {.framing = framing}, .shared = chunk_new(SHARED)};
    ck_assert_ptr_nonnull(f->shared);
}

static void
feed_done(struct feed *f)
{
    reader_done(&f->r);
    ck_assert_uint_eq(f->shared->refs, 1); /* no message was forgotten */
    chunk_unref(f->shared);
}

/* Gives the reader what fits, as readv would; returns how much. */
static size_t
feed_some(struct feed *f, const uint8_t *p, size_t len)
{
    int n = reader_room(&f->r, f->shared, f->iov);
    size_t done = 0;
    ck_assert_int_gt(n, 0);
    for (int i = 0; i < n; i++) {
        size_t part = f->iov[i].iov_len < len - done ? f->iov[i].iov_len : len - done;
        memcpy(f->iov[i].iov_base, p + done, part);
        done += part;
    }
    reader_got(&f->r, f->shared, done);
    return done;
}

static size_t
put_message(uint8_t *out, enum sp_framing framing, size_t len, uint8_t seed)
{
    size_t head = sp_head_size(framing);
    sp_head_write(framing, len, out);
    for (size_t i = 0; i < len; i++)
        out[head + i] = (uint8_t)(seed + i);
    return head + len;
}

static void
check_message(acd_slice msg, size_t len, uint8_t seed)
{
    static uint8_t want[LONGEST + SP_HEAD_MAX];
    size_t end = put_message(want, SP_TCP, len, seed);
    ck_assert(slice_eq(msg, slice_of(want + end - len, len)));
}

/* Messages of all sizes around the shared chunk's and beyond the first memory of a part, in reads of each
 * size: the same messages come out. */
START_TEST(test_any_split)
{
    static const size_t sizes[] = {0, 1, 4, 100, SHARED - 9, SHARED - 8, SHARED, 1000, 70000, LONGEST, 3};
    enum { N = sizeof(sizes) / sizeof(sizes[0]) };
    static const size_t reads[] = {1, 7, 8, 9, 10, 100, SHARED, 5000, 1000000};
    static uint8_t raw[2 * LONGEST];
    for (int framing = SP_TCP; framing <= SP_IPC; framing++)
        for (size_t k = 0; k < sizeof(reads) / sizeof(reads[0]); k++) {
            struct feed f;
            size_t len = 0, at = 0, got = 0;
            acd_slice msg;
            struct chunk *chunk;
            for (size_t i = 0; i < N; i++)
                len += put_message(raw + len, (enum sp_framing)framing, sizes[i], (uint8_t)i);
            feed_init(&f, (enum sp_framing)framing);
            while (at < len) {
                at += feed_some(&f, raw + at, reads[k] < len - at ? reads[k] : len - at);
                while (reader_next(&f.r, f.shared, &msg, &chunk) == 1) {
                    check_message(msg, sizes[got], (uint8_t)got);
                    chunk_unref(chunk);
                    got++;
                }
            }
            ck_assert_uint_eq(got, N);
            ck_assert(!reader_unfinished(&f.r));
            feed_done(&f);
        }
}
END_TEST

START_TEST(test_length_at_below_above)
{
    for (uint64_t len = LIMIT_MESSAGE_HARD - 1; len <= LIMIT_MESSAGE_HARD + 1; len++) {
        struct feed f;
        acd_slice msg;
        struct chunk *chunk;
        uint8_t head[SP_HEAD_MAX];
        feed_init(&f, SP_IPC);
        sp_head_write(SP_IPC, len, head);
        ck_assert_uint_eq(feed_some(&f, head, sizeof(head)), sizeof(head));
        ck_assert_int_eq(reader_next(&f.r, f.shared, &msg, &chunk),
                         len > LIMIT_MESSAGE_HARD ? ACD_ELIMIT : 0);
        feed_done(&f);
    }
}
END_TEST

/* A length costs nothing by itself: memory grows with the bytes that came. */
START_TEST(test_memory_follows_bytes)
{
    static uint8_t bytes[100000];
    struct feed f;
    acd_slice msg;
    struct chunk *chunk;
    feed_init(&f, SP_TCP);
    sp_head_write(SP_TCP, LIMIT_MESSAGE_HARD, bytes);
    for (size_t sent = 0, n = 8; sent < LIMIT_MESSAGE_HARD / 2; sent += n, n = sizeof(bytes)) {
        n = feed_some(&f, bytes, n);
        ck_assert_int_eq(reader_next(&f.r, f.shared, &msg, &chunk), 0);
        ck_assert(reader_unfinished(&f.r));
        ck_assert_uint_le(f.r.part->cap, 65536 + 2 * (sent + n));
    }
    feed_done(&f);
}
END_TEST

Suite *suite_sp(void);
Suite *
suite_sp(void)
{
    Suite *s = suite_create("sp");
    ADD_TESTS(s, "sp", test_hello, test_head, test_stack);
    ADD_TESTS(s, "reader", test_any_split, test_length_at_below_above, test_memory_follows_bytes);
    return s;
}
