/* Files: whole reads with a limit, durable writes. May block; never on a query thread. */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>

#include <anchord/types.h>

#include "base/buf.h"
#include "base/must.h"

/* Appends the whole file ("-" is standard input) to b, whose limit bounds it. */
int io_read_file(const char *path, struct buf *b, acd_err *err) ACD_MUSTCHECK;
int io_write_all(int fd, const void *p, size_t len) ACD_MUSTCHECK;
/* Write to a temporary name, fsync, rename over path, fsync the directory: path is the old or the new bytes.
 */
int io_write_durable(const char *path, const void *p, size_t len, unsigned mode, acd_err *err) ACD_MUSTCHECK;
int io_sync_dir(const char *path_in_dir, acd_err *err) ACD_MUSTCHECK;

#endif
