/*
 * anchord's client library: connect to a server and ask. C11 and C++.
 *
 * Threading: a client may be used by any number of threads at once; each call blocks its own thread until the
 * answer is there or its time is over. A result belongs to the thread that got it; results may outlive the
 * client. Close a client only when no other thread uses it.
 *
 * Ownership: what is passed in is borrowed for the call. What a result shows (strings, slices) lives until
 * acd_result_free. Strings are UTF-8 and never NULL.
 *
 * Errors: 0 or a negative code of <anchord/status.h>, with a sentence in acd_err (may be NULL). ACD_EUNAVAIL:
 * no server listens there; ACD_ETIMEOUT: no answer within the timeout; ACD_EBUSY: overloaded,
 * err->retry_after_ms says when to come back. Times are Unix milliseconds. An error never means "trusted" or
 * "verified": fail closed.
 */
#ifndef ANCHORD_CLIENT_H
#define ANCHORD_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include <anchord/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct acd_client acd_client;
typedef struct acd_result acd_result;

/* Zeroed fields take their defaults; set struct_size to sizeof(acd_client_opts). */
typedef struct {
    uint32_t struct_size;
    uint32_t timeout_ms; /* of one call, retries included; default 10000 */
    uint32_t connect_ms; /* how long a call waits for a server to be there; default 1000 */
    uint32_t retries;    /* when the server is overloaded or goes away; default 4, ACD_NO_RETRIES for none */
    const char *authorization; /* "Bearer ..."; NULL: none, the server goes by the user of the local socket */
} acd_client_opts;

#define ACD_NO_RETRIES UINT32_MAX

/* url: "ipc:///run/anchord/anchord.sock", "tcp://127.0.0.1:7000". Does not wait for the server: the first
 * call does. opts may be NULL. */
int acd_client_open(const char *url, const acd_client_opts *opts, acd_client **ret_client, acd_err *err);
void acd_client_close(acd_client *client); /* NULL is fine */

void acd_result_free(acd_result *result); /* NULL is fine */
/* The state of the server's data that answered; the whole batch is answered at one revision. */
uint64_t acd_result_revision(const acd_result *result);
size_t acd_result_count(const acd_result *result); /* answers, in the order of the questions */

/* ---- which CAs may vouch for clients of these hosts? ---- */

enum acd_flags {
    ACD_TRUST_DIGESTS = 1, /* only the digest of each trust set */
    ACD_TRUST_DER = 2,     /* the certificates too */
    ACD_EXPLAIN = 4,       /* say why */
    ACD_VERIFY_FIELDS = 8, /* values of cf.tls_client_auth.* */
    ACD_VERIFY_DIGEST =
        16, /* send the digest of a chain first, and its bytes only when the server asks for them */
};

enum acd_match { ACD_MATCH_NONE = 0, ACD_MATCH_EXACT = 1, ACD_MATCH_WILDCARD = 2 };

typedef struct {
    const char *host;
    const uint8_t
        *unless_digest;  /* 32 bytes: answer `unchanged` while the trust set has this digest; NULL: none */
    const char *product; /* whose CAs count: NULL the shared pool of mTLS certificates, "access" Access CAs */
} acd_trust_question;

typedef struct {
    const char *host;    /* in normal form */
    const char *pattern; /* the association that matched, "" when none did */
    const char *zone_id;
    const char *error; /* the question could not be answered; "" when it was */
    acd_slice digest;  /* of the trust set */
    int match;         /* enum acd_match */
    int unchanged;     /* the set has the digest that was given, and is left out */
    size_t cas;        /* CAs in the set, best first */
    size_t reasons;    /* with ACD_EXPLAIN */
} acd_trust_answer;

/* What a CA does on a host. */
enum acd_ca_role {
    ACD_CA_DECIDES = 0,  /* may vouch for clients */
    ACD_CA_HELPS = 1,    /* completes paths */
    ACD_CA_OBSERVED = 2, /* what it says is reported, and decides nothing */
};

typedef struct {
    const char *id;      /* of the uploaded object */
    const char *subject; /* RFC 2253 */
    acd_slice sha256, der;
    int64_t not_before_ms, not_after_ms;
    uint32_t index;    /* certificate within the uploaded object */
    int profile;       /* enum acd_profile */
    int helper;        /* enum acd_ca_role; not 0: grants nothing, trust it for nothing */
    uint32_t priority; /* lower first; 0: none, behind those that have one */
} acd_trust_ca;

int acd_get_trust(acd_client *client, const acd_trust_question *questions, size_t n, unsigned flags,
                  acd_result **ret_result, acd_err *err);
/* ACD_ENOENT: there is no such answer, CA or reason. */
int acd_trust_get(const acd_result *result, size_t i, acd_trust_answer *ret_answer);
int acd_trust_get_ca(const acd_result *result, size_t i, size_t ca, acd_trust_ca *ret_ca);
int acd_trust_get_reason(const acd_result *result, size_t i, size_t reason, const char **ret_text);

/* ---- is this client's certificate verified for this host? ---- */

typedef struct {
    const char *host;
    const acd_slice *chain; /* DER, leaf first */
    size_t chain_len;
    const uint8_t
        *chain_digest;   /* 32 bytes in place of a chain; the verdict may be ACD_NEED_CERTIFICATE then */
    int64_t at_ms;       /* 0: now */
    const char *product; /* as in acd_trust_question */
} acd_verify_question;

typedef struct {
    int verdict;        /* enum acd_verified; only ACD_VERIFIED lets in */
    int depth;          /* of the certificate that failed, 0 is the leaf; -1: none in particular */
    int match;          /* enum acd_match */
    int revoked;        /* the chain is sound, and the certificate revoked */
    int cached;         /* answered from the verdict cache */
    const char *error;  /* stable code, "X509_V_ERR_CERT_HAS_EXPIRED"; "" when verified */
    const char *reason; /* a sentence */
    const char *ca_id;  /* the CA that vouched */
    const char *pattern;
    acd_slice ca_sha256, trust_digest;
    int64_t valid_until_ms; /* the verdict holds until then while the trust set keeps its digest */
    size_t fields, steps;
    /* What the CAs that are only observed on this host would have said. Nothing follows from it. */
    int observed;               /* one of them would have vouched */
    const char *observed_ca_id; /* which one; "" when none would have */
    const char *observed_error; /* stable code; "" when one would have vouched, or there are none */
} acd_verify_answer;

typedef struct {
    const char *check, *error, *text;
    int anchor; /* index into the trust set; -1: none in particular */
    int depth;
    int ok;
    int observed; /* a step towards what is observed, not towards the verdict */
} acd_verify_step;

int acd_verify_client(acd_client *client, const acd_verify_question *questions, size_t n, unsigned flags,
                      acd_result **ret_result, acd_err *err);
int acd_verify_get(const acd_result *result, size_t i, acd_verify_answer *ret_answer);
int acd_verify_get_field(const acd_result *result, size_t i, size_t field, const char **ret_name,
                         acd_slice *ret_value);
int acd_verify_get_step(const acd_result *result, size_t i, size_t step, acd_verify_step *ret_step);

#ifdef __cplusplus
}
#endif

#endif
