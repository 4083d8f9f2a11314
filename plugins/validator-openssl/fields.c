/* Facts of a presented chain, in the documented formats of cf.tls_client_auth.*, and a few of our own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/sha.h>

#include "inspect.h"

enum {
    CERT_HEADER_MAX = 10 * 1024,  /* Client-Cert, RFC 9440, as Cloudflare bounds it */
    CHAIN_HEADER_MAX = 16 * 1024, /* Client-Cert-Chain */
};

/* One describe call: where values go, and the first refusal of the callback. */
struct out {
    acd_field_fn field;
    void *ctx;
    int rc;
};

static void
put(struct out *o, const char *name, const void *p, size_t len)
{
    int rc = o->rc < 0 ? 0 : o->field(o->ctx, name, (acd_slice){p ? p : "", len});
    o->rc = rc < 0 ? rc : o->rc;
}

static void
puts_free(struct out *o, const char *name, char *s)
{
    if (!s)
        o->rc = o->rc < 0 ? o->rc : ACD_ENOMEM;
    else
        put(o, name, s, strlen(s));
    OPENSSL_free(s);
}

char *
vo_name_text(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, *copy = NULL;
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
        long len = BIO_get_mem_data(bio, &data);
        copy = OPENSSL_malloc((size_t)len + 1);
        if (copy && len)
            memcpy(copy, data, (size_t)len);
        if (copy)
            copy[len] = '\0';
    }
    BIO_free(bio);
    return copy;
}

char *
vo_serial_hex(const X509 *x)
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *hex = n && BN_is_zero(n) ? OPENSSL_strdup("00") : n ? BN_bn2hex(n) : NULL;
    BN_free(n);
    return hex;
}

static void
put_hex(struct out *o, const char *name, const ASN1_OCTET_STRING *id)
{
    size_t len = id ? (size_t)ASN1_STRING_length(id) : 0;
    char *hex = OPENSSL_malloc(2 * len + 1);
    if (hex)
        vo_hex_upper(id ? ASN1_STRING_get0_data(id) : NULL, len, hex);
    puts_free(o, name, hex);
}

static void
put_digest(struct out *o, const char *name, const uint8_t *d, size_t len)
{
    char hex[2 * 32 + 1];
    for (size_t i = 0; i < len; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", d[i]);
    put(o, name, hex, 2 * len);
}

/* "Mar  1 13:35:00 2023 GMT": English, whatever the locale. */
static void
put_time(struct out *o, const char *name, const ASN1_TIME *t)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm;
    char text[64] = "";
    if (ASN1_TIME_to_tm(t, &tm) == 1 && tm.tm_mon >= 0 && tm.tm_mon < 12)
        (void)snprintf(text, sizeof(text), "%.3s %2d %02d:%02d:%02d %d GMT", months + 3 * tm.tm_mon,
                       tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_year + 1900);
    put(o, name, text, strlen(text));
}

/* ":base64:" of one certificate at the end of *buf. */
static bool
append_b64(char *buf, size_t cap, size_t *len, acd_slice der)
{
    size_t need = (der.len + 2) / 3 * 4 + 2;
    if (*len + need + 1 > cap)
        return false;
    buf[(*len)++] = ':';
    *len += (size_t)EVP_EncodeBlock((unsigned char *)buf + *len, der.ptr, (int)der.len);
    buf[(*len)++] = ':';
    return true;
}

static void
put_headers(struct out *o, acd_slice leaf, const acd_slice *inter, size_t ninter)
{
    char *buf = malloc(CHAIN_HEADER_MAX + 1);
    size_t len = 0;
    if (!buf) {
        o->rc = ACD_ENOMEM;
        return;
    }
    bool fits = append_b64(buf, CERT_HEADER_MAX + 1, &len, leaf);
    put(o, "cf.tls_client_auth.cert_rfc9440", buf, fits ? len : 0);
    put(o, "cf.tls_client_auth.cert_rfc9440_too_large", fits ? "false" : "true", fits ? 5 : 4);
    len = 0;
    fits = true;
    for (size_t i = 0; i < ninter && fits; i++) {
        fits = i == 0 || len + 2 <= CHAIN_HEADER_MAX;
        if (fits && i > 0) {
            buf[len++] = ',';
            buf[len++] = ' ';
        }
        fits = fits && append_b64(buf, CHAIN_HEADER_MAX + 1, &len, inter[i]);
    }
    put(o, "cf.tls_client_auth.cert_chain_rfc9440", buf, fits ? len : 0);
    put(o, "cf.tls_client_auth.cert_chain_rfc9440_too_large", fits ? "false" : "true", fits ? 5 : 4);
    free(buf);
}

/* "/C=US/CN=x": encoded order, a slash before each attribute, bytes that do not print as \xHH. A slash in a
 * value stays as it is, other than in newer versions of X509_NAME_oneline. */
static char *
legacy_name(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char type[128], *data, *text = NULL;
    for (int i = 0; bio && i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
        const ASN1_OBJECT *obj = X509_NAME_ENTRY_get_object(e);
        int nid = OBJ_obj2nid(obj);
        unsigned char *value = NULL;
        int len = ASN1_STRING_to_UTF8(&value, X509_NAME_ENTRY_get_data(e));
        if (nid == NID_undef)
            (void)OBJ_obj2txt(type, sizeof(type), obj, 1);
        (void)BIO_printf(bio, "/%s=", nid == NID_undef ? type : OBJ_nid2sn(nid));
        for (int k = 0; k < len; k++)
            (void)BIO_printf(bio, value[k] < ' ' || value[k] > '~' ? "\\x%02X" : "%c", value[k]);
        OPENSSL_free(value);
    }
    long total = bio ? BIO_get_mem_data(bio, &data) : -1;
    if (total >= 0)
        text = OPENSSL_strndup(total ? data : "", (size_t)total);
    BIO_free(bio);
    return text;
}

static void
put_names(struct out *o, const struct vo_cert *c)
{
    const X509_NAME *subject = X509_get_subject_name(c->x), *issuer = X509_get_issuer_name(c->x);
    puts_free(o, "cf.tls_client_auth.cert_subject_dn", vo_name_text(subject));
    puts_free(o, "cf.tls_client_auth.cert_subject_dn_rfc2253", vo_name_text(subject));
    puts_free(o, "cf.tls_client_auth.cert_subject_dn_legacy", legacy_name(subject));
    puts_free(o, "cf.tls_client_auth.cert_issuer_dn", vo_name_text(issuer));
    puts_free(o, "cf.tls_client_auth.cert_issuer_dn_rfc2253", vo_name_text(issuer));
    puts_free(o, "cf.tls_client_auth.cert_issuer_dn_legacy", legacy_name(issuer));
}

/* The alternative names of one kind, joined by commas. A name that holds a comma or a control byte would
 * forge another entry, so it is left out. */
static void
put_sans(struct out *o, const char *name, const GENERAL_NAMES *san, int type)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, ip[INET6_ADDRSTRLEN];
    if (!bio) {
        o->rc = ACD_ENOMEM;
        return;
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(san); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(san, i);
        if (n->type != type)
            continue;
        const ASN1_STRING *s = type == GEN_IPADD ? n->d.iPAddress : n->d.ia5;
        const unsigned char *p = ASN1_STRING_get0_data(s);
        size_t len = (size_t)ASN1_STRING_length(s);
        if (type == GEN_IPADD) {
            if ((len != 4 && len != 16) || !inet_ntop(len == 4 ? AF_INET : AF_INET6, p, ip, sizeof(ip)))
                continue;
            p = (const unsigned char *)ip;
            len = strlen(ip);
        }
        bool odd = len == 0;
        for (size_t k = 0; k < len; k++)
            odd = odd || p[k] == ',' || p[k] <= 0x20 || p[k] >= 0x7f;
        if (!odd)
            (void)BIO_printf(bio, "%s%.*s", BIO_pending(bio) ? "," : "", (int)len, (const char *)p);
    }
    long total = BIO_get_mem_data(bio, &data);
    put(o, name, data, total > 0 ? (size_t)total : 0);
    BIO_free(bio);
}

/* Purposes as dotted identifiers, joined by commas. */
static void
put_eku(struct out *o, const struct vo_cert *c)
{
    EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(c->x, NID_ext_key_usage, NULL, NULL);
    BIO *bio = BIO_new(BIO_s_mem());
    char *data, oid[128];
    for (int i = 0; bio && i < sk_ASN1_OBJECT_num(eku); i++)
        if (OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(eku, i), 1) > 0)
            (void)BIO_printf(bio, "%s%s", BIO_pending(bio) ? "," : "", oid);
    long total = bio ? BIO_get_mem_data(bio, &data) : 0;
    if (bio)
        put(o, "anchord.cert_eku", total > 0 ? data : "", total > 0 ? (size_t)total : 0);
    else
        o->rc = ACD_ENOMEM;
    BIO_free(bio);
    EXTENDED_KEY_USAGE_free(eku);
}

static void
put_own(struct out *o, const struct vo_cert *c)
{
    char bits[16];
    put_sans(o, "anchord.cert_san_dns", c->san, GEN_DNS);
    put_sans(o, "anchord.cert_san_uri", c->san, GEN_URI);
    put_sans(o, "anchord.cert_san_email", c->san, GEN_EMAIL);
    put_sans(o, "anchord.cert_san_ip", c->san, GEN_IPADD);
    put(o, "anchord.cert_key_type", c->key.type, strlen(c->key.type));
    (void)snprintf(bits, sizeof(bits), "%u", (unsigned)c->key.bits);
    put(o, "anchord.cert_key_bits", bits, strlen(bits));
    put(o, "anchord.cert_signature", vo_sig_name(c->x), strlen(vo_sig_name(c->x)));
    put_eku(o, c);
}

/* The issuer's certificate among those sent: by name, key identifier and signature. */
static struct vo_cert *
find_issuer(const struct vo_cert *leaf, const acd_slice *inter, size_t ninter)
{
    struct vo_fault why;
    for (size_t i = 0; i < ninter && i < VO_MAX_UNTRUSTED; i++) {
        struct vo_cert *c = NULL;
        if (vo_cert_new(inter[i], &c, &why) < 0)
            continue;
        if (vo_cert_may_issue(c, leaf) && !c->key.fault.error &&
            X509_verify(leaf->x, X509_get0_pubkey(c->x)) == 1)
            return c;
        vo_cert_free(c);
    }
    return NULL;
}

static void
put_issuer(struct out *o, const struct vo_cert *leaf, const acd_slice *inter, size_t ninter)
{
    struct vo_cert *issuer = find_issuer(leaf, inter, ninter);
    const ASN1_OCTET_STRING *aki = X509_get0_authority_key_id(leaf->x);
    if (!aki && issuer)
        aki = X509_get0_subject_key_id(issuer->x);
    put_hex(o, "cf.tls_client_auth.cert_issuer_ski", aki);
    puts_free(o, "cf.tls_client_auth.cert_issuer_serial",
              issuer ? vo_serial_hex(issuer->x) : OPENSSL_strdup(""));
    vo_cert_free(issuer);
}

int
vo_describe(void *inst, acd_slice leaf, const acd_slice *inter, size_t ninter, acd_field_fn field, void *ctx,
            acd_err *err)
{
    struct out o = {.field = field, .ctx = ctx};
    struct vo_fault why = VO_FAULT(NULL, "out of memory");
    struct vo_cert *c;
    uint8_t sha1[SHA_DIGEST_LENGTH];
    (void)inst;
    int rc = vo_cert_new(leaf, &c, &why);
    if (rc < 0)
        return sdk_fail(err, rc, "%s", why.text);
    put_names(&o, c);
    puts_free(&o, "cf.tls_client_auth.cert_serial", vo_serial_hex(c->x));
    put_digest(&o, "cf.tls_client_auth.cert_fingerprint_sha256", c->sha256, sizeof(c->sha256));
    (void)SHA1(leaf.ptr, leaf.len, sha1);
    put_digest(&o, "cf.tls_client_auth.cert_fingerprint_sha1", sha1, sizeof(sha1));
    put_time(&o, "cf.tls_client_auth.cert_not_before", X509_get0_notBefore(c->x));
    put_time(&o, "cf.tls_client_auth.cert_not_after", X509_get0_notAfter(c->x));
    put_hex(&o, "cf.tls_client_auth.cert_ski", X509_get0_subject_key_id(c->x));
    put_issuer(&o, c, inter, ninter);
    put_headers(&o, leaf, inter, ninter);
    put_own(&o, c);
    vo_cert_free(c);
    ERR_clear_error();
    return o.rc < 0 ? sdk_fail(err, o.rc, "the description was stopped") : 0;
}
