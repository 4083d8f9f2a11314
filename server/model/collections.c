#include "model/collections.h"

#define COLUMN(i, n, t, ...) [i] = {.name = (n), .type = (t), __VA_ARGS__}
#define REF(coll)            .ref = (coll) + 1

static const acd_column account_cols[ACCOUNT_COLS] = {
    COLUMN(ACCOUNT_ID, "id", ACD_COL_TEXT),
    COLUMN(ACCOUNT_NAME, "name", ACD_COL_TEXT),
    COLUMN(ACCOUNT_PLAN, "plan", ACD_COL_INT),
    COLUMN(ACCOUNT_CREATED, "created_ms", ACD_COL_INT),
    COLUMN(ACCOUNT_MANAGED, "managed_ca_id", ACD_COL_TEXT),
    COLUMN(ACCOUNT_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
};
static const acd_index account_indexes[] = {
    {.name = "by_name", .cols = {ACCOUNT_NAME}, .ncols = 1, .unique = 1},
};

static const acd_column zone_cols[ZONE_COLS] = {
    COLUMN(ZONE_ID, "id", ACD_COL_TEXT),
    COLUMN(ZONE_ACCOUNT, "account_id", ACD_COL_TEXT, REF(COLL_ACCOUNT)),
    COLUMN(ZONE_NAME, "name", ACD_COL_TEXT),
    COLUMN(ZONE_PARENT, "parent", ACD_COL_TEXT),
    COLUMN(ZONE_ACM, "acm", ACD_COL_INT),
    COLUMN(ZONE_CREATED, "created_ms", ACD_COL_INT),
    COLUMN(ZONE_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
};
static const acd_index zone_indexes[] = {
    {.name = "by_name", .cols = {ZONE_NAME}, .ncols = 1, .unique = 1},
    {.name = "by_account", .cols = {ZONE_ACCOUNT, ZONE_NAME}, .ncols = 2},
    {.name = "by_parent", .cols = {ZONE_PARENT}, .ncols = 1},
};

static const acd_column cert_cols[CERT_COLS] = {
    COLUMN(CERT_ID, "id", ACD_COL_TEXT),
    COLUMN(CERT_ACCOUNT, "account_id", ACD_COL_TEXT, REF(COLL_ACCOUNT)),
    COLUMN(CERT_SPACE, "space", ACD_COL_TEXT),
    COLUMN(CERT_DIGEST, "digest", ACD_COL_BLOB, .flags = ACD_COL_NULL),
    COLUMN(CERT_NAME, "name", ACD_COL_TEXT),
    COLUMN(CERT_CA, "ca", ACD_COL_INT),
    COLUMN(CERT_PRODUCT, "product", ACD_COL_TEXT),
    COLUMN(CERT_TYPE, "type", ACD_COL_INT),
    COLUMN(CERT_PROFILE, "profile", ACD_COL_INT),
    COLUMN(CERT_TEXT, "certificates", ACD_COL_BLOB),
    COLUMN(CERT_CREATED, "uploaded_ms", ACD_COL_INT),
    COLUMN(CERT_UPDATED, "updated_ms", ACD_COL_INT),
    COLUMN(CERT_DEPLOYED, "deployed_rev", ACD_COL_INT),
    COLUMN(CERT_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
    COLUMN(CERT_HELPER, "helper", ACD_COL_INT),
};
static const acd_index cert_indexes[] = {
    {.name = "by_account", .cols = {CERT_ACCOUNT, CERT_DEPLOYED}, .ncols = 2},
    {.name = "by_digest", .cols = {CERT_ACCOUNT, CERT_SPACE, CERT_DIGEST}, .ncols = 3, .unique = 1},
};

static const acd_column item_cols[ITEM_COLS] = {
    COLUMN(ITEM_CERT, "certificate_id", ACD_COL_TEXT, REF(COLL_CERT)),
    COLUMN(ITEM_INDEX, "idx", ACD_COL_INT),
    COLUMN(ITEM_SHA256, "sha256", ACD_COL_BLOB),
    COLUMN(ITEM_SPKI, "spki_sha256", ACD_COL_BLOB),
    COLUMN(ITEM_SUBJECT, "subject", ACD_COL_TEXT),
    COLUMN(ITEM_ISSUER, "issuer", ACD_COL_TEXT),
    COLUMN(ITEM_SERIAL_HEX, "serial_hex", ACD_COL_TEXT),
    COLUMN(ITEM_SERIAL_DEC, "serial_dec", ACD_COL_TEXT),
    COLUMN(ITEM_NOT_BEFORE, "not_before_ms", ACD_COL_INT),
    COLUMN(ITEM_NOT_AFTER, "not_after_ms", ACD_COL_INT),
    COLUMN(ITEM_KEY_TYPE, "key_type", ACD_COL_TEXT),
    COLUMN(ITEM_KEY_BITS, "key_bits", ACD_COL_INT),
    COLUMN(ITEM_SIGNATURE, "signature", ACD_COL_TEXT),
    COLUMN(ITEM_SELF_SIGNED, "self_signed", ACD_COL_INT),
    COLUMN(ITEM_SKI, "ski", ACD_COL_TEXT),
    COLUMN(ITEM_DER, "der", ACD_COL_BLOB),
};
static const acd_index item_indexes[] = {
    {.name = "by_expiry", .cols = {ITEM_NOT_AFTER}, .ncols = 1},
};

static const acd_column host_list_cols[HOST_LIST_COLS] = {
    COLUMN(HOST_LIST_ZONE, "zone_id", ACD_COL_TEXT, REF(COLL_ZONE)),
    COLUMN(HOST_LIST_CERT, "certificate_id", ACD_COL_TEXT, REF(COLL_CERT)),
    COLUMN(HOST_LIST_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
    COLUMN(HOST_LIST_SIZE, "hosts", ACD_COL_INT),
};

static const acd_column host_cols[HOST_COLS] = {
    COLUMN(HOST_ZONE, "zone_id", ACD_COL_TEXT, REF(COLL_ZONE)),
    COLUMN(HOST_CERT, "certificate_id", ACD_COL_TEXT, REF(COLL_CERT)),
    COLUMN(HOST_PATTERN, "pattern", ACD_COL_TEXT),
    COLUMN(HOST_TEXT, "host", ACD_COL_TEXT),
    COLUMN(HOST_POSITION, "position", ACD_COL_INT),
    COLUMN(HOST_DEPLOYED, "deployed_rev", ACD_COL_INT),
    COLUMN(HOST_CREATED, "created_ms", ACD_COL_INT),
    COLUMN(HOST_PRIORITY, "priority", ACD_COL_INT),
    COLUMN(HOST_OBSERVE, "observe", ACD_COL_INT),
};
static const acd_index host_indexes[] = {
    {.name = "by_pattern", .cols = {HOST_PATTERN}, .ncols = 1},
    {.name = "by_certificate", .cols = {HOST_CERT}, .ncols = 1},
    {.name = "by_position", .cols = {HOST_ZONE, HOST_CERT, HOST_POSITION}, .ncols = 3},
};

static const acd_column idem_cols[IDEM_COLS] = {
    COLUMN(IDEM_ACTOR, "actor", ACD_COL_TEXT),       COLUMN(IDEM_KEY, "key", ACD_COL_TEXT),
    COLUMN(IDEM_METHOD, "method", ACD_COL_TEXT),     COLUMN(IDEM_DIGEST, "digest", ACD_COL_BLOB),
    COLUMN(IDEM_REPLY, "reply", ACD_COL_BLOB),       COLUMN(IDEM_REVISION, "revision", ACD_COL_INT),
    COLUMN(IDEM_CREATED, "created_ms", ACD_COL_INT),
};
static const acd_index idem_indexes[] = {
    {.name = "by_created", .cols = {IDEM_CREATED}, .ncols = 1},
};

static const acd_column change_cols[CHANGE_COLS] = {
    COLUMN(CHANGE_SEQ, "seq", ACD_COL_INT),
    COLUMN(CHANGE_AT, "at_ms", ACD_COL_INT),
    COLUMN(CHANGE_ACTOR, "actor", ACD_COL_TEXT),
    COLUMN(CHANGE_METHOD, "method", ACD_COL_TEXT),
    COLUMN(CHANGE_ACCOUNT, "account_id", ACD_COL_TEXT),
    COLUMN(CHANGE_OBJECT, "object", ACD_COL_TEXT),
    COLUMN(CHANGE_TEXT, "text", ACD_COL_TEXT),
};

static const acd_column plugin_cols[PLUGIN_COLS] = {
    COLUMN(PLUGIN_NAME, "plugin", ACD_COL_TEXT),
    COLUMN(PLUGIN_KEY, "key", ACD_COL_BLOB),
    COLUMN(PLUGIN_VALUE, "value", ACD_COL_BLOB),
};

static const acd_column ruleset_cols[RULESET_COLS] = {
    COLUMN(RULESET_ID, "id", ACD_COL_TEXT),
    COLUMN(RULESET_ZONE, "zone_id", ACD_COL_TEXT, REF(COLL_ZONE)),
    COLUMN(RULESET_PHASE, "phase", ACD_COL_TEXT),
    COLUMN(RULESET_NAME, "name", ACD_COL_TEXT),
    COLUMN(RULESET_DESCRIPTION, "description", ACD_COL_TEXT),
    COLUMN(RULESET_VERSION_NUMBER, "version", ACD_COL_INT),
    COLUMN(RULESET_CREATED, "created_ms", ACD_COL_INT),
    COLUMN(RULESET_UPDATED, "updated_ms", ACD_COL_INT),
    COLUMN(RULESET_BODY, "rules", ACD_COL_BLOB),
    COLUMN(RULESET_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
};
static const acd_index ruleset_indexes[] = {
    {.name = "by_zone", .cols = {RULESET_ZONE, RULESET_PHASE}, .ncols = 2, .unique = 1},
};

static const acd_column ruleset_version_cols[RULESET_VERSION_COLS] = {
    COLUMN(RULESET_VERSION_RULESET, "ruleset_id", ACD_COL_TEXT, REF(COLL_RULESET)),
    COLUMN(RULESET_VERSION_VERSION, "version", ACD_COL_INT),
    COLUMN(RULESET_VERSION_DESCRIPTION, "description", ACD_COL_TEXT),
    COLUMN(RULESET_VERSION_UPDATED, "updated_ms", ACD_COL_INT),
    COLUMN(RULESET_VERSION_BODY, "rules", ACD_COL_BLOB),
    COLUMN(RULESET_VERSION_REV, "made_rev", ACD_COL_INT),
};

static const acd_column token_cols[TOKEN_COLS] = {
    COLUMN(TOKEN_ID, "id", ACD_COL_TEXT),
    COLUMN(TOKEN_ACCOUNT, "account_id", ACD_COL_TEXT, REF(COLL_ACCOUNT)),
    COLUMN(TOKEN_NAME, "name", ACD_COL_TEXT),
    COLUMN(TOKEN_DIGEST, "digest", ACD_COL_BLOB),
    COLUMN(TOKEN_PERMISSIONS, "permissions", ACD_COL_INT),
    COLUMN(TOKEN_ZONES, "zones", ACD_COL_TEXT),
    COLUMN(TOKEN_SOURCES, "sources", ACD_COL_TEXT),
    COLUMN(TOKEN_EMAIL, "email", ACD_COL_TEXT),
    COLUMN(TOKEN_CREATED, "created_ms", ACD_COL_INT),
    COLUMN(TOKEN_EXPIRES, "expires_ms", ACD_COL_INT),
    COLUMN(TOKEN_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
};
static const acd_index token_indexes[] = {
    {.name = "by_account", .cols = {TOKEN_ACCOUNT, TOKEN_CREATED}, .ncols = 2},
    {.name = "by_digest", .cols = {TOKEN_DIGEST}, .ncols = 1, .unique = 1},
};

static const acd_column origin_cols[ORIGIN_COLS] = {
    COLUMN(ORIGIN_ID, "id", ACD_COL_TEXT),
    COLUMN(ORIGIN_ZONE, "zone_id", ACD_COL_TEXT, REF(COLL_ZONE)),
    COLUMN(ORIGIN_SHA256, "sha256", ACD_COL_BLOB),
    COLUMN(ORIGIN_SPKI, "spki_sha256", ACD_COL_BLOB),
    COLUMN(ORIGIN_SUBJECT, "subject", ACD_COL_TEXT),
    COLUMN(ORIGIN_ISSUER, "issuer", ACD_COL_TEXT),
    COLUMN(ORIGIN_SERIAL_HEX, "serial_hex", ACD_COL_TEXT),
    COLUMN(ORIGIN_NOT_BEFORE, "not_before_ms", ACD_COL_INT),
    COLUMN(ORIGIN_NOT_AFTER, "not_after_ms", ACD_COL_INT),
    COLUMN(ORIGIN_KEY_TYPE, "key_type", ACD_COL_TEXT),
    COLUMN(ORIGIN_KEY_BITS, "key_bits", ACD_COL_INT),
    COLUMN(ORIGIN_SIGNATURE, "signature", ACD_COL_TEXT),
    COLUMN(ORIGIN_SKI, "ski", ACD_COL_TEXT),
    COLUMN(ORIGIN_PROFILE, "profile", ACD_COL_INT),
    COLUMN(ORIGIN_TEXT, "certificate", ACD_COL_BLOB),
    COLUMN(ORIGIN_DER, "der", ACD_COL_BLOB),
    COLUMN(ORIGIN_CREATED, "uploaded_ms", ACD_COL_INT),
    COLUMN(ORIGIN_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
};
static const acd_index origin_indexes[] = {
    {.name = "by_zone", .cols = {ORIGIN_ZONE, ORIGIN_REV}, .ncols = 2},
    {.name = "by_digest", .cols = {ORIGIN_ZONE, ORIGIN_SHA256}, .ncols = 2, .unique = 1},
    {.name = "by_expiry", .cols = {ORIGIN_NOT_AFTER}, .ncols = 1},
};

static const acd_column access_setting_cols[ACCESS_SETTING_COLS] = {
    COLUMN(ACCESS_SETTING_ACCOUNT, "account_id", ACD_COL_TEXT, REF(COLL_ACCOUNT)),
    COLUMN(ACCESS_SETTING_PATTERN, "pattern", ACD_COL_TEXT),
    COLUMN(ACCESS_SETTING_HOST, "host", ACD_COL_TEXT),
    COLUMN(ACCESS_SETTING_POSITION, "position", ACD_COL_INT),
    COLUMN(ACCESS_SETTING_FORWARD, "client_certificate_forwarding", ACD_COL_INT),
    COLUMN(ACCESS_SETTING_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
};
static const acd_index access_setting_indexes[] = {
    {.name = "by_position", .cols = {ACCESS_SETTING_ACCOUNT, ACCESS_SETTING_POSITION}, .ncols = 2},
};

static const acd_column crl_cols[CRL_COLS] = {
    COLUMN(CRL_CERT, "certificate_id", ACD_COL_TEXT, REF(COLL_CERT)),
    COLUMN(CRL_ID, "id", ACD_COL_TEXT),
    COLUMN(CRL_INDEX, "idx", ACD_COL_INT),
    COLUMN(CRL_DELTA, "delta", ACD_COL_INT),
    COLUMN(CRL_NUMBER, "number", ACD_COL_TEXT),
    COLUMN(CRL_BASE, "base_number", ACD_COL_TEXT),
    COLUMN(CRL_THIS, "this_update_ms", ACD_COL_INT),
    COLUMN(CRL_NEXT, "next_update_ms", ACD_COL_INT),
    COLUMN(CRL_ENTRIES, "entries", ACD_COL_INT),
    COLUMN(CRL_BYTES, "bytes", ACD_COL_INT),
    COLUMN(CRL_SHA256, "sha256", ACD_COL_BLOB),
    COLUMN(CRL_ISSUER, "issuer", ACD_COL_TEXT),
    COLUMN(CRL_CREATED, "added_ms", ACD_COL_INT),
    COLUMN(CRL_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
};

static const acd_index crl_indexes[] = {
    {.name = "by_next", .cols = {CRL_NEXT}, .ncols = 1},
};

static const acd_column crl_chunk_cols[CRL_CHUNK_COLS] = {
    COLUMN(CRL_CHUNK_CERT, "certificate_id", ACD_COL_TEXT, REF(COLL_CERT)),
    COLUMN(CRL_CHUNK_CRL, "crl_id", ACD_COL_TEXT),
    COLUMN(CRL_CHUNK_INDEX, "idx", ACD_COL_INT),
    COLUMN(CRL_CHUNK_BYTES, "der", ACD_COL_BLOB),
};

static const acd_column revocation_cols[REVOCATION_COLS] = {
    COLUMN(REVOCATION_CERT, "certificate_id", ACD_COL_TEXT, REF(COLL_CERT)),
    COLUMN(REVOCATION_INDEX, "idx", ACD_COL_INT),
    COLUMN(REVOCATION_LISTED, "listed", ACD_COL_INT),
    COLUMN(REVOCATION_FROM, "from_ms", ACD_COL_INT),
    COLUMN(REVOCATION_UNTIL, "until_ms", ACD_COL_INT),
    COLUMN(REVOCATION_SEED, "seed", ACD_COL_INT),
    COLUMN(REVOCATION_COUNT, "entries", ACD_COL_INT),
    COLUMN(REVOCATION_WIDTH, "width", ACD_COL_INT),
    COLUMN(REVOCATION_BITS, "bits", ACD_COL_INT),
    COLUMN(REVOCATION_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
};

static const acd_column revoked_cols[REVOKED_COLS] = {
    COLUMN(REVOKED_CERT, "certificate_id", ACD_COL_TEXT, REF(COLL_CERT)),
    COLUMN(REVOKED_INDEX, "idx", ACD_COL_INT),
    COLUMN(REVOKED_PART, "part", ACD_COL_INT),
    COLUMN(REVOKED_BYTES, "entries", ACD_COL_BLOB),
};

static const acd_column crl_policy_cols[CRL_POLICY_COLS] = {
    COLUMN(CRL_POLICY_CERT, "certificate_id", ACD_COL_TEXT, REF(COLL_CERT)),
    COLUMN(CRL_POLICY_POLICY, "policy", ACD_COL_INT),
    COLUMN(CRL_POLICY_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
};

static const acd_column key_cols[KEY_COLS] = {
    COLUMN(KEY_OWNER, "owner_id", ACD_COL_TEXT, REF(COLL_CERT)),
    COLUMN(KEY_SPKI, "spki_sha256", ACD_COL_BLOB),
    COLUMN(KEY_ACCOUNT, "account_id", ACD_COL_TEXT, REF(COLL_ACCOUNT)),
    COLUMN(KEY_WRAP, "wrapping_key", ACD_COL_TEXT),
    COLUMN(KEY_SEALED, "sealed", ACD_COL_BLOB),
    COLUMN(KEY_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
};
static const acd_index key_indexes[] = {
    {.name = "by_wrapping_key", .cols = {KEY_WRAP}, .ncols = 1},
};

static const acd_column client_cert_cols[CLIENT_CERT_COLS] = {
    COLUMN(CLIENT_CERT_ID, "id", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_ZONE, "zone_id", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_CA, "ca_id", ACD_COL_TEXT, REF(COLL_CERT)),
    COLUMN(CLIENT_CERT_AKI, "aki", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_STATUS, "status", ACD_COL_INT),
    COLUMN(CLIENT_CERT_SERIAL_HEX, "serial_hex", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_SERIAL_DEC, "serial_dec", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_SHA256, "sha256", ACD_COL_BLOB),
    COLUMN(CLIENT_CERT_COMMON_NAME, "common_name", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_COUNTRY, "country", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_LOCATION, "location", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_ORGANIZATION, "organization", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_UNIT, "organizational_unit", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_STATE, "state", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_SIGNATURE, "signature", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_SKI, "ski", ACD_COL_TEXT),
    COLUMN(CLIENT_CERT_DAYS, "validity_days", ACD_COL_INT),
    COLUMN(CLIENT_CERT_NOT_BEFORE, "not_before_ms", ACD_COL_INT),
    COLUMN(CLIENT_CERT_NOT_AFTER, "not_after_ms", ACD_COL_INT),
    COLUMN(CLIENT_CERT_CSR, "csr", ACD_COL_BLOB),
    COLUMN(CLIENT_CERT_TEXT, "certificate", ACD_COL_BLOB),
    COLUMN(CLIENT_CERT_ISSUED, "issued_ms", ACD_COL_INT),
    COLUMN(CLIENT_CERT_REVOKED, "revoked_ms", ACD_COL_INT),
    COLUMN(CLIENT_CERT_DEPLOYED, "deployed_rev", ACD_COL_INT),
    COLUMN(CLIENT_CERT_REV, "rev", ACD_COL_INT, .flags = ACD_COL_REV),
};
static const acd_index client_cert_indexes[] = {
    {.name = "by_zone", .cols = {CLIENT_CERT_ZONE, CLIENT_CERT_DEPLOYED}, .ncols = 2},
    {.name = "by_status", .cols = {CLIENT_CERT_ZONE, CLIENT_CERT_STATUS}, .ncols = 2},
    {.name = "by_ca", .cols = {CLIENT_CERT_CA, CLIENT_CERT_STATUS}, .ncols = 2},
    {.name = "by_expiry", .cols = {CLIENT_CERT_NOT_AFTER}, .ncols = 1},
};

#define COLLECTION(i, n, c, pk, ...) COLLECTION_SINCE(1, i, n, c, pk, __VA_ARGS__)
#define COLLECTION_SINCE(v, i, n, c, pk, ...)     \
    [i] = {.struct_size = sizeof(acd_collection), \
           .name = (n),                           \
           .cols = (c),                           \
           .ncols = sizeof(c) / sizeof((c)[0]),   \
           .npk = (pk),                           \
           .since = (v),                          \
           __VA_ARGS__}
#define INDEXES(x) .indexes = (x), .nindexes = sizeof(x) / sizeof((x)[0])

const acd_collection collections[COLLECTIONS] = {
    COLLECTION(COLL_ACCOUNT, "account", account_cols, 1, INDEXES(account_indexes)),
    COLLECTION(COLL_ZONE, "zone", zone_cols, 1, INDEXES(zone_indexes)),
    COLLECTION(COLL_CERT, "certificate", cert_cols, 1, INDEXES(cert_indexes)),
    COLLECTION(COLL_CERT_ITEM, "certificate_item", item_cols, 2, INDEXES(item_indexes)),
    COLLECTION(COLL_HOST_LIST, "host_list", host_list_cols, 2),
    COLLECTION(COLL_HOST, "host_association", host_cols, 3, INDEXES(host_indexes)),
    COLLECTION(COLL_IDEM, "idempotency", idem_cols, 2, INDEXES(idem_indexes)),
    COLLECTION(COLL_CHANGE, "change", change_cols, 1),
    COLLECTION(COLL_PLUGIN, "plugin_row", plugin_cols, 2),
    COLLECTION_SINCE(2, COLL_RULESET, "ruleset", ruleset_cols, 1, INDEXES(ruleset_indexes)),
    COLLECTION_SINCE(2, COLL_RULESET_VERSION, "ruleset_version", ruleset_version_cols, 2),
    COLLECTION_SINCE(3, COLL_TOKEN, "token", token_cols, 1, INDEXES(token_indexes)),
    COLLECTION_SINCE(3, COLL_ORIGIN, "origin_trust", origin_cols, 1, INDEXES(origin_indexes)),
    COLLECTION_SINCE(3, COLL_ACCESS_HOST, "access_host", host_cols, 3, INDEXES(host_indexes)),
    COLLECTION_SINCE(3, COLL_ACCESS_SETTING, "access_setting", access_setting_cols, 2,
                     INDEXES(access_setting_indexes)),
    COLLECTION_SINCE(3, COLL_CRL, "crl", crl_cols, 2, INDEXES(crl_indexes)),
    COLLECTION_SINCE(3, COLL_CRL_CHUNK, "crl_chunk", crl_chunk_cols, 3),
    COLLECTION_SINCE(3, COLL_REVOCATION, "revocation", revocation_cols, 2),
    COLLECTION_SINCE(3, COLL_REVOKED, "revoked", revoked_cols, 3),
    COLLECTION_SINCE(3, COLL_CRL_POLICY, "crl_policy", crl_policy_cols, 1),
    COLLECTION_SINCE(3, COLL_KEY, "private_key", key_cols, 2, INDEXES(key_indexes)),
    COLLECTION_SINCE(3, COLL_CLIENT_CERT, "client_certificate", client_cert_cols, 1,
                     INDEXES(client_cert_indexes)),
};
