#include "factory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/conf.h>
#include <openssl/core_names.h>
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

/* Sections that extension values may name, for directory names. */
static const char sections[] = "[foo]\nCN=foo\n[bar]\nCN=bar\n[org]\nO=Example\n"
                               "[idp_uri]\nfullname=URI:http://crl.test/1\n"
                               "[idp_uri2]\nfullname=URI:http://crl.test/2\n"
                               "[idp_user]\nonlyuser=TRUE\n[idp_ca]\nonlyCA=TRUE\n[idp_attr]\nonlyAA=TRUE\n"
                               "[idp_reasons]\nonlysomereasons=keyCompromise\n"
                               "[idp_indirect]\nindirectCRL=TRUE\n"
                               "[idp_rel]\nrelativename=foo\n"
                               "[idp_dns]\nfullname=URI:http://crl.test/1,DNS:crl.test\n"
                               "[dp_uri]\nfullname=URI:http://crl.test/1\n";

static void
die(const char *what, const char *detail)
{
    (void)fprintf(stderr, "factory: %s: %s\n", what, detail);
    ERR_print_errors_fp(stderr);
    exit(2);
}

void
attrs_read(char *text, struct attrs *ret)
{
    char *save = NULL;
    ret->n = 0;
    for (char *t = strtok_r(text, " \t\r\n", &save); t; t = strtok_r(NULL, " \t\r\n", &save)) {
        char *eq = strchr(t, '=');
        if (!eq || ret->n == FACTORY_ATTRS)
            die("attribute", t);
        *eq = '\0';
        ret->list[ret->n++] = (struct attr){t, eq + 1};
    }
}

const char *
attrs_find(const struct attrs *a, const char *key, const char *dflt)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->list[i].key, key) == 0)
            return a->list[i].value;
    return dflt;
}

long long
factory_time(const char *text)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (!end || *end)
        die("time", text);
    return (long long)timegm(&tm);
}

/* --- keys ---------------------------------------------------------------------------------------------- */

static struct {
    char label[64];
    EVP_PKEY *key;
} keys[1024];
static size_t nkeys;

static EVP_PKEY *
make_ec(const char *curve, const char *encoding)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
    EVP_PKEY *key = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)curve, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, (char *)(uintptr_t)encoding, 0),
        OSSL_PARAM_construct_end()};
    if (EVP_PKEY_keygen_init(ctx) <= 0 || EVP_PKEY_CTX_set_params(ctx, params) <= 0 ||
        EVP_PKEY_keygen(ctx, &key) <= 0)
        die("key", curve);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *
make_rsa(int bits, unsigned long e)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    EVP_PKEY *key = NULL;
    BIGNUM *n = BN_new();
    if (!BN_set_word(n, e) || EVP_PKEY_keygen_init(ctx) <= 0 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) <= 0 ||
        EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, n) <= 0 || EVP_PKEY_keygen(ctx, &key) <= 0)
        die("key", "RSA");
    BN_free(n);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *
make_dsa(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_DSA, NULL), *gen;
    EVP_PKEY *params = NULL, *key = NULL;
    if (EVP_PKEY_paramgen_init(ctx) <= 0 || EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 2048) <= 0 ||
        EVP_PKEY_paramgen(ctx, &params) <= 0 || !(gen = EVP_PKEY_CTX_new(params, NULL)) ||
        EVP_PKEY_keygen_init(gen) <= 0 || EVP_PKEY_keygen(gen, &key) <= 0)
        die("key", "DSA");
    EVP_PKEY_CTX_free(gen);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(params);
    return key;
}

static EVP_PKEY *
make_key(const char *label)
{
    static const struct {
        const char *prefix, *curve, *encoding;
    } curves[] = {{"p256:", "P-256", "named_curve"},   {"p384:", "P-384", "named_curve"},
                  {"p521:", "P-521", "named_curve"},   {"p224:", "P-224", "named_curve"},
                  {"k1:", "secp256k1", "named_curve"}, {"bp256:", "brainpoolP256r1", "named_curve"},
                  {"p256x:", "prime256v1", "explicit"}};
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
        if (strncmp(label, curves[i].prefix, strlen(curves[i].prefix)) == 0)
            return make_ec(curves[i].curve, curves[i].encoding);
    if (strncmp(label, "rsae:", 5) == 0)
        return make_rsa(2048, 0x100000000000001);
    if (strncmp(label, "rsa", 3) == 0)
        return make_rsa(atoi(label + 3), RSA_F4);
    if (strncmp(label, "dsa:", 4) == 0)
        return make_dsa();
    if (strncmp(label, "ed25519:", 8) == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    die("no such key", label);
    return NULL;
}

EVP_PKEY *
factory_key(const char *label)
{
    for (size_t i = 0; i < nkeys; i++)
        if (strcmp(keys[i].label, label) == 0)
            return keys[i].key;
    if (nkeys == sizeof(keys) / sizeof(keys[0]))
        die("too many keys", label);
    (void)snprintf(keys[nkeys].label, sizeof(keys[nkeys].label), "%s", label);
    keys[nkeys].key = make_key(label);
    return keys[nkeys++].key;
}

void
factory_keys_free(void)
{
    while (nkeys)
        EVP_PKEY_free(keys[--nkeys].key);
}

/* --- pieces -------------------------------------------------------------------------------------------- */

struct item *
factory_find(struct factory *f, const char *id)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->items[i].id, id) == 0)
            return &f->items[i];
    die("no such item", id);
    return NULL;
}

void
factory_clear(struct factory *f)
{
    for (size_t i = 0; i < f->n; i++) {
        X509_free(f->items[i].cert);
        X509_CRL_free(f->items[i].crl);
        OPENSSL_free(f->items[i].der);
    }
    f->n = 0;
}

static struct item *
add_item(struct factory *f, const char *id)
{
    if (f->n == FACTORY_ITEMS)
        die("too many items", id);
    struct item *it = &f->items[f->n++];
    *it = (struct item){0};
    (void)snprintf(it->id, sizeof(it->id), "%s", id);
    return it;
}

/* "-" is the empty name; "A/B" is O=A, CN=B. */
static void
set_name(X509_NAME *name, const char *text)
{
    const char *slash = strchr(text, '/');
    if (strcmp(text, "-") == 0)
        return;
    if (slash)
        (void)X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)text,
                                         (int)(slash - text), -1, 0);
    text = slash ? slash + 1 : text;
    if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) != 1)
        die("name", text);
}

static CONF *
conf(void)
{
    static CONF *loaded;
    long line = 0;
    if (!loaded) {
        BIO *bio = BIO_new_mem_buf(sections, -1);
        loaded = NCONF_new(NULL);
        if (NCONF_load_bio(loaded, bio, &line) != 1)
            die("sections", "cannot be read");
        BIO_free(bio);
    }
    return loaded;
}

static X509_EXTENSION *
make_ext(X509V3_CTX *ctx, int nid, const char *value)
{
    X509V3_set_nconf(ctx, conf());
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(conf(), ctx, nid, (char *)(uintptr_t)value);
    if (!ext)
        die("extension", value);
    return ext;
}

/* "OID:hex" or "OID:critical:hex": any contents. */
static X509_EXTENSION *
raw_ext(const char *spec)
{
    char oid[64];
    long len = 0;
    const char *colon = strchr(spec, ':');
    if (!colon || (size_t)(colon - spec) >= sizeof(oid))
        die("ext", spec);
    memcpy(oid, spec, (size_t)(colon - spec));
    oid[colon - spec] = '\0';
    int critical = strncmp(colon + 1, "critical:", 9) == 0;
    const char *hex = colon + 1 + (critical ? 9 : 0);
    unsigned char *bytes = *hex ? OPENSSL_hexstr2buf(hex, &len) : NULL;
    ASN1_OBJECT *obj = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext = NULL;
    if (obj && (bytes || !*hex) && ASN1_OCTET_STRING_set(value, bytes, (int)len))
        ext = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, value);
    if (!ext)
        die("ext", spec);
    ASN1_OBJECT_free(obj);
    ASN1_OCTET_STRING_free(value);
    OPENSSL_free(bytes);
    return ext;
}

static const EVP_MD *
digest_of(EVP_PKEY *key, const char *md)
{
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519
               ? NULL
               : EVP_get_digestbyname(strncmp(md, "pss", 3) ? md : md + 3);
}

/* --- certificates -------------------------------------------------------------------------------------- */

static void
add_ext(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
    if (strcmp(value, "none") == 0)
        return;
    X509_EXTENSION *ext = make_ext(ctx, nid, value);
    if (X509_add_ext(x, ext, -1) != 1)
        die("extension", value);
    X509_EXTENSION_free(ext);
}

static void
add_exts(X509 *x, X509 *issuer, const struct attrs *a, int is_ca)
{
    static const struct {
        const char *key;
        int nid;
        const char *ca, *ee;
    } rows[] = {
        {"bc", NID_basic_constraints, "critical,CA:TRUE", "none"},
        {"ku", NID_key_usage, "critical,keyCertSign,cRLSign", "critical,digitalSignature"},
        {"eku", NID_ext_key_usage, "none", "clientAuth,serverAuth"},
        {"ski", NID_subject_key_identifier, "hash", "hash"},
        {"san", NID_subject_alt_name, "none", "DNS:a.test"},
        {"nc", NID_name_constraints, "none", "none"},
        {"aia", NID_info_access, "none", "none"},
        {"crldp", NID_crl_distribution_points, "none", "none"},
        {"pc", NID_policy_constraints, "none", "none"},
        {"policies", NID_certificate_policies, "none", "none"},
    };
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        add_ext(x, &ctx, rows[i].nid, attrs_find(a, rows[i].key, is_ca ? rows[i].ca : rows[i].ee));
    int has_ski = X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1) >= 0;
    add_ext(x, &ctx, NID_authority_key_identifier,
            attrs_find(a, "aki", issuer == x || !has_ski ? "none" : "keyid:always"));
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->list[i].key, "ext") == 0) {
            X509_EXTENSION *ext = raw_ext(a->list[i].value);
            (void)X509_add_ext(x, ext, -1);
            X509_EXTENSION_free(ext);
        }
}

static void
set_serial(X509 *x, const char *text)
{
    static unsigned long next = 0x1000;
    BIGNUM *n = NULL;
    if (text)
        (void)BN_hex2bn(&n, text);
    else if ((n = BN_new()))
        (void)BN_set_word(n, ++next);
    if (!n || !BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)))
        die("serial", text ? text : "");
    BN_free(n);
}

static void
set_time(ASN1_TIME *t, const char *text)
{
    if (!ASN1_TIME_set(t, (time_t)factory_time(text)))
        die("time", text);
}

static void
sign_cert(X509 *x, EVP_PKEY *key, const char *md)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx;
    if (EVP_DigestSignInit(ctx, &pctx, digest_of(key, md), NULL, key) != 1)
        die("sign", md);
    if (strncmp(md, "pss", 3) == 0 && (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) <= 0 ||
                                       EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) <= 0))
        die("sign", md);
    if (X509_sign_ctx(x, ctx) <= 0)
        die("sign", md);
    EVP_MD_CTX_free(ctx);
}

/* sig: a bit of the signature. alg: the outer algorithm, sha256 to sha384. append: an octet after the end.
 * ber: an over-long outer length. */
static void
tamper(struct item *it, const char *how)
{
    static const unsigned char sha256[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    unsigned char *at = it->der, *last = NULL;
    if (strcmp(how, "sig") == 0) {
        it->der[it->len - 1] ^= 1;
        return;
    }
    if (strcmp(how, "append") == 0) {
        it->der = OPENSSL_realloc(it->der, it->len + 1);
        it->der[it->len++] = 0;
        return;
    }
    if (strcmp(how, "ber") == 0 && it->der[1] == 0x82) {
        it->der = OPENSSL_realloc(it->der, it->len + 1);
        memmove(it->der + 3, it->der + 2, it->len - 2);
        it->der[1] = 0x83;
        it->der[2] = 0;
        it->len++;
        return;
    }
    while ((at = memmem(at, it->len - (size_t)(at - it->der), sha256, sizeof(sha256))))
        last = at++;
    if (strcmp(how, "alg") != 0 || !last)
        die("tamper", how);
    last[sizeof(sha256) - 1] = 0x03;
}

/* DER after tampering is what is handed out; cert stays what it was, for what is signed under it. */
static void
finish_cert(struct item *it, X509 *x, const char *how)
{
    int len = i2d_X509(x, &it->der);
    if (len <= 0)
        die("encode", it->id);
    it->len = (size_t)len;
    it->cert = x;
    if (how)
        tamper(it, how);
}

struct item *
factory_cert(struct factory *f, const char *id, const char *kind, const struct attrs *a)
{
    struct item *by = attrs_find(a, "by", NULL) ? factory_find(f, attrs_find(a, "by", NULL)) : NULL;
    struct item *it = add_item(f, id);
    char label[64];
    (void)snprintf(label, sizeof(label), "p256:%s", id);
    it->key = factory_key(attrs_find(a, "key", label));
    X509 *x = X509_new(), *issuer = by ? by->cert : x;
    if (!x || X509_set_version(x, atoi(attrs_find(a, "v", "3")) - 1) != 1 || X509_set_pubkey(x, it->key) != 1)
        die("certificate", id);
    set_serial(x, attrs_find(a, "serial", NULL));
    set_time(X509_getm_notBefore(x), attrs_find(a, "from", "2024-01-01T00:00:00Z"));
    set_time(X509_getm_notAfter(x), attrs_find(a, "until", "2034-01-01T00:00:00Z"));
    set_name(X509_get_subject_name(x), attrs_find(a, "subj", id));
    if (attrs_find(a, "issuer", NULL))
        set_name(X509_get_issuer_name(x), attrs_find(a, "issuer", NULL));
    else if (X509_set_issuer_name(x, X509_get_subject_name(issuer)) != 1)
        die("issuer", id);
    if (strcmp(attrs_find(a, "exts", ""), "none") != 0)
        add_exts(x, issuer, a, strcmp(kind, "ca") == 0);
    sign_cert(x, by ? by->key : it->key, attrs_find(a, "md", "sha256"));
    finish_cert(it, x, attrs_find(a, "tamper", NULL));
    return it;
}

/* --- revocation lists ---------------------------------------------------------------------------------- */

static void
add_revoked(struct factory *f, X509_CRL *crl, const char *id, int reason)
{
    X509_REVOKED *r = X509_REVOKED_new();
    ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)factory_time("2025-06-01T00:00:00Z"));
    if (X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(factory_find(f, id)->cert)) != 1 ||
        X509_REVOKED_set_revocationDate(r, when) != 1)
        die("revoked", id);
    if (reason >= 0) {
        ASN1_ENUMERATED *e = ASN1_ENUMERATED_new();
        (void)ASN1_ENUMERATED_set(e, reason);
        (void)X509_REVOKED_add1_ext_i2d(r, NID_crl_reason, e, 0, 0);
        ASN1_ENUMERATED_free(e);
    }
    ASN1_TIME_free(when);
    if (X509_CRL_add0_revoked(crl, r) != 1)
        die("revoked", id);
}

static void
add_number(X509_CRL *crl, int nid, const char *text, int critical)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    if (!text || strcmp(text, "none") == 0) {
        ASN1_INTEGER_free(n);
        return;
    }
    if (ASN1_INTEGER_set(n, atoi(text)) != 1 || X509_CRL_add1_ext_i2d(crl, nid, n, critical, 0) != 1)
        die("number", text);
    ASN1_INTEGER_free(n);
}

static void
add_crl_exts(X509_CRL *crl, X509 *issuer, const struct attrs *a)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, NULL, NULL, crl, 0);
    add_number(crl, NID_crl_number, attrs_find(a, "number", "1"),
               strcmp(attrs_find(a, "number-critical", "no"), "yes") == 0);
    add_number(crl, NID_delta_crl, attrs_find(a, "base", NULL), 1);
    for (int i = 0; i < 2; i++) {
        const char *value = attrs_find(a, i ? "idp" : "aki", i ? "none" : "keyid:always");
        if (strcmp(value, "none") == 0)
            continue;
        X509_EXTENSION *ext =
            make_ext(&ctx, i ? NID_issuing_distribution_point : NID_authority_key_identifier, value);
        (void)X509_CRL_add_ext(crl, ext, -1);
        X509_EXTENSION_free(ext);
    }
    if (attrs_find(a, "ext", NULL)) {
        X509_EXTENSION *ext = raw_ext(attrs_find(a, "ext", NULL));
        (void)X509_CRL_add_ext(crl, ext, -1);
        X509_EXTENSION_free(ext);
    }
}

/* by: whose name it carries. signer: whose key signs it (default by). akiof: whose key it points to. */
struct item *
factory_crl(struct factory *f, const char *id, const struct attrs *a)
{
    const char *by = attrs_find(a, "by", NULL);
    struct item *issuer = factory_find(f, by ? by : ""),
                *signer = factory_find(f, attrs_find(a, "signer", by));
    struct item *pointed = factory_find(f, attrs_find(a, "akiof", by));
    struct item *it = add_item(f, id);
    X509_CRL *crl = it->crl = X509_CRL_new();
    ASN1_TIME *t = ASN1_TIME_new();
    set_time(t, attrs_find(a, "this", "2025-12-01T00:00:00Z"));
    if (X509_CRL_set_version(crl, 1) != 1 ||
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert)) != 1 ||
        X509_CRL_set1_lastUpdate(crl, t) != 1)
        die("crl", id);
    set_time(t, attrs_find(a, "next", "2026-02-01T00:00:00Z"));
    (void)X509_CRL_set1_nextUpdate(crl, t);
    ASN1_TIME_free(t);
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->list[i].key, "revoked") == 0)
            add_revoked(f, crl, a->list[i].value, -1);
        if (strcmp(a->list[i].key, "removed") == 0)
            add_revoked(f, crl, a->list[i].value, 8);
    }
    add_crl_exts(crl, pointed->cert, a);
    if (X509_CRL_sign(crl, signer->key, digest_of(signer->key, attrs_find(a, "md", "sha256"))) <= 0)
        die("crl", id);
    int len = i2d_X509_CRL(crl, &it->der);
    if (len <= 0)
        die("crl", id);
    it->len = (size_t)len;
    if (attrs_find(a, "tamper", NULL))
        tamper(it, attrs_find(a, "tamper", NULL));
    return it;
}
