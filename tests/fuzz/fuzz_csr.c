/*
 * Certificate signing requests: any text gives findings, or facts and a certificate. What is signed names
 * what was told, is a leaf whatever was asked for, and is accepted by our own upload check.
 */
#include <stdint.h>
#include <string.h>

#include <anchord/plugin-validator.h>

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const acd_plugin acd_plugin_1_validator_openssl;

static const int64_t now_ms = 1767225600000, year_ms = 31536000000;

struct kept {
    uint8_t bytes[16384];
    size_t len;
};

static int
keep(struct kept *k, acd_slice s)
{
    must(s.len <= sizeof(k->bytes));
    memcpy(k->bytes, s.ptr, s.len);
    k->len = s.len;
    return 0;
}

static int
on_key(void *ctx, acd_slice key)
{
    return keep(ctx, key);
}

static int
on_cert(void *ctx, const acd_certinfo *c)
{
    return keep(ctx, c->der);
}

struct seen {
    unsigned errors, findings, facts;
    uint8_t spki[32];
};

static int
on_csr(void *ctx, const acd_csrinfo *i)
{
    struct seen *s = ctx;
    must(i->key_type && i->subject.ptr && i->common_name.ptr && i->country.ptr && i->locality.ptr);
    memcpy(s->spki, i->spki_sha256, 32);
    s->facts++;
    return 0;
}

static int
on_finding(void *ctx, const acd_finding *f)
{
    struct seen *s = ctx;
    must(f->code && strchr(f->code, '.') && f->text.len > 0);
    s->errors += f->severity == ACD_SEV_ERROR;
    s->findings++;
    return 0;
}

static int
on_signed(void *ctx, const acd_certinfo *c)
{
    struct seen *s = ctx;
    must(!c->is_ca && c->version == 3 && memcmp(c->spki_sha256, s->spki, 32) == 0);
    must(c->ski_hex.len > 0 && c->aki_hex.len > 0 && c->serial_hex.len == 34);
    s->facts++;
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kept key, ca;
    const acd_validator_ops *ops = acd_plugin_1_validator_openssl.ops;
    struct seen s = {0};
    acd_err err = ACD_ERR_INIT;
    if (!ca.len) {
        must(ops->key_make(NULL, ACD_KEY_P256, on_key, &key, &err) == 0);
        const acd_make_ca make = {.struct_size = sizeof(make),
                                  .key = {key.bytes, key.len},
                                  .common_name = {"fuzz", 4},
                                  .not_before_ms = now_ms,
                                  .not_after_ms = now_ms + 2 * year_ms};
        must(ops->ca_make(NULL, &make, on_cert, &ca, &err) == 0);
    }
    acd_slice csr = {data, size};
    must(ops->inspect_csr(NULL, csr, on_csr, on_finding, &s, &err) == 0);
    must((s.facts == 1) == (s.errors == 0));
    const acd_sign what = {.struct_size = sizeof(what),
                           .csr = csr,
                           .ca = {ca.bytes, ca.len},
                           .key = {key.bytes, key.len},
                           .not_before_ms = now_ms,
                           .not_after_ms = now_ms + year_ms};
    int rc = ops->client_sign(NULL, &what, on_signed, &s, &err);
    must(s.errors ? rc == ACD_EINVAL : rc == 0 && s.facts == 2);
    return 0;
}
