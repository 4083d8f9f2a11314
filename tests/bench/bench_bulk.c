/*
 * Writing through the server: host associations in calls of 4096, beside SQLite inserting the same rows into
 * the same table in one transaction; uploads of CAs.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "world.h"

enum {
    HOSTS = 1000000,
    QUICK_HOSTS = 40960,
    UPLOADS = 400,
    QUICK_UPLOADS = 60,
    UPLOAD_FLIGHTS = 8,
    SQL = 4096
};

/* --- bare SQLite --- */

static void
sql(sqlite3 *db, const char *text)
{
    char *why = NULL;
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        rig_fail("%s: %s", text, why);
}

/* The table and its indexes as the server's file has them. */
static void
copy_schema(sqlite3 *from, sqlite3 *to)
{
    sqlite3_stmt *st;
    must(sqlite3_prepare_v2(from,
                            "SELECT sql FROM sqlite_master WHERE tbl_name = 'host_association' AND sql IS "
                            "NOT NULL ORDER BY type DESC",
                            -1, &st, NULL) == SQLITE_OK);
    size_t n = 0;
    for (; sqlite3_step(st) == SQLITE_ROW; n++)
        sql(to, (const char *)sqlite3_column_text(st, 0));
    must(n > 0);
    (void)sqlite3_finalize(st);
}

/* Seconds for all rows of the server's table, read into memory by a query of the same order beforehand. */
static double
insert_all(sqlite3 *from, sqlite3 *to, uint64_t *ret_rows)
{
    sqlite3_stmt *read, *write;
    char text[SQL] = "INSERT INTO host_association VALUES (?";
    must(sqlite3_prepare_v2(from, "SELECT * FROM host_association", -1, &read, NULL) == SQLITE_OK);
    int cols = sqlite3_column_count(read);
    for (int i = 1; i < cols; i++)
        (void)strcat(text, ",?");
    (void)strcat(text, ")");
    must(sqlite3_prepare_v2(to, text, -1, &write, NULL) == SQLITE_OK);
    double spent = 0;
    uint64_t rows = 0, at = rig_ns();
    sql(to, "BEGIN IMMEDIATE");
    spent += rig_since(at);
    while (sqlite3_step(read) == SQLITE_ROW) {
        at = rig_ns();
        for (int i = 0; i < cols; i++)
            (void)sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i));
        must(sqlite3_step(write) == SQLITE_DONE && sqlite3_reset(write) == SQLITE_OK);
        spent += rig_since(at);
        rows++;
    }
    at = rig_ns();
    sql(to, "COMMIT");
    spent += rig_since(at);
    (void)sqlite3_finalize(read);
    (void)sqlite3_finalize(write);
    *ret_rows = rows;
    return spent;
}

static double
bare_rows_per_s(const char *data)
{
    char path[RIG_PATH + 32];
    sqlite3 *from, *to;
    uint64_t rows;
    (void)snprintf(path, sizeof(path), "%s/anchord.db", data);
    must(sqlite3_open_v2(path, &from, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    (void)snprintf(path, sizeof(path), "%s/bare.db", rig_dir());
    must(sqlite3_open(path, &to) == SQLITE_OK);
    sql(to, "PRAGMA journal_mode = WAL");
    sql(to, "PRAGMA synchronous = FULL");
    copy_schema(from, to);
    rig_pin(RIG_SERVES); /* the processor that the server had */
    double spent = insert_all(from, to, &rows);
    rig_pin(RIG_ASKS);
    (void)sqlite3_close(from);
    (void)sqlite3_close(to);
    return (double)rows / spent;
}

/* --- uploads --- */

static double
uploads_per_s(struct world *w, size_t n)
{
    char **pem = calloc(n, sizeof(*pem));
    struct call_set set;
    struct call_result res;
    acd_err err = ACD_ERR_INIT;
    must(pem);
    for (size_t i = 0; i < n; i++) {
        struct pki_pair ca = pki_make("Uploaded CA", PKI_CA, NULL);
        pem[i] = pki_pem(&ca);
        pki_free(&ca);
    }
    call_set_init(&set, w->client);
    uint64_t start = rig_ns();
    for (size_t sent = 0, done = 0; done < n;) {
        while (sent < n && sent - done < UPLOAD_FLIGHTS) {
            Anchord__V1__UploadCertificateRequest up = ANCHORD__V1__UPLOAD_CERTIFICATE_REQUEST__INIT;
            up.account = WIRE_STR("bench");
            up.name = WIRE_STR("uploaded");
            up.certificates = pem[sent++];
            const struct call_request call = {
                .method = rpc_method_find(slice_str("anchord.v1.CaService/UploadCertificate")), .body = &up};
            rig_need(call_submit(&set, &call, NULL, &err), &err, "upload");
        }
        must(call_collect(&set, UINT32_MAX, &res) == 1);
        rig_need(res.status, &res.err, "upload");
        call_result_done(&res);
        done++;
    }
    double rate = (double)n / rig_since(start);
    call_set_done(&set);
    for (size_t i = 0; i < n; i++)
        free(pem[i]);
    free(pem);
    return rate;
}

int
main(int argc, char **argv)
{
    bool quick = rig_begin(argc, argv) < 0.5;
    uint64_t hosts = quick ? QUICK_HOSTS : HOSTS;
    char data[RIG_PATH];
    struct world w;
    (void)snprintf(data, sizeof(data), "%s/data", rig_dir());
    (void)mkdir(data, 0700);
    world_start(&w, data, RIG_SERVES);
    world_found(&w, world_zones(hosts));
    uint64_t start = rig_ns();
    world_add(&w, 0, hosts);
    double rate = (double)hosts / rig_since(start);
    must((uint64_t)world_counter(&w, "snapshot_hosts") == hosts);
    double uploads = uploads_per_s(&w, quick ? QUICK_UPLOADS : UPLOADS);
    world_stop(&w);
    rig_beside("hosts associated, 4096 a call, durable and visible", rate, "hosts/s",
               "SQLite inserting the same rows in one transaction", bare_rows_per_s(data), 0.5);
    rig_figure("uploads of a CA, 8 in flight", uploads, "uploads/s");
    return EXIT_SUCCESS;
}
