#include "core/find.h"

#include "base/err.h"
#include "model/ids.h"
#include "model/limits.h"

bool
reaches_account(const struct unit *u, const acd_value *account)
{
    const struct rpc_scope *s = u->call->scope;
    return !s || slice_eqs(account[ACCOUNT_ID].bytes, s->account);
}

bool
reaches_cert(const struct unit *u, const acd_value *cert)
{
    const struct rpc_scope *s = u->call->scope;
    return !s || slice_eqs(cert[CERT_ACCOUNT].bytes, s->account);
}

bool
reaches_zone(const struct unit *u, const acd_value *zone)
{
    const struct rpc_scope *s = u->call->scope;
    return !s || s->has_zone(s, zone[ZONE_ACCOUNT].bytes, zone[ZONE_ID].bytes);
}

static int
first_row(struct unit *u, const struct db_query *q, acd_value **ret_row, acd_err *err)
{
    struct db_rows rows;
    int rc = db_list(&u->db, q, &rows, err);
    if (rc < 0)
        return rc;
    if (rows.n == 0)
        return ACD_ENOENT;
    *ret_row = rows.rows[0];
    return 0;
}

int
find_refuse(struct unit *u, const char *what, const char *which, uint32_t rest, acd_err *err)
{
    rpc_detail_error_info(u->call, "NOT_FOUND", rest, which);
    return err_set(err, ACD_ENOENT, "no %s '%s'", what, which);
}

/* Ids cannot be taken for names: a name that looks like an id is refused when it is given. */
static int
find_by(struct unit *u, const char *what, const char *which, enum collection coll, unsigned name_index,
        acd_value **ret_row, acd_err *err)
{
    const struct db_query q = {
        .coll = coll, .index = name_index, .eq = VALS(VAL_TEXT(which)), .neq = 1, .limit = 1};
    if (!which[0])
        return err_set(err, ACD_EINVAL, "%s is missing: give its id or its name", what);
    int rc = id_is_hex(slice_str(which)) ? db_get(&u->db, coll, VALS(VAL_TEXT(which)), 1, ret_row, err)
                                         : first_row(u, &q, ret_row, err);
    return rc == ACD_ENOENT ? find_refuse(u, what, which, 0, err) : rc;
}

int
find_account(struct unit *u, const char *id_or_name, acd_value **ret_row, acd_err *err)
{
    int rc = find_by(u, "account", id_or_name, COLL_ACCOUNT, ACCOUNT_BY_NAME, ret_row, err);
    return rc == 0 && !reaches_account(u, *ret_row) ? find_refuse(u, "account", id_or_name, 0, err) : rc;
}

int
find_zone(struct unit *u, const char *id_or_name, acd_value **ret_row, acd_err *err)
{
    int rc = find_by(u, "zone", id_or_name, COLL_ZONE, ZONE_BY_NAME, ret_row, err);
    return rc == 0 && !reaches_zone(u, *ret_row) ? find_refuse(u, "zone", id_or_name, 0, err) : rc;
}

int
find_cert(struct unit *u, const char *id, acd_value **ret_row, acd_err *err)
{
    if (!id_is_uuid(slice_str(id)))
        return err_set(err, ACD_EINVAL, "'%s' is not a certificate id (a UUID)", id);
    int rc = db_get(&u->db, COLL_CERT, VALS(VAL_TEXT(id)), 1, ret_row, err);
    if (rc == 0 && !reaches_cert(u, *ret_row))
        rc = ACD_ENOENT;
    return rc == ACD_ENOENT ? find_refuse(u, "certificate", id, 0, err) : rc;
}

int
find_cert_of(struct unit *u, const char *account, const char *id, acd_value **ret_row, acd_err *err)
{
    acd_value *owner;
    int rc = account[0] ? find_account(u, account, &owner, err) : 0;
    if (rc == 0)
        rc = find_cert(u, id, ret_row, err);
    if (rc == 0 && account[0] && !slice_eq((*ret_row)[CERT_ACCOUNT].bytes, owner[ACCOUNT_ID].bytes))
        rc = find_refuse(u, "certificate", id, 0, err);
    return rc;
}

int
check_name(struct rpc_call *call, const char *field, const char *name, acd_err *err)
{
    size_t len = strlen(name);
    const char *why = NULL;
    if (len == 0)
        why = "is missing";
    else if (len > LIMIT_NAME)
        why = "is longer than 255 bytes";
    else if (id_is_hex(slice_str(name)))
        why = "looks like an id, and would be taken for one";
    for (size_t i = 0; !why && i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f ||
            ((unsigned char)name[i] == 0xc2 && (unsigned char)name[i + 1] < 0xa0))
            why = "holds a control byte";
    if (!why)
        return 0;
    rpc_detail_field(call, field, why);
    return err_set(err, ACD_EINVAL, "%s %s", field, why);
}

uint32_t
page_size(const Anchord__V1__PageRequest *page)
{
    if (!page || page->size == 0)
        return LIMIT_PAGE_DEFAULT;
    return page->size > LIMIT_PAGE ? LIMIT_PAGE : page->size;
}

const char *
page_after(const Anchord__V1__PageRequest *page)
{
    return page && page->after ? page->after : "";
}

Anchord__V1__PageInfo *
page_info(struct mem_region *r, const char *next, uint64_t total)
{
    Anchord__V1__PageInfo *info = wire_new(r, Anchord__V1__PageInfo, anchord__v1__page_info);
    if (info) {
        info->next = mem_strdup(r, next);
        info->total = total;
        if (!info->next)
            return NULL;
    }
    return info;
}
