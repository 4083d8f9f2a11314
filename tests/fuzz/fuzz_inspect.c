/* Uploads: any text in any role gives facts and findings and nothing else; findings are sentences with a
 * code. */
#include <stdint.h>
#include <string.h>

#include <anchord/plugin-validator.h>

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const acd_plugin acd_plugin_1_validator_openssl;

struct seen {
    size_t certs, errors, findings;
};

static int
on_cert(void *ctx, const acd_certinfo *c)
{
    struct seen *s = ctx;
    must(c->der.len > 0 && c->key_type && c->signature && c->subject.ptr);
    s->certs++;
    return 0;
}

static int
on_finding(void *ctx, const acd_finding *f)
{
    struct seen *s = ctx;
    must(f->code && strchr(f->code, '.') && f->text.len > 0 && f->index >= -1);
    s->errors += f->severity == ACD_SEV_ERROR;
    s->findings++;
    return 0;
}

static int
on_field(void *ctx, const char *name, acd_slice value)
{
    (void)ctx;
    must(name && value.ptr);
    return 0;
}

/* The first byte picks the role. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    acd_err err = ACD_ERR_INIT;
    struct seen s = {0, 0, 0};
    if (size < 1)
        return 0;
    acd_slice text = {data + 1, size - 1};
    acd_inspect req = {.struct_size = sizeof(req), .role = ACD_ROLE_CA + data[0] % 4, .text = text};
    req.at_ms = 1767225600000;
    if (data[0] & 4)
        req.key = text;
    must(ops->inspect(NULL, &req, on_cert, on_finding, &s, &err) == 0);
    /* Nothing passes without a certificate having been seen. */
    must(s.errors > 0 || s.certs > 0);
    int rc = ops->describe(NULL, text, &text, 1, on_field, NULL, &err);
    must(rc == 0 || rc == ACD_EINVAL);
    return 0;
}
