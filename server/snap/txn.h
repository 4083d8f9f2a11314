/*
 * The inside of a transaction: allocation of pieces and copy-on-write of arrays and tables. Only snap/
 * includes this; the writer's thread.
 *
 * New pieces go behind the committed end of the file (or into the unused rest of its last small-piece page),
 * where no root leads, so they may be changed in place until the commit. Committed pieces are copied before
 * the first change. An abort just forgets the end. The mapping never moves, so pointers to pieces stay good.
 */
#ifndef SNAP_TXN_H
#define SNAP_TXN_H

#include "base/map.h"
#include "snap/store.h"
#include "snap/writer.h"

struct snap_alloc {
    uint64_t tail;                    /* end of used bytes, a multiple of SNAP_PAGE */
    uint64_t hole, hole_end;          /* rest of the page that small pieces go to */
    uint64_t tail0, hole0, hole0_end; /* where they were at the beginning */
    uint64_t live;
    uint32_t *fresh; /* every piece allocated in this transaction */
    size_t nfresh, fresh_cap;
};

struct snap_writer {
    uint32_t magic;
    struct snap_writer_opts opts;
    char *path;
    int lock_fd;
    uint64_t epoch; /* of the next new file */

    struct snap_file file; /* committed; map NULL: none yet */
    struct snap_view *view;
    uint64_t hole, hole_end; /* left by the last commit */

    bool open;             /* a transaction is */
    int failed;            /* not 0: the error after which it can only be aborted */
    struct snap_file next; /* the new file of a rebuild; map NULL: the transaction works in `file` */
    struct snap_file *into;
    struct snap_alloc mem;
    struct snap_view work; /* roots of the transaction; space.end is the reserved size */
    struct map lists;      /* list of CA ids -> trust number + 1 */
    uint32_t *young;       /* trust sets made by this transaction */
    size_t nyoung, young_cap;
};
#define SNAP_WRITER_MAGIC 0x5a9d4717u

/* All of these set w->failed on errors, which are ACD_ENOMEM, ACD_EIO, ACD_ELIMIT (file full), ACD_ECORRUPT.
 */

/* Zeroed data, head filled in but for the sum. Reference in *ret_ref. */
void *snap_alloc_piece(struct snap_writer *w, uint32_t kind, uint32_t len, uint32_t *ret_ref, acd_err *err);
void snap_free_piece(struct snap_writer *w, uint32_t ref);
bool snap_is_fresh(const struct snap_writer *w, uint32_t ref);
int snap_fail(struct snap_writer *w, int code, acd_err *err);

int snap_arr_set(struct snap_writer *w, struct snap_arr *a, uint32_t i, uint32_t value,
                 acd_err *err) ACD_MUSTCHECK;
/* Takes the first free number, or a new one, and gives it that value. */
int snap_arr_take(struct snap_writer *w, struct snap_arr *a, uint32_t value, uint32_t *ret_i,
                  acd_err *err) ACD_MUSTCHECK;
int snap_arr_release(struct snap_writer *w, struct snap_arr *a, uint32_t i, acd_err *err) ACD_MUSTCHECK;
int snap_arr_add(struct snap_writer *w, struct snap_arr *a, uint32_t i, int32_t delta, uint32_t *ret_value,
                 acd_err *err) ACD_MUSTCHECK; /* a counter */

/* Adds, or replaces the values; *ret_old (may be NULL) says which. */
int snap_tab_put(struct snap_writer *w, struct snap_tab *t, const void *key, size_t len, uint32_t a,
                 uint32_t b, acd_err *err) ACD_MUSTCHECK;
int snap_tab_del(struct snap_writer *w, struct snap_tab *t, const void *key, size_t len,
                 acd_err *err) ACD_MUSTCHECK;
/* 1: found, values filled in; 0; or an error. */
int snap_tab_get(struct snap_writer *w, const struct snap_tab *t, const void *key, size_t len,
                 uint32_t *ret_a, uint32_t *ret_b, acd_err *err) ACD_MUSTCHECK;

/* trust.c */
int snap_trust_hold(struct snap_writer *w, uint32_t trust, int32_t delta, acd_err *err) ACD_MUSTCHECK;
int snap_trust_sweep(struct snap_writer *w, acd_err *err) ACD_MUSTCHECK; /* drops young sets without hosts */
int snap_trust_renew(struct snap_writer *w, uint32_t ca,
                     acd_err *err) ACD_MUSTCHECK; /* after a change of a CA, or of what is said about it */

/* writer.c: aims the transaction at the new file in w->next, empty. */
void snap_txn_aim(struct snap_writer *w);
/* Opens a transaction in the new file in w->next, which w->mem has filled with sealed pieces. */
void snap_txn_take_up(struct snap_writer *w);
/* Gives the pieces of the transaction their checksums. */
void snap_seal_pieces(struct snap_writer *w);

#endif
