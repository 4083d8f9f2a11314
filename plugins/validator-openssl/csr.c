/*
 * Certificate signing requests (RFC 2986). A request is a wish list of a stranger: its signature must prove
 * that he has the key, and of what he asks for only that is taken which can do no harm.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "names.h"
#include "pem.h"
#include "sign.h"

/* --- reading ----------------------------------------------------------------------------------------------
 */

static X509_REQ *
from_der(struct vo_look *l, acd_slice der)
{
    const unsigned char *p = der.ptr;
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.len);
    if (req && p == (const unsigned char *)der.ptr + der.len)
        return req;
    X509_REQ_free(req);
    vo_find(l, ACD_SEV_ERROR, -1, "csr.unreadable",
            "This is not one certificate signing request (PKCS#10) in DER, or something follows it.");
    return NULL;
}

static bool
is_request(acd_slice label)
{
    return sdk_slice_is(label, "CERTIFICATE REQUEST") || sdk_slice_is(label, "NEW CERTIFICATE REQUEST");
}

static X509_REQ *
from_pem(struct vo_look *l, acd_slice text)
{
    struct vo_pem pem;
    struct vo_block b, more;
    X509_REQ *req = NULL;
    vo_pem_init(&pem, text);
    if (!vo_pem_next(&pem, &b)) {
        vo_find(
            l, ACD_SEV_ERROR, -1, "csr.not_pem",
            "No request was found: send PEM with -----BEGIN CERTIFICATE REQUEST----- on a line of its own.");
        return NULL;
    }
    if (b.code)
        vo_find(l, ACD_SEV_ERROR, -1, b.code, "%s", b.text);
    else if (!is_request(b.label))
        vo_find(l, ACD_SEV_ERROR, -1, "pem.label", "The block is not labelled CERTIFICATE REQUEST.");
    else
        req = from_der(l, (acd_slice){b.der, b.len});
    vo_block_done(&b);
    if (vo_pem_next(&pem, &more)) {
        vo_find(l, ACD_SEV_ERROR, -1, "csr.count", "Send exactly one request.");
        vo_block_done(&more);
        X509_REQ_free(req);
        return NULL;
    }
    return req;
}

static X509_REQ *
read_request(struct vo_look *l, acd_slice text)
{
    const char *why = NULL, *code;
    if (vo_pem_has_key(text)) {
        vo_find(l, ACD_SEV_ERROR, -1, "csr.private_key",
                "The text contains a private key and was refused whole: send the request alone.");
        return NULL;
    }
    if (text.len > VO_MAX_CSR) {
        vo_find(l, ACD_SEV_ERROR, -1, "csr.too_large", "The request is larger than 16 KiB.");
        return NULL;
    }
    if (text.len && !vo_pem_is_text(text))
        return from_der(l, text);
    code = vo_pem_check(text, VO_MAX_CSR, &why);
    if (code) {
        vo_find(l, ACD_SEV_ERROR, -1, code, "%s", why);
        return NULL;
    }
    return from_pem(l, text);
}

/* --- what is taken ----------------------------------------------------------------------------------------
 */

static const int kept_names[] = {NID_commonName,  NID_organizationName,    NID_organizationalUnitName,
                                 NID_countryName, NID_stateOrProvinceName, NID_localityName};
enum { KEPT_NAMES = sizeof(kept_names) / sizeof(kept_names[0]) };

static bool
is_kept(int nid)
{
    for (size_t i = 0; i < KEPT_NAMES; i++)
        if (kept_names[i] == nid)
            return true;
    return false;
}

static bool
is_plain(const unsigned char *s, int len)
{
    for (int i = 0; i < len; i++)
        if (s[i] < 0x20 || s[i] == 0x7f || (s[i] == 0xc2 && i + 1 < len && s[i + 1] < 0xa0))
            return false;
    return len > 0;
}

/* The library bounds the length of each (RFC 5280 appendix A.1) and picks the string type. */
static bool
keep_name(X509_NAME *to, const X509_NAME_ENTRY *e, int nid)
{
    unsigned char *utf8 = NULL;
    int len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e));
    bool fine = len > 0 && is_plain(utf8, len) &&
                X509_NAME_add_entry_by_NID(to, nid, MBSTRING_UTF8, utf8, len, -1, 0) == 1;
    OPENSSL_free(utf8);
    return fine;
}

static bool
take_subject(struct vo_look *l, struct vo_csr *c)
{
    const X509_NAME *asked = X509_REQ_get_subject_name(c->req);
    int dropped = 0;
    c->subject = X509_NAME_new();
    for (int i = 0; c->subject && i < X509_NAME_entry_count(asked); i++) {
        const X509_NAME_ENTRY *e = X509_NAME_get_entry(asked, i);
        int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(e));
        if (!is_kept(nid)) {
            dropped++;
            continue;
        }
        if (!keep_name(c->subject, e, nid)) {
            vo_find(l, ACD_SEV_ERROR, -1, "csr.subject",
                    "The subject's %s is empty, too long, or no plain text.", OBJ_nid2ln(nid));
            return false;
        }
    }
    char *text = c->subject ? vo_name_text(c->subject) : NULL;
    bool fits = text && strlen(text) <= VO_MAX_SUBJECT;
    OPENSSL_free(text);
    if (!fits) {
        vo_find(l, ACD_SEV_ERROR, -1, "csr.subject", "The subject takes more than 4096 bytes as text.");
        return false;
    }
    if (dropped)
        vo_find(
            l, ACD_SEV_WARNING, -1, "csr.subject_left_out",
            "%d attributes of the subject are left out: common name, organization, unit, country, state and "
            "locality are kept.",
            dropped);
    return true;
}

static bool
add_name(GENERAL_NAMES **to, const GENERAL_NAME *name)
{
    GENERAL_NAME *copy = GENERAL_NAME_dup(name);
    if (!*to)
        *to = sk_GENERAL_NAME_new_null();
    if (copy && *to && sk_GENERAL_NAME_push(*to, copy) > 0)
        return true;
    GENERAL_NAME_free(copy);
    return false;
}

/* False: out of memory. */
static bool
filter_names(const GENERAL_NAMES *asked, struct vo_csr *c, int *ret_dropped)
{
    for (int i = 0; i < sk_GENERAL_NAME_num(asked); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(asked, i);
        if (n->type != GEN_DNS && n->type != GEN_EMAIL && n->type != GEN_URI && n->type != GEN_IPADD)
            ++*ret_dropped;
        else if (!add_name(&c->san, n))
            return false;
    }
    return true;
}

static bool
check_names(struct vo_look *l, const struct vo_csr *c, int dropped)
{
    struct vo_fault f = c->san ? vo_san_fault(c->san) : VO_FINE;
    if (c->san && sk_GENERAL_NAME_num(c->san) > VO_MAX_NAMES)
        f = VO_FAULT("ACD_V_ERR_TOO_MANY_NAMES", "there are more than 256 of them");
    if (f.error)
        vo_find(l, ACD_SEV_ERROR, -1, "csr.names", "The subject alternative names cannot be signed: %s.",
                f.text);
    if (dropped)
        vo_find(
            l, ACD_SEV_WARNING, -1, "csr.names_left_out",
            "%d subject alternative names are left out: DNS names, mailboxes, URIs and addresses are kept.",
            dropped);
    return !f.error;
}

static bool
take_names(struct vo_look *l, struct vo_csr *c)
{
    STACK_OF(X509_EXTENSION) *exts = X509_REQ_get_extensions(c->req);
    int crit = -1, dropped = 0, others = sk_X509_EXTENSION_num(exts);
    GENERAL_NAMES *asked = X509V3_get_d2i(exts, NID_subject_alt_name, &crit, NULL);
    bool broken = !asked && crit != -1;
    bool kept = broken || filter_names(asked, c, &dropped);
    GENERAL_NAMES_free(asked);
    sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
    if (broken || !kept) {
        vo_find(l, ACD_SEV_ERROR, -1, "csr.names",
                broken ? "The subject alternative names cannot be read." : "Out of memory.");
        return false;
    }
    others -= crit >= 0;
    if (others > 0)
        vo_find(l, ACD_SEV_WARNING, -1, "csr.extensions_left_out",
                "%d extensions that the request asks for are left out: what a client certificate has is set "
                "here.",
                others);
    return check_names(l, c, dropped);
}

/* --- checks -----------------------------------------------------------------------------------------------
 */

static bool
check_key(struct vo_look *l, struct vo_csr *c)
{
    vo_key_read(X509_REQ_get_X509_PUBKEY(c->req), &c->key);
    if (c->key.fault.error) {
        vo_find(l, ACD_SEV_ERROR, -1, "csr.key", "The key of the request is refused: %s.", c->key.fault.text);
        return false;
    }
    int nid = X509_REQ_get_signature_nid(c->req);
    if (vo_sig_kind_nid(nid) != VO_SIG_SHA2 && nid != NID_ED25519 && nid != NID_rsassaPss) {
        vo_find(l, ACD_SEV_ERROR, -1, "csr.signature_algorithm",
                "The request is signed with %s: use SHA-256 or better.",
                nid == NID_undef ? "an unknown algorithm" : OBJ_nid2ln(nid));
        return false;
    }
    if (X509_REQ_verify(c->req, X509_REQ_get0_pubkey(c->req)) == 1)
        return true;
    vo_find(l, ACD_SEV_ERROR, -1, "csr.signature",
            "The signature of the request is wrong: it was changed, or its sender does not have the key.");
    return false;
}

static bool
check_identity(struct vo_look *l, const struct vo_csr *c)
{
    if (X509_NAME_entry_count(c->subject) > 0 || c->san)
        return true;
    vo_find(l, ACD_SEV_ERROR, -1, "csr.nameless",
            "The request names nobody: give it a subject or a subject alternative name.");
    return false;
}

void
vo_csr_done(struct vo_csr *c)
{
    X509_REQ_free(c->req);
    X509_NAME_free(c->subject);
    GENERAL_NAMES_free(c->san);
    *c = (struct vo_csr){0};
}

bool
vo_csr_read(struct vo_look *l, acd_slice text, struct vo_csr *ret)
{
    *ret = (struct vo_csr){.req = read_request(l, text)};
    bool fine = ret->req && check_key(l, ret);
    fine = fine && take_subject(l, ret);
    fine = fine && take_names(l, ret);
    fine = fine && check_identity(l, ret);
    ERR_clear_error();
    return fine;
}

/* --- facts ------------------------------------------------------------------------------------------------
 */

/* The first value of an attribute, as UTF-8: it was written so by keep_name. */
static acd_slice
first_value(const X509_NAME *name, int nid)
{
    int at = X509_NAME_get_index_by_NID((X509_NAME *)name, nid, -1);
    const ASN1_STRING *s = at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return s ? (acd_slice){ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)} : sdk_slice("");
}

static int
tell(const struct vo_csr *c, acd_csr_fn fn, void *ctx)
{
    char *subject = vo_name_text(c->subject);
    unsigned char *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(c->req), &spki);
    acd_csrinfo info = {.struct_size = sizeof(info), .key_bits = c->key.bits, .key_type = c->key.type};
    int rc = subject && len > 0 ? 0 : ACD_ENOMEM;
    if (rc == 0) {
        vo_sha256(spki, (size_t)len, info.spki_sha256);
        info.subject = sdk_slice(subject);
        info.common_name = first_value(c->subject, NID_commonName);
        info.organization = first_value(c->subject, NID_organizationName);
        info.organizational_unit = first_value(c->subject, NID_organizationalUnitName);
        info.country = first_value(c->subject, NID_countryName);
        info.state = first_value(c->subject, NID_stateOrProvinceName);
        info.locality = first_value(c->subject, NID_localityName);
        rc = fn(ctx, &info);
    }
    OPENSSL_free(spki);
    OPENSSL_free(subject);
    return rc;
}

int
vo_inspect_csr(void *inst, acd_slice csr, acd_csr_fn fn, acd_finding_fn finding, void *ctx, acd_err *err)
{
    struct vo_look l = {.finding = finding, .ctx = ctx};
    struct vo_csr c;
    (void)inst;
    bool fine = vo_csr_read(&l, csr, &c);
    int rc = fine && l.rc >= 0 ? tell(&c, fn, ctx) : 0;
    vo_csr_done(&c);
    rc = l.rc < 0 ? l.rc : rc;
    return rc < 0 ? sdk_fail(err, rc, "the inspection was stopped") : 0;
}
