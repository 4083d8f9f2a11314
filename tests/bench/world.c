#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "model/collections.h"
#include "model/limits.h"

enum { READY_MS = 600000, CALL_MS = 600000, CA_LIMIT = 100000, BLOCK = 65536 };
#define ACCOUNT "bench"
static unsigned worlds; /* started so far: each has a socket of its own */

size_t
world_host(uint64_t i, char *out)
{
    return (size_t)snprintf(out, WORLD_NAME, "host-%07llu.zone%llu.example.com", (unsigned long long)i,
                            (unsigned long long)(i / WORLD_ZONE_HOSTS));
}

void
world_zone(uint64_t zone, char *out)
{
    (void)snprintf(out, WORLD_NAME, "zone%llu.example.com", (unsigned long long)zone);
}

const void *
world_call(struct world *w, const char *method, const void *body, struct call_result *res)
{
    char full[LIMIT_METHOD];
    acd_err err = ACD_ERR_INIT;
    (void)snprintf(full, sizeof(full), "anchord.v1.%s", method);
    const struct call_request req = {
        .method = rpc_method_find(slice_str(full)), .body = body, .timeout_ms = CALL_MS, .force = true};
    must(req.method);
    rig_need(call_sync(w->client, &req, res, &err), &err, method);
    return res->resp;
}

/* Until it has said that it listens: the client's own retries are too coarse to measure a start with. */
static void
wait_for_word(pid_t pid, const char *log)
{
    char path[RIG_PATH], line[RIG_PATH];
    const struct timespec pause = {.tv_nsec = 1000000};
    (void)snprintf(path, sizeof(path), "%s/%s", rig_dir(), log);
    for (;;) {
        FILE *f = fopen(path, "re");
        while (f && fgets(line, sizeof(line), f))
            if (strstr(line, " listen url=tcp")) {
                (void)fclose(f);
                return;
            }
        if (f)
            (void)fclose(f);
        if (waitpid(pid, NULL, WNOHANG) == pid)
            rig_fail("anchord stopped; its words are in %s", path);
        (void)nanosleep(&pause, NULL);
    }
}

void
world_start(struct world *w, const char *data, enum rig_cpu cpu)
{
    char program[RIG_PATH], log[32];
    acd_err err = ACD_ERR_INIT;
    struct call_result res;
    *w = (struct world){0};
    rig_built("bin/anchord", program);
    (void)snprintf(w->data, sizeof(w->data), "%s", data);
    (void)snprintf(w->pki, sizeof(w->pki), "%s/pki", data);
    (void)snprintf(w->ipc, sizeof(w->ipc), "ipc://%s/%u.sock", rig_dir(), worlds);
    (void)snprintf(log, sizeof(log), "anchord-%u.log", worlds++);
    (void)snprintf(w->tcp, sizeof(w->tcp), "tcp://127.0.0.1:%d", rig_free_port());
    w->pid = rig_spawn(
        cpu, log, (const char *[]){program, "--data", data, "--listen", w->ipc, "--listen", w->tcp, NULL});
    wait_for_word(w->pid, log);
    const struct call_opts opts = {.connect_ms = READY_MS};
    rig_need(call_open(w->ipc, &opts, &w->client, &err), &err, w->ipc);
    const Anchord__V1__GetStatusRequest ask = ANCHORD__V1__GET_STATUS_REQUEST__INIT;
    (void)world_call(w, "ServerService/GetStatus", &ask, &res);
    call_result_done(&res);
}

void
world_stop(struct world *w)
{
    call_close(w->client);
    rig_stop(w->pid);
    *w = (struct world){0};
}

int64_t
world_counter(struct world *w, const char *name)
{
    struct call_result res;
    int64_t value = -1;
    const Anchord__V1__GetStatusRequest ask = ANCHORD__V1__GET_STATUS_REQUEST__INIT;
    const Anchord__V1__GetStatusResponse *status = world_call(w, "ServerService/GetStatus", &ask, &res);
    for (size_t i = 0; i < status->n_counters; i++)
        if (strcmp(status->counters[i]->name, name) == 0)
            value = status->counters[i]->value;
    call_result_done(&res);
    return value;
}

static void
found_ca(struct world *w, uint32_t i)
{
    char name[32];
    struct call_result res;
    (void)snprintf(name, sizeof(name), "ca-%u", i);
    struct pki_pair ca = pki_make(name, PKI_CA, NULL);
    pki_save(&ca, w->pki, name);
    char *pem = pki_pem(&ca);
    Anchord__V1__UploadCertificateRequest up = ANCHORD__V1__UPLOAD_CERTIFICATE_REQUEST__INIT;
    up.account = ACCOUNT;
    up.name = name;
    up.certificates = pem;
    const Anchord__V1__UploadCertificateResponse *done =
        world_call(w, "CaService/UploadCertificate", &up, &res);
    (void)snprintf(w->ca_id[i], WORLD_CA_ID, "%s", done->certificate->id);
    call_result_done(&res);
    free(pem);
    pki_free(&ca);
}

void
world_found(struct world *w, uint64_t zones)
{
    struct call_result res;
    (void)mkdir(w->pki, 0700);
    Anchord__V1__CreateAccountRequest account = ANCHORD__V1__CREATE_ACCOUNT_REQUEST__INIT;
    account.name = ACCOUNT;
    (void)world_call(w, "AccountService/CreateAccount", &account, &res);
    call_result_done(&res);
    Anchord__V1__SetQuotaRequest quota = ANCHORD__V1__SET_QUOTA_REQUEST__INIT;
    quota.account = ACCOUNT;
    quota.limit = CA_LIMIT;
    (void)world_call(w, "QuotaService/SetQuota", &quota, &res);
    call_result_done(&res);
    for (uint32_t i = 0; i < WORLD_CAS; i++)
        found_ca(w, i);
    for (uint64_t i = 0; i < zones; i++) {
        char name[WORLD_NAME];
        Anchord__V1__CreateZoneRequest zone = ANCHORD__V1__CREATE_ZONE_REQUEST__INIT;
        world_zone(i, name);
        zone.account = ACCOUNT;
        zone.name = name;
        (void)world_call(w, "ZoneService/CreateZone", &zone, &res);
        call_result_done(&res);
    }
}

static void
add_some(struct world *w, uint64_t from, uint64_t to)
{
    static char names[LIMIT_HOSTS_CHANGE][WORLD_NAME];
    static char *list[LIMIT_HOSTS_CHANGE];
    char zone[WORLD_NAME];
    struct call_result res;
    Anchord__V1__ChangeHostsRequest add = ANCHORD__V1__CHANGE_HOSTS_REQUEST__INIT;
    world_zone(from / WORLD_ZONE_HOSTS, zone);
    add.zone = zone;
    add.ca_id = w->ca_id[from / WORLD_ZONE_HOSTS % WORLD_CAS];
    add.hosts = list;
    for (; from < to; from++, add.n_hosts++) {
        list[add.n_hosts] = names[add.n_hosts];
        (void)world_host(from, names[add.n_hosts]);
    }
    const Anchord__V1__ChangeHostsResponse *done = world_call(w, "HostService/AddHosts", &add, &res);
    must(done->added == add.n_hosts);
    call_result_done(&res);
}

void
world_add(struct world *w, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t end = from + LIMIT_HOSTS_CHANGE, zone_end = (from / WORLD_ZONE_HOSTS + 1) * WORLD_ZONE_HOSTS;
        end = end < zone_end ? end : zone_end;
        end = end < to ? end : to;
        add_some(w, from, end);
        from = end;
    }
}

void
world_cas(struct world *w)
{
    struct call_result res;
    Anchord__V1__ListCertificatesRequest ask = ANCHORD__V1__LIST_CERTIFICATES_REQUEST__INIT;
    ask.account = ACCOUNT;
    for (uint32_t i = 0; i < WORLD_CAS; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "ca-%u", i);
        ask.name = name;
        const Anchord__V1__ListCertificatesResponse *list =
            world_call(w, "CaService/ListCertificates", &ask, &res);
        must(list->n_certificates == 1);
        (void)snprintf(w->ca_id[i], WORLD_CA_ID, "%s", list->certificates[0]->id);
        call_result_done(&res);
    }
}

void
world_change(struct world *w, const char *method, uint64_t host, uint32_t ca)
{
    char zone[WORLD_NAME], name[WORLD_NAME], *list[1] = {name};
    struct call_result res;
    Anchord__V1__ChangeHostsRequest change = ANCHORD__V1__CHANGE_HOSTS_REQUEST__INIT;
    world_zone(host / WORLD_ZONE_HOSTS, zone);
    (void)world_host(host, name);
    change.zone = zone;
    change.ca_id = w->ca_id[ca];
    change.hosts = list;
    change.n_hosts = 1;
    (void)world_call(w, method, &change, &res);
    call_result_done(&res);
}

void
world_kept(uint64_t hosts, char ret[RIG_PATH])
{
    char name[64], fresh[RIG_PATH + 8];
    struct world w;
    (void)snprintf(name, sizeof(name), "hosts-%llu.v%d", (unsigned long long)hosts, (int)COLLECTIONS_VERSION);
    rig_kept(name, ret);
    if (access(ret, F_OK) == 0)
        return;
    (void)snprintf(fresh, sizeof(fresh), "%s.new", ret);
    rig_remove(fresh);
    (void)mkdir(fresh, 0700);
    world_start(&w, fresh, RIG_ANY);
    world_found(&w, world_zones(hosts));
    world_add(&w, 0, hosts);
    world_stop(&w);
    if (rename(fresh, ret) != 0)
        rig_fail("cannot keep %s", ret);
}
