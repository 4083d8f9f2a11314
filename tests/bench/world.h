/*
 * A server with many hosts. Data sets are made once through the server's own calls, and kept in the build
 * tree: one account, WORLD_CAS CAs, zones of WORLD_ZONE_HOSTS hosts, each zone with one of the CAs.
 */
#ifndef BENCH_WORLD_H
#define BENCH_WORLD_H

#include "pki.h"
#include "rig.h"
#include "wire/call.h"
#include "wire/msg.h"

enum { WORLD_CAS = 20, WORLD_ZONE_HOSTS = 10000, WORLD_NAME = 64, WORLD_CA_ID = 40 };

size_t world_host(uint64_t i, char *out); /* its length; WORLD_NAME bytes are enough */
void world_zone(uint64_t zone, char *out);
static inline uint64_t
world_zones(uint64_t hosts)
{
    return (hosts + WORLD_ZONE_HOSTS - 1) / WORLD_ZONE_HOSTS;
}

struct world {
    pid_t pid;
    char data[RIG_PATH], pki[RIG_PATH], ipc[RIG_PATH + 16], tcp[32];
    struct call_client *client;
    char ca_id[WORLD_CAS][WORLD_CA_ID]; /* of a world that was filled just now, or after world_cas */
};

/* Starts a server on the directory, and waits until it answers. */
void world_start(struct world *w, const char *data, enum rig_cpu cpu);
void world_stop(struct world *w);
/* Any call; ends the program when it is refused. The result is to be done. */
const void *world_call(struct world *w, const char *method, const void *body, struct call_result *res);
int64_t world_counter(struct world *w, const char *name); /* of ServerService/GetStatus; -1: none */

/* An account, CAs and zones, without hosts; then hosts from..to, in calls of LIMIT_HOSTS_CHANGE. */
void world_found(struct world *w, uint64_t zones);
void world_add(struct world *w, uint64_t from, uint64_t to);
void world_cas(struct world *w); /* learns ca_id */
/* One host more or less in its zone: HostService/AddHosts or RemoveHosts. */
void world_change(struct world *w, const char *method, uint64_t host, uint32_t ca);

/* The kept data set of that many hosts, made now when it is not there. */
void world_kept(uint64_t hosts, char ret[RIG_PATH]);

#endif
