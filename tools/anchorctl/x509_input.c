#include "x509_input.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"

#define PEM_BEGIN "-----BEGIN CERTIFICATE-----"
#define PEM_END   "-----END CERTIFICATE-----"

void
x509_question_init(struct x509_question *q)
{
    *q = (struct x509_question){.profile = ACD_PROFILE_STRICT};
    mem_init(&q->region, 65536, X509_INPUT_REGION);
    q->verify.struct_size = sizeof(q->verify);
    q->verify.max_depth = -1;
}

void
x509_question_done(struct x509_question *q)
{
    mem_done(&q->region);
}

int
x509_list_add(struct mem_region *r, struct x509_list *l, acd_slice item)
{
    if (l->n >= X509_INPUT_CERTS)
        return ACD_ELIMIT;
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 16;
        acd_slice *items = mem_new_n(r, cap, acd_slice);
        if (!items)
            return ACD_ENOMEM;
        if (l->n)
            memcpy(items, l->items, l->n * sizeof(*items));
        l->items = items;
        l->cap = cap;
    }
    l->items[l->n++] = item;
    return 0;
}

/* Base64 with white space in it. len 0: broken. */
static int
decode(struct mem_region *r, acd_slice text, acd_slice *ret)
{
    const char *p = text.ptr;
    char *packed = mem_alloc(r, text.len + 1);
    uint8_t *der = mem_alloc(r, text.len + 1);
    size_t n = 0, len = 0;
    if (!packed || !der)
        return ACD_ENOMEM;
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r\n", p[i]) || p[i] == '\0')
            packed[n++] = p[i];
    *ret = slice_of(der, base64_decode(slice_of(packed, n), der, &len) ? len : 0);
    return 0;
}

int
x509_list_certs(struct mem_region *r, struct x509_list *l, acd_slice text, size_t *ret_n)
{
    const char *at = text.ptr, *end = at + text.len;
    *ret_n = 0;
    if (text.len && *(const uint8_t *)text.ptr == 0x30) {
        *ret_n = 1;
        return x509_list_add(r, l, text);
    }
    while (text.len && (at = memmem(at, (size_t)(end - at), PEM_BEGIN, strlen(PEM_BEGIN)))) {
        acd_slice der;
        at += strlen(PEM_BEGIN);
        const char *stop = memmem(at, (size_t)(end - at), PEM_END, strlen(PEM_END));
        if (!stop)
            break;
        int rc = decode(r, slice_of(at, (size_t)(stop - at)), &der);
        if (rc == 0)
            rc = x509_list_add(r, l, der);
        if (rc < 0)
            return rc;
        ++*ret_n;
        at = stop + strlen(PEM_END);
    }
    return 0;
}

int
x509_ask(const acd_validator_ops *ops, void *inst, struct x509_question *q, acd_verdict *ret, acd_err *err)
{
    acd_anchor *anchors = mem_new_n(&q->region, q->trust.n + 1, acd_anchor);
    acd_bundle *bundle = NULL;
    if (!anchors)
        return err_set(err, ACD_ENOMEM, "out of memory");
    for (size_t i = 0; i < q->trust.n; i++)
        anchors[i] = (acd_anchor){sizeof(anchors[i]), q->profile, q->trust.items[i]};
    acd_bundle_spec spec = {.struct_size = sizeof(spec), .anchors = anchors, .nanchors = q->trust.n};
    spec.crls = q->crls.items;
    spec.ncrls = q->crls.n;
    q->verify.inter = q->untrusted.items;
    q->verify.ninter = q->untrusted.n;
    int rc = ops->bundle_build(inst, &spec, &bundle, err);
    if (rc < 0)
        return rc;
    *ret = (acd_verdict){.struct_size = sizeof(*ret)};
    rc = ops->verify(bundle, &q->verify, NULL, ret, err);
    ops->bundle_free(bundle);
    return rc;
}
