/*
 * A path that X509_verify_cert cannot be kept on: OpenSSL takes a self-issued intermediate without an
 * authority key identifier for self-signed and stops there, although a CA that was renewed under its old name
 * has just such certificates. The same checks are made here one by one (RFC 5280 section 6.1). Profile strict
 * never gets here: it wants the identifier.
 */
#include "run.h"

bool
vo_hand_needed(const struct vo_run *run)
{
    for (size_t i = 0; i + 1 < run->len; i++)
        if (run->path[i]->flags & EXFLAG_SS)
            return true;
    return false;
}

static int
check_certs(const struct vo_run *run, int *ret_depth)
{
    int below = 0; /* intermediates that are not self-issued */
    for (size_t i = 0; i < run->len; i++) {
        const struct vo_cert *c = run->path[i];
        long most = X509_get_pathlen(c->x);
        *ret_depth = (int)i;
        if (c->flags & EXFLAG_PROXY)
            return X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED;
        if (i > 0 && !c->ca)
            return X509_V_ERR_INVALID_CA;
        if (X509_check_purpose(c->x, run->purpose, i > 0) != 1)
            return X509_V_ERR_INVALID_PURPOSE;
        if (i > 1 && most >= 0 && below > most)
            return X509_V_ERR_PATH_LENGTH_EXCEEDED;
        if (i > 0 && !vo_cert_self_issued(c))
            below++;
    }
    return X509_V_OK;
}

static int
check_constraints(const struct vo_run *run, int *ret_depth)
{
    for (size_t i = 0; i < run->len; i++) {
        if (i > 0 && vo_cert_self_issued(run->path[i]))
            continue;
        for (size_t up = i + 1; up < run->len; up++) {
            NAME_CONSTRAINTS *nc = run->path[up]->nc;
            int rc = nc ? NAME_CONSTRAINTS_check(run->path[i]->x, nc) : X509_V_OK;
            *ret_depth = (int)i;
            if (rc != X509_V_OK)
                return rc;
        }
    }
    return X509_V_OK;
}

int
vo_hand_check(struct vo_run *run, int *ret_depth)
{
    int rc = check_certs(run, ret_depth);
    for (size_t i = 0; rc == X509_V_OK && i + 1 < run->len; i++) {
        *ret_depth = (int)i;
        if (!vo_run_signed(run, run->path[i + 1], run->path[i]))
            rc = X509_V_ERR_CERT_SIGNATURE_FAILURE;
    }
    return rc == X509_V_OK ? check_constraints(run, ret_depth) : rc;
}
