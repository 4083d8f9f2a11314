/* CrlService: uploads of revocation lists, lists, delete, policy. */
#include <stdio.h>

#include "base/err.h"
#include "core/crls.h"
#include "core/find.h"
#include "model/limits.h"
#include "model/revocation.h"

static Anchord__V1__Crl *
crl_msg(struct mem_region *r, const acd_value *row)
{
    Anchord__V1__Crl *m = wire_new(r, Anchord__V1__Crl, anchord__v1__crl);
    if (!m)
        return NULL;
    m->id = (char *)row_text(row, CRL_ID);
    m->ca_id = (char *)row_text(row, CRL_CERT);
    m->index = (uint32_t)row[CRL_INDEX].num;
    m->delta = row[CRL_DELTA].num != 0;
    m->number = (char *)row_text(row, CRL_NUMBER);
    m->base_number = (char *)row_text(row, CRL_BASE);
    m->this_update_ms = row[CRL_THIS].num;
    m->next_update_ms = row[CRL_NEXT].num;
    m->entries = (uint64_t)row[CRL_ENTRIES].num;
    m->bytes = (uint64_t)row[CRL_BYTES].num;
    m->sha256 = wire_bytes(row[CRL_SHA256].bytes);
    m->issuer = (char *)row_text(row, CRL_ISSUER);
    m->added_ms = row[CRL_CREATED].num;
    m->revision = (uint64_t)row[CRL_REV].num;
    return m;
}

static int
crl_msgs(struct mem_region *r, const struct db_rows *rows, size_t *ret_n, Anchord__V1__Crl ***ret)
{
    for (size_t i = 0; i < rows->n; i++) {
        Anchord__V1__Crl *m = crl_msg(r, rows->rows[i]);
        if (!m || wire_append(r, ret_n, ret, m) < 0)
            return ACD_ENOMEM;
    }
    return 0;
}

/* --- start, add, abort ------------------------------------------------------------------------------------
 */

/* These three change no truth: they run as reads, without the writer's place. */

static int
start_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__StartCrlRequest *req = req_;
    Anchord__V1__StartCrlResponse *resp =
        wire_new(u->region, Anchord__V1__StartCrlResponse, anchord__v1__start_crl_response);
    struct crl_upload *up;
    (void)plan_;
    if (req->bytes == 0 || req->bytes > LIMIT_CRL)
        return err_set(err, req->bytes ? ACD_ELIMIT : ACD_EINVAL,
                       "a revocation list of %llu bytes: 1 to %d are allowed", (unsigned long long)req->bytes,
                       LIMIT_CRL);
    int rc = resp ? crl_upload_new(req->bytes, &up, err) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    (void)snprintf(up->actor, sizeof(up->actor), "%s", call_actor(u->call));
    (void)snprintf(up->ca_id, sizeof(up->ca_id), "%s", req->ca_id);
    up->touched_ms = u->now_ms;
    resp->upload_id = mem_strdup(u->region, up->id);
    rc = resp->upload_id ? crls_of_ca(u, &up->region, req->ca_id, &up->cas, &up->indexes, &up->ncas, err)
                         : ACD_ENOMEM;
    if (rc == 0)
        rc = crl_upload_open(core_crl_uploads(u->core), up, err);
    if (rc < 0)
        crl_upload_free(up);
    *ret_resp = resp;
    return rc;
}

static int
take(struct core *core, struct rpc_call *call, const char *id, struct crl_upload **ret, acd_err *err)
{
    return crl_upload_take(core_crl_uploads(core), call_actor(call), id, core_now(core), ret, err);
}

static int
add_part(struct crl_upload *up, const Anchord__V1__AddCrlPartRequest *req, acd_err *err)
{
    size_t len = req->part.len;
    if (up->checked)
        return err_set(err, ACD_EPRECOND, "the list was complete before: start another upload");
    if (len > LIMIT_CRL_PART)
        return err_set(err, ACD_ELIMIT, "a part of %zu bytes: at most %d are allowed", len, LIMIT_CRL_PART);
    if (req->offset > up->filled || len > up->size - req->offset)
        return err_set(err, ACD_EINVAL, "a part at offset %llu of %zu bytes: %zu of %zu bytes are here",
                       (unsigned long long)req->offset, len, up->filled, up->size);
    if (len)
        memcpy(up->bytes + req->offset, req->part.data, len);
    if (req->offset + len > up->filled)
        up->filled = req->offset + len;
    return 0;
}

static int
add_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__AddCrlPartRequest *req = req_;
    Anchord__V1__AddCrlPartResponse *resp =
        wire_new(u->region, Anchord__V1__AddCrlPartResponse, anchord__v1__add_crl_part_response);
    struct crl_upload *up;
    (void)plan_;
    int rc = resp ? take(u->core, u->call, req->upload_id, &up, err) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    rc = add_part(up, req, err);
    resp->received = up->filled;
    crl_upload_give(core_crl_uploads(u->core), up, false);
    *ret_resp = resp;
    return rc;
}

static int
abort_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__AbortCrlRequest *req = req_;
    struct crl_upload *up;
    (void)plan_;
    int rc = take(u->core, u->call, req->upload_id, &up, err);
    if (rc < 0)
        return rc;
    crl_upload_give(core_crl_uploads(u->core), up, true);
    *ret_resp = wire_new(u->region, Anchord__V1__AbortCrlResponse, anchord__v1__abort_crl_response);
    return *ret_resp ? 0 : ACD_ENOMEM;
}

/* --- commit -----------------------------------------------------------------------------------------------
 */

/* The list is looked at once, off the writer; what was seen stays with the upload. */
static int
commit_prepare(struct core *core, struct rpc_call *call, const void *req_, void **ret_plan, acd_err *err)
{
    const Anchord__V1__CommitCrlRequest *req = req_;
    struct crl_upload *up;
    *ret_plan = NULL;
    int rc = take(core, call, req->upload_id, &up, err);
    if (rc < 0)
        return rc == ACD_ENOENT ? 0 : rc; /* the outcome may be known by its key */
    if (up->filled < up->size)
        rc = err_set(err, ACD_EPRECOND, "%zu of %zu bytes of the list are here", up->filled, up->size);
    else if (!up->checked)
        rc = crl_check(core_validator(core), &up->region, core_now(core), slice_of(up->bytes, up->size),
                       up->cas, up->indexes, up->ncas, &up->checked, err);
    crl_upload_give(core_crl_uploads(core), up, false);
    return rc;
}

static int
refuse_findings(struct rpc_call *call, const struct crl_checked *c, acd_err *err)
{
    const char *first = "";
    rpc_detail_error_info(call, "UPLOAD_REFUSED", 0, "");
    for (size_t i = c->nfindings; i-- > 0;)
        if (c->findings[i]->severity == ANCHORD__V1__SEVERITY__SEVERITY_ERROR)
            first = c->findings[i]->message;
    for (size_t i = 0; i < c->nfindings; i++)
        rpc_detail_finding(call, (int)c->findings[i]->severity, c->findings[i]->index, c->findings[i]->code,
                           c->findings[i]->message);
    return c->errors == 1
               ? err_set(err, ACD_EINVAL, "%s", first)
               : err_set(err, ACD_EINVAL, "%zu findings refuse this CRL; the first: %s", c->errors, first);
}

/* Copies: the upload may be gone before the reply is packed. */
static int
copy_findings(struct mem_region *r, const struct crl_checked *c, Anchord__V1__CommitCrlResponse *resp)
{
    for (size_t i = 0; i < c->nfindings; i++) {
        Anchord__V1__Finding *f = wire_new(r, Anchord__V1__Finding, anchord__v1__finding);
        if (!f)
            return ACD_ENOMEM;
        *f = *c->findings[i];
        f->code = mem_strdup(r, f->code);
        f->message = mem_strdup(r, f->message);
        if (!f->code || !f->message || wire_append(r, &resp->n_findings, &resp->findings, f) < 0)
            return ACD_ENOMEM;
    }
    return 0;
}

/* The row's text lies in the upload. */
static int
copy_row(struct unit *u, acd_value *row)
{
    static const unsigned texts[] = {CRL_NUMBER, CRL_BASE, CRL_ISSUER, CRL_SHA256};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        row[texts[i]].bytes.ptr = mem_strndup(u->region, row[texts[i]].bytes.ptr, row[texts[i]].bytes.len);
        if (!row[texts[i]].bytes.ptr)
            return ACD_ENOMEM;
    }
    return 0;
}

static int
store(struct unit *u, const struct crl_upload *up, Anchord__V1__CommitCrlResponse *resp, acd_err *err)
{
    struct crl_outcome out;
    acd_value *cert;
    int rc = up->checked ? find_cert(u, up->ca_id, &cert, err)
                         : err_set(err, ACD_EUNAVAIL, "the list was not looked at: commit it again");
    if (rc == 0 && up->checked->errors)
        rc = refuse_findings(u->call, up->checked, err);
    if (rc == 0)
        rc = crls_add(u, cert, up->checked, &out, err);
    if (rc == 0)
        rc = copy_row(u, out.row);
    if (rc == 0)
        rc = copy_findings(u->region, up->checked, resp);
    if (rc < 0)
        return rc;
    resp->revoked = out.revoked;
    for (size_t i = 0; i < out.nreplaced; i++)
        if (wire_append(u->region, &resp->n_replaced, &resp->replaced, (char *)out.replaced[i]) < 0)
            return ACD_ENOMEM;
    unit_note(u, row_text(cert, CERT_ACCOUNT), row_text(cert, CERT_ID),
              mem_printf(u->region, "CRL %s of %s: %llu revoked", row_text(out.row, CRL_NUMBER),
                         row_text(cert, CERT_NAME), (unsigned long long)out.revoked));
    resp->crl = crl_msg(u->region, out.row);
    return resp->crl && u->note_text ? 0 : ACD_ENOMEM;
}

static int
commit_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__CommitCrlRequest *req = req_;
    Anchord__V1__CommitCrlResponse *resp =
        wire_new(u->region, Anchord__V1__CommitCrlResponse, anchord__v1__commit_crl_response);
    struct crl_upload *up;
    (void)plan_;
    int rc = resp ? take(u->core, u->call, req->upload_id, &up, err) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    rc = store(u, up, resp, err);
    up->stored = rc == 0 && !req->dry_run;
    resp->dry_run = req->dry_run;
    crl_upload_give(core_crl_uploads(u->core), up, false);
    *ret_resp = resp;
    return rc;
}

static bool
commit_dry(const void *req)
{
    return ((const Anchord__V1__CommitCrlRequest *)req)->dry_run;
}

/* --- list, delete, policy ---------------------------------------------------------------------------------
 */

static int
list_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListCrlsRequest *req = req_;
    Anchord__V1__ListCrlsResponse *resp =
        wire_new(u->region, Anchord__V1__ListCrlsResponse, anchord__v1__list_crls_response);
    struct db_rows rows;
    acd_value *cert;
    int64_t policy;
    (void)plan_;
    int rc = resp ? find_cert(u, req->ca_id, &cert, err) : ACD_ENOMEM;
    if (rc == 0)
        rc = crls_list(u, cert, &rows, err);
    if (rc == 0)
        rc = crls_policy(u, cert, &policy, err);
    if (rc == 0)
        rc = crl_msgs(u->region, &rows, &resp->n_crls, &resp->crls);
    if (rc < 0)
        return rc;
    resp->policy = (Anchord__V1__CrlPolicy)policy;
    *ret_resp = resp;
    return 0;
}

static int
delete_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__DeleteCrlRequest *req = req_;
    Anchord__V1__DeleteCrlResponse *resp =
        wire_new(u->region, Anchord__V1__DeleteCrlResponse, anchord__v1__delete_crl_response);
    struct db_rows gone;
    acd_value *cert;
    (void)plan_;
    int rc = resp ? find_cert(u, req->ca_id, &cert, err) : ACD_ENOMEM;
    if (rc == 0)
        rc = crls_delete(u, cert, req->crl_id, &gone, err);
    if (rc == 0)
        rc = crl_msgs(u->region, &gone, &resp->n_deleted, &resp->deleted);
    if (rc < 0)
        return rc;
    resp->dry_run = req->dry_run;
    *ret_resp = resp;
    unit_note(u, row_text(cert, CERT_ACCOUNT), row_text(cert, CERT_ID), row_text(cert, CERT_NAME));
    return 0;
}

static bool
delete_dry(const void *req)
{
    return ((const Anchord__V1__DeleteCrlRequest *)req)->dry_run;
}

static int
policy_put(struct unit *u, const acd_value *cert, int64_t policy, acd_err *err)
{
    uint64_t rev;
    int rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    const acd_value row[CRL_POLICY_COLS] = {cert[CERT_ID], VAL_INT(policy), VAL_INT(rev)};
    rc = db_put(&u->db, COLL_CRL_POLICY, row, ACD_REV_ANY, err);
    return rc < 0 ? rc : change_add(&u->changes, CHANGED_REVOCATION, row_text(cert, CERT_ID));
}

static int
policy_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__SetCrlPolicyRequest *req = req_;
    Anchord__V1__SetCrlPolicyResponse *resp =
        wire_new(u->region, Anchord__V1__SetCrlPolicyResponse, anchord__v1__set_crl_policy_response);
    acd_slice *ders;
    uint32_t *indexes;
    acd_value *cert;
    size_t n;
    (void)plan_;
    if (req->policy < 0 || (unsigned)req->policy >= REVOCATION_POLICIES)
        return err_set(err, ACD_EINVAL, "policy %d is unknown: default, require, warn or ignore",
                       (int)req->policy);
    int rc = resp ? find_cert(u, req->ca_id, &cert, err) : ACD_ENOMEM;
    if (rc == 0)
        rc = crls_of_ca(u, u->region, req->ca_id, &ders, &indexes, &n, err);
    if (rc == 0)
        rc = policy_put(u, cert, req->policy, err);
    if (rc < 0)
        return rc;
    resp->ca_id = (char *)row_text(cert, CERT_ID);
    resp->policy = req->policy;
    resp->dry_run = req->dry_run;
    *ret_resp = resp;
    unit_note(u, row_text(cert, CERT_ACCOUNT), row_text(cert, CERT_ID), row_text(cert, CERT_NAME));
    return 0;
}

static bool
policy_dry(const void *req)
{
    return ((const Anchord__V1__SetCrlPolicyRequest *)req)->dry_run;
}

const struct op crl_ops[] = {
    OP_READ("CrlService/StartCrl", start_apply),
    OP_READ("CrlService/AddCrlPart", add_apply),
    OP_WRITE_DRY("CrlService/CommitCrl", commit_prepare, commit_apply, commit_dry),
    OP_READ("CrlService/AbortCrl", abort_apply),
    OP_READ("CrlService/ListCrls", list_apply),
    OP_WRITE_DRY("CrlService/DeleteCrl", NULL, delete_apply, delete_dry),
    OP_WRITE_DRY("CrlService/SetCrlPolicy", NULL, policy_apply, policy_dry),
    {0},
};
