/* A stream of the bus in pieces of any size: the messages are those of the stream in one piece, and where one
 * ends in an error the other does. Input: one byte of choices, one that seeds the pieces, the stream. */
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "model/limits.h"
#include "wire/bus_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SHARED = 64 };

/* The stream in one piece, by the book: the next message, or why there is none. */
static int
whole_next(enum sp_framing f, acd_slice in, size_t *at, acd_slice *ret)
{
    const uint8_t *p = in.ptr;
    size_t head = sp_head_size(f);
    uint64_t len;
    if (in.len - *at < head)
        return 0;
    if (sp_head_parse(f, p + *at, &len) < 0)
        return ACD_EINVAL;
    if (len > LIMIT_MESSAGE_HARD)
        return ACD_ELIMIT;
    if (in.len - *at - head < len)
        return 0;
    *ret = slice_of(p + *at + head, (size_t)len);
    *at += head + (size_t)len;
    return 1;
}

static size_t
give(struct reader *r, struct chunk *shared, const uint8_t *p, size_t len)
{
    struct iovec iov[2];
    size_t done = 0;
    int n = reader_room(r, shared, iov);
    must(n > 0);
    for (int i = 0; i < n; i++) {
        size_t part = iov[i].iov_len < len - done ? iov[i].iov_len : len - done;
        memcpy(iov[i].iov_base, p + done, part);
        done += part;
    }
    must(done > 0);
    reader_got(r, shared, done);
    return done;
}

static void
check_stack(acd_slice msg)
{
    size_t len;
    if (sp_stack_parse(msg, &len) == 0)
        must(len >= SP_ID && len <= SP_STACK_MAX && len <= msg.len &&
             ((const uint8_t *)msg.ptr)[len - SP_ID] & 0x80);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    acd_slice in = slice_of(data + 2, size - 2), msg, want;
    struct reader r = {.framing = data[0] & 1 ? SP_IPC : SP_TCP};
    struct chunk *shared = chunk_new(SHARED), *chunk;
    uint32_t dice = data[1];
    size_t fed = 0, at = 0;
    int rc = 0;
    must(shared);
    while (rc == 0 && fed < in.len) {
        dice = dice * 1664525 + 1013904223;
        size_t piece = 1 + (dice >> 24) % (data[0] & 2 ? 200 : 12);
        fed += give(&r, shared, data + 2 + fed, piece < in.len - fed ? piece : in.len - fed);
        while ((rc = reader_next(&r, shared, &msg, &chunk)) == 1) {
            must(whole_next(r.framing, in, &at, &want) == 1 && slice_eq(msg, want));
            check_stack(msg);
            chunk_unref(chunk);
        }
    }
    must(whole_next(r.framing, in, &at, &want) == rc);
    must(rc < 0 || reader_unfinished(&r) == (at < in.len));
    reader_done(&r);
    must(shared->refs == 1);
    chunk_unref(shared);
    return 0;
}
