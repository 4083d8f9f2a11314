/*
 * The walk over all extensions. OpenSSL reads nine of them when it caches a certificate and notices neither
 * broken contents nor duplicates of the others (RFC 5280 section 4.2 forbids both).
 */
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include "vo.h"

/* Those that X509_check_purpose(x, -1, 0) reads; a broken one sets EXFLAG_INVALID. */
static bool
read_by_library(int nid)
{
    switch (nid) {
    case NID_basic_constraints:
    case NID_key_usage:
    case NID_ext_key_usage:
    case NID_subject_key_identifier:
    case NID_authority_key_identifier:
    case NID_subject_alt_name:
    case NID_name_constraints:
    case NID_crl_distribution_points:
    case NID_netscape_cert_type:
    case NID_proxyCertInfo:
        return true;
    default:
        return false;
    }
}

/* Decodes the value and demands that nothing is left over. Sequences of at least one element (RFC 5280
 * sections 4.2.1.4, 4.2.1.5, 4.2.2.1) must have one: an empty one has two octets. */
static bool
readable(X509_EXTENSION *ext, const X509V3_EXT_METHOD *method)
{
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(ext);
    const unsigned char *p = ASN1_STRING_get0_data(value), *end = p + ASN1_STRING_length(value);
    void *decoded;
    if (method->it) {
        decoded = ASN1_item_d2i(NULL, &p, end - p, ASN1_ITEM_ptr(method->it));
        if (decoded)
            ASN1_item_free(decoded, ASN1_ITEM_ptr(method->it));
    } else {
        decoded = method->d2i ? method->d2i(NULL, &p, end - p) : NULL;
        if (decoded)
            method->ext_free(decoded);
    }
    if (!decoded || p != end)
        return false;
    switch (method->ext_nid) {
    case NID_info_access:
    case NID_sinfo_access:
    case NID_certificate_policies:
    case NID_policy_mappings:
    case NID_policy_constraints:
        return ASN1_STRING_length(value) > 2;
    default:
        return true;
    }
}

struct vo_fault
vo_ext_fault(X509 *x, bool slow)
{
    int n = X509_get_ext_count(x);
    if (n > VO_MAX_EXTENSIONS)
        return VO_FAULT("ACD_V_ERR_TOO_MANY_EXTENSIONS", "the certificate has more than 64 extensions");
    for (int i = 0; i < n; i++) {
        X509_EXTENSION *ext = X509_get_ext(x, i);
        const ASN1_OBJECT *oid = X509_EXTENSION_get_object(ext);
        if (X509_get_ext_by_OBJ(x, oid, i) >= 0)
            return VO_FAULT("ACD_V_ERR_DUPLICATE_EXTENSION", "an extension occurs twice");
        int nid = OBJ_obj2nid(oid);
        if (nid == NID_undef || (!slow && read_by_library(nid)))
            continue;
        const X509V3_EXT_METHOD *method = X509V3_EXT_get_nid(nid);
        if (method && !readable(ext, method))
            return VO_FAULT("X509_V_ERR_INVALID_EXTENSION", "an extension cannot be read");
    }
    uint32_t flags = X509_get_extension_flags(x);
    if (flags & EXFLAG_INVALID)
        return VO_FAULT("X509_V_ERR_INVALID_EXTENSION", "an extension cannot be read or contradicts another");
    if (flags & EXFLAG_CRITICAL)
        return VO_FAULT("X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION",
                        "a critical extension is unknown here, so the certificate must not be used");
    return VO_FINE;
}

/* What RFC 5280 demands of issuers beyond what X509_V_FLAG_X509_STRICT checks. */
struct vo_fault
vo_ext_strict_fault(X509 *x)
{
    static const int must_be_critical[] = {NID_policy_constraints, NID_inhibit_any_policy};
    for (size_t i = 0; i < 2; i++) {
        int at = X509_get_ext_by_NID(x, must_be_critical[i], -1);
        if (at >= 0 && !X509_EXTENSION_get_critical(X509_get_ext(x, at)))
            return VO_FAULT("ACD_V_ERR_EXTENSION_NOT_CRITICAL",
                            "policy constraints and inhibit-any-policy must be critical");
    }
    if (X509_get_version(x) != X509_VERSION_3)
        return VO_FAULT("ACD_V_ERR_VERSION", "the certificate is not of version 3");
    /* Positive and at most 20 octets (section 4.1.2.2); zero and negative ones are to be coped with. */
    if (ASN1_STRING_length(X509_get0_serialNumber(x)) > VO_MAX_SERIAL)
        return VO_FAULT("ACD_V_ERR_SERIAL_TOO_LONG", "the serial number is longer than 20 octets");
    return VO_FINE;
}
