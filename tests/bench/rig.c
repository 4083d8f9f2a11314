#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STOP_SECONDS = 60, PIDS = 16, PRIORITY = -20 };

static char dir[64];
static pid_t pids[PIDS];

void
rig_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vfprintf(stderr, fmt, ap);
    va_end(ap);
    (void)fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

void
rig_need(int rc, const acd_err *err, const char *what)
{
    if (rc < 0)
        rig_fail("%s: %s", what, err_text(err, rc));
}

uint64_t
rig_ns(void)
{
    struct timespec t;
    must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double
rig_since(uint64_t ns)
{
    return (double)(rig_ns() - ns) / 1e9;
}

/* --- figures ----------------------------------------------------------------------------------------------
 */

static int
by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double
rig_middle(double *values, size_t n)
{
    qsort(values, n, sizeof(*values), by_size);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

void
rig_figure(const char *measure, double value, const char *unit)
{
    (void)printf("{\"measure\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"}\n", measure, value, unit);
    (void)fflush(stdout);
}

void
rig_beside(const char *measure, double value, const char *unit, const char *peer, double peer_value,
           double reach)
{
    (void)printf(
        "{\"measure\": \"%s\", \"value\": %.6g, \"unit\": \"%s\", \"peer\": \"%s\", \"peer_value\": %.6g",
        measure, value, unit, peer, peer_value);
    if (reach > 0)
        (void)printf(", \"reach\": %g", reach);
    (void)puts("}");
    (void)fflush(stdout);
}

double
rig_compare(const struct rig_pair *pair, double seconds)
{
    double ours[RIG_ROUNDS], theirs[RIG_ROUNDS];
    for (int i = 0; i < RIG_ROUNDS; i++) {
        ours[i] = pair->ours(pair->ctx, seconds);
        theirs[i] = pair->theirs(pair->their_ctx, seconds);
    }
    double value = rig_middle(ours, RIG_ROUNDS);
    rig_beside(pair->measure, value, pair->unit, pair->peer, rig_middle(theirs, RIG_ROUNDS), pair->reach);
    return value;
}

/* --- files ------------------------------------------------------------------------------------------------
 */

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    (void)remove(path);
    return 0;
}

void
rig_remove(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void
clean_up(void)
{
    for (size_t i = 0; i < PIDS; i++)
        if (pids[i])
            rig_stop(pids[i]);
    if (dir[0])
        rig_remove(dir);
}

const char *
rig_dir(void)
{
    if (!dir[0]) {
        (void)snprintf(dir, sizeof(dir), "/tmp/anchord-bench.XXXXXX");
        if (!mkdtemp(dir))
            rig_fail("%s: %s", dir, strerror(errno));
    }
    return dir;
}

void
rig_built(const char *name, char ret[RIG_PATH])
{
    char self[RIG_PATH];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    must(n > 0);
    self[n] = '\0';
    for (int up = 0; up < 3; up++) /* tests/bench/bench_x */
        *strrchr(self, '/') = '\0';
    must(snprintf(ret, RIG_PATH, "%s/%s", self, name) < RIG_PATH);
}

void
rig_kept(const char *name, char ret[RIG_PATH])
{
    char below[128];
    rig_built("bench-data", ret);
    (void)mkdir(ret, 0700);
    (void)snprintf(below, sizeof(below), "bench-data/%s", name);
    rig_built(below, ret);
}

uint64_t
rig_file_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

void
rig_copy(const char *from_dir, const char *to_dir)
{
    char command[3 * RIG_PATH];
    (void)snprintf(command, sizeof(command),
                   "mkdir -p '%s' && find '%s' -maxdepth 1 -type f -exec cp --sparse=always -t '%s' {} +",
                   to_dir, from_dir, to_dir);
    if (system(command) != 0)
        rig_fail("cannot copy %s to %s", from_dir, to_dir);
}

void
rig_drop_cache(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fdatasync(fd);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    (void)close(fd);
}

int
rig_free_port(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
         getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
    (void)close(fd);
    return ntohs(sa.sin_port);
}

/* --- programs ---------------------------------------------------------------------------------------------
 */

void
rig_pin(enum rig_cpu cpu)
{
    cpu_set_t have, set;
    int n = 0;
    if (cpu == RIG_ANY || sched_getaffinity(0, sizeof(have), &have) != 0 || CPU_COUNT(&have) < 2)
        return;
    CPU_ZERO(&set);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&set) == 0; i++)
        if (CPU_ISSET(i, &have) && n++ == (int)cpu)
            CPU_SET(i, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

static cpu_set_t all_cpus;

double
rig_begin(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 0.5;
    if (seconds <= 0)
        rig_fail("usage: %s [SECONDS PER FIGURE]", argv[0]);
    must(sched_getaffinity(0, sizeof(all_cpus), &all_cpus) == 0);
    must(atexit(clean_up) == 0);
    /* Where we may: what else runs on the machine waits, for us and for the peers alike. */
    (void)setpriority(PRIO_PROCESS, 0, PRIORITY);
    rig_pin(RIG_ASKS);
    return seconds;
}

pid_t
rig_spawn(enum rig_cpu cpu, const char *log, const char *const argv[])
{
    char path[RIG_PATH];
    (void)snprintf(path, sizeof(path), "%s/%s", rig_dir(), log);
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        rig_fail("fork: %s", strerror(errno));
    if (pid == 0) {
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || fd < 0 || dup2(fd, STDERR_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
            _exit(126);
        (void)sched_setaffinity(0, sizeof(all_cpus), &all_cpus);
        rig_pin(cpu);
        (void)execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    for (size_t i = 0; i < PIDS; i++)
        if (!pids[i]) {
            pids[i] = pid;
            return pid;
        }
    rig_fail("more than %d programs", PIDS);
}

void
rig_stop(pid_t pid)
{
    if (pid <= 0)
        return;
    for (size_t i = 0; i < PIDS; i++)
        if (pids[i] == pid)
            pids[i] = 0;
    (void)kill(pid, SIGTERM);
    uint64_t since = rig_ns();
    const struct timespec pause = {.tv_nsec = 5000000};
    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (rig_since(since) > STOP_SECONDS)
            (void)kill(pid, SIGKILL);
        (void)nanosleep(&pause, NULL);
    }
}

uint64_t
rig_resident(pid_t pid, const char *field)
{
    char path[64], line[256];
    unsigned long long kb = 0;
    size_t len = strlen(field);
    (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, field, len) == 0 && line[len] == ':')
            kb = strtoull(line + len + 1, NULL, 10);
    if (f)
        (void)fclose(f);
    return kb * 1024;
}

double
rig_processor(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    must(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

uint64_t
rig_mapped(pid_t pid, const char *file)
{
    char path[64], line[RIG_PATH];
    unsigned long long kb = 0, some;
    size_t len = strlen(file);
    bool ours = false;
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps", pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        size_t n = strcspn(line, "\n");
        if (strchr("0123456789abcdef", line[0]))
            ours = n >= len && strncmp(line + n - len, file, len) == 0;
        else if (ours && sscanf(line, "Rss: %llu", &some) == 1)
            kb += some;
    }
    if (f)
        (void)fclose(f);
    return kb * 1024;
}
