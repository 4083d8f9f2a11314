/*
 * ClientCertService: certificates that the account's managed CA signs for clients of a zone.
 *
 * A revoked one stays listed. Only active ones count in the zone's allocation, so that revoking makes room
 * and reactivating needs it.
 */
#include "base/err.h"
#include "core/certs.h"
#include "core/find.h"
#include "core/managed_ca.h"
#include "core/upload.h"
#include "model/ids.h"
#include "model/limits.h"

/* Numbers that the REST API shows. */
enum {
    REST_REVOKED = 1407,
    REST_UNKNOWN = 1415,
    REST_CSR = 1422,
    REST_VALIDITY = 1423,
    REST_ALLOCATION = 1445
};

enum {
    DAYS_DEFAULT = 3650,
    DAY_MS = 86400000,
    SKEW_MS = 60000, /* clocks that are behind take a new certificate all the same */
};

/* --- messages ---------------------------------------------------------------------------------------------
 */

static Anchord__V1__ClientCertificate *
client_cert_msg(struct unit *u, const acd_value *row)
{
    Anchord__V1__ClientCertificate *m =
        wire_new(u->region, Anchord__V1__ClientCertificate, anchord__v1__client_certificate);
    if (!m)
        return NULL;
    m->id = (char *)row_text(row, CLIENT_CERT_ID);
    m->zone_id = (char *)row_text(row, CLIENT_CERT_ZONE);
    m->certificate = (char *)row_text(row, CLIENT_CERT_TEXT);
    m->certificate_authority_id = (char *)row_text(row, CLIENT_CERT_CA);
    m->certificate_authority_name = "Managed CA";
    m->status = (Anchord__V1__ClientCertificateStatus)row[CLIENT_CERT_STATUS].num;
    m->csr = (char *)row_text(row, CLIENT_CERT_CSR);
    m->common_name = (char *)row_text(row, CLIENT_CERT_COMMON_NAME);
    m->country = (char *)row_text(row, CLIENT_CERT_COUNTRY);
    m->location = (char *)row_text(row, CLIENT_CERT_LOCATION);
    m->organization = (char *)row_text(row, CLIENT_CERT_ORGANIZATION);
    m->organizational_unit = (char *)row_text(row, CLIENT_CERT_UNIT);
    m->state = (char *)row_text(row, CLIENT_CERT_STATE);
    m->serial_number = (char *)row_text(row, CLIENT_CERT_SERIAL_DEC);
    m->signature = (char *)row_text(row, CLIENT_CERT_SIGNATURE);
    m->ski = (char *)row_text(row, CLIENT_CERT_SKI);
    m->sha256 = wire_bytes(row[CLIENT_CERT_SHA256].bytes);
    m->issued_ms = row[CLIENT_CERT_ISSUED].num;
    m->not_before_ms = row[CLIENT_CERT_NOT_BEFORE].num;
    m->not_after_ms = row[CLIENT_CERT_NOT_AFTER].num;
    m->validity_days = (uint32_t)row[CLIENT_CERT_DAYS].num;
    m->revoked_ms = row[CLIENT_CERT_REVOKED].num;
    m->revision = (uint64_t)row[CLIENT_CERT_REV].num;
    m->serial_hex = (char *)row_text(row, CLIENT_CERT_SERIAL_HEX);
    return m;
}

static int
reply(struct unit *u, const acd_value *row, const struct upload *findings, bool dry, void **ret_resp)
{
    Anchord__V1__ClientCertificateResponse *resp =
        wire_new(u->region, Anchord__V1__ClientCertificateResponse, anchord__v1__client_certificate_response);
    if (!resp || !(resp->certificate = client_cert_msg(u, row)))
        return ACD_ENOMEM;
    if (findings) {
        resp->findings = findings->findings;
        resp->n_findings = findings->nfindings;
    }
    resp->dry_run = dry;
    *ret_resp = resp;
    return 0;
}

/* --- finding them -----------------------------------------------------------------------------------------
 */

static int
find_client_cert(struct unit *u, const acd_value *zone, const char *id, acd_value **ret_row, acd_err *err)
{
    if (!id_is_uuid(slice_str(id)))
        return err_set(err, ACD_EINVAL, "'%s' is not a certificate id (a UUID)", id);
    int rc = db_get(&u->db, COLL_CLIENT_CERT, VALS(VAL_TEXT(id)), 1, ret_row, err);
    if (rc < 0 && rc != ACD_ENOENT)
        return rc;
    if (rc == 0 && slice_eq((*ret_row)[CLIENT_CERT_ZONE].bytes, zone[ZONE_ID].bytes))
        return 0;
    rpc_detail_error_info(u->call, "NOT_FOUND", REST_UNKNOWN, id);
    return err_set(err, ACD_ENOENT, "zone '%s' has no client certificate '%s'", row_text(zone, ZONE_NAME),
                   id);
}

/* Room for one more active one? */
static int
check_allocation(struct unit *u, const acd_value *zone, acd_err *err)
{
    uint32_t limit = core_client_certs(u->core);
    uint64_t n;
    const struct db_query q = {.coll = COLL_CLIENT_CERT,
                               .index = CLIENT_CERT_BY_STATUS,
                               .eq = VALS(zone[ZONE_ID], VAL_INT(CLIENT_CERT_ACTIVE)),
                               .neq = 2,
                               .limit = limit + 1};
    int rc = db_count(&u->db, &q, &n, err);
    if (rc < 0 || n < limit)
        return rc;
    rpc_detail_error_info(u->call, "QUOTA_EXCEEDED", REST_ALLOCATION, row_text(zone, ZONE_ID));
    rpc_detail_quota(u->call, "client_certificates", (int64_t)n, limit);
    return err_set(err, ACD_ELIMIT,
                   "Hit maximum certificate allocation: %u certificates per zone are allowed", limit);
}

/* --- issue ------------------------------------------------------------------------------------------------
 */

/* What is known of the request before the transaction. */
struct issue {
    struct mem_region *region;
    struct upload findings;
    acd_slice common_name, country, location, organization, unit, state;
};

static int
keep_csr(void *arg, const acd_csrinfo *info)
{
    struct issue *i = arg;
    const struct {
        acd_slice from, *to;
    } texts[] = {
        {info->common_name, &i->common_name},  {info->country, &i->country},
        {info->locality, &i->location},        {info->organization, &i->organization},
        {info->organizational_unit, &i->unit}, {info->state, &i->state},
    };
    for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++) {
        char *copy = mem_strndup(i->region, texts[k].from.ptr, texts[k].from.len);
        if (!copy)
            return ACD_ENOMEM;
        *texts[k].to = slice_of(copy, texts[k].from.len);
    }
    return 0;
}

static int
keep_csr_finding(void *arg, const acd_finding *f)
{
    struct issue *i = arg;
    return upload_add_finding(i->region, &i->findings, f);
}

static int
issue_prepare(struct core *core, struct rpc_call *call, const void *req_, void **ret_plan, acd_err *err)
{
    const Anchord__V1__IssueClientCertificateRequest *req = req_;
    struct issue *i = mem_new(call->region, struct issue);
    if (!i)
        return ACD_ENOMEM;
    if (req->validity_days > LIMIT_CLIENT_CERT_DAYS) {
        rpc_detail_field(call, "validity_days", "is out of range");
        rpc_detail_error_info(call, "VALIDITY_OUT_OF_RANGE", REST_VALIDITY, "");
        return err_set(err, ACD_EINVAL, "validity_days must be 1 to %d", LIMIT_CLIENT_CERT_DAYS);
    }
    i->region = call->region;
    *ret_plan = i;
    return plug_inspect_csr(core_validator(core), slice_str(req->csr), keep_csr, keep_csr_finding, i,
                            call->deadline_ns, err);
}

static int
refuse_csr(struct unit *u, const struct upload *found, acd_err *err)
{
    const char *first = "";
    rpc_detail_error_info(u->call, "CSR_REFUSED", REST_CSR, "");
    for (size_t i = 0; i < found->nfindings; i++) {
        const Anchord__V1__Finding *f = found->findings[i];
        rpc_detail_finding(u->call, (int)f->severity, f->index, f->code, f->message);
        if (!first[0] && f->severity == ANCHORD__V1__SEVERITY__SEVERITY_ERROR)
            first = f->message;
    }
    return err_set(err, ACD_EINVAL, "%s", first);
}

/* The CA and its key. The first certificate that is to be signed makes both; in a dry run the new key may be
 * nowhere but here. The key is to be ended whatever this returns. */
static int
need_ca(struct unit *u, const acd_value *zone, struct managed_ca *ret, struct secret *ret_key, acd_err *err)
{
    acd_value *account;
    *ret_key = (struct secret){0};
    int rc = db_get(&u->db, COLL_ACCOUNT, VALS(zone[ZONE_ACCOUNT]), 1, &account, err);
    if (rc == 0)
        rc = managed_ca_find(u, account, ret, err);
    if (rc < 0)
        return rc;
    if (ret->items.n > 0) {
        rc = keys_get(u, ret->cert[CERT_ID].bytes, ret->items.rows[0][ITEM_SPKI].bytes.ptr, ret_key, err);
        return rc == ACD_ENOENT
                   ? err_set(err, ACD_ECORRUPT, "the managed CA has lost its private key: rotate it")
                   : rc;
    }
    rc = managed_ca_key(u->core, u->call, ACD_KEY_P256, ret_key, err);
    return rc < 0 ? rc : managed_ca_add(u, ret, secret_slice(ret_key), err);
}

struct signing {
    struct mem_region *region;
    acd_certinfo info;
};

static int
keep_signed(void *arg, const acd_certinfo *info)
{
    struct signing *s = arg;
    return certinfo_keep(s->region, info, &s->info);
}

/* From a little before now until the days are over or the CA is, whichever comes first. */
static int
set_dates(struct unit *u, const acd_value *ca, uint32_t days, struct upload *findings, acd_sign *what,
          acd_err *err)
{
    int64_t until = u->now_ms + (int64_t)days * DAY_MS, ca_until = ca[ITEM_NOT_AFTER].num;
    int64_t from = u->now_ms - SKEW_MS;
    if (ca_until <= u->now_ms)
        return err_set(err, ACD_EPRECOND, "the managed CA has expired: rotate it");
    what->not_before_ms = from > ca[ITEM_NOT_BEFORE].num ? from : ca[ITEM_NOT_BEFORE].num;
    what->not_after_ms = until < ca_until ? until : ca_until;
    if (until <= ca_until)
        return 0;
    const acd_finding f = {
        .struct_size = sizeof(f),
        .severity = ACD_SEV_WARNING,
        .index = -1,
        .code = "client_cert.shortened",
        .text =
            SLICE_LIT("The certificate ends with the managed CA, earlier than was asked for: rotate the CA."),
    };
    return upload_add_finding(u->region, findings, &f);
}

static int
sign(struct unit *u, const acd_value *issuer, acd_slice key, const char *csr, uint32_t days,
     struct upload *findings, acd_certinfo *ret, acd_err *err)
{
    struct signing signing = {.region = u->region};
    acd_sign what = {
        .struct_size = sizeof(what), .csr = slice_str(csr), .ca = issuer[ITEM_DER].bytes, .key = key};
    int rc = set_dates(u, issuer, days, findings, &what, err);
    if (rc == 0)
        rc = plug_client_sign(core_validator(u->core), &what, keep_signed, &signing, u->call->deadline_ns,
                              err);
    *ret = signing.info;
    return rc;
}

static acd_value *
new_row(struct unit *u, const acd_value *zone, const struct managed_ca *ca, const struct issue *i,
        const acd_certinfo *info, const char *csr, uint32_t days)
{
    acd_value *row = mem_new_n(u->region, CLIENT_CERT_COLS, acd_value);
    char uuid[ID_UUID_LEN + 1];
    id_new_uuid(uuid);
    acd_slice pem = cert_pem(u->region, info->der);
    const uint8_t *sha256 = mem_dup(u->region, info->sha256, DIGEST_LEN);
    char *id = mem_strdup(u->region, uuid);
    if (!row || !pem.ptr || !sha256 || !id)
        return NULL;
    const acd_value made[CLIENT_CERT_COLS] = {
        [CLIENT_CERT_ID] = VAL_TEXT(id),
        [CLIENT_CERT_ZONE] = zone[ZONE_ID],
        [CLIENT_CERT_CA] = ca->cert[CERT_ID],
        [CLIENT_CERT_AKI] = ca->items.rows[0][ITEM_SKI],
        [CLIENT_CERT_STATUS] = VAL_INT(CLIENT_CERT_ACTIVE),
        [CLIENT_CERT_SERIAL_HEX] = VAL_SLICE(info->serial_hex),
        [CLIENT_CERT_SERIAL_DEC] = VAL_SLICE(info->serial_dec),
        [CLIENT_CERT_SHA256] = VAL_BLOB(sha256, DIGEST_LEN),
        [CLIENT_CERT_COMMON_NAME] = VAL_SLICE(i->common_name),
        [CLIENT_CERT_COUNTRY] = VAL_SLICE(i->country),
        [CLIENT_CERT_LOCATION] = VAL_SLICE(i->location),
        [CLIENT_CERT_ORGANIZATION] = VAL_SLICE(i->organization),
        [CLIENT_CERT_UNIT] = VAL_SLICE(i->unit),
        [CLIENT_CERT_STATE] = VAL_SLICE(i->state),
        [CLIENT_CERT_SIGNATURE] = VAL_TEXT(info->signature),
        [CLIENT_CERT_SKI] = VAL_SLICE(info->ski_hex),
        [CLIENT_CERT_DAYS] = VAL_INT(days),
        [CLIENT_CERT_NOT_BEFORE] = VAL_INT(info->not_before_ms),
        [CLIENT_CERT_NOT_AFTER] = VAL_INT(info->not_after_ms),
        [CLIENT_CERT_CSR] = VAL_TEXT(csr),
        [CLIENT_CERT_TEXT] = VAL_SLICE(pem),
        [CLIENT_CERT_ISSUED] = VAL_INT(u->now_ms),
        [CLIENT_CERT_DEPLOYED] = VAL_INT(u->rev),
        [CLIENT_CERT_REV] = VAL_INT(u->rev),
    };
    memcpy(row, made, sizeof(made));
    return row;
}

static int
issue(struct unit *u, const void *req_, void *plan, void **ret_resp, acd_err *err)
{
    const Anchord__V1__IssueClientCertificateRequest *req = req_;
    const struct issue *i = plan;
    struct upload findings = i->findings; /* apply may run again */
    uint32_t days = req->validity_days ? req->validity_days : DAYS_DEFAULT;
    struct managed_ca ca;
    struct secret key;
    acd_certinfo info;
    acd_value *zone, *row;
    uint64_t rev;
    int rc = find_zone(u, req->zone, &zone, err);
    if (rc == 0 && findings.errors)
        rc = refuse_csr(u, &findings, err);
    if (rc == 0)
        rc = check_allocation(u, zone, err);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    rc = need_ca(u, zone, &ca, &key, err);
    if (rc == 0)
        rc = sign(u, ca.items.rows[0], secret_slice(&key), req->csr, days, &findings, &info, err);
    secret_done(&key);
    if (rc < 0)
        return rc;
    if (!(row = new_row(u, zone, &ca, i, &info, req->csr, days)))
        return ACD_ENOMEM;
    rc = db_put(&u->db, COLL_CLIENT_CERT, row, ACD_REV_NEW, err);
    unit_note(u, row_text(zone, ZONE_ACCOUNT), row_text(row, CLIENT_CERT_ID),
              row_text(row, CLIENT_CERT_COMMON_NAME));
    return rc < 0 ? rc : reply(u, row, &findings, req->dry_run, ret_resp);
}

static bool
issue_dry(const void *req)
{
    return ((const Anchord__V1__IssueClientCertificateRequest *)req)->dry_run;
}

/* --- read -------------------------------------------------------------------------------------------------
 */

static int
client_cert_get(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__GetClientCertificateRequest *req = req_;
    acd_value *zone, *row;
    (void)plan_;
    int rc = find_zone(u, req->zone, &zone, err);
    if (rc == 0)
        rc = find_client_cert(u, zone, req->id, &row, err);
    if (rc < 0)
        return rc;
    return (*ret_resp = client_cert_msg(u, row)) ? 0 : ACD_ENOMEM;
}

/* Bytes of one page: what one message holds, less its frame. */
enum { PAGE_BYTES = LIMIT_MESSAGE - 65536, ROW_BYTES = 1024 /* all but the texts */ };

struct page {
    int64_t status; /* 0: any */
    uint32_t n, size;
    size_t bytes;
    bool more;
};

static enum db_pick
pick_page(void *arg, const acd_value *row)
{
    struct page *p = arg;
    size_t bytes = ROW_BYTES + row[CLIENT_CERT_CSR].bytes.len + row[CLIENT_CERT_TEXT].bytes.len;
    if (p->status && row[CLIENT_CERT_STATUS].num != p->status)
        return DB_SKIP;
    if (p->n == p->size || (p->n > 0 && p->bytes + bytes > PAGE_BYTES)) {
        p->more = true;
        return DB_STOP;
    }
    p->n++;
    p->bytes += bytes;
    return DB_TAKE;
}

static int
count_all(struct unit *u, const acd_value *zone, int64_t status, uint64_t *ret, acd_err *err)
{
    const struct db_query q = {.coll = COLL_CLIENT_CERT,
                               .index = CLIENT_CERT_BY_STATUS,
                               .eq = VALS(zone[ZONE_ID], VAL_INT(status)),
                               .neq = status ? 2 : 1};
    return db_count(&u->db, &q, ret, err);
}

/* Newest first. */
static int
client_cert_list(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListClientCertificatesRequest *req = req_;
    struct page page = {.status = req->status, .size = page_size(req->page)};
    acd_value *zone, *after = NULL;
    struct db_rows rows;
    uint64_t total;
    (void)plan_;
    if ((int)req->status < 0 || (int)req->status > CLIENT_CERT_IS_REVOKED)
        return err_set(err, ACD_EINVAL, "status %d is unknown: active or revoked", (int)req->status);
    int rc = find_zone(u, req->zone, &zone, err);
    if (rc == 0 && page_after(req->page)[0])
        rc = find_client_cert(u, zone, page_after(req->page), &after, err);
    if (rc < 0)
        return rc;
    const struct db_query q = {.coll = COLL_CLIENT_CERT,
                               .index = CLIENT_CERT_BY_ZONE,
                               .eq = &zone[ZONE_ID],
                               .neq = 1,
                               .reverse = true,
                               .after = after,
                               .pick = pick_page,
                               .pick_ctx = &page};
    rc = db_list(&u->db, &q, &rows, err);
    if (rc == 0)
        rc = count_all(u, zone, page.status, &total, err);
    if (rc < 0)
        return rc;
    Anchord__V1__ListClientCertificatesResponse *resp =
        wire_new(u->region, Anchord__V1__ListClientCertificatesResponse,
                 anchord__v1__list_client_certificates_response);
    if (!resp || !(resp->certificates = mem_new_n(u->region, rows.n, Anchord__V1__ClientCertificate *)))
        return ACD_ENOMEM;
    for (; resp->n_certificates < rows.n; resp->n_certificates++)
        if (!(resp->certificates[resp->n_certificates] = client_cert_msg(u, rows.rows[resp->n_certificates])))
            return ACD_ENOMEM;
    resp->page =
        page_info(u->region, page.more ? row_text(rows.rows[rows.n - 1], CLIENT_CERT_ID) : "", total);
    *ret_resp = resp;
    return resp->page ? 0 : ACD_ENOMEM;
}

/* --- revoke, reactivate -----------------------------------------------------------------------------------
 */

static int
set_status(struct unit *u, const acd_value *zone, acd_value *row, int64_t status, acd_err *err)
{
    uint64_t rev;
    int rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    row[CLIENT_CERT_STATUS] = VAL_INT(status);
    row[CLIENT_CERT_REVOKED] = VAL_INT(status == CLIENT_CERT_ACTIVE ? 0 : u->now_ms);
    row[CLIENT_CERT_REV] = VAL_INT(rev);
    rc = db_put(&u->db, COLL_CLIENT_CERT, row, ACD_REV_ANY, err);
    if (rc == 0)
        rc = managed_ca_touch(u, row[CLIENT_CERT_CA].bytes, err);
    unit_note(u, row_text(zone, ZONE_ACCOUNT), row_text(row, CLIENT_CERT_ID),
              row_text(row, CLIENT_CERT_COMMON_NAME));
    return rc;
}

static int
revoke(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ChangeClientCertificateRequest *req = req_;
    acd_value *zone, *row;
    (void)plan_;
    int rc = find_zone(u, req->zone, &zone, err);
    if (rc == 0)
        rc = find_client_cert(u, zone, req->id, &row, err);
    if (rc < 0)
        return rc;
    if (row[CLIENT_CERT_STATUS].num == CLIENT_CERT_IS_REVOKED) {
        rpc_detail_error_info(u->call, "ALREADY_REVOKED", REST_REVOKED, req->id);
        return err_set(err, ACD_EPRECOND, "client certificate %s is already revoked", req->id);
    }
    rc = set_status(u, zone, row, CLIENT_CERT_IS_REVOKED, err);
    return rc < 0 ? rc : reply(u, row, NULL, req->dry_run, ret_resp);
}

/* One that is active stays as it is, and nothing is changed. */
static int
reactivate(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ChangeClientCertificateRequest *req = req_;
    acd_value *zone, *row;
    (void)plan_;
    int rc = find_zone(u, req->zone, &zone, err);
    if (rc == 0)
        rc = find_client_cert(u, zone, req->id, &row, err);
    if (rc == 0 && row[CLIENT_CERT_STATUS].num == CLIENT_CERT_IS_REVOKED) {
        rc = check_allocation(u, zone, err);
        if (rc == 0)
            rc = set_status(u, zone, row, CLIENT_CERT_ACTIVE, err);
    }
    return rc < 0 ? rc : reply(u, row, NULL, req->dry_run, ret_resp);
}

static bool
change_dry(const void *req)
{
    return ((const Anchord__V1__ChangeClientCertificateRequest *)req)->dry_run;
}

const struct op client_cert_ops[] = {
    OP_WRITE_DRY("ClientCertService/IssueClientCertificate", issue_prepare, issue, issue_dry),
    OP_READ("ClientCertService/ListClientCertificates", client_cert_list),
    OP_READ("ClientCertService/GetClientCertificate", client_cert_get),
    OP_WRITE_DRY("ClientCertService/RevokeClientCertificate", NULL, revoke, change_dry),
    OP_WRITE_DRY("ClientCertService/ReactivateClientCertificate", NULL, reactivate, change_dry),
    {0},
};
