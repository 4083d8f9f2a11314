/*
 * What a command of anchorctl stands on: its options, the connection to the server, printing, errors, exit
 * codes.
 *
 * Included by anchorctl and its tests. One thread. Everything in `region` lives until ctl_done; memory that
 * runs out ends the program (it is a command line tool, and holds nothing that a clean end would save).
 */
#ifndef ANCHORCTL_CTL_H
#define ANCHORCTL_CTL_H

#include <jansson.h>
#include <stdio.h>

#include "base/buf.h"
#include "libanchord/admin.h"
#include "table.h"

/* Exit codes; scripts rely on them. */
enum {
    EXIT_DONE = 0,
    EXIT_REFUSED = 1, /* refused, or not verified */
    EXIT_USAGE = 2,   /* the command line, or input that cannot be read */
    EXIT_SERVER = 3,  /* the server cannot be reached */
};

/* How long one try waits for the server to be there; a call makes 1 + LIMIT_CLIENT_RETRIES of them. */
enum { CTL_CONNECT_MS = 250 };

struct ctl {
    FILE *out, *err;
    const struct ctl_cmd *cmd;
    const char *val[OPT_COUNT]; /* by option; NULL: not given; "" for a flag that was */
    const char **list;          /* values of the one option that may be given several times, in order */
    size_t n_list;
    const char **args; /* positional, in order */
    size_t n_args;
    int raw_argc; /* CMD_RAW: what the command parses itself, from the noun on */
    char **raw_argv;
    bool json;
    struct mem_region region;
    acd_client *client;
    const char *url;
    const char *asked;      /* the method of the last call that was made */
    json_t *effect;         /* of a dry run; NULL: there was none */
    struct admin_opts call; /* of the calls to come; at first with the idempotency key that was given */
};

void ctl_init(struct ctl *c, FILE *out, FILE *err);
void ctl_done(struct ctl *c);

/* The whole program; argv[0] is its name. Returns the exit code. */
int ctl_main(int argc, char **argv, FILE *out, FILE *err);

/* --- options --- */

static inline bool
ctl_flag(const struct ctl *c, enum ctl_opt_id id)
{
    return c->val[id] != NULL;
}
char *ctl_text(const struct ctl *c, enum ctl_opt_id id);      /* "" when not given: what a message takes */
uint64_t ctl_number(const struct ctl *c, enum ctl_opt_id id); /* of an option that was given */
Anchord__V1__Profile ctl_profile(const struct ctl *c);
/* Whose CAs a question is about: of the products only access has a space of its own. */
char *ctl_space(const struct ctl *c);
/* The time of --time for a message, in which 0 stands for now. Returns 0, or the exit code after it has said
 * what is wrong. */
int ctl_time(struct ctl *c, int64_t *ret_ms);

/* --- memory --- */

_Noreturn void ctl_oom(void);

static inline void *
ctl_need(void *p)
{
    if (!p)
        ctl_oom();
    return p;
}
/* A request message in the region. */
#define ctl_new(c, Type, lower) ((Type *)ctl_need(wire_new(&(c)->region, Type, lower)))

/* --- calls --- */

/* Asks. Returns a status; res is to be done by admin_result_done, whatever it is. Prints nothing. */
int ctl_try(struct ctl *c, const char *method, const void *req, const void **ret_resp,
            struct admin_result *res) ACD_MUSTCHECK;
/* The same, and says on stderr what went wrong. Returns an exit code. */
int ctl_call(struct ctl *c, const char *method, const void *req, const void **ret_resp,
             struct admin_result *res) ACD_MUSTCHECK;

/* One call whose response is shown as one object. */
struct out_col;
int ctl_show(struct ctl *c, const char *method, const void *req, json_t *(*make)(const void *resp),
             const struct out_col *cols);

/* All pages of a list. `take` appends the response's rows and returns its page; `page` is the request's, its
 * size the number of rows to begin with (fewer are asked for when they do not fit into one message). */
typedef const Anchord__V1__PageInfo *(*ctl_take)(json_t *rows, const void *resp);
int ctl_pages(struct ctl *c, const char *method, const void *req, Anchord__V1__PageRequest *page,
              ctl_take take, json_t **ret_rows) ACD_MUSTCHECK;
/* The same, and shows them. */
int ctl_list(struct ctl *c, const char *method, const void *req, Anchord__V1__PageRequest *page,
             ctl_take take, const struct out_col *cols);
Anchord__V1__PageRequest *ctl_page(struct ctl *c, uint32_t size);

/* Where the server listens: --socket, ANCHORD_SOCKET, or what there is. */
const char *ctl_url(struct ctl *c);
/* The next call connects anew. */
void ctl_disconnect(struct ctl *c);

#endif
