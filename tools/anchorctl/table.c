#include "table.h"

#include <string.h>

#include "base/must.h"
#include "cmd.h"

static const struct ctl_opt opts[OPT_COUNT] = {
#define OPTION(id, name_, letter_, kind_, arg_, help_) \
    [OPT_##id] = {.name = (name_), .letter = (letter_), .kind = KIND_##kind_, .arg = (arg_), .help = (help_)},
#include "options.def"
#undef OPTION
};

const struct ctl_noun ctl_nouns[] = {
    {"account", "who owns zones and CAs"},
    {"zone", "the domains of an account"},
    {"ca", "the CAs (mTLS certificates) that an account brings"},
    {"crl", "which certificates a CA has revoked"},
    {"host", "which CAs may vouch for clients of which hosts"},
    {"origin-trust", "the root CAs that may vouch for the origins of a zone"},
    {"access", "the Access CAs of an account, their hosts and settings"},
    {"quota", "how many CAs an account may hold"},
    {"expiring", "what ends soon"},
    {"token", "credentials of callers that come over the gateway or the network"},
    {"managed-ca", "the CA that the server keeps for an account"},
    {"client-cert", "client certificates that it signs"},
    {"query", "what edges ask: trust of a host, verdict on a certificate"},
    {"plugin", "what the server is made of"},
    {"server", "the server itself"},
    {"x509", "certificates, without a server"},
    {"rule", "rules of a zone, and rule expressions without a server"},
    {"completion", "completion scripts for shells, and the manual page"},
    {NULL, NULL},
};

#define NEEDS(o)      \
    {                 \
        OPT_##o, true \
    }
#define TAKES(o)       \
    {                  \
        OPT_##o, false \
    }
#define USES(...)   \
    {               \
        __VA_ARGS__ \
    }
#define NO_ARGS       .args = "", .min_args = 0, .max_args = 0
#define ONE_ARG(what) .args = (what), .min_args = 1, .max_args = 1

/* clang-format off */
const struct ctl_cmd ctl_cmds[] = {
    {"account", "create", NO_ARGS, .uses = USES(NEEDS(NAME), TAKES(PLAN)), .flags = CMD_MUTATION,
     .run = cmd_account_create, .help = "create an account, with its managed CA"},
    {"account", "list", NO_ARGS, .run = cmd_account_list, .help = "list the accounts"},
    {"account", "get", ONE_ARG("ACCOUNT"), .run = cmd_account_get, .help = "show one account"},
    {"account", "delete", ONE_ARG("ACCOUNT"), .flags = CMD_MUTATION, .run = cmd_account_delete,
     .help = "delete an account", .detail = "Refused while it has zones or certificates."},

    {"zone", "create", NO_ARGS, .uses = USES(NEEDS(ACCOUNT), NEEDS(NAME), TAKES(ACM)), .flags = CMD_MUTATION,
     .run = cmd_zone_create, .help = "create a zone", .detail = "The name is the zone's domain."},
    {"zone", "list", NO_ARGS, .uses = USES(TAKES(ACCOUNT)), .run = cmd_zone_list,
     .help = "list the zones of an account, or all"},
    {"zone", "get", ONE_ARG("ZONE"), .run = cmd_zone_get, .help = "show one zone"},
    {"zone", "delete", ONE_ARG("ZONE"), .flags = CMD_MUTATION, .run = cmd_zone_delete, .help = "delete a zone",
     .detail = "Refused while it has host associations."},

    {"ca", "upload", ONE_ARG("FILE.pem"),
     .uses = USES(NEEDS(ACCOUNT), TAKES(NAME), TAKES(PRODUCT), TAKES(PROFILE), TAKES(LEAF), TAKES(HELPER), TAKES(KEY)),
     .flags = CMD_MUTATION | CMD_FILES, .run = cmd_ca_upload, .help = "upload a CA",
     .detail = "FILE.pem holds one or more certificates and is kept as it is; \"-\" is standard input. What is "
               "wrong with it is reported all at once. Warnings do not refuse."},
    {"ca", "import", ONE_ARG("BUNDLE.pem"),
     .uses = USES(NEEDS(ACCOUNT), TAKES(PRODUCT), TAKES(PROFILE), TAKES(SKIP_REFUSED)),
     .flags = CMD_MUTATION | CMD_FILES, .run = cmd_ca_import, .help = "import many CAs in one transaction",
     .detail = "Each certificate of the bundle becomes a CA of its own, named by its subject. Either all of them "
               "are imported or none is; with --skip-refused, all that can be. The idempotency key is that of the "
               "commit."},
    {"ca", "list", NO_ARGS, .uses = USES(NEEDS(ACCOUNT), TAKES(NAME)), .run = cmd_ca_list,
     .help = "list the certificates of an account, newest first",
     .detail = "With --name only those that are called so."},
    {"ca", "get", ONE_ARG("ID"), .run = cmd_ca_get, .help = "show one certificate"},
    {"ca", "delete", ONE_ARG("ID"), .uses = USES(TAKES(DETACH), TAKES(FORCE)), .flags = CMD_MUTATION,
     .run = cmd_ca_delete, .help = "delete a certificate",
     .detail = "Refused while hosts are associated with it, unless --detach is given."},
    {"ca", "associations", ONE_ARG("ID"), .run = cmd_ca_associations, .help = "list the hosts that use a CA"},

    {"crl", "add", ONE_ARG("FILE"), .uses = USES(NEEDS(CA)), .flags = CMD_MUTATION | CMD_FILES,
     .run = cmd_crl_add, .help = "add a revocation list of a CA",
     .detail = "FILE holds one complete list or one delta, DER or PEM; \"-\" is standard input. It must carry the "
               "name of one of the CA's certificates and be signed by its key, be in date, and be newer than what "
               "is there: a complete list takes the place of the complete list and of the delta, a delta that of "
               "the delta. It says nothing about any other CA. Covered is what the CA itself issued; for the "
               "certificates of an intermediate, upload the intermediate and its list. The idempotency key is that "
               "of the commit."},
    {"crl", "list", NO_ARGS, .uses = USES(NEEDS(CA)), .run = cmd_crl_list, .help = "list the revocation lists of a CA"},
    {"crl", "delete", .args = "[CRL]", .max_args = 1, .uses = USES(NEEDS(CA)), .flags = CMD_MUTATION,
     .run = cmd_crl_delete, .help = "delete one revocation list of a CA, or all",
     .detail = "A complete list goes with its delta. Without a delta, what the complete list says counts again."},
    {"crl", "policy", .args = "[require|warn|ignore|default]", .max_args = 1, .uses = USES(NEEDS(CA)),
     .flags = CMD_MUTATION, .run = cmd_crl_policy, .help = "set what happens without a list in date, or show it",
     .detail = "`require`: nothing is verified. `warn`: verified all the same, with a note in the explanation. "
               "`ignore`: lists are kept and not looked at. `default`: a CA without a list is not checked; one that "
               "has a list is held to it as with `require`. What a list names is revoked in any case but `ignore`."},

    {"host", "set", .args = "[HOST...]", .max_args = CTL_ARGS_MAX,
     .uses = USES(NEEDS(ZONE), TAKES(CA), TAKES(PRIORITY), TAKES(OBSERVE), TAKES(DECIDE), TAKES(FORCE), TAKES(EXPECT)),
     .flags = CMD_MUTATION, .run = cmd_host_set, .help = "replace the list of hosts of a CA",
     .detail = "Without hosts the list is cleared. Hosts that stay keep their priority and role unless they are given."},
    {"host", "add", .args = "HOST...", .min_args = 1, .max_args = CTL_ARGS_MAX,
     .uses = USES(NEEDS(ZONE), TAKES(CA), TAKES(PRIORITY), TAKES(OBSERVE), TAKES(DECIDE), TAKES(FORCE), TAKES(EXPECT)),
     .flags = CMD_MUTATION, .run = cmd_host_add, .help = "add hosts to the list of a CA",
     .detail = "Several CAs may vouch for clients of one host. Those with a priority come first, the lowest before the "
               "others; then the most recently added. For a host that is in the list already, priority and role are "
               "changed if they are given."},
    {"host", "remove", .args = "HOST...", .min_args = 1, .max_args = CTL_ARGS_MAX,
     .uses = USES(NEEDS(ZONE), TAKES(CA), TAKES(FORCE), TAKES(EXPECT)), .flags = CMD_MUTATION,
     .run = cmd_host_remove, .help = "remove hosts from the list of a CA"},
    {"host", "list", NO_ARGS, .uses = USES(NEEDS(ZONE), TAKES(CA), TAKES(ALL)), .run = cmd_host_list,
     .help = "list the hosts of a CA"},

    {"origin-trust", "add", ONE_ARG("FILE.pem"), .uses = USES(NEEDS(ZONE), TAKES(PROFILE)),
     .flags = CMD_MUTATION | CMD_FILES, .run = cmd_origin_add, .help = "add a root CA to the store of a zone",
     .detail = "FILE.pem holds exactly one self-signed CA certificate; \"-\" is standard input. While the store "
               "holds any entry, only its entries count for the zone's origins and public roots do not. The zone "
               "needs --acm."},
    {"origin-trust", "list", NO_ARGS, .uses = USES(NEEDS(ZONE), TAKES(TIME)), .run = cmd_origin_list,
     .help = "list the store of a zone, newest first", .detail = "The status is that of --time."},
    {"origin-trust", "get", ONE_ARG("ID"), .uses = USES(NEEDS(ZONE), TAKES(TIME)), .run = cmd_origin_get,
     .help = "show one entry"},
    {"origin-trust", "delete", ONE_ARG("ID"), .uses = USES(NEEDS(ZONE)), .flags = CMD_MUTATION,
     .run = cmd_origin_delete, .help = "delete an entry",
     .detail = "When it was the last one, the public roots count again."},

    {"access", "add", .args = "FILE.pem [HOST...]", .min_args = 1, .max_args = CTL_ARGS_MAX,
     .uses = USES(NEEDS(ACCOUNT), NEEDS(NAME), TAKES(PROFILE)), .flags = CMD_MUTATION | CMD_FILES,
     .run = cmd_access_add, .help = "add an Access CA, with its hosts",
     .detail = "It has a quota of its own, and vouches for nobody outside of Access. Each host lies in a zone of the "
               "account. \"-\" is standard input."},
    {"access", "list", NO_ARGS, .uses = USES(NEEDS(ACCOUNT)), .run = cmd_access_list,
     .help = "list the Access CAs of an account, newest first"},
    {"access", "get", ONE_ARG("ID"), .run = cmd_access_get, .help = "show one Access CA"},
    {"access", "update", .args = "ID [HOST...]", .min_args = 1, .max_args = CTL_ARGS_MAX,
     .uses = USES(TAKES(NAME), TAKES(EXPECT)), .flags = CMD_MUTATION, .run = cmd_access_update,
     .help = "replace the hosts of an Access CA",
     .detail = "Without hosts the list is cleared. With --name it gets another name. --expect is the revision that "
               "`access get` shows."},
    {"access", "delete", ONE_ARG("ID"), .uses = USES(TAKES(DETACH)), .flags = CMD_MUTATION,
     .run = cmd_access_delete, .help = "delete an Access CA",
     .detail = "Refused while it has hosts, unless --detach is given."},
    {"access", "settings-get", NO_ARGS, .uses = USES(NEEDS(ACCOUNT)), .run = cmd_access_settings_get,
     .help = "show the settings of host names"},
    {"access", "settings-put", ONE_ARG("FILE.json"), .uses = USES(NEEDS(ACCOUNT)),
     .flags = CMD_MUTATION | CMD_FILES, .run = cmd_access_settings_put, .help = "replace the settings of host names",
     .detail = "FILE.json holds an array of objects with hostname, china_network and client_certificate_forwarding, as "
               "`access settings-get -o json` shows it; \"-\" is standard input. An empty array clears them."},

    {"quota", "show", NO_ARGS, .uses = USES(NEEDS(ACCOUNT)), .run = cmd_quota_show,
     .help = "show how much of its quota an account uses"},
    {"quota", "set", NO_ARGS, .uses = USES(NEEDS(ACCOUNT), NEEDS(LIMIT), TAKES(POOL)), .flags = CMD_MUTATION,
     .run = cmd_quota_set, .help = "set the limit of a pool",
     .detail = "A limit below what is used blocks growth and removes nothing. `--limit default` goes back to the "
               "default."},
    {"quota", "audit", NO_ARGS, .uses = USES(TAKES(ACCOUNT)), .run = cmd_quota_audit,
     .help = "compare the counters with what is stored", .detail = "Exits with 1 when they differ."},

    {"expiring", "list", NO_ARGS, .uses = USES(TAKES(WITHIN), TAKES(ACCOUNT)), .flags = CMD_DEFAULT, .run = cmd_expiring,
     .help = "list what ends soon, the earliest first",
     .detail = "What has expired already is listed too. With each, how many host associations rest on it. The verb may "
               "be left out."},

    {"token", "create", NO_ARGS,
     .uses = USES(NEEDS(ACCOUNT), NEEDS(PERMISSION), TAKES(ZONE), TAKES(EXPIRES), TAKES(SOURCES), TAKES(NAME),
                  TAKES(EMAIL)),
     .flags = CMD_MUTATION, .run = cmd_token_create, .help = "create a token, which is shown once",
     .detail = "Permissions are `all` or names, each with Read or Write at its end: Account: SSL and Certificates, SSL "
               "and Certificates, Access: Mutual TLS Certificates, Zone WAF, Account Settings, Trust Query. With "
               "--zone, zone by zone with commas between, it reaches only those zones; without, all of the account."},
    {"token", "list", NO_ARGS, .uses = USES(NEEDS(ACCOUNT)), .run = cmd_token_list,
     .help = "list the tokens of an account, newest first"},
    {"token", "revoke", ONE_ARG("ID"), .flags = CMD_MUTATION,
     .run = cmd_token_revoke, .help = "revoke a token: it is refused from then on"},

    {"managed-ca", "show", NO_ARGS, .uses = USES(NEEDS(ACCOUNT)), .run = cmd_managed_ca_show,
     .help = "show the managed CA of an account", .detail = "It gets its certificate when it first signs."},
    {"managed-ca", "rotate", NO_ARGS, .uses = USES(NEEDS(ACCOUNT), TAKES(KEY_TYPE), TAKES(DRY_RUN)),
     .flags = CMD_MUTATION, .run = cmd_managed_ca_rotate, .help = "sign with a new key from now on",
     .detail = "What was signed before stays trusted until `retire`."},
    {"managed-ca", "retire", NO_ARGS, .uses = USES(NEEDS(ACCOUNT), TAKES(DRY_RUN)), .flags = CMD_MUTATION,
     .run = cmd_managed_ca_retire, .help = "end the trust in all but the newest key",
     .detail = "Client certificates that earlier keys signed are not verified any more, and those keys are deleted. "
               "With --dry-run it says how many active ones there are."},

    {"client-cert", "issue", NO_ARGS, .uses = USES(NEEDS(ZONE), NEEDS(CSR), TAKES(DAYS), TAKES(DRY_RUN)),
     .flags = CMD_MUTATION, .run = cmd_client_cert_issue, .help = "sign a client certificate",
     .detail = "Of the request's subject common name, organization, unit, country, state and locality are kept, of its "
               "alternative names DNS names, mailboxes, URIs and addresses; everything else is set by the server."},
    {"client-cert", "list", NO_ARGS, .uses = USES(NEEDS(ZONE), TAKES(STATUS)), .run = cmd_client_cert_list,
     .help = "list the client certificates of a zone, newest first"},
    {"client-cert", "get", ONE_ARG("ID"), .uses = USES(NEEDS(ZONE)), .run = cmd_client_cert_get,
     .help = "show one client certificate"},
    {"client-cert", "revoke", ONE_ARG("ID"), .uses = USES(NEEDS(ZONE), TAKES(DRY_RUN)), .flags = CMD_MUTATION,
     .run = cmd_client_cert_revoke, .help = "revoke a client certificate",
     .detail = "It counts at once, stays listed, and makes room for another one."},
    {"client-cert", "reactivate", ONE_ARG("ID"), .uses = USES(NEEDS(ZONE), TAKES(DRY_RUN)), .flags = CMD_MUTATION,
     .run = cmd_client_cert_reactivate, .help = "take a revocation back",
     .detail = "Needs room among the active ones of the zone. One that is active stays as it is."},

    {"query", "trust", .args = "HOST...", .min_args = 1, .max_args = CTL_ARGS_MAX,
     .uses = USES(TAKES(PRODUCT), TAKES(DER), TAKES(EXPLAIN)), .run = cmd_query_trust,
     .help = "which CAs may vouch for clients of these hosts?",
     .detail = "Those of the shared pool, or with --product access the Access CAs."},
    {"query", "verify", ONE_ARG("CHAIN.pem"),
     .uses = USES(NEEDS(HOST), TAKES(PRODUCT), TAKES(TIME), TAKES(EXPLAIN), TAKES(FIELDS)),
     .flags = CMD_FILES, .run = cmd_query_verify, .help = "is this client certificate verified for this host?",
     .detail = "CHAIN.pem holds the certificates as the client presents them, the leaf first; \"-\" is standard "
               "input. The CAs of the shared pool count, or with --product access the Access CAs. Exits with 1 when "
               "it is not verified."},

    {"query", "origin", ONE_ARG("CHAIN.pem"),
     .uses = USES(NEEDS(ZONE), NEEDS(HOST), TAKES(MODE), TAKES(TIME), TAKES(EXPLAIN)), .flags = CMD_FILES,
     .run = cmd_query_origin, .help = "may this server certificate stand for an origin of this zone?",
     .detail = "CHAIN.pem holds the certificates as the origin presents them, the leaf first; \"-\" is standard "
               "input. The host is a name or an IP address. Exits with 1 when it is not verified."},
    {"query", "evaluate", NO_ARGS,
     .uses = USES(TAKES(ZONE), TAKES(HOST), TAKES(FIELD), TAKES(CHAIN), TAKES(SNI), TAKES(RESUMED), TAKES(TIME),
                  TAKES(EXPLAIN)),
     .run = cmd_query_evaluate, .help = "what do the zone's rules say about this request?",
     .detail = "The host is that of --host, or else of --field http.host=NAME; without --zone it is the zone of the "
               "host. Exits with 0 when the request is allowed, 1 when it is blocked or challenged, or when no "
               "decision could be reached."},

    {"plugin", "list", NO_ARGS, .run = cmd_plugin_list, .help = "list the plugins that the server runs"},
    {"plugin", "inspect", ONE_ARG("FILE"), .flags = CMD_LOCAL | CMD_FILES, .run = cmd_plugin_inspect,
     .help = "show what a plugin file says about itself",
     .detail = "Reads the file's note; none of its code is run. Exits with 1 when it is no plugin."},

    {"server", "status", NO_ARGS, .uses = USES(TAKES(WAIT)), .run = cmd_server_status,
     .help = "show version, revisions and counters"},
    {"server", "check", NO_ARGS, .run = cmd_server_check, .help = "compare stored data, counters and snapshot",
     .detail = "Exits with 1 when anything differs."},
    {"server", "rewrap", NO_ARGS, .uses = USES(TAKES(DRY_RUN)), .run = cmd_server_rewrap,
     .help = "wrap all private keys under the current wrapping key",
     .detail = "After a new wrapping key was configured and the earlier one named in keys.old. It goes in steps, each a "
               "transaction, and may be broken off and run again; afterwards the earlier wrapping key may go."},

    {"x509", "inspect", .args = "[--role ca|leaf|origin-root|chain] [--key FILE] [--time TIME] [-o json] FILE",
     .max_args = CTL_ARGS_MAX, .flags = CMD_LOCAL | CMD_RAW | CMD_FILES, .run = cmd_x509,
     .help = "check a file as an upload is checked, without a server",
     .detail = "Exits with 0 when it is acceptable, 1 when it is refused, 2 when it cannot be read."},
    {"x509", "verify",
     .args = "--batch | --purpose client|server [--host NAME|--ip IP|--email ADDRESS] [--time TIME] --trust FILE "
             "[--untrusted FILE] [--crl FILE] [--max-depth N] [--profile strict|compat] [--explain] [-o json] LEAF",
     .max_args = CTL_ARGS_MAX, .flags = CMD_LOCAL | CMD_RAW | CMD_FILES, .run = cmd_x509,
     .help = "verify a certificate against given CAs, without a server",
     .detail = "With --batch, one JSON object per line on standard input and one per line on standard output, in "
               "order."},

    {"rule", "put", ONE_ARG("FILE.json"), .uses = USES(NEEDS(ZONE), TAKES(EXPECT)),
     .flags = CMD_MUTATION | CMD_FILES, .run = cmd_rule_put, .help = "replace the rules of a zone",
     .detail = "FILE.json holds an array of rules, in order, or an object whose member \"rules\" is one; \"-\" is "
               "standard input. A rule has the members of the REST API: expression and action; if need be ref, "
               "description, enabled, action_parameters, logging, and id to keep the rule of that id. What is wrong "
               "with any of them is reported all at once, and nothing is changed. --expect is the revision that "
               "`rule get` shows."},
    {"rule", "list", NO_ARGS, .uses = USES(NEEDS(ZONE)), .run = cmd_rule_list, .help = "list the rules of a zone"},
    {"rule", "get", NO_ARGS, .uses = USES(NEEDS(ZONE), TAKES(AS_OF)), .run = cmd_rule_get,
     .help = "show the ruleset of a zone, its version and its rules",
     .detail = "Earlier versions are kept, and shown with --as-of."},
    {"rule", "delete", NO_ARGS, .uses = USES(NEEDS(ZONE), TAKES(EXPECT)), .flags = CMD_MUTATION,
     .run = cmd_rule_delete, .help = "delete the rules of a zone, with their earlier versions"},
    {"rule", "check", .args = "[--fields FILE] [-o json] FILE|-", .max_args = CTL_ARGS_MAX,
     .flags = CMD_LOCAL | CMD_RAW | CMD_FILES, .run = cmd_rule, .help = "check a rule expression, without a server",
     .detail = "FILE holds one expression. Rules with their actions and parameters are checked by `rule put --dry-run`.\n"
               "Exits with 1 when it is refused; warnings do not refuse."},
    {"rule", "eval", .args = "--batch [--fields FILE] | EXPRESSION [--field NAME=VALUE]... [--fields FILE] [--explain] [-o json]",
     .max_args = CTL_ARGS_MAX, .flags = CMD_LOCAL | CMD_RAW, .run = cmd_rule,
     .help = "evaluate a rule expression, without a server",
     .detail = "With --batch, one JSON object per line on standard input and one per line on standard output, in "
               "order."},
    {"rule", "fields", .args = "[-o json]", .max_args = CTL_ARGS_MAX, .flags = CMD_LOCAL | CMD_RAW, .run = cmd_rule,
     .help = "list the fields that a rule may name",
     .detail = "Name, type, where the value comes from, what it holds. A value comes from the certificate, from the "
               "request, or is derived from others; optional ones are there if the edge gives them."},
    {"rule", "functions", .args = "[-o json]", .max_args = CTL_ARGS_MAX, .flags = CMD_LOCAL | CMD_RAW, .run = cmd_rule,
     .help = "list the functions that a rule may call"},

    {"completion", "bash", NO_ARGS, .flags = CMD_LOCAL, .run = cmd_completion, .help = "for bash"},
    {"completion", "zsh", NO_ARGS, .flags = CMD_LOCAL, .run = cmd_completion, .help = "for zsh"},
    {"completion", "fish", NO_ARGS, .flags = CMD_LOCAL, .run = cmd_completion, .help = "for fish"},
    {"completion", "man", NO_ARGS, .flags = CMD_LOCAL, .run = cmd_manual, .help = "the manual page, in roff"},
    {NULL},
};
/* clang-format on */

const struct ctl_opt *
ctl_opt(unsigned id)
{
    must(id > OPT_NONE && id < OPT_COUNT);
    return &opts[id];
}

/* The options that every command takes, and those that come with a flag. */
static const struct {
    uint8_t id;
    unsigned with, without; /* flags */
} common[] = {
    {OPT_DRY_RUN, CMD_MUTATION, 0},
    {OPT_IDEMPOTENCY_KEY, CMD_MUTATION, 0},
    {OPT_OUTPUT, 0, 0},
    {OPT_SOCKET, 0, CMD_LOCAL},
    {OPT_TIMEOUT, 0, CMD_LOCAL},
    {OPT_HELP, 0, 0},
};
enum { COMMON = sizeof(common) / sizeof(common[0]) };

unsigned
ctl_opt_next(const struct ctl_cmd *cmd, size_t *at, bool *ret_required)
{
    unsigned flags = cmd ? cmd->flags : 0;
    for (;;) {
        size_t i = (*at)++;
        *ret_required = false;
        if (i < CTL_USES) {
            if (!cmd || cmd->uses[i].id == OPT_NONE)
                continue;
            *ret_required = cmd->uses[i].required;
            return cmd->uses[i].id;
        }
        i -= CTL_USES;
        if (i < COMMON && (flags & common[i].with) == common[i].with && !(flags & common[i].without))
            return common[i].id;
        if (i == COMMON && !cmd)
            return OPT_VERSION;
        if (i >= COMMON)
            return OPT_NONE;
    }
}

bool
ctl_cmd_takes(const struct ctl_cmd *cmd, unsigned id)
{
    size_t at = 0;
    bool required;
    for (unsigned o; (o = ctl_opt_next(cmd, &at, &required)) != OPT_NONE;)
        if (o == id)
            return true;
    return false;
}

const struct ctl_noun *
ctl_noun_find(const char *name)
{
    for (const struct ctl_noun *n = ctl_nouns; n->name; n++)
        if (strcmp(n->name, name) == 0)
            return n;
    return NULL;
}

const struct ctl_cmd *
ctl_cmd_find(const char *noun, const char *verb)
{
    for (const struct ctl_cmd *cmd = ctl_cmds; cmd->noun; cmd++)
        if (strcmp(cmd->noun, noun) == 0 && strcmp(cmd->verb, verb) == 0)
            return cmd;
    return NULL;
}

const struct ctl_cmd *
ctl_cmd_default(const char *noun)
{
    for (const struct ctl_cmd *cmd = ctl_cmds; cmd->noun; cmd++)
        if (cmd->flags & CMD_DEFAULT && strcmp(cmd->noun, noun) == 0)
            return cmd;
    return NULL;
}

unsigned
ctl_opt_find(const char *name, size_t len)
{
    for (unsigned i = OPT_NONE + 1; i < OPT_COUNT; i++)
        if (strlen(opts[i].name) == len && memcmp(opts[i].name, name, len) == 0)
            return i;
    return OPT_NONE;
}

unsigned
ctl_opt_letter(char letter)
{
    for (unsigned i = OPT_NONE + 1; i < OPT_COUNT; i++)
        if (opts[i].letter && opts[i].letter == letter)
            return i;
    return OPT_NONE;
}

bool
ctl_choice_has(const char *choices, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = choices; len; at++) {
        size_t n = strcspn(at, "|");
        if (n == len && memcmp(at, word, len) == 0)
            return true;
        at += n;
        if (!*at)
            break;
    }
    return false;
}

/* Edit distance with swaps of neighbours (optimal string alignment), three rows of the matrix at a time. */
static size_t
distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    size_t rows[3][CTL_NEAR_WORD + 1];
    if (la > CTL_NEAR_WORD || lb > CTL_NEAR_WORD)
        return CTL_NEAR_LIMIT;
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *row = rows[i % 3], *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = up[j - 1] + (a[i - 1] != b[j - 1]);
            if (up[j] + 1 < best)
                best = up[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && upper[j - 2] + 1 < best)
                best = upper[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[la % 3][lb];
}

/* Near is: fewer than CTL_NEAR_LIMIT edits and not more than half of the word, or begun alike. */
void
ctl_near_offer(struct ctl_near *near, const char *name)
{
    size_t len = strlen(near->word), d = distance(near->word, name);
    if (len >= 2 && strncmp(near->word, name, len) == 0)
        d = 1;
    if (d < near->distance && 2 * d <= strlen(name)) {
        near->distance = d;
        near->best = name;
    }
}
