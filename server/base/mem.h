/*
 * Region allocator: what belongs to one request is allocated from one region and freed at once.
 *
 * A region has a hard limit; an allocation beyond it returns NULL. Memory is zeroed nowhere unless the
 * function says so. One thread at a time. mem_reset keeps the first block, so a worker's region does not
 * touch malloc while requests stay small.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include <anchord/types.h>

#include "base/must.h"

struct mem_block;

struct mem_region {
    struct mem_block *first, *cur;
    char *at, *end;
    size_t used, limit; /* bytes handed out by blocks, and the most that may be */
    size_t block;       /* size of an ordinary block */
    bool full;          /* something was refused for the limit since the last reset */
};

/* Allocates nothing yet. limit 0: no limit. */
void mem_init(struct mem_region *r, size_t block, size_t limit);
void mem_reset(struct mem_region *r);
void mem_done(struct mem_region *r);

/* 16-byte aligned; size 0 gives a unique pointer. NULL: over the limit, or out of memory. */
void *mem_alloc(struct mem_region *r, size_t size) ACD_MUSTCHECK;
void *mem_zalloc(struct mem_region *r, size_t size) ACD_MUSTCHECK;
void *mem_dup(struct mem_region *r, const void *p, size_t len) ACD_MUSTCHECK;
/* The copy is NUL-terminated. */
char *mem_strndup(struct mem_region *r, const char *s, size_t len) ACD_MUSTCHECK;
char *mem_strdup(struct mem_region *r, const char *s) ACD_MUSTCHECK;
char *mem_printf(struct mem_region *r, const char *fmt, ...) ACD_MUSTCHECK ACD_PRINTF(2, 3);
acd_slice mem_slice(struct mem_region *r, acd_slice s) ACD_MUSTCHECK; /* ptr NULL on failure */

/* An array of n zeroed elements, with the multiplication checked. */
void *mem_array(struct mem_region *r, size_t n, size_t size) ACD_MUSTCHECK;
#define mem_new(r, type)      ((type *)mem_zalloc((r), sizeof(type)))
#define mem_new_n(r, n, type) ((type *)mem_array((r), (n), sizeof(type)))

#endif
