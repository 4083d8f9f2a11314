/*
 * What the files of HostService share: the list a request is about, the names it gives, and how a list is
 * changed. Inside a unit of work; everything lives in its region.
 */
#ifndef CORE_HOSTS_H
#define CORE_HOSTS_H

#include "core/unit.h"
#include "model/host.h"

struct host_list {
    acd_value *zone, *cert;
    struct host zone_name;
    uint64_t rev;  /* 0: never written */
    uint64_t size; /* members */
};

/* A name of the request, and its association as it is. */
struct host_name {
    const char *text; /* as sent */
    size_t index;     /* place in the request */
    struct host host;
    bool there, same_text;
    int64_t position, deployed, created, priority, observe;
};

/* host_names.c: all names of the request in order of their patterns, without repetitions. Every bad one
 * becomes a detail of the call; the sentence is about the first. */
int host_names_parse(struct unit *u, const struct host_list *l, char *const *texts, size_t n,
                     struct host_name ***ret, size_t *ret_n, acd_err *err) ACD_MUSTCHECK;

/* host_change.c: applies the names to the list and keeps the list's revision and size. */
enum host_change { HOSTS_SET, HOSTS_ADD, HOSTS_REMOVE };
/* What the request says about priority and role of its names; what it does not say stays. */
struct host_terms {
    bool has_priority, has_role, observe;
    int64_t priority;
};
struct host_work {
    struct unit *u;
    struct host_list *l;      /* rev and size are those after the change */
    struct host_name **names; /* in order of their patterns */
    size_t n;
    struct host_terms terms;
    uint32_t added, removed, changed; /* changed: priority or role */
    bool moved;                       /* place or spelling in the list changed */
    struct map sizes;                 /* CA -> its certificates */
};
int host_change_apply(struct host_work *w, enum host_change how, acd_err *err) ACD_MUSTCHECK;

#endif
