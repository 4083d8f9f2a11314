/* Keys and signature algorithms: what is allowed in a chain, checked before any signature is. */
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>

#include "vo.h"

static const struct {
    int nid;
    enum vo_sig kind;
    const char *name;
} sigs[] = {
    {NID_sha1WithRSAEncryption, VO_SIG_SHA1, "SHA1WithRSA"},
    {NID_sha256WithRSAEncryption, VO_SIG_SHA2, "SHA256WithRSA"},
    {NID_sha384WithRSAEncryption, VO_SIG_SHA2, "SHA384WithRSA"},
    {NID_sha512WithRSAEncryption, VO_SIG_SHA2, "SHA512WithRSA"},
    {NID_ecdsa_with_SHA1, VO_SIG_SHA1, "ECDSAWithSHA1"},
    {NID_ecdsa_with_SHA256, VO_SIG_SHA2, "ECDSAWithSHA256"},
    {NID_ecdsa_with_SHA384, VO_SIG_SHA2, "ECDSAWithSHA384"},
    {NID_ecdsa_with_SHA512, VO_SIG_SHA2, "ECDSAWithSHA512"},
};

enum vo_sig
vo_sig_kind_nid(int nid)
{
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
        if (sigs[i].nid == nid)
            return sigs[i].kind;
    return VO_SIG_REFUSED;
}

/* The digest of RSASSA-PSS is in its parameters (RFC 4055 section 3.1). X509_SIG_INFO_TLS says that message
 * digest, mask digest and salt length agree. */
static enum vo_sig
pss_kind(const X509 *x)
{
    int md = NID_undef, pkey = NID_undef, bits = 0;
    uint32_t flags = 0;
    if (X509_get_signature_info((X509 *)x, &md, &pkey, &bits, &flags) != 1 || !(flags & X509_SIG_INFO_TLS))
        return VO_SIG_REFUSED;
    return md == NID_sha256 || md == NID_sha384 || md == NID_sha512 ? VO_SIG_PSS : VO_SIG_REFUSED;
}

enum vo_sig
vo_sig_kind(const X509 *x)
{
    int nid = X509_get_signature_nid(x);
    return nid == NID_rsassaPss ? pss_kind(x) : vo_sig_kind_nid(nid);
}

const char *
vo_sig_name(const X509 *x)
{
    int nid = X509_get_signature_nid(x);
    for (size_t i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
        if (sigs[i].nid == nid)
            return sigs[i].name;
    const char *name = nid == NID_undef ? NULL : OBJ_nid2ln(nid);
    return name ? name : "unknown";
}

/* An odd positive integer of at most `bits` bits. */
static bool
is_odd(const ASN1_TYPE *t, size_t bits)
{
    if (t->type != V_ASN1_INTEGER)
        return false;
    const unsigned char *p = ASN1_STRING_get0_data(t->value.integer);
    size_t len = (size_t)ASN1_STRING_length(t->value.integer);
    return len > 0 && len <= (bits + 7) / 8 && (p[len - 1] & 1);
}

/* RSAPublicKey ::= SEQUENCE { modulus, publicExponent } (RFC 8017). Read from the encoding, because asking
 * the key for its numbers costs as much as a third of a signature. An exponent as long as the modulus makes
 * one check a hundred times as slow, so its length is bounded. */
static struct vo_fault
rsa_fault(const X509_PUBKEY *pub, int bits)
{
    if (bits < VO_RSA_BITS_MIN)
        return VO_FAULT("X509_V_ERR_EE_KEY_TOO_SMALL", "RSA keys need at least 2048 bits");
    if (bits > VO_RSA_BITS_MAX)
        return VO_FAULT("ACD_V_ERR_KEY_TOO_LARGE", "RSA keys may have at most 8192 bits");
    const unsigned char *p = NULL;
    int len = 0;
    (void)X509_PUBKEY_get0_param(NULL, &p, &len, NULL, pub);
    ASN1_SEQUENCE_ANY *seq = d2i_ASN1_SEQUENCE_ANY(NULL, &p, len);
    struct vo_fault f = VO_FINE;
    const ASN1_TYPE *e = sk_ASN1_TYPE_num(seq) == 2 ? sk_ASN1_TYPE_value(seq, 1) : NULL;
    if (!e || e->type != V_ASN1_INTEGER)
        f = VO_FAULT("ACD_V_ERR_KEY_UNREADABLE", "the RSA key cannot be read");
    else if (!is_odd(e, VO_RSA_EXPONENT_BITS) || ASN1_INTEGER_get(e->value.integer) < 3)
        f = VO_FAULT("ACD_V_ERR_KEY_EXPONENT",
                     "the RSA exponent must be odd, at least 3 and at most 32 bits");
    else if (!is_odd(sk_ASN1_TYPE_value(seq, 0), VO_RSA_BITS_MAX))
        f = VO_FAULT("ACD_V_ERR_KEY_MODULUS", "the RSA modulus is even");
    sk_ASN1_TYPE_pop_free(seq, ASN1_TYPE_free);
    return f;
}

/* ECParameters are a name or, against RFC 5480 section 2.1.1, spelled out. */
static void
ec_read(const X509_PUBKEY *pub, struct vo_key *ret)
{
    static const struct {
        int nid;
        const char *type;
    } curves[] = {{NID_X9_62_prime256v1, "P-256"}, {NID_secp384r1, "P-384"}, {NID_secp521r1, "P-521"}};
    X509_ALGOR *alg = NULL;
    const void *name = NULL;
    int kind = V_ASN1_UNDEF;
    ret->type = "EC";
    (void)X509_PUBKEY_get0_param(NULL, NULL, NULL, &alg, pub);
    if (alg)
        X509_ALGOR_get0(NULL, &kind, &name, alg);
    if (kind != V_ASN1_OBJECT) {
        ret->fault = VO_FAULT("X509_V_ERR_EC_KEY_EXPLICIT_PARAMS",
                              "EC keys must name their curve instead of spelling out its parameters");
        return;
    }
    ret->fault = VO_FAULT("ACD_V_ERR_KEY_CURVE", "EC keys must be on P-256, P-384 or P-521");
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
        if (OBJ_obj2nid(name) == curves[i].nid) {
            ret->type = curves[i].type;
            ret->fault = VO_FINE;
        }
}

void
vo_key_read(const X509_PUBKEY *pub, struct vo_key *ret)
{
    *ret = (struct vo_key){.type = "unknown"};
    const EVP_PKEY *key = X509_PUBKEY_get0(pub);
    if (!key) {
        ret->fault = VO_FAULT("ACD_V_ERR_KEY_UNREADABLE", "the public key cannot be read");
        return;
    }
    int bits = EVP_PKEY_get_bits(key);
    ret->bits = bits > 0 ? (uint32_t)bits : 0;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        ret->kind = VO_KEY_RSA;
        ret->type = "RSA";
        ret->fault = rsa_fault(pub, bits);
        return;
    case EVP_PKEY_EC:
        ret->kind = VO_KEY_EC;
        ec_read(pub, ret);
        return;
    case EVP_PKEY_ED25519:
        ret->kind = VO_KEY_ED25519;
        ret->type = "Ed25519";
        return;
    default: {
        const char *name = EVP_PKEY_get0_type_name(key);
        ret->type = name ? name : "unknown";
        ret->fault = VO_FAULT("ACD_V_ERR_KEY_TYPE", "keys must be RSA or EC");
    }
    }
}
