/*
 * Chains from the wire: a list of DER certificates, each with two octets of length. The first is the leaf;
 * the last is also the anchor, so that whole paths are walked. A verdict is always reached, and "verified"
 * names the anchor.
 */
#include <stdint.h>
#include <string.h>

#include <anchord/plugin-validator.h>

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const acd_plugin acd_plugin_1_validator_openssl;

enum { CERTS_MAX = 20 };

static size_t
split(const uint8_t *data, size_t size, acd_slice *out)
{
    size_t n = 0;
    while (size >= 2 && n < CERTS_MAX) {
        size_t len = (size_t)data[0] << 8 | data[1];
        data += 2;
        size -= 2;
        len = len < size ? len : size;
        out[n++] = (acd_slice){data, len};
        data += len;
        size -= len;
    }
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    acd_slice certs[CERTS_MAX];
    acd_bundle *bundle = NULL;
    acd_err err = ACD_ERR_INIT;
    acd_verdict v = {.struct_size = sizeof(v)};
    if (size < 1)
        return 0;
    uint32_t profile = data[0] & 1 ? ACD_PROFILE_COMPAT : ACD_PROFILE_STRICT;
    size_t n = split(data + 1, size - 1, certs);
    if (n == 0)
        return 0;
    acd_anchor anchor = {sizeof(anchor), profile, certs[n - 1]};
    acd_bundle_spec spec = {.struct_size = sizeof(spec), .anchors = &anchor, .nanchors = 1};
    acd_verify q = {
        .struct_size = sizeof(q), .leaf = certs[0], .inter = certs + 1, .ninter = n - 1, .max_depth = -1};
    q.at_ms = 1767225600000;
    q.purpose = data[0] & 2 ? ACD_PURPOSE_CLIENT : ACD_PURPOSE_SERVER;
    if (data[0] & 4)
        q.host = (acd_slice){"a.test", 6};
    must(ops->bundle_build(NULL, &spec, &bundle, &err) == 0);
    must(ops->verify(bundle, &q, NULL, &v, &err) == 0);
    must((v.result == ACD_VERIFIED) == (v.anchor == 0) && (v.result == ACD_VERIFIED) == (v.error[0] == '\0'));
    must(v.valid_from_ms <= q.at_ms && q.at_ms <= v.valid_until_ms);
    ops->bundle_free(bundle);
    return 0;
}
