/*
 * What storage-sqlite costs beside bare SQLite with prepared statements: host associations into the same
 * tables, many in one transaction, and one per durable transaction. Same file system, same settings, one
 * after the other.
 *
 *   bench_storage [seconds per figure]       prints one JSON object per line
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "base/str.h"
#include "model/collections.h"
#include "plug/life.h"
#include "plug/storage.h"

extern const acd_plugin acd_plugin_1_storage_sqlite;

enum { ROWS_PER_SECOND = 250000, ROWS_MAX = 1000000, ZONES = 100, CERTS = 5, SINGLE_MAX = 2000 };
static const char own[] = "ours.db", peer[] = "bare.db";

static double
seconds_since(uint64_t from)
{
    return (double)(clock_mono_ns(&clock_system) - from) / 1e9;
}

static acd_value
text(const char *s)
{
    return (acd_value){.bytes = slice_str(s)};
}

static void
host_row(int i, char zone[33], char cert[33], char host[64])
{
    (void)snprintf(zone, 33, "%032d", i % ZONES);
    (void)snprintf(cert, 33, "%032d", i / ZONES % CERTS);
    (void)snprintf(host, 64, "host-%07d.shop.example.com", i);
}

/* --- through the plugin --- */

struct ours {
    struct plug *plug;
    struct plug_storage st;
    struct plug_session *s;
};

/* A row whose texts are all `id` and whose numbers are 1, but for column `account`. */
static void
parent(struct plug_session *s, uint32_t coll, const char *id, int account)
{
    acd_value row[64];
    const acd_collection *c = &collections[coll];
    must(c->ncols <= 64);
    for (size_t i = 0; i < c->ncols; i++)
        row[i] = c->cols[i].type == ACD_COL_INT ? (acd_value){.num = 1} : text((int)i == account ? "a" : id);
    must(plug_put(s, coll, row, c->ncols, ACD_REV_NEW, NULL) == 0);
}

static void
parents(struct plug_session *s)
{
    char id[33];
    parent(s, COLL_ACCOUNT, "a", ACCOUNT_ID);
    for (int i = 0; i < ZONES; i++) {
        (void)snprintf(id, sizeof(id), "%032d", i);
        parent(s, COLL_ZONE, id, ZONE_ACCOUNT);
    }
    for (int i = 0; i < CERTS; i++) {
        (void)snprintf(id, sizeof(id), "%032d", i);
        parent(s, COLL_CERT, id, CERT_ACCOUNT);
    }
}

/* Sessions point into *o: it stays where it is. */
static void
ours_open(struct ours *o, const char *path)
{
    struct plug_env env = {0};
    struct plug_pair pair = {"path", path};
    acd_err err = ACD_ERR_INIT;
    int rc = plug_new(ACD_STORAGE, "linked in", &acd_plugin_1_storage_sqlite, &env, &o->plug, &err);
    must(rc == 0 && plug_open(o->plug, &err) == 0 && plug_configure(o->plug, &pair, 1, &err) == 0);
    must(plug_create(o->plug, &err) == 0 && plug_start(o->plug, &err) == 0);
    plug_storage_init(&o->st, o->plug);
    must(plug_storage_schema(&o->st, collections, COLLECTIONS, COLLECTIONS_VERSION, COLL_PLUGIN, &err) == 0);
    must(plug_session_open(&o->st, &o->s, &err) == 0 && plug_begin(o->s, true, 0, &err) == 0);
    parents(o->s);
    must(plug_commit(o->s, &err) == 0);
}

static void
ours_close(struct ours *o)
{
    plug_session_close(o->s);
    plug_free(o->plug);
}

static void
ours_put(struct ours *o, int i)
{
    char zone[33], cert[33], host[64];
    host_row(i, zone, cert, host);
    acd_value row[HOST_COLS] = {
        [HOST_ZONE] = text(zone),   [HOST_CERT] = text(cert),     [HOST_PATTERN] = text(host),
        [HOST_TEXT] = text(host),   [HOST_POSITION] = {.num = i}, [HOST_DEPLOYED] = {.num = 1},
        [HOST_CREATED] = {.num = 1}};
    must(plug_put(o->s, COLL_HOST, row, HOST_COLS, ACD_REV_NEW, NULL) == 0);
}

static double
ours_rate(struct ours *o, int from, int n, int per_txn)
{
    uint64_t at = clock_mono_ns(&clock_system);
    for (int i = 0; i < n;) {
        must(plug_begin(o->s, true, 0, NULL) == 0);
        for (int k = 0; k < per_txn && i < n; k++, i++)
            ours_put(o, from + i);
        must(plug_commit(o->s, NULL) == 0);
    }
    return n / seconds_since(at);
}

/* --- bare SQLite, on a file that the plugin made --- */

struct bare {
    sqlite3 *db;
    sqlite3_stmt *insert;
};

static struct bare
bare_open(const char *path)
{
    struct bare b = {0};
    struct ours o;
    ours_open(&o, path);
    ours_close(&o);
    must(sqlite3_open_v2(path, &b.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK);
    must(sqlite3_exec(b.db, "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-16384", NULL,
                      NULL, NULL) == SQLITE_OK);
    must(sqlite3_prepare_v3(b.db, "INSERT INTO host_association VALUES(?1,?2,?3,?4,?5,?6,?7)", -1,
                            SQLITE_PREPARE_PERSISTENT, &b.insert, NULL) == SQLITE_OK);
    return b;
}

static void
bare_put(struct bare *b, int i)
{
    char zone[33], cert[33], host[64];
    host_row(i, zone, cert, host);
    (void)sqlite3_bind_text(b->insert, 1, zone, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(b->insert, 2, cert, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(b->insert, 3, host, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(b->insert, 4, host, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(b->insert, 5, i);
    (void)sqlite3_bind_int64(b->insert, 6, 1);
    (void)sqlite3_bind_int64(b->insert, 7, 1);
    must(sqlite3_step(b->insert) == SQLITE_DONE);
    (void)sqlite3_reset(b->insert);
}

static double
bare_rate(struct bare *b, int from, int n, int per_txn)
{
    uint64_t at = clock_mono_ns(&clock_system);
    for (int i = 0; i < n;) {
        must(sqlite3_exec(b->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
        for (int k = 0; k < per_txn && i < n; k++, i++)
            bare_put(b, from + i);
        must(sqlite3_exec(b->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
    }
    return n / seconds_since(at);
}

static void
print(const char *measure, const char *unit, double ours, double bare)
{
    printf("{\"measure\": \"%s\", \"value\": %.0f, \"unit\": \"%s\", \"peer\": \"bare SQLite\", "
           "\"peer_value\": %.0f, "
           "\"reach\": 0.5}\n",
           measure, ours, unit, bare);
    (void)fflush(stdout);
}

static void
clean(const char *name)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[64];
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s%s", name, ends[i]);
        (void)unlink(path);
    }
}

int
main(int argc, char **argv)
{
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    char dir[] = "/tmp/anchord-bench-XXXXXX", path[64];
    int n = seconds * ROWS_PER_SECOND > ROWS_MAX ? ROWS_MAX : (int)(seconds * ROWS_PER_SECOND) + 1;
    int single = n / 100 > SINGLE_MAX ? SINGLE_MAX : n / 100 + 1;
    must(mkdtemp(dir) && chdir(dir) == 0);
    (void)snprintf(path, sizeof(path), "%s/%s", dir, own);
    struct ours o;
    ours_open(&o, path);
    double bulk = ours_rate(&o, 0, n, n), one = ours_rate(&o, n, single, 1);
    ours_close(&o);
    clean(own);
    (void)snprintf(path, sizeof(path), "%s/%s", dir, peer);
    struct bare b = bare_open(path);
    double bare_bulk = bare_rate(&b, 0, n, n), bare_one = bare_rate(&b, n, single, 1);
    (void)sqlite3_finalize(b.insert);
    (void)sqlite3_close(b.db);
    clean(peer);
    must(chdir("/") == 0 && rmdir(dir) == 0);
    print("host associations in one transaction", "rows/s", bulk, bare_bulk);
    print("durable transactions of one row", "commits/s", one, bare_one);
    return 0;
}
