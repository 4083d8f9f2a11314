/*
 * OriginTrustService: the root CAs that may vouch for the origin servers of a zone. An entry is one
 * certificate and never changes; the zone's set is what the snapshot holds.
 */
#include "core/origin.h"

#include "base/err.h"
#include "core/find.h"
#include "core/upload.h"
#include "model/ids.h"
#include "model/limits.h"

/* Numbers that the REST API shows. */
enum {
    REST_DUPLICATE = 1220,
    REST_NOT_ROOT = 1411,
    REST_NOT_ENTITLED = 1450,
    REST_NOT_FOUND = 1472,
};

/* --- what is it about? ------------------------------------------------------------------------------------
 */

static int
find_store(struct unit *u, const char *which, acd_value **ret_zone, acd_err *err)
{
    int rc = find_zone(u, which, ret_zone, err);
    if (rc < 0 || (*ret_zone)[ZONE_ACM].num)
        return rc;
    rpc_detail_error_info(u->call, "ENTITLEMENT_MISSING", REST_NOT_ENTITLED, "acm");
    return err_set(
        err, ACD_EDENIED,
        "zone '%s' lacks the entitlement 'acm' (Advanced Certificate Manager): a custom origin trust "
        "store needs it",
        row_text(*ret_zone, ZONE_NAME));
}

/* An entry of another zone is as unknown as one that is not there. */
static int
find_entry(struct unit *u, const acd_value *zone, const char *id, acd_value **ret, acd_err *err)
{
    if (!id_is_uuid(slice_str(id)))
        return err_set(err, ACD_EINVAL, "'%s' is not the id of an entry (a UUID)", id);
    int rc = db_get(&u->db, COLL_ORIGIN, VALS(VAL_TEXT(id)), 1, ret, err);
    if (rc == ACD_ENOENT || (rc == 0 && !slice_eq((*ret)[ORIGIN_ZONE].bytes, zone[ZONE_ID].bytes)))
        return find_refuse(u, "entry", id, REST_NOT_FOUND, err);
    return rc;
}

static int
count_entries(struct unit *u, const acd_value *zone, uint64_t *ret, acd_err *err)
{
    const struct db_query q = {.coll = COLL_ORIGIN, .index = ORIGIN_BY_ZONE, .eq = &zone[ZONE_ID], .neq = 1};
    return db_count(&u->db, &q, ret, err);
}

/* --- messages ---------------------------------------------------------------------------------------------
 */

static Anchord__V1__CertificateItem *
item_msg(struct unit *u, const acd_value *row)
{
    Anchord__V1__CertificateItem *m =
        wire_new(u->region, Anchord__V1__CertificateItem, anchord__v1__certificate_item);
    if (!m)
        return NULL;
    m->sha256 = wire_bytes(row[ORIGIN_SHA256].bytes);
    m->spki_sha256 = wire_bytes(row[ORIGIN_SPKI].bytes);
    m->subject = (char *)row_text(row, ORIGIN_SUBJECT);
    m->issuer = (char *)row_text(row, ORIGIN_ISSUER);
    m->serial_hex = (char *)row_text(row, ORIGIN_SERIAL_HEX);
    m->not_before_ms = row[ORIGIN_NOT_BEFORE].num;
    m->not_after_ms = row[ORIGIN_NOT_AFTER].num;
    m->key_type = (char *)row_text(row, ORIGIN_KEY_TYPE);
    m->key_bits = (uint32_t)row[ORIGIN_KEY_BITS].num;
    m->signature = (char *)row_text(row, ORIGIN_SIGNATURE);
    m->self_signed = true;
    m->ski = (char *)row_text(row, ORIGIN_SKI);
    return m;
}

/* at_ms 0: now. */
static Anchord__V1__OriginTrust *
entry_msg(struct unit *u, const acd_value *row, int64_t at_ms)
{
    Anchord__V1__OriginTrust *m = wire_new(u->region, Anchord__V1__OriginTrust, anchord__v1__origin_trust);
    if (!m || !(m->item = item_msg(u, row)))
        return NULL;
    m->id = (char *)row_text(row, ORIGIN_ID);
    m->zone_id = (char *)row_text(row, ORIGIN_ZONE);
    m->certificate = (char *)row_text(row, ORIGIN_TEXT);
    m->status = (at_ms ? at_ms : u->now_ms) > row[ORIGIN_NOT_AFTER].num
                    ? ANCHORD__V1__ORIGIN_TRUST_STATUS__ORIGIN_TRUST_EXPIRED
                    : ANCHORD__V1__ORIGIN_TRUST_STATUS__ORIGIN_TRUST_ACTIVE;
    m->profile = (Anchord__V1__Profile)row[ORIGIN_PROFILE].num;
    m->uploaded_ms = m->updated_ms = row[ORIGIN_CREATED].num;
    m->revision = (uint64_t)row[ORIGIN_REV].num;
    return m;
}

/* --- add --------------------------------------------------------------------------------------------------
 */

static int
add_prepare(struct core *core, struct rpc_call *call, const void *req_, void **ret_plan, acd_err *err)
{
    const Anchord__V1__AddOriginTrustRequest *req = req_;
    struct upload *up = mem_new(call->region, struct upload);
    if (!up)
        return ACD_ENOMEM;
    *ret_plan = up;
    int rc = upload_profile(req->profile, err);
    if (rc < 0)
        return rc;
    up->name = up->product = "";
    up->text = slice_str(req->certificate);
    up->root = true;
    up->profile = (enum acd_profile)req->profile;
    return upload_check(core_validator(core), call->region, core_now(core), (acd_slice){NULL, 0}, up, err);
}

/* Not a root at all is told apart from a root that is not acceptable. */
static int
refuse_upload(struct unit *u, const struct upload *up, acd_err *err)
{
    static const char *const codes[] = {"root.not_self_signed", "ca.not_ca"};
    for (size_t i = 0; i < up->nfindings; i++)
        for (size_t k = 0; k < sizeof(codes) / sizeof(codes[0]); k++)
            if (strcmp(up->findings[i]->code, codes[k]) == 0)
                return upload_refuse_as(u->call, up, "NOT_A_ROOT", REST_NOT_ROOT, err);
    return upload_refuse(u->call, up, err);
}

static int
check_room(struct unit *u, const acd_value *zone, const acd_certinfo *item, uint64_t *ret_entries,
           acd_err *err)
{
    struct db_rows same;
    const struct db_query q = {.coll = COLL_ORIGIN,
                               .index = ORIGIN_BY_DIGEST,
                               .eq = VALS(zone[ZONE_ID], VAL_BLOB(item->sha256, sizeof(item->sha256))),
                               .neq = 2,
                               .limit = 1};
    int rc = db_list(&u->db, &q, &same, err);
    if (rc < 0)
        return rc;
    if (same.n > 0) {
        const char *id = row_text(same.rows[0], ORIGIN_ID);
        rpc_detail_error_info(u->call, "DUPLICATE", REST_DUPLICATE, id);
        return err_set(err, ACD_EEXIST, "This certificate has already been submitted: it is entry %s", id);
    }
    rc = count_entries(u, zone, ret_entries, err);
    if (rc < 0 || *ret_entries < LIMIT_ORIGIN_ENTRIES)
        return rc;
    rpc_detail_error_info(u->call, "ORIGIN_TRUST_FULL", 0, row_text(zone, ZONE_ID));
    return err_set(err, ACD_ELIMIT,
                   "the custom origin trust store of zone '%s' holds %d CAs already, the most it may",
                   row_text(zone, ZONE_NAME), LIMIT_ORIGIN_ENTRIES);
}

static int
put_entry(struct unit *u, const acd_value *zone, const struct upload *up, acd_value **ret, acd_err *err)
{
    const acd_certinfo *i = &up->items[0];
    char uuid[ID_UUID_LEN + 1];
    uint64_t rev;
    acd_value *row = *ret = mem_new_n(u->region, ORIGIN_COLS, acd_value);
    id_new_uuid(uuid);
    char *id = mem_strdup(u->region, uuid);
    int rc = row && id ? unit_rev(u, &rev, err) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    row[ORIGIN_ID] = VAL_TEXT(id);
    row[ORIGIN_ZONE] = zone[ZONE_ID];
    row[ORIGIN_SHA256] = VAL_BLOB(i->sha256, sizeof(i->sha256));
    row[ORIGIN_SPKI] = VAL_BLOB(i->spki_sha256, sizeof(i->spki_sha256));
    row[ORIGIN_SUBJECT] = VAL_SLICE(i->subject);
    row[ORIGIN_ISSUER] = VAL_SLICE(i->issuer);
    row[ORIGIN_SERIAL_HEX] = VAL_SLICE(i->serial_hex);
    row[ORIGIN_NOT_BEFORE] = VAL_INT(i->not_before_ms);
    row[ORIGIN_NOT_AFTER] = VAL_INT(i->not_after_ms);
    row[ORIGIN_KEY_TYPE] = VAL_TEXT(i->key_type);
    row[ORIGIN_KEY_BITS] = VAL_INT(i->key_bits);
    row[ORIGIN_SIGNATURE] = VAL_TEXT(i->signature);
    row[ORIGIN_SKI] = VAL_SLICE(i->ski_hex);
    row[ORIGIN_PROFILE] = VAL_INT(up->profile);
    row[ORIGIN_TEXT] = VAL_SLICE(up->text);
    row[ORIGIN_DER] = VAL_SLICE(i->der);
    row[ORIGIN_CREATED] = VAL_INT(u->now_ms);
    row[ORIGIN_REV] = VAL_INT(rev);
    rc = db_put(&u->db, COLL_ORIGIN, row, ACD_REV_NEW, err);
    return rc < 0 ? rc : change_add(&u->changes, CHANGED_ORIGIN, row_text(zone, ZONE_ID));
}

static int
origin_add(struct unit *u, const void *req_, void *plan, void **ret_resp, acd_err *err)
{
    const Anchord__V1__AddOriginTrustRequest *req = req_;
    const struct upload *up = plan;
    acd_value *zone, *row = NULL;
    uint64_t entries;
    int rc = find_store(u, req->zone, &zone, err);
    if (rc == 0 && up->errors)
        rc = refuse_upload(u, up, err);
    if (rc == 0)
        rc = check_room(u, zone, &up->items[0], &entries, err);
    if (rc == 0)
        rc = put_entry(u, zone, up, &row, err);
    if (rc < 0)
        return rc;
    Anchord__V1__AddOriginTrustResponse *resp =
        wire_new(u->region, Anchord__V1__AddOriginTrustResponse, anchord__v1__add_origin_trust_response);
    if (!resp || !(resp->entry = entry_msg(u, row, 0)))
        return ACD_ENOMEM;
    resp->findings = up->findings;
    resp->n_findings = up->nfindings;
    resp->entries = (uint32_t)entries + 1;
    resp->dry_run = u->dry;
    *ret_resp = resp;
    unit_note(u, row_text(zone, ZONE_ACCOUNT), row_text(row, ORIGIN_ID), row_text(zone, ZONE_NAME));
    return 0;
}

static bool
add_dry(const void *req)
{
    return ((const Anchord__V1__AddOriginTrustRequest *)req)->dry_run;
}

/* --- list, get --------------------------------------------------------------------------------------------
 */

/* Bytes of one page: what one message holds, less its frame and the facts of the largest page. */
enum { PAGE_TEXT = LIMIT_MESSAGE / 2, PAGE_ENTRIES = 100 };
_Static_assert((LIMIT_SUBJECT * 2 + 1024) * PAGE_ENTRIES + PAGE_TEXT < LIMIT_MESSAGE - 65536,
               "a page fits a message");

struct page_ctx {
    uint32_t n, size;
    size_t bytes;
    bool more;
};

static enum db_pick
pick_entry(void *arg, const acd_value *row)
{
    struct page_ctx *ctx = arg;
    if (ctx->n == ctx->size || (ctx->n > 0 && ctx->bytes + row[ORIGIN_TEXT].bytes.len > PAGE_TEXT)) {
        ctx->more = true;
        return DB_STOP;
    }
    ctx->n++;
    ctx->bytes += row[ORIGIN_TEXT].bytes.len;
    return DB_TAKE;
}

/* A page goes on below the revision of its last entry, whether that one is still there or not. */
static int
page_start(struct unit *u, const acd_value *zone, const char *after, const acd_value **ret, acd_err *err)
{
    uint64_t rev;
    *ret = NULL;
    if (!after[0])
        return 0;
    if (!str_u64(slice_str(after), &rev) || rev > INT64_MAX)
        return err_set(err, ACD_EINVAL, "'%s' is no page cursor of this list", after);
    acd_value *row = db_blank(&u->db, COLL_ORIGIN);
    if (!row)
        return ACD_ENOMEM;
    row[ORIGIN_ZONE] = zone[ZONE_ID];
    row[ORIGIN_REV] = VAL_INT(rev);
    *ret = row;
    return 0;
}

static int
origin_list(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListOriginTrustRequest *req = req_;
    uint32_t size = page_size(req->page);
    struct page_ctx ctx = {.size = size < PAGE_ENTRIES ? size : PAGE_ENTRIES};
    struct db_query q = {.coll = COLL_ORIGIN, .index = ORIGIN_BY_ZONE, .neq = 1, .reverse = true};
    struct db_rows rows;
    acd_value *zone;
    uint64_t total;
    (void)plan_;
    q.pick = pick_entry;
    q.pick_ctx = &ctx;
    int rc = find_store(u, req->zone, &zone, err);
    if (rc == 0)
        rc = page_start(u, zone, page_after(req->page), &q.after, err);
    if (rc == 0)
        rc = count_entries(u, zone, &total, err);
    if (rc == 0) {
        q.eq = &zone[ZONE_ID];
        rc = db_list(&u->db, &q, &rows, err);
    }
    if (rc < 0)
        return rc;
    Anchord__V1__ListOriginTrustResponse *resp =
        wire_new(u->region, Anchord__V1__ListOriginTrustResponse, anchord__v1__list_origin_trust_response);
    if (!resp || !(resp->entries = mem_new_n(u->region, rows.n, Anchord__V1__OriginTrust *)))
        return ACD_ENOMEM;
    for (; resp->n_entries < rows.n; resp->n_entries++)
        if (!(resp->entries[resp->n_entries] = entry_msg(u, rows.rows[resp->n_entries], req->at_ms)))
            return ACD_ENOMEM;
    const char *next =
        ctx.more ? mem_printf(u->region, "%lld", (long long)rows.rows[rows.n - 1][ORIGIN_REV].num) : "";
    resp->page = next ? page_info(u->region, next, total) : NULL;
    *ret_resp = resp;
    return resp->page ? 0 : ACD_ENOMEM;
}

static int
origin_get(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__GetOriginTrustRequest *req = req_;
    acd_value *zone, *row;
    (void)plan_;
    int rc = find_store(u, req->zone, &zone, err);
    if (rc == 0)
        rc = find_entry(u, zone, req->id, &row, err);
    if (rc < 0)
        return rc;
    return (*ret_resp = entry_msg(u, row, req->at_ms)) ? 0 : ACD_ENOMEM;
}

/* --- delete -----------------------------------------------------------------------------------------------
 */

static int
origin_delete(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__DeleteOriginTrustRequest *req = req_;
    acd_value *zone, *row;
    uint64_t rev, entries;
    (void)plan_;
    int rc = find_store(u, req->zone, &zone, err);
    if (rc == 0)
        rc = find_entry(u, zone, req->id, &row, err);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc == 0)
        rc = db_del(&u->db, COLL_ORIGIN, VALS(row[ORIGIN_ID]), 1, err);
    if (rc == 0)
        rc = count_entries(u, zone, &entries, err);
    if (rc == 0)
        rc = change_add(&u->changes, CHANGED_ORIGIN, row_text(zone, ZONE_ID));
    if (rc < 0)
        return rc;
    Anchord__V1__DeleteOriginTrustResponse *resp = wire_new(u->region, Anchord__V1__DeleteOriginTrustResponse,
                                                            anchord__v1__delete_origin_trust_response);
    if (!resp || !(resp->entry = entry_msg(u, row, 0)))
        return ACD_ENOMEM;
    resp->entries = (uint32_t)entries;
    resp->dry_run = u->dry;
    *ret_resp = resp;
    unit_note(u, row_text(zone, ZONE_ACCOUNT), row_text(row, ORIGIN_ID), row_text(zone, ZONE_NAME));
    return 0;
}

static bool
delete_dry(const void *req)
{
    return ((const Anchord__V1__DeleteOriginTrustRequest *)req)->dry_run;
}

int
origin_drop(struct unit *u, const acd_value *zone, acd_err *err)
{
    struct db_rows rows;
    const struct db_query q = {.coll = COLL_ORIGIN, .index = ORIGIN_BY_ZONE, .eq = &zone[ZONE_ID], .neq = 1};
    int rc = db_list(&u->db, &q, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.n; i++)
        rc = db_del(&u->db, COLL_ORIGIN, VALS(rows.rows[i][ORIGIN_ID]), 1, err);
    return rc < 0 || rows.n == 0 ? rc : change_add(&u->changes, CHANGED_ORIGIN, row_text(zone, ZONE_ID));
}

const struct op origin_ops[] = {
    OP_WRITE_DRY("OriginTrustService/AddOriginTrust", add_prepare, origin_add, add_dry),
    OP_READ("OriginTrustService/ListOriginTrust", origin_list),
    OP_READ("OriginTrustService/GetOriginTrust", origin_get),
    OP_WRITE_DRY("OriginTrustService/DeleteOriginTrust", NULL, origin_delete, delete_dry),
    {0},
};
