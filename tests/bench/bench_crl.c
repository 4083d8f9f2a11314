/*
 * Revocation: a list of a million entries of 20 octets, from DER to the image, what it takes there, and what
 * a look-up costs; beside OpenSSL's own list on the same bytes in the same run.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <anchord/plugin-validator.h>

#include "base/rand.h"
#include "base/str.h"
#include "rig.h"
#include "snap/revoked.h"

extern const acd_plugin acd_plugin_1_validator_openssl;

enum { MILLION = 1000000, FEW = 20000, SERIAL = 20, ASKED = 4096 };
#define BOUND_PER_ENTRY 24.0

static struct {
    size_t n;
    uint8_t (*serials)[SERIAL];
    uint8_t *der, *ca;
    size_t der_len, ca_len;
    X509_CRL *crl;
    ASN1_INTEGER *asked[ASKED];
    struct snap_writer *w;
    acd_err err;
} b = {.err = ACD_ERR_INIT};

/* --- the list --------------------------------------------------------------------------------------------
 */

static X509 *
make_ca(EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    must(x && ext && X509_set_version(x, X509_VERSION_3) &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"bench", -1, -1, 0) &&
         X509_set_issuer_name(x, name) && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
         X509_gmtime_adj(X509_getm_notBefore(x), -86400) && X509_gmtime_adj(X509_getm_notAfter(x), 86400) &&
         X509_set_pubkey(x, key) && X509_add_ext(x, ext, -1) && X509_sign(x, key, EVP_sha256()));
    X509_EXTENSION_free(ext);
    return x;
}

static void
add_entry(X509_CRL *crl, const uint8_t *serial, ASN1_TIME *when)
{
    X509_REVOKED *r = X509_REVOKED_new();
    BIGNUM *n = BN_bin2bn(serial, SERIAL, NULL);
    ASN1_INTEGER *i = BN_to_ASN1_INTEGER(n, NULL);
    must(r && X509_REVOKED_set_serialNumber(r, i) && X509_REVOKED_set_revocationDate(r, when) &&
         X509_CRL_add0_revoked(crl, r));
    ASN1_INTEGER_free(i);
    BN_free(n);
}

static void
make_list(void)
{
    struct prng r = {42};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca = make_ca(key);
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -60), *next = X509_gmtime_adj(NULL, 86400);
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    must(crl && X509_CRL_set_version(crl, X509_CRL_VERSION_2) && ASN1_INTEGER_set(number, 1) &&
         X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca)) && X509_CRL_set1_lastUpdate(crl, now) &&
         X509_CRL_set1_nextUpdate(crl, next) && X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0));
    b.serials = calloc(b.n, SERIAL);
    for (size_t i = 0; i < b.n; i++) {
        for (size_t k = 0; k < SERIAL; k++)
            b.serials[i][k] = (uint8_t)prng_next(&r);
        b.serials[i][0] = (b.serials[i][0] & 0x7f) | 0x40;
        add_entry(crl, b.serials[i], now);
    }
    must(X509_CRL_sign(crl, key, EVP_sha256()));
    b.der_len = (size_t)i2d_X509_CRL(crl, &b.der);
    b.ca_len = (size_t)i2d_X509(ca, &b.ca);
    for (size_t i = 0; i < ASKED; i++) { /* every other one is listed */
        uint8_t *s = b.serials[prng_below(&r, b.n)];
        BIGNUM *n = BN_bin2bn(s, SERIAL, NULL);
        must(i % 2 == 0 || BN_add_word(n, 1));
        b.asked[i] = BN_to_ASN1_INTEGER(n, NULL);
        BN_free(n);
    }
    ASN1_INTEGER_free(number);
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
    X509_CRL_free(crl);
    X509_free(ca);
    EVP_PKEY_free(key);
}

/* --- loading: from DER to the first answer -----------------------------------------------------------------
 */

struct load {
    struct snap_revoked_set *set;
    struct snap_revoked_state state;
    int errors;
};

static int
on_entry(void *ctx, const acd_crl_entry *e)
{
    const struct snap_revoked_entry entry = {e->revoked_s, e->reason};
    return snap_revoked_add(((struct load *)ctx)->set, e->serial, &entry, false, &b.err);
}

static int
on_finding(void *ctx, const acd_finding *f)
{
    ((struct load *)ctx)->errors += f->severity == ACD_SEV_ERROR;
    return 0;
}

static int
on_part(void *ctx, uint32_t part, acd_slice bytes)
{
    (void)ctx;
    return snap_put_revoked_part(b.w, SLICE_LIT("ca"), 0, part, bytes, &b.err);
}

static double
load_ours(void *ctx, double seconds)
{
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    struct load l = {.state = {.epoch = 1, .until_s = INT64_MAX, .listed = true}};
    acd_inspect_crl req = {.struct_size = sizeof(req),
                           .text = slice_of(b.der, b.der_len),
                           .ca = slice_of(b.ca, b.ca_len),
                           .at_ms = (int64_t)time(NULL) * 1000,
                           .entry = on_entry};
    struct snap_view *v;
    uint64_t began = rig_ns();
    (void)ctx, (void)seconds;
    snap_writer_free(b.w);
    rig_need(snap_writer_open(&(struct snap_writer_opts){0}, &b.w, &b.err), &b.err, "writer");
    rig_need(snap_begin(b.w, &b.err), &b.err, "begin");
    rig_need(snap_revoked_new(&l.set, &b.err), &b.err, "set");
    rig_need(ops->inspect_crl(NULL, &req, NULL, on_finding, &l, &b.err), &b.err, "list");
    must(l.errors == 0 && snap_revoked_count(l.set) == b.n);
    rig_need(snap_revoked_build(l.set, &l.state.shape, &l.state.shape, on_part, NULL, &b.err), &b.err,
             "build");
    snap_revoked_free(l.set);
    rig_need(snap_put_revoked(b.w, SLICE_LIT("ca"), 0, &l.state, SLICE_LIT(""), &b.err), &b.err, "head");
    rig_need(snap_commit(b.w, 1, 0, &v, &b.err), &b.err, "commit");
    snap_view_unref(v);
    return rig_since(began);
}

static double
load_theirs(void *ctx, double seconds)
{
    const unsigned char *p = b.der;
    X509_REVOKED *r;
    (void)ctx, (void)seconds;
    X509_CRL_free(b.crl);
    uint64_t began = rig_ns();
    b.crl = d2i_X509_CRL(NULL, &p, (long)b.der_len);
    must(b.crl);
    (void)X509_CRL_get0_by_serial(b.crl, &r, b.asked[0]); /* sorts */
    return rig_since(began);
}

/* --- look-ups
 * ----------------------------------------------------------------------------------------------- */

static double
per_lookup(double seconds, int (*one)(size_t i))
{
    uint64_t began = rig_ns(), n = 0, hits = 0;
    do {
        for (size_t i = 0; i < ASKED; i++)
            hits += one(i) == 1;
        n += ASKED;
    } while (rig_since(began) < seconds);
    must(hits * 2 == n);
    return rig_since(began) * 1e9 / (double)n;
}

static int
find_ours(size_t i)
{
    struct snap_revoked_entry e;
    acd_slice serial = {ASN1_STRING_get0_data(b.asked[i]), SERIAL};
    return snap_revoked_find(snap_writer_view(b.w), SLICE_LIT("ca"), 0, serial, &e);
}

static int
find_theirs(size_t i)
{
    X509_REVOKED *r;
    return X509_CRL_get0_by_serial(b.crl, &r, b.asked[i]);
}

static double
look_ours(void *ctx, double seconds)
{
    (void)ctx;
    return per_lookup(seconds, find_ours);
}

static double
look_theirs(void *ctx, double seconds)
{
    (void)ctx;
    return per_lookup(seconds, find_theirs);
}

int
main(int argc, char **argv)
{
    double seconds = rig_begin(argc, argv);
    struct snap_info info;
    b.n = seconds < 0.5 ? FEW : MILLION;
    make_list();
    struct rig_pair load = {.measure = "CRL of 1 M entries, DER to first answer",
                            .unit = "s",
                            .peer = "d2i_X509_CRL",
                            .reach = 1,
                            .ours = load_ours,
                            .theirs = load_theirs};
    struct rig_pair look = {.measure = "revoked? among 1 M",
                            .unit = "ns",
                            .peer = "X509_CRL_get0_by_serial",
                            .reach = 1,
                            .ours = look_ours,
                            .theirs = look_theirs};
    (void)rig_compare(&load, seconds);
    (void)rig_compare(&look, seconds);
    snap_view_info(snap_writer_view(b.w), &info);
    rig_beside("1 M revoked in the image", (double)info.used, "bytes", "24 bytes an entry",
               BOUND_PER_ENTRY * (double)b.n, 1);
    return 0;
}
