/*
 * Writing images. Any layer above snap may include it.
 *
 * Threading: one thread at a time per writer; readers of its views are never waited for. May block (files).
 *
 * A transaction: snap_begin or snap_begin_rebuild, changes, then snap_commit or snap_abort. A change that
 * fails with ACD_EINVAL, ACD_ENOENT, ACD_EPRECOND or ACD_ELIMIT (naming a bound of snap/limits.h) has changed
 * nothing and the transaction goes on; after any other error only snap_abort is left. An abort leaves
 * nothing.
 *
 * A commit writes the pieces that changed and costs the same for every size of image. What it replaces stays
 * in the file as garbage until a compaction, which is the caller's to begin.
 */
#ifndef SNAP_WRITER_H
#define SNAP_WRITER_H

#include "snap/view.h"

struct snap_writer;

struct snap_writer_opts {
    const char *path;     /* NULL: anonymous memory */
    uint64_t epoch;       /* of a new file; an existing one keeps its own */
    uint64_t max_bytes;   /* largest file; 0: SNAP_FILE_MAX */
    uint64_t garbage_min; /* below it no compaction is due; 0: SNAP_GARBAGE_MIN */
    bool sync;            /* commits are on stable storage before they return */
    bool fresh;           /* do not read what is at path: the first commit replaces it */
};

/*
 * Opens the image at path at its revision, or starts an empty one when there is none. ACD_EBUSY: another
 * process writes it. ACD_ECORRUPT, ACD_ENOTSUP: it cannot be used; open again with fresh and rebuild it.
 */
int snap_writer_open(const struct snap_writer_opts *opts, struct snap_writer **ret,
                     acd_err *err) ACD_MUSTCHECK;
void snap_writer_free(struct snap_writer *w); /* aborts what is open; its views live on */

/* The committed view, borrowed: valid until the next commit. NULL before the first one. */
const struct snap_view *snap_writer_view(const struct snap_writer *w);
int snap_writer_fd(
    const struct snap_writer *w); /* of the committed file, for snap_reader_open_fd; -1: none yet */

/* ACD_EIO also when somebody truncated the file: only a rebuild helps. */
int snap_begin(struct snap_writer *w, acd_err *err) ACD_MUSTCHECK;
/* From empty, into a new file: for a full build from truth. */
int snap_begin_rebuild(struct snap_writer *w, uint64_t epoch, acd_err *err) ACD_MUSTCHECK;
void snap_abort(struct snap_writer *w);
/*
 * Makes the transaction the newest revision. *ret_view has one reference of the caller's, ready for
 * snap_pub_set. revision is not checked against the one before. On failure the transaction is aborted.
 */
int snap_commit(struct snap_writer *w, uint64_t revision, int64_t created_ms, struct snap_view **ret_view,
                acd_err *err) ACD_MUSTCHECK;

/* --- compaction ------------------------------------------------------------------------------------------
 *
 * The live pieces are copied into a new file that replaces the old one; readers of the old one keep it. Begin
 * and end belong to the writer's thread, outside of a transaction, and are short; the copy, which is long for
 * a large image, may run in another thread while commits go on. The image says the same before and after.
 */

struct snap_compaction;

/* Is more than half of the file garbage? */
bool snap_compact_due(const struct snap_writer *w);
/* There is a committed view. */
int snap_compact_begin(struct snap_writer *w, struct snap_compaction **ret, acd_err *err) ACD_MUSTCHECK;
int snap_compact_copy(struct snap_compaction *c, acd_err *err) ACD_MUSTCHECK;
/* Takes over what was committed during the copy, and commits. *ret_view as of snap_commit. ACD_ECONFLICT: the
 * image was built anew or has outgrown the copy, which is dropped; another try is in order. Frees c always.
 */
int snap_compact_end(struct snap_writer *w, struct snap_compaction *c, struct snap_view **ret_view,
                     acd_err *err) ACD_MUSTCHECK;
void snap_compact_drop(struct snap_compaction *c); /* NULL is fine */
/* All of it at once. */
int snap_compact(struct snap_writer *w, struct snap_view **ret_view, acd_err *err) ACD_MUSTCHECK;

/* --- changes ---------------------------------------------------------------------------------------------
 */

/* Adds, or replaces the account and name of the zone with that id. */
int snap_put_zone(struct snap_writer *w, acd_slice id, acd_slice account, acd_slice name,
                  acd_err *err) ACD_MUSTCHECK;
int snap_del_zone(struct snap_writer *w, acd_slice id,
                  acd_err *err) ACD_MUSTCHECK; /* EPRECOND: it has hosts */

/* Adds, or replaces the certificate (id, index). Trust sets that hold it follow, and get a new digest when
 * the bytes, profile or flags differ; ca->sha256 is the caller's statement about ca->der. */
int snap_put_ca(struct snap_writer *w, const struct snap_ca *ca, acd_err *err) ACD_MUSTCHECK;
int snap_del_ca(struct snap_writer *w, acd_slice id, uint32_t index,
                acd_err *err) ACD_MUSTCHECK; /* EPRECOND: in use */

/* One element of a host's list: every certificate of the object with that id, in the order of their indexes.
 * flags are added to each certificate's own. */
struct snap_ca_use {
    acd_slice id;
    uint32_t flags;
};
/* The number of the trust set with these CAs in this order, for snap_put_host_set in the same transaction. A
 * set that no host has at the commit is dropped again. */
int snap_intern_trust(struct snap_writer *w, const struct snap_ca_use *list, size_t n, uint32_t *ret_trust,
                      acd_err *err) ACD_MUSTCHECK;
/* pattern: a host in normal form, or "*." and one. Adds or replaces. */
int snap_put_host(struct snap_writer *w, acd_slice pattern, acd_slice zone_id, const struct snap_ca_use *list,
                  size_t n, acd_err *err) ACD_MUSTCHECK;
int snap_put_host_set(struct snap_writer *w, acd_slice pattern, acd_slice zone_id, uint32_t trust,
                      acd_err *err) ACD_MUSTCHECK;
int snap_del_host(struct snap_writer *w, acd_slice pattern, acd_err *err) ACD_MUSTCHECK; /* ENOENT */

int snap_put_blob(struct snap_writer *w, uint32_t kind, acd_slice key, acd_slice bytes,
                  acd_err *err) ACD_MUSTCHECK;
int snap_del_blob(struct snap_writer *w, uint32_t kind, acd_slice key,
                  acd_err *err) ACD_MUSTCHECK; /* ENOENT */

/* The transaction as it stands, for reading inside it by the writer's thread; valid until the next change. */
const struct snap_view *snap_pending(struct snap_writer *w);

#endif
