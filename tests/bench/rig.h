/*
 * What every benchmark needs: the clock, pairs of runs taken in turn, lines of output, and programs that are
 * started on a processor of their own and stopped by their process id. Included by tests/bench alone; one
 * thread. Whatever cannot be done ends the program with a message: a figure is right or not there.
 */
#ifndef BENCH_RIG_H
#define BENCH_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/must.h"

enum { RIG_PATH = 512, RIG_ROUNDS = 5 };
/* Servers, ours and others', share one processor; who asks has another. One processor: all share it. */
enum rig_cpu { RIG_ASKS, RIG_SERVES, RIG_ANY };

__attribute__((format(printf, 1, 2), noreturn)) void rig_fail(const char *fmt, ...);
void rig_need(int rc, const acd_err *err, const char *what); /* rc < 0 ends the program */

uint64_t rig_ns(void);         /* monotonic */
double rig_since(uint64_t ns); /* seconds */

/* The argument of the program: seconds per figure. Pins the process to RIG_ASKS, and raises its
 * priority where it may. */
double rig_begin(int argc, char **argv);

/* One figure of ours and one of the peer: each gives the value of one run. They run in turn, RIG_ROUNDS
 * times, and the middle one of each counts. */
struct rig_pair {
    const char *measure, *unit, *peer;
    double reach; /* 0: none is aimed at */
    double (*ours)(void *ctx, double seconds), (*theirs)(void *ctx, double seconds);
    void *ctx, *their_ctx;
};
double rig_compare(const struct rig_pair *pair, double seconds); /* the middle value of ours */
double rig_middle(double *values, size_t n);                     /* sorts them */

void rig_figure(const char *measure, double value, const char *unit);
void rig_beside(const char *measure, double value, const char *unit, const char *peer, double peer_value,
                double reach);

/* A directory of this run, removed at exit with everything in it. */
const char *rig_dir(void);
/* A file of the build tree, by its path from the build directory. */
void rig_built(const char *name, char ret[RIG_PATH]);
/* Where data sets are kept from one run to the next: in the build tree. */
void rig_kept(const char *name, char ret[RIG_PATH]);
void rig_copy(const char *from_dir, const char *to_dir); /* files of a directory, not those below it */
void rig_remove(const char *path);                       /* with everything below */
uint64_t rig_file_bytes(const char *path);
int rig_free_port(void);

/* Starts a program; its output goes to `log` in rig_dir. It dies with us. */
pid_t rig_spawn(enum rig_cpu cpu, const char *log, const char *const argv[]);
void rig_stop(pid_t pid);                            /* SIGTERM, and waits; 0 is fine */
uint64_t rig_resident(pid_t pid, const char *field); /* bytes; "RssAnon", "VmRSS", "RssFile" */
uint64_t rig_mapped(pid_t pid,
                    const char *file); /* resident bytes of its mappings of files whose path ends so */
double rig_processor(pid_t pid);       /* seconds of processor time it has used */
void rig_pin(enum rig_cpu cpu);
void rig_drop_cache(const char *path); /* the file's pages leave the page cache */

#endif
