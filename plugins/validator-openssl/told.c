/*
 * Revocation by the host's own data. The host keeps lists per CA of the bundle; here it is found out whose
 * word counts for a certificate: that of every CA of the bundle with the name and key of its issuer, be that
 * the anchor or a certificate that the peer sent.
 */
#include <stdio.h>

#include <openssl/crypto.h>

#include "run.h"

/* Which of two answers about one certificate counts. Of two CAs that are one by name and key, the one with a
 * list in date is enough. */
static int
weight(uint32_t state)
{
    switch (state) {
    case ACD_REVOCATION_NONE:
        return 0;
    case ACD_REVOCATION_NOTED:
        return 1;
    case ACD_REVOCATION_GOOD:
        return 3;
    case ACD_REVOCATION_REVOKED:
        return 4;
    default:
        return 2;
    }
}

/* Unix seconds that lie whole in what the milliseconds say. */
static void
narrow(struct vo_told *told, const acd_revocation *a)
{
    int64_t from = a->from_ms == INT64_MIN ? INT64_MIN : a->from_ms / 1000;
    int64_t until = a->until_ms == INT64_MAX ? INT64_MAX : a->until_ms / 1000;
    told->from = from > told->from ? from : told->from;
    told->until = until < told->until ? until : told->until;
}

/* One certificate, with the text of the answer that counts. */
struct word {
    acd_revocation answer;
    char text[184];
};

static void
listen(struct vo_run *run, struct word *w, uint32_t ca, acd_slice serial)
{
    acd_revocation a = {.struct_size = sizeof(a), .from_ms = INT64_MIN, .until_ms = INT64_MAX};
    int rc = run->req->revocation(run->req->revocation_ctx, ca, serial, run->req->at_ms, &a);
    if (rc < 0) {
        run->status = rc;
        return;
    }
    narrow(&run->told, &a);
    if (weight(a.state) <= weight(w->answer.state))
        return;
    w->answer = a;
    (void)snprintf(w->text, sizeof(w->text), "%s", a.text ? a.text : "");
}

static void
ask(struct vo_run *run, const struct vo_cert *issuer, acd_slice serial, struct word *w)
{
    const struct acd_bundle *b = run->bundle;
    for (size_t s = vo_bundle_find(b, issuer->subject_hash);
         s < b->nslots && b->slots[s].subject_hash == issuer->subject_hash && run->status == 0; s++) {
        const struct vo_cert *ca = vo_bundle_cert(b, b->slots[s].at);
        if (ca && vo_cert_same_entity(ca, issuer))
            listen(run, w, b->slots[s].at, serial);
    }
}

/* The contents octets of the serial number. */
static acd_slice
serial_of(const struct vo_cert *c, unsigned char **ret_der)
{
    int len = i2d_ASN1_INTEGER(X509_get0_serialNumber(c->x), ret_der);
    const unsigned char *p = *ret_der;
    int head = len >= 2 ? 2 + (p[1] & 0x80 ? p[1] & 0x7f : 0) : 0;
    return len > head && head > 0 ? (acd_slice){p + head, (size_t)(len - head)} : (acd_slice){NULL, 0};
}

static bool
refuses(const struct word *w)
{
    return weight(w->answer.state) == weight(ACD_REVOCATION_UNKNOWN) ||
           w->answer.state == ACD_REVOCATION_REVOKED;
}

/* The text of a failure that is reported already stays as it is. */
static struct vo_fault
fault_of(struct vo_run *run, const struct word *w)
{
    struct vo_told *told = &run->told;
    bool revoked = w->answer.state == ACD_REVOCATION_REVOKED;
    const char *error = vo_error_name(revoked ? X509_V_ERR_CERT_REVOKED : X509_V_ERR_UNABLE_TO_GET_CRL);
    if (!revoked && w->answer.error)
        error = w->answer.error;
    if (run->best.text == told->text)
        return VO_FAULT(error, revoked ? "the certificate is revoked" : "revocation cannot be told");
    (void)snprintf(told->text, sizeof(told->text), "%s", w->text);
    told->revoked_ms = revoked ? w->answer.revoked_ms : 0;
    told->reason = revoked ? w->answer.reason : 0;
    return VO_FAULT(error, told->text);
}

/* What the host says about the certificate at that place of the path. */
static int
hear(struct vo_run *run, size_t at, struct word *ret)
{
    unsigned char *der = NULL;
    acd_slice serial = serial_of(run->path[at], &der);
    *ret = (struct word){.text = ""};
    if (serial.len == 0)
        run->status = ACD_ENOMEM;
    else
        ask(run, run->path[at + 1], serial, ret);
    OPENSSL_free(der);
    return run->status;
}

struct vo_fault
vo_told_check(struct vo_run *run, int32_t *ret_depth)
{
    struct word w, worst = {.text = ""};
    for (size_t i = 0; run->req->revocation && i + 1 < run->len; i++) {
        if (hear(run, i, &w) < 0)
            return VO_FINE; /* the run is over: nobody reads this */
        if (!refuses(&w)) {
            if (w.answer.state != ACD_REVOCATION_NONE)
                vo_run_pass(run, "crl", (int32_t)i, w.text);
        } else if (!refuses(&worst) || worst.answer.state == ACD_REVOCATION_REVOKED) {
            /* "Revoked" says that the chain is good but for it, so it must not hide that a list is missing.
             */
            worst = w;
            *ret_depth = (int32_t)i;
        }
    }
    return refuses(&worst) ? fault_of(run, &worst) : VO_FINE;
}
