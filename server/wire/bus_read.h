/*
 * Bytes of a stream cut into messages, without copying what came whole.
 *
 * Bytes are read into a large chunk that the caller shares between connections; most messages lie in it as
 * they came. What is unfinished when the bytes end moves to the reader: a few bytes of a head, or a chunk of
 * the message's own, which grows as its bytes come, so that a large length costs nothing by itself. A
 * connection that is idle holds no memory. Messages hold a reference to their chunk.
 *
 *   reader_room -> read into it -> reader_got -> reader_next until it gives no more
 *
 * Private to wire/. A reader belongs to one thread; references to chunks may be dropped by any.
 */
#ifndef WIRE_BUS_READ_H
#define WIRE_BUS_READ_H

#include <stdbool.h>
#include <sys/uio.h>

#include "wire/sp.h"

struct chunk {
    uint32_t refs; /* atomic */
    size_t cap, len;
    size_t at; /* parsed so far */
    uint8_t data[];
};

struct chunk *chunk_new(size_t cap); /* one reference; NULL: no memory */
void chunk_unref(struct chunk *c);   /* NULL is fine */

struct reader {
    enum sp_framing framing;
    uint8_t n_head;
    uint8_t head[SP_HEAD_MAX]; /* of the next message, unfinished */
    struct chunk *part;        /* a message, unfinished */
    size_t want;               /* its length */
};

void reader_done(struct reader *r);

/* Where the next bytes go; returns the number of places. shared: nobody else holds a reference to it.
 * ACD_ENOMEM. */
int reader_room(struct reader *r, struct chunk *shared, struct iovec iov[2]) ACD_MUSTCHECK;
void reader_got(struct reader *r, struct chunk *shared, size_t n);

/* 1: *ret lies in *ret_chunk, whose reference is the caller's; 0: the rest has not come yet; ACD_EINVAL,
 * ACD_ELIMIT (longer than LIMIT_MESSAGE_HARD), ACD_ENOMEM: the stream is of no use any more. */
int reader_next(struct reader *r, struct chunk *shared, acd_slice *ret,
                struct chunk **ret_chunk) ACD_MUSTCHECK;

/* A message was begun and has not come to its end. */
bool reader_unfinished(const struct reader *r);

#endif
