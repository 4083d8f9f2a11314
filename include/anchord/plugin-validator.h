/*
 * Validator plugins: everything that reads certificates, keys and CRLs.
 *
 * Two jobs. `inspect` checks an upload: strict, slow is fine, every finding at once. `verify` checks a peer's
 * chain against a compiled set of CAs: bounded, never a false accept. A third one is optional: to make a CA
 * and to sign with it. Time is always an input (Unix ms); the plugin reads no clock. All inputs may be
 * hostile.
 */
#ifndef ANCHORD_PLUGIN_VALIDATOR_H
#define ANCHORD_PLUGIN_VALIDATOR_H

#include <anchord/plugin.h>

/* caps: verify does no I/O, shares no lock between bundles and is bounded in time. */
#define ACD_VERIFY_BOUNDED (1ull << 0)

/* --- inspect ------------------------------------------------------------------------------------------- */

/* What the upload is meant to be; decides which checks apply. */
enum acd_role {
    ACD_ROLE_CA = 1,          /* every certificate must be a CA (an anchor or a helper) */
    ACD_ROLE_LEAF = 2,        /* leaf first, then its chain; a private key belongs to the leaf */
    ACD_ROLE_ORIGIN_ROOT = 3, /* exactly one self-signed CA */
    ACD_ROLE_CHAIN = 4,       /* a peer's chain as met in a question: parsed, not judged */
};

typedef struct {
    uint32_t struct_size;
    uint32_t role;
    acd_slice text; /* PEM, or one certificate in DER */
    acd_slice key;  /* PEM private key or {NULL, 0}; never copied into a finding or an error */
    int64_t at_ms;  /* the time that "expired" is judged at */
} acd_inspect;

/* One certificate, in the order of the text. Slices live for the callback. */
typedef struct {
    uint32_t struct_size;
    uint32_t index;
    uint8_t sha256[32], spki_sha256[32],
        name_sha256[32]; /* of DER, of SubjectPublicKeyInfo, of the subject's DER */
    int64_t not_before_ms, not_after_ms;
    uint32_t version;            /* 3 for X.509 v3 */
    uint32_t is_ca, self_signed; /* self_signed: names equal and the signature verified */
    int32_t path_len;            /* -1: no limit given */
    uint32_t key_bits;
    const char *key_type;      /* "RSA", "P-256", "P-384", "P-521", "Ed25519" or the library's name */
    const char *signature;     /* "SHA256WithRSA", "ECDSAWithSHA384", ... or the library's name */
    acd_slice subject, issuer; /* RFC 2253 text */
    acd_slice serial_hex, serial_dec;
    acd_slice ski_hex, aki_hex; /* empty when absent */
    acd_slice der;
} acd_certinfo;

/* A finding: code is stable and dotted ("ca.not_ca"), index -1 means the upload as a whole, text is a
 * sentence a person can act on. Findings never hold key material. */
typedef struct {
    uint32_t struct_size;
    uint32_t severity;
    int32_t index;
    const char *code;
    acd_slice text;
} acd_finding;

/* One revocation list. Slices live for the callback. */
typedef struct {
    uint32_t struct_size;
    uint32_t delta;                         /* 1: a delta CRL */
    uint32_t revoked;                       /* entries */
    int64_t this_update_ms, next_update_ms; /* next_update_ms 0: none given */
    uint8_t sha256[32];                     /* of DER */
    acd_slice issuer;                       /* RFC 2253 text */
    acd_slice number_dec, base_dec;         /* empty when absent */
    acd_slice der;
    uint32_t ca; /* whose list it is: 0 acd_inspect_crl.ca, n the n-th of its cas */
} acd_crlinfo;

/* One entry of a list. */
typedef struct {
    uint32_t struct_size;
    uint32_t reason;   /* RFC 5280 section 5.3.1; 0: none given; 8, removeFromCRL, in a delta only */
    int64_t revoked_s; /* revocation date, Unix seconds */
    acd_slice serial;  /* contents octets of the DER INTEGER; lives for the callback */
} acd_crl_entry;
typedef int (*acd_crl_entry_fn)(void *ctx, const acd_crl_entry *);

/* What an uploaded list is checked against. */
typedef struct {
    uint32_t struct_size;
    acd_slice text; /* DER or one PEM block X509 CRL */
    acd_slice ca;   /* DER of the CA that it is uploaded for */
    int64_t at_ms;
    const acd_slice
        *cas; /* further certificates of that CA; the list is the first one's whose name and key it has */
    size_t ncas;
    acd_crl_entry_fn entry; /* NULL: entries are only counted. Called before the findings are complete: what
                               it was told counts only when none of them is an error */
} acd_inspect_crl;

typedef int (*acd_crl_fn)(void *ctx, const acd_crlinfo *);
typedef int (*acd_cert_fn)(void *ctx, const acd_certinfo *);
typedef int (*acd_finding_fn)(void *ctx, const acd_finding *);

/* --- verify -------------------------------------------------------------------------------------------- */

typedef struct acd_bundle acd_bundle; /* a compiled set of CAs; immutable, any thread */

typedef struct {
    uint32_t struct_size;
    uint32_t profile; /* acd_profile */
    acd_slice der;
} acd_anchor;

typedef struct {
    uint32_t struct_size;
    const acd_anchor
        *anchors; /* in order of priority; only certificates that passed inspect as ACD_ROLE_CA */
    size_t nanchors;
    const acd_slice *helpers; /* DER of intermediates that complete a path and grant nothing */
    size_t nhelpers;
    const acd_slice *crls; /* DER or PEM */
    size_t ncrls;
} acd_bundle_spec;

/* One step of the derivation of a verdict, for explain. anchor: number in the bundle or -1. */
typedef struct {
    uint32_t struct_size;
    int32_t anchor, depth;
    const char
        *check; /* "parse", "path", "signature", "time", "purpose", "name", "constraints", "key", "crl" */
    uint32_t ok;
    const char *error; /* name of the error, NULL when ok */
    acd_slice text;
} acd_step;
typedef int (*acd_step_fn)(void *ctx, const acd_step *);

/* What the host knows about one certificate of a path: it keeps revocation lists in a form of its own. */
enum acd_revocation_state {
    ACD_REVOCATION_NONE = 0,    /* nothing is said about this CA's certificates */
    ACD_REVOCATION_GOOD = 1,    /* a list in date does not name it */
    ACD_REVOCATION_REVOKED = 2, /* a list of the CA names it, whatever the list's date */
    ACD_REVOCATION_UNKNOWN = 3, /* there is no list in date, and there must be one: nothing is verified */
    ACD_REVOCATION_NOTED = 4,   /* there is no list in date, which is worth a step of the explanation */
};

typedef struct {
    uint32_t struct_size;
    uint32_t state;            /* enum acd_revocation_state */
    int64_t from_ms, until_ms; /* it is so for times in [from, until] */
    int64_t revoked_ms;        /* REVOKED: the revocation date */
    uint32_t reason;           /* REVOKED: RFC 5280 section 5.3.1, 0 when none was given */
    const char *error;         /* UNKNOWN: name of the error, lives for ever */
    const char *text;          /* a sentence for all states but NONE; lives until the next call */
} acd_revocation;

/* The certificate with this serial number (contents octets of the DER INTEGER), issued by the CA with this
 * number in the bundle: anchors first, then helpers. Called by the thread that verifies, for every issuer on
 * a path that is good otherwise, once per CA of the bundle with the issuer's name and key. Negative: no
 * verdict can be reached. */
typedef int (*acd_revocation_fn)(void *ctx, uint32_t ca, acd_slice serial, int64_t at_ms,
                                 acd_revocation *ret);

typedef struct {
    uint32_t struct_size;
    acd_slice leaf;         /* DER */
    const acd_slice *inter; /* DER, as the peer sent them, any order */
    size_t ninter;
    int64_t at_ms;
    uint32_t purpose;  /* acd_purpose */
    int32_t max_depth; /* intermediates that are not self-issued; < 0: the default, 8 */
    acd_slice host, ip,
        email;        /* at most one may be given: DNS name, textual address, mailbox; {NULL, 0} otherwise */
    acd_step_fn step; /* NULL: no explanation */
    void *step_ctx;
    acd_revocation_fn revocation; /* NULL: the lists of the bundle are all there are */
    void *revocation_ctx;
} acd_verify;

typedef struct {
    uint32_t struct_size;
    uint32_t result; /* ACD_VERIFIED or ACD_NOT_VERIFIED of enum acd_verified */
    int32_t depth;   /* of the certificate that failed, 0 is the leaf; -1: none in particular */
    int32_t anchor;  /* which anchor vouched, number in the bundle; -1 when not verified */
    uint32_t flags;  /* ACD_VERDICT_* */
    int64_t valid_from_ms, valid_until_ms; /* the verdict holds for times in [from, until]; see the flags */
    char error[56]; /* "X509_V_ERR_CERT_HAS_EXPIRED", "ACD_V_ERR_..." for own refusals, "" when verified */
    char text[184]; /* one sentence */
    int64_t revoked_ms;      /* ACD_VERDICT_REVOKED: the revocation date, 0 when it is not known */
    uint32_t revoked_reason; /* and the reason, RFC 5280 section 5.3.1; 0: none given */
} acd_verdict;

#define ACD_VERDICT_REVOKED (1u << 0) /* the chain is good but a certificate in it is revoked */
#define ACD_VERDICT_LIMIT   (1u << 1) /* a work limit was hit: do not keep this verdict for long */

/* cf.tls_client_auth.* and other facts of a presented chain, name by name; value lives for the callback. */
typedef int (*acd_field_fn)(void *ctx, const char *name, acd_slice value);

/* --- sign (optional) ----------------------------------------------------------------------------------- */

enum acd_key_kind { ACD_KEY_P256 = 1, ACD_KEY_RSA2048 = 2, ACD_KEY_RSA4096 = 3 };

/* A private key: PKCS#8 in DER (RFC 5958), unencrypted. It lives for the callback and is wiped behind it. */
typedef int (*acd_key_fn)(void *ctx, acd_slice key);

/* A self-signed CA certificate (RFC 5280 section 4): CA:TRUE with path length 0, keyCertSign and cRLSign, a
 * subject key identifier, a random serial number, SHA-256. */
typedef struct {
    uint32_t struct_size;
    acd_slice key;                       /* as acd_key_fn gives it */
    acd_slice common_name, organization; /* UTF-8, at most 64 characters each (RFC 5280 appendix A.1) */
    int64_t not_before_ms, not_after_ms; /* whole seconds count */
} acd_make_ca;

/* What would be signed of a certificate signing request (RFC 2986): its key; of its subject the common name,
 * organization, unit, country, state and locality; of its alternative names DNS names, mailboxes, URIs and
 * addresses. Everything else that it asks for is left out, with a warning. Texts are UTF-8, the first of each
 * kind, empty when absent. Slices live for the callback. */
typedef struct {
    uint32_t struct_size;
    uint32_t key_bits;
    const char *key_type; /* as in acd_certinfo */
    uint8_t spki_sha256[32];
    acd_slice subject; /* RFC 2253 text */
    acd_slice common_name, organization, organizational_unit, country, state, locality;
} acd_csrinfo;
typedef int (*acd_csr_fn)(void *ctx, const acd_csrinfo *);

/* A client certificate for a request: CA:FALSE, digitalSignature, clientAuth, key identifiers, a random
 * serial number of 130 bits, SHA-256 (RFC 5280 section 4). */
typedef struct {
    uint32_t struct_size;
    acd_slice csr;                       /* PEM, or DER */
    acd_slice ca, key;                   /* DER of the issuer's certificate; its private key */
    int64_t not_before_ms, not_after_ms; /* whole seconds count; they must lie within the CA's */
} acd_sign;

typedef struct {
    uint32_t struct_size;
    /* Returns 0 whatever was found; a negative status only when the job itself could not be done. */
    int (*inspect)(void *inst, const acd_inspect *, acd_cert_fn, acd_finding_fn, void *ctx, acd_err *);
    int (*bundle_build)(void *inst, const acd_bundle_spec *, acd_bundle **ret, acd_err *);
    void (*bundle_free)(acd_bundle *);
    /* 0 with *ret filled, or a negative status when no verdict could be reached (which is never "verified").
     */
    int (*verify)(const acd_bundle *, const acd_verify *, const acd_call *, acd_verdict *ret, acd_err *);
    /* Facts of the leaf, with the chain's first issuer where it is found among inter. ACD_EINVAL: unreadable
     * leaf. */
    int (*describe)(void *inst, acd_slice leaf, const acd_slice *inter, size_t ninter, acd_field_fn,
                    void *ctx, acd_err *);
    /* Upload check of one CRL: issuer, signature, dates, contents. Like inspect: 0 whatever was found.
     * Entries are read one by one: memory does not grow with their number, but for the order in which
     * duplicates are looked for. A list that speaks for a part of what the CA issues is an error (crl.scope).
     */
    int (*inspect_crl)(void *inst, const acd_inspect_crl *, acd_crl_fn, acd_finding_fn, void *ctx, acd_err *);
    /* Optional from here on: all four or none, ask ACD_HAS and for NULL. Key material goes into no finding
     * and no error. A fresh key of a kind: */
    int (*key_make)(void *inst, uint32_t kind, acd_key_fn, void *ctx, acd_err *);
    /* The certificate of a new CA. ACD_EINVAL: unreadable key, names or dates that do not fit. */
    int (*ca_make)(void *inst, const acd_make_ca *, acd_cert_fn, void *ctx, acd_err *);
    /* The check of a request: its own signature, its key, what is left out. Like inspect: 0 whatever was
     * found; the facts come only when there is no error among the findings. */
    int (*inspect_csr)(void *inst, acd_slice csr, acd_csr_fn, acd_finding_fn, void *ctx, acd_err *);
    /* ACD_EINVAL: a request with errors, a key that is not the CA's, dates outside of the CA's. */
    int (*client_sign)(void *inst, const acd_sign *, acd_cert_fn, void *ctx, acd_err *);
} acd_validator_ops;

#endif
