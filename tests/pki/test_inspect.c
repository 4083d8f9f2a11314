/* The upload check: which findings an upload has, all of them at once. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <anchord/plugin-validator.h>

#include "factory.h"
#include "lib/main.h"

extern const acd_plugin acd_plugin_1_validator_openssl;

struct seen {
    char codes[1024]; /* "error code@index " one after another; warnings begin with '~' */
    char texts[4096];
    acd_certinfo first;
    char subject[128], serial_hex[64], serial_dec[64], ski[64], signature[32], key_type[16];
    int certs;
};

static int
on_cert(void *ctx, const acd_certinfo *c)
{
    struct seen *s = ctx;
    if (s->certs++ > 0)
        return 0;
    s->first = *c;
    (void)snprintf(s->subject, sizeof(s->subject), "%.*s", (int)c->subject.len, (const char *)c->subject.ptr);
    (void)snprintf(s->serial_hex, sizeof(s->serial_hex), "%.*s", (int)c->serial_hex.len,
                   (const char *)c->serial_hex.ptr);
    (void)snprintf(s->serial_dec, sizeof(s->serial_dec), "%.*s", (int)c->serial_dec.len,
                   (const char *)c->serial_dec.ptr);
    (void)snprintf(s->ski, sizeof(s->ski), "%.*s", (int)c->ski_hex.len, (const char *)c->ski_hex.ptr);
    (void)snprintf(s->signature, sizeof(s->signature), "%s", c->signature);
    (void)snprintf(s->key_type, sizeof(s->key_type), "%s", c->key_type);
    return 0;
}

static int
on_finding(void *ctx, const acd_finding *f)
{
    struct seen *s = ctx;
    size_t n = strlen(s->codes), t = strlen(s->texts);
    (void)snprintf(s->codes + n, sizeof(s->codes) - n, "%s%s%s@%d", n ? " " : "",
                   f->severity == ACD_SEV_WARNING ? "~" : "", f->code, f->index);
    (void)snprintf(s->texts + t, sizeof(s->texts) - t, "%.*s\n", (int)f->text.len, (const char *)f->text.ptr);
    return 0;
}

static void
look(struct seen *s, uint32_t role, const char *text, size_t len, const char *key)
{
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    acd_err err = ACD_ERR_INIT;
    acd_inspect req = {.struct_size = sizeof(req), .role = role, .text = {text, len}};
    req.key = (acd_slice){key, key ? strlen(key) : 0};
    req.at_ms = factory_time("2026-01-01T00:00:00Z") * 1000;
    *s = (struct seen){0};
    ck_assert_int_eq(ops->inspect(NULL, &req, on_cert, on_finding, s, &err), 0);
}

/* What was written into the BIO, as text. (strndup would look one byte further than the memory reaches.) */
static char *
bio_text(BIO *bio)
{
    char *data;
    size_t len = (size_t)BIO_get_mem_data(bio, &data);
    char *text = malloc(len + 1);
    ck_assert_ptr_nonnull(text);
    memcpy(text, data, len);
    text[len] = '\0';
    BIO_free(bio);
    return text;
}

static char *
pem_of(const struct item *it)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_gt(PEM_write_bio(bio, "CERTIFICATE", "", it->der, (long)it->len), 0);
    return bio_text(bio);
}

static char *
key_pem(EVP_PKEY *key, const char *pass)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, key, pass ? EVP_aes_128_cbc() : NULL, pass,
                                                   pass ? (int)strlen(pass) : 0, NULL, NULL),
                     1);
    return bio_text(bio);
}

static struct factory factory;

static struct item *
make(const char *id, const char *kind, const char *spec)
{
    static char copy[2048];
    static struct attrs a;
    (void)snprintf(copy, sizeof(copy), "%s", spec);
    attrs_read(copy, &a);
    return factory_cert(&factory, id, kind, &a);
}

/* One certificate in each role that is asked about, with the findings expected. */
static const struct {
    uint32_t role;
    const char *kind, *spec, *codes;
} cases[] = {
    {ACD_ROLE_CA, "ca", "", ""},
    {ACD_ROLE_CA, "ca", "key=rsa2048:i md=sha1", ""},
    {ACD_ROLE_CA, "ca", "md=sha1", ""},
    {ACD_ROLE_CA, "ca", "by=root", ""},
    {ACD_ROLE_CA, "ca", "by=root aki=none", "~ca.no_aki@0"},
    {ACD_ROLE_CA, "ee", "by=root", "ca.not_ca@0"},
    {ACD_ROLE_CA, "ca", "bc=none", "ca.not_ca@0"},
    {ACD_ROLE_CA, "ca", "bc=critical,CA:FALSE", "ca.not_ca@0"},
    {ACD_ROLE_CA, "ca", "ku=critical,digitalSignature", "ca.key_usage@0"},
    {ACD_ROLE_CA, "ca", "ku=none ski=none bc=CA:TRUE",
     "~ca.no_key_usage@0 ~ca.no_ski@0 ~ca.bc_not_critical@0"},
    {ACD_ROLE_CA, "ca", "v=1 exts=none", "cert.version@0 ca.not_ca@0"},
    {ACD_ROLE_CA, "ca", "until=2025-01-01T00:00:00Z", "cert.expired@0"},
    {ACD_ROLE_CA, "ca", "until=2026-01-01T00:00:00Z", ""},
    {ACD_ROLE_CA, "ca", "from=2027-01-01T00:00:00Z", "~cert.not_yet_valid@0"},
    {ACD_ROLE_CA, "ca", "from=2027-01-01T00:00:00Z until=2026-06-01T00:00:00Z", "cert.dates_swapped@0"},
    {ACD_ROLE_CA, "ca", "serial=0", "~cert.serial_zero@0"},
    {ACD_ROLE_CA, "ca", "serial=-5", "~cert.serial_negative@0"},
    {ACD_ROLE_CA, "ca", "serial=7F0000000000000000000000000000000000000001", "cert.serial_long@0"},
    {ACD_ROLE_CA, "ca", "subj=-", "cert.issuer_empty@0 cert.subject_empty@0"},
    {ACD_ROLE_CA, "ca", "ext=1.3.6.1.4.1.55738.666.1:critical:0500", "cert.ext_critical_unknown@0"},
    {ACD_ROLE_CA, "ca", "ext=1.2.3.4:0500 ext=1.2.3.4:0500", "cert.ext_duplicate@0"},
    {ACD_ROLE_CA, "ca", "ext=1.3.6.1.5.5.7.1.1:3000", "cert.ext_unreadable@0"},
    {ACD_ROLE_CA, "ca", "pc=requireExplicitPolicy:3", "~ca.policy_not_critical@0"},
    {ACD_ROLE_CA, "ca", "ext=2.5.29.35:30068004AABBCCDD", "~ca.aki_wrong@0"},
    {ACD_ROLE_CA, "ca", "nc=critical,permitted;DNS:*.x.test", "cert.constraints_invalid@0"},
    {ACD_ROLE_CA, "ca", "key=rsa1024:i", "cert.key_size@0"},
    {ACD_ROLE_CA, "ca", "key=rsae:i", "cert.key_exponent@0"},
    {ACD_ROLE_CA, "ca", "key=p224:i", "cert.key_curve@0"},
    {ACD_ROLE_CA, "ca", "key=k1:i", "cert.key_curve@0"},
    {ACD_ROLE_CA, "ca", "key=p256x:i", "cert.key_explicit@0"},
    {ACD_ROLE_CA, "ca", "key=ed25519:i", "cert.key_type@0 cert.sig_algorithm@0"},
    {ACD_ROLE_CA, "ca", "key=dsa:i", "cert.key_type@0 cert.sig_algorithm@0"},
    {ACD_ROLE_CA, "ca", "key=rsa2048:i md=md5", "cert.sig_algorithm@0"},
    {ACD_ROLE_CA, "ca", "key=rsa2048:i md=sha224", "cert.sig_algorithm@0"},
    {ACD_ROLE_CA, "ca", "key=rsa2048:i md=psssha256", "cert.sig_algorithm@0"},
    {ACD_ROLE_CA, "ca", "tamper=sig", "ca.self_signature@0"},
    {ACD_ROLE_CA, "ca", "tamper=alg", "cert.sig_mismatch@0"},
    {ACD_ROLE_CA, "ca", "tamper=append", "cert.unreadable@0"},
    {ACD_ROLE_CA, "ca", "key=rsa2048:i tamper=ber", "cert.unreadable@0"},
    {ACD_ROLE_CA, "ca", "key=rsa1024:i md=md5 until=2025-01-01T00:00:00Z bc=none",
     "cert.expired@0 ca.not_ca@0 cert.key_size@0 cert.sig_algorithm@0"},
    {ACD_ROLE_LEAF, "ee", "by=root", ""},
    {ACD_ROLE_LEAF, "ca", "by=root", "leaf.is_ca@0"},
    {ACD_ROLE_LEAF, "ee", "by=root key=ed25519:i", "cert.key_type@0"},
    {ACD_ROLE_LEAF, "ee", "by=root nc=permitted;DNS:a.test", "leaf.constraints@0"},
    {ACD_ROLE_ORIGIN_ROOT, "ca", "", ""},
    {ACD_ROLE_ORIGIN_ROOT, "ca", "by=root", "root.not_self_signed@0"},
    {ACD_ROLE_ORIGIN_ROOT, "ee", "by=root", "ca.not_ca@0 root.not_self_signed@0"},
    {ACD_ROLE_CHAIN, "ee", "by=root key=rsa1024:i md=sha1 until=2025-01-01T00:00:00Z", ""},
};

START_TEST(single_certificates)
{
    struct seen s;
    factory_clear(&factory);
    (void)make("root", "ca", "");
    char *text = pem_of(make("x", cases[_i].kind, cases[_i].spec));
    look(&s, cases[_i].role, text, strlen(text), NULL);
    ck_assert_msg(strcmp(s.codes, cases[_i].codes) == 0, "%s: wanted '%s', got '%s'", cases[_i].spec,
                  cases[_i].codes, s.codes);
    free(text);
}
END_TEST

/* Whole uploads: %1 and %2 stand for two CA certificates, %k for the first one's key. */
static const struct {
    const char *text, *codes;
    int certs;
} uploads[] = {
    {"%1", "", 1},
    {"\xef\xbb\xbf%1", "", 1},
    {"a comment\n%1another\n%2end", "", 2},
    {"%1%2", "", 2},
    {"%1%1", "upload.duplicate@1", 2},
    {"%1%2%1", "upload.duplicate@2", 3},
    {"%k", "upload.private_key@-1", 0},
    {"%1%k", "upload.private_key@-1", 0},
    {"-----BEGIN ENCRYPTED PRIVATE KEY-----\n", "upload.private_key@-1", 0},
    {"", "upload.empty@-1", 0},
    {"hello", "upload.not_pem@-1", 0},
    {"\xff\xfe%1", "upload.utf16@-1", 0},
    {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cert.unreadable@0", 0},
    {"-----BEGIN CERTIFICATE-----\nAAA!\n-----END CERTIFICATE-----\n", "pem.damaged@0", 0},
    {"-----BEGIN CERTIFICATE-----\nAAAA\n", "pem.damaged@0", 0},
    {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END X509 CRL-----\n", "pem.damaged@0", 0},
    {"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "pem.damaged@0", 0},
    {"-----BEGIN CERTIFICATE-----\nAAA\n-----END CERTIFICATE-----\n", "pem.damaged@0", 0},
    {"-----BEGIN CERTIFICATE-----\nAAAA\n%1", "pem.damaged@0", 1},
    {"  %1", "pem.damaged@0", 0},
    {"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----", "pem.damaged@0", 0},
    {"-----BEGIN X509 CERTIFICATE-----\nAAAA\n-----END X509 CERTIFICATE-----\n", "pem.label@0", 0},
    {"-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n%1", "pem.label@0", 1},
    {"-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END CERTIFICATE-----\n",
     "pem.headers@0", 0},
    {"%1-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "pem.label@1", 1},
};

static char *
expand(const char *text, const char *one, const char *two, const char *key)
{
    char *out = calloc(1, 65536);
    for (size_t n = 0; *text; text++, n = strlen(out)) {
        const char *piece = text[0] != '%' ? NULL : text[1] == '1' ? one : text[1] == '2' ? two : key;
        if (piece)
            text++;
        if (piece)
            memcpy(out + n, piece, strlen(piece) + 1);
        else
            out[n] = *text;
    }
    return out;
}

START_TEST(whole_uploads)
{
    struct seen s;
    factory_clear(&factory);
    struct item *a = make("a", "ca", ""), *b = make("b", "ca", "");
    char *one = pem_of(a), *two = pem_of(b), *key = key_pem(a->key, NULL);
    char *text = expand(uploads[_i].text, one, two, key);
    look(&s, ACD_ROLE_CA, text, strlen(text), NULL);
    ck_assert_msg(strcmp(s.codes, uploads[_i].codes) == 0, "%s: wanted '%s', got '%s'", uploads[_i].text,
                  uploads[_i].codes, s.codes);
    ck_assert_int_eq(s.certs, uploads[_i].certs);
    free(one);
    free(two);
    free(key);
    free(text);
}
END_TEST

START_TEST(limits)
{
    struct seen s;
    factory_clear(&factory);
    char *one = pem_of(make("a", "ca", "")), *big = calloc(1, 70000);
    memset(big, 'x', 65536);
    look(&s, ACD_ROLE_CA, big, 65537, NULL);
    ck_assert_str_eq(s.codes, "upload.too_large@-1");
    look(&s, ACD_ROLE_CA, big, 65536, NULL);
    ck_assert_str_eq(s.codes, "upload.not_pem@-1");
    size_t n = 0;
    for (int i = 0; i < 32; i++)
        n += (size_t)sprintf(big + n, "-----BEGIN OTHER-----\nAAAA\n-----END OTHER-----\n");
    look(&s, ACD_ROLE_CA, big, n, NULL);
    ck_assert_ptr_null(strstr(s.codes, "upload.too_many"));
    (void)sprintf(big + n, "%s", one);
    look(&s, ACD_ROLE_CA, big, strlen(big), NULL);
    ck_assert_ptr_nonnull(strstr(s.codes, "upload.too_many@-1"));
    free(one);
    free(big);
}
END_TEST

START_TEST(line_forms)
{
    struct seen s;
    factory_clear(&factory);
    char *one = pem_of(make("a", "ca", "")), *crlf = calloc(1, 8192), *flat = calloc(1, 8192);
    size_t n = 0, m = 0;
    for (const char *p = one; *p; p++) {
        if (*p == '\n')
            crlf[n++] = '\r';
        crlf[n++] = *p;
    }
    look(&s, ACD_ROLE_CA, crlf, n, NULL);
    ck_assert_str_eq(s.codes, "");
    /* One long line of base64, and no line feed at the end. */
    m = (size_t)sprintf(flat, "-----BEGIN CERTIFICATE-----\n");
    for (const char *p = strchr(one, '\n'); *p != '-'; p++)
        if (*p != '\n')
            flat[m++] = *p;
    m += (size_t)sprintf(flat + m, "\n-----END CERTIFICATE-----");
    look(&s, ACD_ROLE_CA, flat, m, NULL);
    ck_assert_str_eq(s.codes, "");
    ck_assert_int_eq(s.certs, 1);
    free(one);
    free(crlf);
    free(flat);
}
END_TEST

START_TEST(der_is_read)
{
    struct seen s;
    factory_clear(&factory);
    struct item *a = make("a", "ca", "serial=0A key=rsa2048:i subj=Acme/Root bc=critical,CA:TRUE,pathlen:2");
    look(&s, ACD_ROLE_CA, (const char *)a->der, a->len, NULL);
    ck_assert_str_eq(s.codes, "");
    ck_assert_int_eq(s.certs, 1);
    ck_assert_str_eq(s.subject, "CN=Root,O=Acme");
    ck_assert_str_eq(s.serial_hex, "0A");
    ck_assert_str_eq(s.serial_dec, "10");
    ck_assert_str_eq(s.signature, "SHA256WithRSA");
    ck_assert_str_eq(s.key_type, "RSA");
    ck_assert_uint_eq(s.first.key_bits, 2048);
    ck_assert_int_eq(s.first.path_len, 2);
    ck_assert(s.first.is_ca && s.first.self_signed);
    ck_assert_uint_eq(s.first.version, 3);
    ck_assert_uint_eq(strlen(s.ski), 40);
}
END_TEST

START_TEST(two_signatures_with_one_name)
{
    struct seen s;
    factory_clear(&factory);
    char *one, *two;
    (void)make("root", "ca", "");
    one = pem_of(make("leaf", "ee", "by=root"));
    two = pem_of(factory_find(&factory, "root"));
    char *text = expand("%1%2", one, two, NULL);
    /* A leaf first, then its chain: only the first must be no CA. */
    look(&s, ACD_ROLE_LEAF, text, strlen(text), NULL);
    ck_assert_str_eq(s.codes, "");
    look(&s, ACD_ROLE_CA, text, strlen(text), NULL);
    ck_assert_str_eq(s.codes, "ca.not_ca@0");
    look(&s, ACD_ROLE_ORIGIN_ROOT, text, strlen(text), NULL);
    ck_assert_str_eq(s.codes, "ca.not_ca@0 root.count@-1 root.not_self_signed@0");
    free(one);
    free(two);
    free(text);
}
END_TEST

START_TEST(private_keys)
{
    struct seen s;
    factory_clear(&factory);
    struct item *a = make("a", "ca", ""), *r = make("r", "ca", "key=rsa2048:i");
    char *ca = pem_of(a), *rca = pem_of(r);
    char *fits = key_pem(a->key, NULL), *other = key_pem(r->key, NULL), *locked = key_pem(a->key, "secret");
    char *ed = key_pem(factory_key("ed25519:i"), NULL);
    look(&s, ACD_ROLE_CA, ca, strlen(ca), fits);
    ck_assert_str_eq(s.codes, "");
    look(&s, ACD_ROLE_CA, rca, strlen(rca), other);
    ck_assert_str_eq(s.codes, "");
    look(&s, ACD_ROLE_CA, ca, strlen(ca), other);
    ck_assert_str_eq(s.codes, "key.mismatch@-1");
    look(&s, ACD_ROLE_CA, ca, strlen(ca), locked);
    ck_assert_str_eq(s.codes, "key.encrypted@-1");
    look(&s, ACD_ROLE_CA, ca, strlen(ca), ed);
    ck_assert_str_eq(s.codes, "key.type@-1");
    look(&s, ACD_ROLE_CA, ca, strlen(ca), "junk");
    ck_assert_str_eq(s.codes, "key.unreadable@-1");
    look(&s, ACD_ROLE_CA, ca, strlen(ca), "");
    ck_assert_str_eq(s.codes, "key.size@-1");
    free(ca);
    free(rca);
    free(fits);
    free(other);
    free(locked);
    free(ed);
}
END_TEST

/* No line of a key's base64 may turn up in what is said about it. */
START_TEST(key_material_stays_inside)
{
    struct seen s;
    factory_clear(&factory);
    struct item *a = make("a", "ca", ""), *b = make("b", "ca", "");
    char *ca = pem_of(a), *key = key_pem(b->key, NULL), *text = expand("%1%k", ca, NULL, key);
    char line[65] = "";
    (void)snprintf(line, sizeof(line), "%.40s", strchr(key, '\n') + 1);
    look(&s, ACD_ROLE_CA, text, strlen(text), NULL);
    ck_assert_ptr_null(strstr(s.texts, line));
    look(&s, ACD_ROLE_CA, ca, strlen(ca), key);
    ck_assert_ptr_null(strstr(s.texts, line));
    ck_assert_ptr_nonnull(strstr(s.texts, "does not belong"));
    free(ca);
    free(key);
    free(text);
}
END_TEST

static int
on_crl(void *ctx, const acd_crlinfo *c)
{
    char *out = ctx;
    (void)snprintf(out, 256, "%.*s #%.*s/%.*s %u %u", (int)c->issuer.len, (const char *)c->issuer.ptr,
                   (int)c->number_dec.len, (const char *)c->number_dec.ptr, (int)c->base_dec.len,
                   (const char *)c->base_dec.ptr, c->revoked, c->delta);
    return 0;
}

struct crl_seen {
    char info[256];
    struct seen seen; /* on_finding gets this one */
};

static int
on_crl_outer(void *ctx, const acd_crlinfo *c)
{
    return on_crl(((struct crl_seen *)ctx)->info, c);
}

static int
on_finding_outer(void *ctx, const acd_finding *f)
{
    return on_finding(&((struct crl_seen *)ctx)->seen, f);
}

static const struct {
    const char *spec, *ca, *info, *codes;
} lists[] = {
    {"by=root number=7 revoked=leaf", "root", "CN=root #7/ 1 0", ""},
    {"by=root number=7 base=5", "root", "CN=root #7/5 0 1", ""},
    {"by=root number=none", "root", "CN=root #/ 0 0", "~crl.no_number@-1"},
    {"by=root", "other", "CN=root #1/ 0 0", "crl.issuer@-1"},
    {"by=root signer=other", "root", "CN=root #1/ 0 0", "crl.signature@-1"},
    {"by=root akiof=other", "root", "CN=root #1/ 0 0", "crl.aki@-1"},
    {"by=root tamper=sig", "root", "CN=root #1/ 0 0", "crl.signature@-1"},
    {"by=mute", "mute", "CN=mute #1/ 0 0", "crl.no_crl_sign@-1"},
    {"by=root md=sha1", "root", "CN=root #1/ 0 0", "crl.unusable@-1"},
    {"by=root revoked=leaf revoked=leaf", "root", "CN=root #1/ 2 0", "crl.unusable@-1"},
    {"by=root idp=critical,@idp_indirect", "root", "CN=root #1/ 0 0", "crl.scope@-1"},
    {"by=root idp=critical,@idp_user", "root", "CN=root #1/ 0 0", "crl.scope@-1"},
    {"by=root idp=critical,@idp_ca", "root", "CN=root #1/ 0 0", "crl.scope@-1"},
    {"by=root idp=critical,@idp_reasons", "root", "CN=root #1/ 0 0", "crl.scope@-1"},
    {"by=root idp=critical,@idp_uri", "root", "CN=root #1/ 0 0", "crl.scope@-1"},
    {"by=twin", "root", "CN=root #1/ 0 0", "crl.signature@-1"}, /* the same name, another key */
    {"by=root this=2026-01-15T00:00:00Z", "root", "CN=root #1/ 0 0", "~crl.not_yet_valid@-1"},
    {"by=root next=2025-12-15T00:00:00Z", "root", "CN=root #1/ 0 0", "crl.expired@-1"},
};

START_TEST(revocation_lists)
{
    static char copy[512];
    static struct attrs a;
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    acd_err err = ACD_ERR_INIT;
    struct crl_seen s = {.info = ""};
    factory_clear(&factory);
    (void)make("root", "ca", "");
    (void)make("other", "ca", "");
    (void)make("twin", "ca", "subj=root key=p256:twin");
    (void)make("mute", "ca", "ku=critical,keyCertSign");
    (void)make("leaf", "ee", "by=root");
    (void)snprintf(copy, sizeof(copy), "%s", lists[_i].spec);
    attrs_read(copy, &a);
    const struct item *crl = factory_crl(&factory, "crl", &a), *ca = factory_find(&factory, lists[_i].ca);
    acd_inspect_crl req = {
        .struct_size = sizeof(req), .text = {crl->der, crl->len}, .ca = {ca->der, ca->len}};
    req.at_ms = factory_time("2026-01-01T00:00:00Z") * 1000;
    ck_assert_int_eq(ops->inspect_crl(NULL, &req, on_crl_outer, on_finding_outer, &s, &err), 0);
    ck_assert_str_eq(s.seen.codes, lists[_i].codes);
    ck_assert_str_eq(s.info, lists[_i].info);
    req.text = (acd_slice){"junk", 4};
    s = (struct crl_seen){.info = ""};
    ck_assert_int_eq(ops->inspect_crl(NULL, &req, on_crl_outer, on_finding_outer, &s, &err), 0);
    ck_assert_str_eq(s.seen.codes, "crl.unreadable@-1");
    req.ca = req.text;
    ck_assert_int_eq(ops->inspect_crl(NULL, &req, on_crl_outer, on_finding_outer, &s, &err), ACD_EINVAL);
}
END_TEST

static int
stop(void *ctx, const acd_finding *f)
{
    (void)f;
    ++*(int *)ctx;
    return ACD_ECANCELED;
}

START_TEST(a_callback_may_stop)
{
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    acd_err err = ACD_ERR_INIT;
    int calls = 0;
    acd_inspect req = {.struct_size = sizeof(req), .role = ACD_ROLE_CA};
    req.text = (acd_slice){"-----BEGIN A-----\n-----BEGIN B-----\n", 36};
    ck_assert_int_eq(ops->inspect(NULL, &req, NULL, stop, &calls, &err), ACD_ECANCELED);
    ck_assert_int_eq(calls, 1);
    req.role = 99;
    ck_assert_int_eq(ops->inspect(NULL, &req, NULL, stop, &calls, &err), ACD_EINVAL);
}
END_TEST

Suite *suite_inspect(void);

Suite *
suite_inspect(void)
{
    Suite *s = suite_create("inspect");
    TCase *tc = tcase_create("tables");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, single_certificates, 0, (int)(sizeof(cases) / sizeof(cases[0])));
    tcase_add_loop_test(tc, whole_uploads, 0, (int)(sizeof(uploads) / sizeof(uploads[0])));
    tcase_add_loop_test(tc, revocation_lists, 0, (int)(sizeof(lists) / sizeof(lists[0])));
    suite_add_tcase(s, tc);
    ADD_TESTS(s, "inspect", limits, line_forms, der_is_read, two_signatures_with_one_name, private_keys,
              key_material_stays_inside, a_callback_may_stop);
    return s;
}
