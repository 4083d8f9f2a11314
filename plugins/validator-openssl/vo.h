/*
 * validator-openssl, inside: limits, certificates as this plugin keeps them, faults.
 *
 * Who may include: files of this plugin only. Threading: a vo_cert is built by one thread and immutable
 * afterwards, so any number of threads may read it. Ownership: who calls vo_cert_new frees it with
 * vo_cert_free. Times are Unix seconds unless a name ends in _ms. Functions return 0 or a negative
 * acd_status, or a struct vo_fault whose error is NULL when nothing is wrong.
 */
#ifndef VO_VO_H
#define VO_VO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <anchord/plugin-validator.h>

#include "sdk/sdk.h"

/* Work limits: RFC 5280 is silent, an attacker is not. */
enum {
    VO_MAX_UPLOAD = 65536,         /* bytes of one upload */
    VO_MAX_UPLOAD_CERTS = 32,      /* certificates of one upload */
    VO_MAX_KEY_PEM = 16384,        /* bytes of an uploaded private key */
    VO_MAX_CERT = 16384,           /* bytes of one certificate */
    VO_MAX_CSR = 16384,            /* bytes of one certificate signing request */
    VO_MAX_SUBJECT = 4096,         /* bytes of a subject that is signed, as text */
    VO_MAX_UNTRUSTED = 16,         /* intermediates of one question */
    VO_MAX_CHAIN_BYTES = 65536,    /* bytes of leaf and intermediates of one question */
    VO_MAX_EXTENSIONS = 64,        /* extensions of one certificate */
    VO_MAX_NAMES = 256,            /* subject alternative names of one certificate */
    VO_MAX_SUBTREES = 1024,        /* name constraints of one certificate */
    VO_MAX_SERIAL = 20,            /* octets of a serial number, RFC 5280 section 4.1.2.2 */
    VO_MAX_HOST = 253,             /* octets of a host name */
    VO_MAX_LABEL = 63,             /* octets of a label of it */
    VO_MAX_EMAIL = 320,            /* octets of a mailbox */
    VO_MAX_CANDIDATES = 64,        /* complete chains looked at for one question */
    VO_MAX_SIGNATURES = 64,        /* signatures checked for one question */
    VO_MAX_STEPS = 4096,           /* issuers tried for one question */
    VO_DEPTH_DEFAULT = 8,          /* intermediates that are not self-issued */
    VO_MAX_SELF_ISSUED = 4,        /* self-issued intermediates on top of those */
    VO_MAX_NAME_WORK = 1 << 20,    /* names times constraints of one question */
    VO_MAX_PATH = 24,              /* certificates of a path, leaf and anchor included */
    VO_MAX_ANCHORS = 4096,         /* anchors of a bundle */
    VO_MAX_HELPERS = 4096,         /* helpers of a bundle */
    VO_MAX_CRLS = 1024,            /* CRLs of a bundle */
    VO_MAX_CRL = 64 * 1024 * 1024, /* bytes of one CRL */
    VO_RSA_BITS_MIN = 2048,
    VO_RSA_BITS_MAX = 8192,
    VO_RSA_EXPONENT_BITS = 32,
};

/* What is wrong: the stable name of an error, and a sentence. Both live for ever. */
struct vo_fault {
    const char *error, *text;
};
#define VO_FINE        ((struct vo_fault){NULL, NULL})
#define VO_FAULT(e, t) ((struct vo_fault){(e), (t)})

enum vo_key_kind { VO_KEY_OTHER = 0, VO_KEY_RSA, VO_KEY_EC, VO_KEY_ED25519 };

struct vo_key {
    enum vo_key_kind kind;
    uint32_t bits;
    const char *type;      /* as in acd_certinfo.key_type */
    struct vo_fault fault; /* outside of what is allowed anywhere in a chain */
};

/* Signatures by what they are good for. */
enum vo_sig {
    VO_SIG_REFUSED = 0,
    VO_SIG_SHA1, /* as an anchor's own signature only */
    VO_SIG_SHA2, /* RSA PKCS#1 v1.5 or ECDSA with SHA-256, 384 or 512 */
    VO_SIG_PSS,  /* RSASSA-PSS with one SHA-2 digest throughout: in chains, not in uploads */
};

struct vo_cert {
    X509 *x;
    uint8_t sha256[32];
    unsigned long subject_hash, issuer_hash;
    int64_t not_before, not_after;
    uint32_t flags; /* EXFLAG_* */
    bool ca;        /* CA by basic constraints, and key usage (if any) lets it sign certificates */
    struct vo_key key;
    enum vo_sig sig;
    GENERAL_NAMES *san;     /* NULL: none */
    NAME_CONSTRAINTS *nc;   /* NULL: none */
    size_t nsubtrees;       /* of nc */
    struct vo_fault fault;  /* rules it out under any profile */
    struct vo_fault strict; /* rules it out under profile strict only */
};

/* cert.c: one certificate from DER. ACD_EINVAL: not a certificate; *ret_why says why. */
int vo_cert_new(acd_slice der, struct vo_cert **ret, struct vo_fault *ret_why);
void vo_cert_free(struct vo_cert *c);
bool vo_cert_same(const struct vo_cert *a, const struct vo_cert *b);
bool vo_cert_self_issued(const struct vo_cert *c);
/* Names and key identifiers fit, so that `issuer` may have signed `c` (RFC 5280 sections 4.2.1.1, 6.1.3 a 4).
 */
bool vo_cert_may_issue(const struct vo_cert *issuer, const struct vo_cert *c);
/* For anchors, profile strict: a self-signed certificate whose authority key identifier names another. May
 * check one signature. */
struct vo_fault vo_cert_self_aki_fault(const struct vo_cert *c);
/* Same subject and same public key: one CA, however often it is certified. */
bool vo_cert_same_entity(const struct vo_cert *a, const struct vo_cert *b);
/* The time of an ASN1_TIME in the form that RFC 5280 section 4.1.2.5 allows. False: another form. */
bool vo_time(const ASN1_TIME *t, int64_t *ret);

/* key.c */
void vo_key_read(const X509_PUBKEY *pub, struct vo_key *ret);
enum vo_sig vo_sig_kind(const X509 *x);
enum vo_sig vo_sig_kind_nid(int nid);
/* "SHA256WithRSA", or the library's name for what is not in the list. */
const char *vo_sig_name(const X509 *x);

/* ext.c: the walk over all extensions. slow: also read again what OpenSSL reads by itself. */
struct vo_fault vo_ext_fault(X509 *x, bool slow);
struct vo_fault vo_ext_strict_fault(X509 *x);

/* reason.c */
const char *vo_error_name(int x509_v_err);

/* util.c */
void vo_sha256(const void *p, size_t len, uint8_t out[32]);
void vo_hex_upper(const uint8_t *p, size_t len, char *out);

#endif
