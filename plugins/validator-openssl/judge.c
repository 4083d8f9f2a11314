/* One certificate of an upload against RFC 5280 and the algorithm list, every finding at once. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "inspect.h"
#include "names.h"

#define ERR_AT(code, ...)  vo_find(l, ACD_SEV_ERROR, index, (code), __VA_ARGS__)
#define WARN_AT(code, ...) vo_find(l, ACD_SEV_WARNING, index, (code), __VA_ARGS__)

static void
judge_form(struct vo_look *l, int32_t index, struct vo_cert *c)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(c->x);
    if (X509_get_version(c->x) != X509_VERSION_3)
        ERR_AT("cert.version", "The certificate has version %ld: X.509 version 3 is needed.",
               X509_get_version(c->x) + 1);
    if (ASN1_STRING_length(serial) > VO_MAX_SERIAL)
        ERR_AT("cert.serial_long", "The serial number is longer than 20 octets.");
    else if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER)
        WARN_AT("cert.serial_negative", "The serial number is negative, which RFC 5280 does not allow.");
    else if (ASN1_INTEGER_get(serial) == 0)
        WARN_AT("cert.serial_zero", "The serial number is zero, which RFC 5280 does not allow.");
    if (X509_NAME_entry_count(X509_get_issuer_name(c->x)) == 0)
        ERR_AT("cert.issuer_empty", "The issuer name is empty.");
    if (X509_NAME_entry_count(X509_get_subject_name(c->x)) == 0 && ((c->flags & EXFLAG_CA) || !c->san))
        ERR_AT("cert.subject_empty", "The subject name is empty.");
}

static void
judge_dates(struct vo_look *l, int32_t index, const struct vo_cert *c)
{
    int64_t from, until, at = l->req->at_ms / 1000;
    if (!vo_time(X509_get0_notBefore(c->x), &from) || !vo_time(X509_get0_notAfter(c->x), &until)) {
        ERR_AT("cert.dates_unreadable", "The validity dates are not in the form that RFC 5280 demands.");
        return;
    }
    if (until < from)
        ERR_AT("cert.dates_swapped", "The certificate ends before it begins.");
    else if (at > until)
        ERR_AT("cert.expired", "The certificate has expired: upload its successor.");
    else if (at < from)
        WARN_AT("cert.not_yet_valid",
                "The certificate is not yet valid: nothing verifies with it until then.");
}

static void
judge_extensions(struct vo_look *l, int32_t index, struct vo_cert *c)
{
    static const struct {
        const char *error, *code;
    } codes[] = {
        {"ACD_V_ERR_DUPLICATE_EXTENSION", "cert.ext_duplicate"},
        {"ACD_V_ERR_TOO_MANY_EXTENSIONS", "cert.ext_many"},
        {"X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION", "cert.ext_critical_unknown"},
        {"X509_V_ERR_INVALID_EXTENSION", "cert.ext_unreadable"},
    };
    struct vo_fault f = vo_ext_fault(c->x, true);
    for (size_t i = 0; f.error && i < sizeof(codes) / sizeof(codes[0]); i++)
        if (strcmp(f.error, codes[i].error) == 0)
            ERR_AT(codes[i].code, "Extensions: %s.", f.text);
    f = vo_ext_strict_fault(c->x);
    if (f.error && strcmp(f.error, "ACD_V_ERR_EXTENSION_NOT_CRITICAL") == 0)
        WARN_AT("ca.policy_not_critical",
                "Policy constraints are not critical: profile strict refuses this CA's chains.");
    size_t n = 0;
    if (c->nc && (f = vo_nc_fault(c->nc, &n)).error)
        ERR_AT("cert.constraints_invalid", "Name constraints: %s.", f.text);
    if (c->nc && !(c->flags & EXFLAG_CA))
        ERR_AT("leaf.constraints", "Name constraints are for CA certificates only.");
    if (c->san && sk_GENERAL_NAME_num(c->san) > VO_MAX_NAMES)
        ERR_AT("cert.names_many", "The certificate has more than %d alternative names.", VO_MAX_NAMES);
}

static bool
is_critical(X509 *x, int nid)
{
    int at = X509_get_ext_by_NID(x, nid, -1);
    return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(x, at));
}

static void
judge_ca(struct vo_look *l, int32_t index, struct vo_cert *c)
{
    if (!(c->flags & EXFLAG_CA)) {
        ERR_AT("ca.not_ca", "The certificate is not a CA: basic constraints with CA:TRUE are needed.");
        return;
    }
    if (!c->ca)
        ERR_AT("ca.key_usage", "The key usage does not allow this CA to sign certificates (keyCertSign).");
    if (!(c->flags & EXFLAG_KUSAGE))
        WARN_AT("ca.no_key_usage",
                "Key usage is absent: profile strict refuses this CA's chains, compat does not.");
    if (!X509_get0_subject_key_id(c->x))
        WARN_AT("ca.no_ski", "The subject key identifier is absent: profile strict refuses this CA's chains, "
                             "compat does not.");
    if (!is_critical(c->x, NID_basic_constraints))
        WARN_AT(
            "ca.bc_not_critical",
            "Basic constraints are not critical: profile strict refuses this CA's chains, compat does not.");
    if (is_critical(c->x, NID_subject_key_identifier) || is_critical(c->x, NID_authority_key_identifier))
        WARN_AT("ca.key_id_critical",
                "A key identifier is critical: profile strict refuses this CA's chains, compat does not.");
    if (!(c->flags & EXFLAG_SI) && !X509_get0_authority_key_id(c->x))
        WARN_AT("ca.no_aki", "The authority key identifier is absent, which makes paths harder to find.");
    if (!c->key.fault.error && vo_cert_self_aki_fault(c).error)
        WARN_AT("ca.aki_wrong", "The authority key identifier of this root does not name itself: profile "
                                "strict refuses its chains.");
}

static void
judge_key(struct vo_look *l, int32_t index, const struct vo_cert *c)
{
    static const struct {
        const char *error, *code;
    } codes[] = {
        {"X509_V_ERR_EE_KEY_TOO_SMALL", "cert.key_size"},
        {"ACD_V_ERR_KEY_TOO_LARGE", "cert.key_size"},
        {"ACD_V_ERR_KEY_EXPONENT", "cert.key_exponent"},
        {"ACD_V_ERR_KEY_MODULUS", "cert.key_modulus"},
        {"ACD_V_ERR_KEY_CURVE", "cert.key_curve"},
        {"ACD_V_ERR_KEY_TYPE", "cert.key_type"},
        {"X509_V_ERR_EC_KEY_EXPLICIT_PARAMS", "cert.key_explicit"},
        {"ACD_V_ERR_KEY_UNREADABLE", "cert.key_unreadable"},
    };
    for (size_t i = 0; c->key.fault.error && i < sizeof(codes) / sizeof(codes[0]); i++)
        if (strcmp(c->key.fault.error, codes[i].error) == 0)
            ERR_AT(codes[i].code, "Public key (%s, %u bits): %s.", c->key.type, (unsigned)c->key.bits,
                   c->key.fault.text);
    if (c->key.kind == VO_KEY_ED25519)
        ERR_AT("cert.key_type", "Ed25519 keys cannot be uploaded: use RSA or EC.");
}

static void
judge_signature(struct vo_look *l, int32_t index, const struct vo_cert *c, bool self_signed)
{
    const X509_ALGOR *outer;
    X509_get0_signature(NULL, &outer, c->x);
    if (c->sig != VO_SIG_SHA1 && c->sig != VO_SIG_SHA2)
        ERR_AT("cert.sig_algorithm",
               "The signature algorithm %s is not accepted: RSA or ECDSA with SHA-1, SHA-256, SHA-384 or "
               "SHA-512 are.",
               vo_sig_name(c->x));
    if (X509_ALGOR_cmp(outer, X509_get0_tbs_sigalg(c->x)) != 0)
        ERR_AT("cert.sig_mismatch", "The certificate names two different signature algorithms.");
    else if ((c->flags & EXFLAG_SI) && !self_signed && !c->key.fault.error && (c->flags & EXFLAG_SS))
        ERR_AT("ca.self_signature",
               "The certificate names itself as issuer, but its signature is not by its own key.");
}

void
vo_judge(struct vo_look *l, int32_t index, struct vo_cert *c, bool must_be_ca, bool self_signed)
{
    judge_form(l, index, c);
    judge_dates(l, index, c);
    judge_extensions(l, index, c);
    if (must_be_ca)
        judge_ca(l, index, c);
    judge_key(l, index, c);
    judge_signature(l, index, c, self_signed);
}
