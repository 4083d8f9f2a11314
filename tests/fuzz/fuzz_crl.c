/*
 * Revocation lists: two octets of length and a CA certificate, two octets and a leaf, and the rest is the
 * list. Without a list the verdict is the reference: a list may take "verified" away and never give it.
 */
#include <stdint.h>
#include <string.h>

#include <anchord/plugin-validator.h>

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const acd_plugin acd_plugin_1_validator_openssl;

static acd_slice
take(const uint8_t **data, size_t *size)
{
    size_t len = *size >= 2 ? (size_t)(*data)[0] << 8 | (*data)[1] : 0;
    size_t head = *size >= 2 ? 2 : *size;
    len = len < *size - head ? len : *size - head;
    acd_slice s = {*data + head, len};
    *data += head + len;
    *size -= head + len;
    return s;
}

static int
verdict(const acd_anchor *anchor, acd_slice leaf, const acd_slice *crl, size_t ncrl, acd_verdict *ret)
{
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    acd_bundle *bundle = NULL;
    acd_err err = ACD_ERR_INIT;
    acd_bundle_spec spec = {
        .struct_size = sizeof(spec), .anchors = anchor, .nanchors = 1, .crls = crl, .ncrls = ncrl};
    acd_verify q = {.struct_size = sizeof(q), .leaf = leaf, .purpose = ACD_PURPOSE_SERVER, .max_depth = -1};
    q.at_ms = 1767225600000;
    int rc = ops->bundle_build(NULL, &spec, &bundle, &err);
    if (rc < 0)
        return rc;
    *ret = (acd_verdict){.struct_size = sizeof(*ret)};
    must(ops->verify(bundle, &q, NULL, ret, &err) == 0);
    ops->bundle_free(bundle);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    acd_slice ca = take(&data, &size), leaf = take(&data, &size), crl = {data, size};
    acd_anchor anchor = {sizeof(anchor), ACD_PROFILE_STRICT, ca};
    acd_verdict with, without;
    must(verdict(&anchor, leaf, NULL, 0, &without) == 0);
    int rc = verdict(&anchor, leaf, &crl, 1, &with);
    must(rc == 0 || rc == ACD_EINVAL);
    if (rc == 0)
        must(with.result == ACD_NOT_VERIFIED || without.result == ACD_VERIFIED);
    return 0;
}
