/* A list before it is stored: what the validator says, and its entries as a set. */
#include <stdlib.h>

#include "base/err.h"
#include "core/crls.h"

struct check {
    struct mem_region *region;
    acd_slice text;
    const uint32_t *indexes;
    struct crl_checked *c;
    acd_err entry; /* why an entry has no place in a set */
    int entry_rc;
};

static int
keep_entry(void *arg, const acd_crl_entry *e)
{
    struct check *ctx = arg;
    const struct snap_revoked_entry entry = {e->revoked_s, e->reason};
    if (ctx->entry_rc < 0)
        return 0;
    ctx->entry_rc = snap_revoked_add(ctx->c->set, e->serial, &entry, true, &ctx->entry);
    return ctx->entry_rc == ACD_ENOMEM ? ACD_ENOMEM : 0;
}

static const char *
keep(struct mem_region *r, acd_slice s)
{
    return mem_strndup(r, s.ptr, s.len);
}

static int
keep_list(void *arg, const acd_crlinfo *info)
{
    struct check *ctx = arg;
    struct crl_checked *c = ctx->c;
    c->index = ctx->indexes[info->ca];
    c->delta = info->delta != 0;
    c->number = keep(ctx->region, info->number_dec);
    c->base = keep(ctx->region, info->base_dec);
    c->issuer = keep(ctx->region, info->issuer);
    c->this_ms = info->this_update_ms;
    c->next_ms = info->next_update_ms;
    c->entries = info->revoked;
    memcpy(c->sha256, info->sha256, sizeof(c->sha256));
    c->der = info->der;
    if (info->der.ptr != ctx->text.ptr) {
        c->own = malloc(info->der.len);
        if (!c->own)
            return ACD_ENOMEM;
        memcpy(c->own, info->der.ptr, info->der.len);
        c->der.ptr = c->own;
    }
    return c->number && c->base && c->issuer ? 0 : ACD_ENOMEM;
}

static int
keep_finding(void *arg, const acd_finding *f)
{
    struct check *ctx = arg;
    struct crl_checked *c = ctx->c;
    Anchord__V1__Finding *m = wire_new(ctx->region, Anchord__V1__Finding, anchord__v1__finding);
    if (!m)
        return ACD_ENOMEM;
    m->severity = (Anchord__V1__Severity)f->severity;
    m->index = f->index;
    m->code = mem_strdup(ctx->region, f->code ? f->code : "");
    m->message = mem_strndup(ctx->region, f->text.ptr, f->text.len);
    if (!m->code || !m->message)
        return ACD_ENOMEM;
    c->errors += f->severity == ACD_SEV_ERROR;
    return wire_append(ctx->region, &c->nfindings, &c->findings, m);
}

static int
inspect(struct check *ctx, struct plug_validator *v, int64_t now_ms, const acd_slice *cas, size_t ncas,
        acd_err *err)
{
    const acd_inspect_crl req = {.struct_size = sizeof(req),
                                 .text = ctx->text,
                                 .ca = cas[0],
                                 .at_ms = now_ms,
                                 .cas = cas + 1,
                                 .ncas = ncas - 1,
                                 .entry = keep_entry};
    int rc = plug_validator_inspect_crl(v, &req, keep_list, keep_finding, ctx, 0, err);
    if (rc < 0 || ctx->entry_rc == 0)
        return rc;
    const char *text = err_text(&ctx->entry, ctx->entry_rc);
    char *sentence = mem_printf(ctx->region, "The CRL has %s.", text);
    const acd_finding f = {.struct_size = sizeof(f),
                           .severity = ACD_SEV_ERROR,
                           .index = -1,
                           .code = "crl.entry",
                           .text = slice_str(sentence)};
    return sentence ? keep_finding(ctx, &f) : ACD_ENOMEM;
}

int
crl_check(struct plug_validator *v, struct mem_region *region, int64_t now_ms, acd_slice text,
          const acd_slice *cas, const uint32_t *indexes, size_t ncas, struct crl_checked **ret, acd_err *err)
{
    struct crl_checked *c = calloc(1, sizeof(*c));
    struct check ctx = {.region = region, .text = text, .indexes = indexes, .c = c, .entry = ACD_ERR_INIT};
    if (!c)
        return err_set(err, ACD_ENOMEM, "out of memory");
    c->number = c->base = c->issuer = "";
    int rc = snap_revoked_new(&c->set, err);
    if (rc == 0)
        rc = inspect(&ctx, v, now_ms, cas, ncas, err);
    if (rc < 0) {
        crl_checked_free(c);
        return rc;
    }
    *ret = c;
    return 0;
}

void
crl_checked_free(struct crl_checked *c)
{
    if (!c)
        return;
    snap_revoked_free(c->set);
    free(c->own);
    free(c);
}
