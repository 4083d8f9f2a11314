/* A core on real plugins, storage in memory, whose calls go through the table of methods as on the bus. */
#ifndef TESTS_UNIT_CORE_RIG_H
#define TESTS_UNIT_CORE_RIG_H

#include "core/core.h"
#include "core/keyring.h"
#include "model/change.h"
#include "model/collections.h"

extern int64_t rig_wall_ms;      /* the day is the test's; deadlines are real */
extern unsigned rig_published;   /* changes */
extern struct rpc_call rig_call; /* the last one */
extern char rig_key_file[96];    /* where the wrapping key is made */
/* Called with what a change published, when it is set. */
extern void (*rig_on_publish)(struct plug_session *s, const struct change_set *set);

void rig_setup(void);
void rig_teardown(void);
void rig_restart(const struct keyring_opts *keys); /* the same rows, other wrapping keys */
struct plug_storage *rig_storage(void);
struct core *rig_core(void);

/* What the calls to come carry as metadata: key, value, key, value, ..., NULL. NULL: nothing. */
extern const char *const *rig_meta;
extern bool rig_dry, rig_force; /* of the calls to come */
extern const char *rig_remote;  /* and where they come from: NULL is the local socket */

void rig_put(enum collection coll, const acd_value *row); /* a row as somebody else may have written it */
struct rpc_table *rig_table(void);                        /* every method of core is bound */
/* Runs a method ("AccountService/CreateAccount") as a user and under a key. Its response, or NULL when it is
 * refused; valid until the next call. */
const void *rig_invoke(uint32_t uid, const char *key, const char *method, const void *req);

#endif
