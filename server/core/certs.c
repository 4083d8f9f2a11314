#include "core/certs.h"

#include "base/err.h"

static Anchord__V1__CertificateItem *
item_msg(struct unit *u, const acd_value *row)
{
    Anchord__V1__CertificateItem *m =
        wire_new(u->region, Anchord__V1__CertificateItem, anchord__v1__certificate_item);
    if (!m)
        return NULL;
    m->index = (uint32_t)row[ITEM_INDEX].num;
    m->sha256 = wire_bytes(row[ITEM_SHA256].bytes);
    m->subject = (char *)row_text(row, ITEM_SUBJECT);
    m->issuer = (char *)row_text(row, ITEM_ISSUER);
    m->serial_hex = (char *)row_text(row, ITEM_SERIAL_HEX);
    m->not_before_ms = row[ITEM_NOT_BEFORE].num;
    m->not_after_ms = row[ITEM_NOT_AFTER].num;
    m->key_type = (char *)row_text(row, ITEM_KEY_TYPE);
    m->key_bits = (uint32_t)row[ITEM_KEY_BITS].num;
    m->signature = (char *)row_text(row, ITEM_SIGNATURE);
    m->self_signed = row[ITEM_SELF_SIGNED].num != 0;
    m->ski = (char *)row_text(row, ITEM_SKI);
    m->spki_sha256 = wire_bytes(row[ITEM_SPKI].bytes);
    return m;
}

static int
add_items(struct unit *u, Anchord__V1__Certificate *m, acd_err *err)
{
    struct db_rows rows;
    const struct db_query q = {.coll = COLL_CERT_ITEM, .eq = VALS(VAL_TEXT(m->id)), .neq = 1};
    int rc = db_list(&u->db, &q, &rows, err);
    if (rc < 0)
        return rc;
    m->items = mem_new_n(u->region, rows.n, Anchord__V1__CertificateItem *);
    if (!m->items)
        return ACD_ENOMEM;
    for (; m->n_items < rows.n; m->n_items++)
        if (!(m->items[m->n_items] = item_msg(u, rows.rows[m->n_items])))
            return ACD_ENOMEM;
    if (rows.n > 0)
        m->serial_number = (char *)row_text(rows.rows[0], ITEM_SERIAL_DEC);
    return 0;
}

int
cert_msg(struct unit *u, const acd_value *row, bool text, Anchord__V1__Certificate **ret, acd_err *err)
{
    Anchord__V1__Certificate *m = wire_new(u->region, Anchord__V1__Certificate, anchord__v1__certificate);
    if (!m)
        return ACD_ENOMEM;
    m->id = (char *)row_text(row, CERT_ID);
    m->account_id = (char *)row_text(row, CERT_ACCOUNT);
    m->name = (char *)row_text(row, CERT_NAME);
    m->ca = row[CERT_CA].num != 0;
    m->product = (char *)row_text(row, CERT_PRODUCT);
    m->type = (Anchord__V1__CertificateType)row[CERT_TYPE].num;
    m->profile = (Anchord__V1__Profile)row[CERT_PROFILE].num;
    m->uploaded_ms = row[CERT_CREATED].num;
    m->updated_ms = row[CERT_UPDATED].num;
    m->revision = (uint64_t)row[CERT_REV].num;
    m->helper = row[CERT_HELPER].num != 0;
    if (text)
        m->certificates = (char *)row_text(row, CERT_TEXT);
    *ret = m;
    return add_items(u, m, err);
}
