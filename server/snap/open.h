/*
 * Reading an image that another process writes. Any layer above snap may include it.
 *
 * Threading: one thread per reader object; the views it gives go to any thread. May block in open and refresh
 * (file system), never on the writer. Opening costs the same for every size of image.
 *
 * Errors: ACD_ENOENT no such file; ACD_ECORRUPT not an image, truncated, or both of its roots damaged;
 * ACD_ENOTSUP written by a newer format or on a machine of another byte order; ACD_EIO, ACD_ENOMEM.
 */
#ifndef SNAP_OPEN_H
#define SNAP_OPEN_H

#include "snap/view.h"

struct snap_reader;

int snap_reader_open(const char *path, struct snap_reader **ret, acd_err *err) ACD_MUSTCHECK;
/* An image without a path; fd is duplicated. */
int snap_reader_open_fd(int fd, struct snap_reader **ret, acd_err *err) ACD_MUSTCHECK;
/* Reads the file into memory of this process, sealed, instead of mapping it: nobody can truncate it then. A
 * refresh copies the whole file when its pieces have changed. */
int snap_reader_open_copy(const char *path, struct snap_reader **ret, acd_err *err) ACD_MUSTCHECK;
void snap_reader_free(struct snap_reader *r); /* its views live on */

/*
 * The newest revision, when it is not the one that the last call gave: *ret is a new view with one reference
 * that the caller owns, or NULL when nothing changed (then the call costs a few loads). On an error the views
 * given before stay good. An anonymous image that its writer replaced gives ACD_EUNAVAIL: ask for its new fd.
 */
int snap_reader_refresh(struct snap_reader *r, struct snap_view **ret, acd_err *err) ACD_MUSTCHECK;

/*
 * Looks at the file system, for two stats: follows the path to a file that took this one's place without its
 * writer's mark, and finds out whether the file is still what was mapped. ACD_ECORRUPT with *ret_lost: it was
 * truncated or overwritten in place. Then its views must not be used any more (touching what is gone raises
 * SIGBUS, and pieces that passed their checksum may have changed), nor this reader: free it. After other
 * errors all is as it was.
 */
int snap_reader_look(struct snap_reader *r, bool *ret_lost, acd_err *err) ACD_MUSTCHECK;

#endif
