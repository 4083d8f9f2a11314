/*
 * The writer's file: create, grow, make durable, replace. Only snap/ includes this; one thread; may block.
 *
 * A new file is written under PATH.new or PATH.compact and renamed over PATH when its first revision is
 * complete, so PATH is always a whole image. PATH.lock is held for as long as a writer lives. Without a path
 * the file is a memfd.
 */
#ifndef SNAP_STORE_H
#define SNAP_STORE_H

#include "snap/image.h"

struct snap_file {
    struct snap_map *map;
    uint64_t size;    /* bytes with storage behind them */
    char *path;       /* NULL: anonymous */
    uint8_t boot[16]; /* of this boot of the machine */
    char *temp;       /* the name until the first commit; NULL afterwards */
};

/* ACD_EBUSY: there is a writer. */
int snap_lock(const char *path, int *ret_fd, acd_err *err) ACD_MUSTCHECK;
void snap_unlock(int fd); /* -1 is fine */
/* kind: SNAP_REBUILT or SNAP_COMPACTED, the end of its temporary name. */
#define SNAP_REBUILT   ".new"
#define SNAP_COMPACTED ".compact"
int snap_file_create(const char *path, const char *kind, uint64_t cap, uint64_t epoch, struct snap_file *ret,
                     acd_err *err) ACD_MUSTCHECK;
int snap_file_open(const char *path, uint64_t cap, struct snap_file *ret, struct snap_slot *ret_slot,
                   acd_err *err) ACD_MUSTCHECK;
int snap_file_sync(struct snap_file *f, acd_err *err) ACD_MUSTCHECK; /* its pieces are on stable storage */
void snap_file_done(struct snap_file *f); /* drops a file that was never committed */
/* ACD_EIO: the file is shorter than what we made of it, and touching its end would be a SIGBUS. */
int snap_file_check(const struct snap_file *f, acd_err *err) ACD_MUSTCHECK;
/* Storage up to that many bytes. ACD_ELIMIT beyond the mapping; ACD_EIO also when the disk is full. */
int snap_file_reserve(struct snap_file *f, uint64_t upto, acd_err *err) ACD_MUSTCHECK;
/* Writes the root, which makes its revision visible to other processes. All pieces are in place already.
 * With sync the pieces are on stable storage before the root, and the root before the return. old: the file
 * that this one replaces, or NULL. */
int snap_file_commit(struct snap_file *f, struct snap_slot *slot, bool sync, struct snap_file *old,
                     acd_err *err) ACD_MUSTCHECK;

#endif
