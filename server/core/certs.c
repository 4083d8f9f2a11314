#include "core/certs.h"

#include "base/buf.h"
#include "base/err.h"
#include "core/keys.h"

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
    bool has_key = false;
    int rc = keys_has(u, row[CERT_ID].bytes, &has_key, err);
    m->has_private_key = has_key;
    return rc < 0 ? rc : add_items(u, m, err);
}

/* --- certificates on their way in -------------------------------------------------------------------------
 */

int
certinfo_keep(struct mem_region *r, const acd_certinfo *info, acd_certinfo *ret)
{
    *ret = *info;
    acd_slice *slices[] = {&ret->subject, &ret->issuer,  &ret->serial_hex, &ret->serial_dec,
                           &ret->ski_hex, &ret->aki_hex, &ret->der};
    for (size_t i = 0; i < sizeof(slices) / sizeof(slices[0]); i++) {
        slices[i]->ptr = mem_strndup(r, slices[i]->ptr, slices[i]->len);
        if (!slices[i]->ptr)
            return ACD_ENOMEM;
    }
    ret->key_type = mem_strdup(r, info->key_type ? info->key_type : "");
    ret->signature = mem_strdup(r, info->signature ? info->signature : "");
    return ret->key_type && ret->signature ? 0 : ACD_ENOMEM;
}

void
cert_item_row(const char *id, const acd_certinfo *i, acd_value row[ITEM_COLS])
{
    const acd_value made[ITEM_COLS] = {
        [ITEM_CERT] = VAL_TEXT(id),
        [ITEM_INDEX] = VAL_INT(i->index),
        [ITEM_SHA256] = VAL_BLOB(i->sha256, sizeof(i->sha256)),
        [ITEM_SPKI] = VAL_BLOB(i->spki_sha256, sizeof(i->spki_sha256)),
        [ITEM_SUBJECT] = VAL_SLICE(i->subject),
        [ITEM_ISSUER] = VAL_SLICE(i->issuer),
        [ITEM_SERIAL_HEX] = VAL_SLICE(i->serial_hex),
        [ITEM_SERIAL_DEC] = VAL_SLICE(i->serial_dec),
        [ITEM_NOT_BEFORE] = VAL_INT(i->not_before_ms),
        [ITEM_NOT_AFTER] = VAL_INT(i->not_after_ms),
        [ITEM_KEY_TYPE] = VAL_TEXT(i->key_type),
        [ITEM_KEY_BITS] = VAL_INT(i->key_bits),
        [ITEM_SIGNATURE] = VAL_TEXT(i->signature),
        [ITEM_SELF_SIGNED] = VAL_INT(i->self_signed),
        [ITEM_SKI] = VAL_SLICE(i->ski_hex),
        [ITEM_DER] = VAL_SLICE(i->der),
    };
    memcpy(row, made, sizeof(made));
}

int
cert_put_item(struct unit *u, const char *id, const acd_certinfo *i, acd_err *err)
{
    acd_value row[ITEM_COLS];
    cert_item_row(id, i, row);
    return db_put(&u->db, COLL_CERT_ITEM, row, ACD_REV_NEW, err);
}

int
cert_drop_items(struct unit *u, acd_slice id, acd_err *err)
{
    struct db_rows items;
    int rc = db_list(&u->db, &(struct db_query){.coll = COLL_CERT_ITEM, .eq = VALS(VAL_SLICE(id)), .neq = 1},
                     &items, err);
    for (size_t i = 0; rc == 0 && i < items.n; i++)
        rc =
            db_del(&u->db, COLL_CERT_ITEM, VALS(items.rows[i][ITEM_CERT], items.rows[i][ITEM_INDEX]), 2, err);
    return rc;
}

enum { PEM_LINE = 48 }; /* octets, 64 characters */

acd_slice
cert_pem(struct mem_region *r, acd_slice der)
{
    struct buf b = BUF_INIT(2 * LIMIT_CERT_DER);
    buf_puts(&b, "-----BEGIN CERTIFICATE-----\n");
    for (size_t at = 0; at < der.len; at += PEM_LINE) {
        char line[BASE64_LEN(PEM_LINE) + 1];
        size_t n = der.len - at < PEM_LINE ? der.len - at : PEM_LINE;
        buf_put(&b, line, base64_encode((const char *)der.ptr + at, n, line));
        buf_putc(&b, '\n');
    }
    buf_puts(&b, "-----END CERTIFICATE-----\n");
    acd_slice text = {b.failed ? NULL : mem_strndup(r, b.data, b.len), b.len};
    buf_done(&b);
    return text;
}
