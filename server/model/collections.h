/*
 * The tables that a storage plugin must provide, and the number of each column.
 *
 * Versions: a new collection or column raises COLLECTIONS_VERSION by one and says since when it is there;
 * nothing is ever renumbered. Times are Unix milliseconds. `rev` is the revision of the last change of the
 * row.
 */
#ifndef MODEL_COLLECTIONS_H
#define MODEL_COLLECTIONS_H

#include <anchord/plugin-storage.h>

enum { COLLECTIONS_VERSION = 3 };

enum collection {
    COLL_ACCOUNT,
    COLL_ZONE,
    COLL_CERT,      /* an uploaded object: a CA or a leaf, or the managed CA of an account */
    COLL_CERT_ITEM, /* its certificates */
    COLL_HOST_LIST, /* the list of hosts of one CA in one zone: its revision and size */
    COLL_HOST,      /* its members */
    COLL_IDEM,      /* outcome of mutations by idempotency key */
    COLL_CHANGE,    /* what was changed, by whom, when */
    COLL_PLUGIN,    /* rows of the plugins */
    /* since 2 */
    COLL_RULESET,         /* the rules of a zone as they are */
    COLL_RULESET_VERSION, /* as they were */
    /* since 3 */
    COLL_TOKEN,          /* API tokens: what they allow, and the digest of the secret */
    COLL_ORIGIN,         /* entries of the zones' custom origin trust stores */
    COLL_ACCESS_HOST,    /* hosts of Access CAs: the columns and indexes of COLL_HOST */
    COLL_ACCESS_SETTING, /* settings of host names for Access */
    COLL_CRL,            /* revocation lists of CAs as they were uploaded */
    COLL_CRL_CHUNK,      /* their bytes */
    COLL_REVOCATION,     /* what the lists of one certificate come to */
    COLL_REVOKED,        /* and which serial numbers, in parts: snap/revoked.h */
    COLL_CRL_POLICY,     /* of a CA, once it was set */
    COLL_KEY,            /* private keys, wrapped */
    COLL_CLIENT_CERT,    /* what the managed CAs signed */
    COLLECTIONS
};

enum account_col {
    ACCOUNT_ID,
    ACCOUNT_NAME,
    ACCOUNT_PLAN,
    ACCOUNT_CREATED,
    ACCOUNT_MANAGED,
    ACCOUNT_REV,
    ACCOUNT_COLS
};
enum account_index { ACCOUNT_BY_NAME = 1 };

enum zone_col {
    ZONE_ID,
    ZONE_ACCOUNT,
    ZONE_NAME,
    ZONE_PARENT /* the name without its first label */,
    ZONE_ACM,
    ZONE_CREATED,
    ZONE_REV,
    ZONE_COLS
};
enum zone_index { ZONE_BY_NAME = 1, ZONE_BY_ACCOUNT, ZONE_BY_PARENT };

enum cert_col {
    CERT_ID,
    CERT_ACCOUNT,
    CERT_SPACE,  /* "mtls" or "access": duplicates are looked for within one */
    CERT_DIGEST, /* of the list of DERs; NULL for a managed CA without certificate */
    CERT_NAME,
    CERT_CA,      /* 1: a CA */
    CERT_PRODUCT, /* "api_shield", "workers", "gateway", "access"; "" for a managed CA */
    CERT_TYPE,    /* enum cert_type */
    CERT_PROFILE, /* enum acd_profile */
    CERT_TEXT,    /* as uploaded */
    CERT_CREATED,
    CERT_UPDATED,
    CERT_DEPLOYED, /* revision of the upload */
    CERT_REV,
    CERT_HELPER, /* since 3. 1: completes paths and vouches for nobody */
    CERT_COLS
};
enum cert_index { CERT_BY_ACCOUNT = 1, CERT_BY_DIGEST };
enum cert_type { CERT_CUSTOM = 0, CERT_MANAGED = 1 };

enum item_col {
    ITEM_CERT,
    ITEM_INDEX,
    ITEM_SHA256,
    ITEM_SPKI,
    ITEM_SUBJECT,
    ITEM_ISSUER,
    ITEM_SERIAL_HEX,
    ITEM_SERIAL_DEC,
    ITEM_NOT_BEFORE,
    ITEM_NOT_AFTER,
    ITEM_KEY_TYPE,
    ITEM_KEY_BITS,
    ITEM_SIGNATURE,
    ITEM_SELF_SIGNED,
    ITEM_SKI,
    ITEM_DER,
    ITEM_COLS
};
enum item_index { ITEM_BY_EXPIRY = 1 /* since 3 */ };

enum host_list_col {
    HOST_LIST_ZONE,
    HOST_LIST_CERT,
    HOST_LIST_REV,
    HOST_LIST_SIZE, /* members; since 3, and 0 too in a list that has not changed since */
    HOST_LIST_COLS
};

enum host_col {
    HOST_ZONE,
    HOST_CERT,
    HOST_PATTERN,  /* normal form */
    HOST_TEXT,     /* as sent */
    HOST_POSITION, /* in the list, ascending */
    HOST_DEPLOYED, /* revision at which this association was made */
    HOST_CREATED,
    HOST_PRIORITY, /* since 3. Lower comes first; 0: none, behind those that have one */
    HOST_OBSERVE,  /* since 3. 1: what the CA says is reported and decides nothing */
    HOST_COLS
};
enum host_index { HOST_BY_PATTERN = 1, HOST_BY_CERT, HOST_BY_POSITION };

enum idem_col {
    IDEM_ACTOR,
    IDEM_KEY,
    IDEM_METHOD,
    IDEM_DIGEST,
    IDEM_REPLY,
    IDEM_REVISION,
    IDEM_CREATED,
    IDEM_COLS
};
enum idem_index { IDEM_BY_CREATED = 1 };

enum change_col {
    CHANGE_SEQ,
    CHANGE_AT,
    CHANGE_ACTOR,
    CHANGE_METHOD,
    CHANGE_ACCOUNT,
    CHANGE_OBJECT,
    CHANGE_TEXT,
    CHANGE_COLS
};

enum plugin_col { PLUGIN_NAME, PLUGIN_KEY, PLUGIN_VALUE, PLUGIN_COLS };

enum ruleset_col {
    RULESET_ID,
    RULESET_ZONE,
    RULESET_PHASE,
    RULESET_NAME,
    RULESET_DESCRIPTION,
    RULESET_VERSION_NUMBER,
    RULESET_CREATED,
    RULESET_UPDATED,
    RULESET_BODY, /* rule/record.h */
    RULESET_REV,
    RULESET_COLS
};
enum ruleset_index { RULESET_BY_ZONE = 1 };

enum ruleset_version_col {
    RULESET_VERSION_RULESET,
    RULESET_VERSION_VERSION,
    RULESET_VERSION_DESCRIPTION,
    RULESET_VERSION_UPDATED,
    RULESET_VERSION_BODY,
    RULESET_VERSION_REV, /* of the change that made it */
    RULESET_VERSION_COLS
};

enum token_col {
    TOKEN_ID,
    TOKEN_ACCOUNT,
    TOKEN_NAME,
    TOKEN_DIGEST,      /* SHA-256 of the secret, which itself is not kept */
    TOKEN_PERMISSIONS, /* model/permission.h */
    TOKEN_ZONES,       /* ids, a space between; "": all of the account */
    TOKEN_SOURCES,     /* CIDR ranges, a space between; "": from everywhere */
    TOKEN_EMAIL,
    TOKEN_CREATED,
    TOKEN_EXPIRES, /* 0: never */
    TOKEN_REV,
    TOKEN_COLS
};
enum token_index { TOKEN_BY_ACCOUNT = 1, TOKEN_BY_DIGEST };

enum origin_col {
    ORIGIN_ID,
    ORIGIN_ZONE,
    ORIGIN_SHA256,
    ORIGIN_SPKI,
    ORIGIN_SUBJECT,
    ORIGIN_ISSUER,
    ORIGIN_SERIAL_HEX,
    ORIGIN_NOT_BEFORE,
    ORIGIN_NOT_AFTER,
    ORIGIN_KEY_TYPE,
    ORIGIN_KEY_BITS,
    ORIGIN_SIGNATURE,
    ORIGIN_SKI,
    ORIGIN_PROFILE, /* enum acd_profile */
    ORIGIN_TEXT,    /* as uploaded */
    ORIGIN_DER,
    ORIGIN_CREATED,
    ORIGIN_REV, /* of the upload: an entry never changes */
    ORIGIN_COLS
};
enum origin_index { ORIGIN_BY_ZONE = 1, ORIGIN_BY_DIGEST, ORIGIN_BY_EXPIRY };

enum access_setting_col {
    ACCESS_SETTING_ACCOUNT,
    ACCESS_SETTING_PATTERN,  /* normal form */
    ACCESS_SETTING_HOST,     /* as sent */
    ACCESS_SETTING_POSITION, /* in the list, ascending */
    ACCESS_SETTING_FORWARD,  /* client_certificate_forwarding */
    ACCESS_SETTING_REV,
    ACCESS_SETTING_COLS
};
enum access_setting_index { ACCESS_SETTING_BY_POSITION = 1 };
enum crl_col {
    CRL_CERT,
    CRL_ID,
    CRL_INDEX,  /* of the certificate whose list it is */
    CRL_DELTA,  /* 1: a delta */
    CRL_NUMBER, /* decimal; "": none */
    CRL_BASE,
    CRL_THIS, /* thisUpdate, nextUpdate; 0: none given */
    CRL_NEXT,
    CRL_ENTRIES,
    CRL_BYTES,
    CRL_SHA256,
    CRL_ISSUER,
    CRL_CREATED,
    CRL_REV,
    CRL_COLS
};
enum crl_index { CRL_BY_NEXT = 1 };

enum crl_chunk_col { CRL_CHUNK_CERT, CRL_CHUNK_CRL, CRL_CHUNK_INDEX, CRL_CHUNK_BYTES, CRL_CHUNK_COLS };

enum revocation_col {
    REVOCATION_CERT,
    REVOCATION_INDEX,
    REVOCATION_LISTED, /* 0: there was a list, and is none now */
    REVOCATION_FROM,   /* Unix ms; INT64_MAX in UNTIL: unbounded */
    REVOCATION_UNTIL,
    REVOCATION_SEED, /* struct snap_revoked_shape */
    REVOCATION_COUNT,
    REVOCATION_WIDTH,
    REVOCATION_BITS,
    REVOCATION_REV,
    REVOCATION_COLS
};

enum revoked_col { REVOKED_CERT, REVOKED_INDEX, REVOKED_PART, REVOKED_BYTES, REVOKED_COLS };

enum crl_policy_col {
    CRL_POLICY_CERT,
    CRL_POLICY_POLICY, /* enum revocation_policy */
    CRL_POLICY_REV,
    CRL_POLICY_COLS
};

enum key_col {
    KEY_OWNER, /* id of the certificate object that it belongs to */
    KEY_SPKI,  /* SHA-256 of the public key: which certificate of the object */
    KEY_ACCOUNT,
    KEY_WRAP,   /* id of the wrapping key */
    KEY_SEALED, /* core/seal.h */
    KEY_REV,
    KEY_COLS
};
enum key_index { KEY_BY_WRAP = 1 };

enum client_cert_col {
    CLIENT_CERT_ID,
    CLIENT_CERT_ZONE, /* no reference: what was revoked stays so when its zone is gone */
    CLIENT_CERT_CA,   /* the managed CA's object */
    CLIENT_CERT_AKI,  /* subject key identifier of the CA certificate that signed, hex */
    CLIENT_CERT_STATUS,
    CLIENT_CERT_SERIAL_HEX,
    CLIENT_CERT_SERIAL_DEC,
    CLIENT_CERT_SHA256,
    CLIENT_CERT_COMMON_NAME,
    CLIENT_CERT_COUNTRY,
    CLIENT_CERT_LOCATION,
    CLIENT_CERT_ORGANIZATION,
    CLIENT_CERT_UNIT,
    CLIENT_CERT_STATE,
    CLIENT_CERT_SIGNATURE,
    CLIENT_CERT_SKI,
    CLIENT_CERT_DAYS, /* of validity, as asked for */
    CLIENT_CERT_NOT_BEFORE,
    CLIENT_CERT_NOT_AFTER,
    CLIENT_CERT_CSR, /* as sent */
    CLIENT_CERT_TEXT,
    CLIENT_CERT_ISSUED,   /* ms */
    CLIENT_CERT_REVOKED,  /* ms; 0: it is not */
    CLIENT_CERT_DEPLOYED, /* revision at which it was issued */
    CLIENT_CERT_REV,
    CLIENT_CERT_COLS
};
enum client_cert_index {
    CLIENT_CERT_BY_ZONE = 1,
    CLIENT_CERT_BY_STATUS,
    CLIENT_CERT_BY_CA,
    CLIENT_CERT_BY_EXPIRY
};
enum client_cert_status { CLIENT_CERT_ACTIVE = 1, CLIENT_CERT_IS_REVOKED = 2 };

extern const acd_collection collections[COLLECTIONS];

#endif
