/* TokenService. The secret is made here and leaves in one reply; its digest is what is kept. */
#include "core/token_ops.h"

#include "base/err.h"
#include "base/rand.h"
#include "core/find.h"
#include "core/tokens.h"
#include "model/ids.h"
#include "model/limits.h"
#include "model/permission.h"

enum { SECRET_BYTES = 32, SECRET_PREFIX = 4, SECRET_LEN = SECRET_PREFIX + 43, EMAIL_MAX = 254 };

/* --- as a message -----------------------------------------------------------------------------------------
 */

static int
add_text(struct mem_region *r, size_t *n, char ***list, acd_slice text)
{
    char *copy = wire_dup(r, text);
    return copy ? wire_append(r, n, list, copy) : ACD_ENOMEM;
}

static int
add_words(struct mem_region *r, size_t *n, char ***list, const char *text)
{
    int rc = 0;
    while (rc == 0 && *text) {
        size_t len = strcspn(text, " ");
        rc = add_text(r, n, list, slice_of(text, len));
        text += len + (text[len] == ' ');
    }
    return rc;
}

static int
add_permissions(struct mem_region *r, Anchord__V1__Token *m, permission_set set)
{
    permission_set bit;
    const char *name;
    int rc = 0;
    for (unsigned i = 0; rc == 0 && (name = permission_name(i, &bit)); i++)
        if (set & bit)
            rc = add_text(r, &m->n_permissions, &m->permissions, slice_str(name));
    return rc;
}

static Anchord__V1__Token *
token_msg(struct unit *u, const acd_value *row)
{
    Anchord__V1__Token *m = wire_new(u->region, Anchord__V1__Token, anchord__v1__token);
    if (!m || add_permissions(u->region, m, (permission_set)row[TOKEN_PERMISSIONS].num) < 0 ||
        add_words(u->region, &m->n_zone_ids, &m->zone_ids, row_text(row, TOKEN_ZONES)) < 0 ||
        add_words(u->region, &m->n_sources, &m->sources, row_text(row, TOKEN_SOURCES)) < 0)
        return NULL;
    m->id = (char *)row_text(row, TOKEN_ID);
    m->account_id = (char *)row_text(row, TOKEN_ACCOUNT);
    m->name = (char *)row_text(row, TOKEN_NAME);
    m->email = (char *)row_text(row, TOKEN_EMAIL);
    m->created_ms = row[TOKEN_CREATED].num;
    m->expires_ms = row[TOKEN_EXPIRES].num;
    m->expired = m->expires_ms && u->now_ms >= m->expires_ms;
    m->revision = (uint64_t)row[TOKEN_REV].num;
    return m;
}

/* --- create -----------------------------------------------------------------------------------------------
 */

static int
bad(struct unit *u, const char *field, int rc, acd_err *err)
{
    rpc_detail_field(u->call, field, err_text(err, rc));
    return rc;
}

/* The names without their level, which is the last word of each. */
static const char *
area_names(struct mem_region *r)
{
    permission_set bit;
    const char *text = "", *name;
    for (unsigned i = 0; text && (name = permission_name(i, &bit)); i += 2)
        text = mem_printf(r, "%s%s%.*s", text, i ? ", " : "", (int)(strrchr(name, ' ') - name), name);
    return text ? text : "";
}

static int
read_permissions(struct unit *u, const Anchord__V1__CreateTokenRequest *req, permission_set *ret,
                 acd_err *err)
{
    *ret = 0;
    for (size_t i = 0; i < req->n_permissions; i++) {
        permission_set set = permission_parse(slice_str(req->permissions[i]));
        if (!set) {
            int rc =
                err_set(err, ACD_EINVAL, "no permission '%.64s': all, or one of these with Read or Write: %s",
                        req->permissions[i], area_names(u->region));
            return bad(u, "permissions", rc, err);
        }
        *ret |= set;
    }
    return *ret ? 0 : bad(u, "permissions", err_set(err, ACD_EINVAL, "permissions: give at least one"), err);
}

/* Words with a space between, in the region. */
static const char *
add_word(struct mem_region *r, const char *text, const char *word)
{
    return text[0] ? mem_printf(r, "%s %s", text, word) : mem_strdup(r, word);
}

static int
read_zones(struct unit *u, const Anchord__V1__CreateTokenRequest *req, const acd_value *account,
           const char **ret, acd_err *err)
{
    acd_value *zone;
    *ret = "";
    if (req->n_zones > LIMIT_TOKEN_ZONES)
        return bad(u, "zones", err_set(err, ACD_ELIMIT, "zones: at most %d", LIMIT_TOKEN_ZONES), err);
    for (size_t i = 0; i < req->n_zones; i++) {
        int rc = find_zone(u, req->zones[i], &zone, err);
        if (rc < 0)
            return rc;
        if (!slice_eq(zone[ZONE_ACCOUNT].bytes, account[ACCOUNT_ID].bytes))
            return bad(u, "zones",
                       err_set(err, ACD_EINVAL, "zone '%s' belongs to another account", req->zones[i]), err);
        if (!(*ret = add_word(u->region, *ret, row_text(zone, ZONE_ID))))
            return ACD_ENOMEM;
    }
    return 0;
}

static int
read_sources(struct unit *u, const Anchord__V1__CreateTokenRequest *req, const char **ret, acd_err *err)
{
    struct net_range range;
    *ret = "";
    if (req->n_sources > LIMIT_TOKEN_SOURCES)
        return bad(u, "sources", err_set(err, ACD_ELIMIT, "sources: at most %d", LIMIT_TOKEN_SOURCES), err);
    for (size_t i = 0; i < req->n_sources; i++) {
        int rc = net_range_parse(slice_str(req->sources[i]), &range, err);
        if (rc < 0)
            return bad(u, "sources", rc, err);
        if (!(*ret = add_word(u->region, *ret, req->sources[i])))
            return ACD_ENOMEM;
    }
    return 0;
}

static int
check_email(struct unit *u, const char *email, acd_err *err)
{
    const char *at = strchr(email, '@');
    bool good = strlen(email) <= EMAIL_MAX && (!email[0] || (at && at != email && at[1]));
    for (const char *p = email; *p; p++)
        good &= (unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f;
    return good ? 0 : bad(u, "email", err_set(err, ACD_EINVAL, "'%s' is not an e-mail address", email), err);
}

static int
check_room(struct unit *u, const acd_value *account, acd_err *err)
{
    uint64_t n;
    int rc =
        db_count(&u->db,
                 &(struct db_query){
                     .coll = COLL_TOKEN, .index = TOKEN_BY_ACCOUNT, .eq = &account[ACCOUNT_ID], .neq = 1},
                 &n, err);
    if (rc < 0 || n < LIMIT_TOKENS)
        return rc;
    return err_set(err, ACD_ELIMIT, "account '%s' has %d tokens, which is the limit: revoke some",
                   row_text(account, ACCOUNT_NAME), LIMIT_TOKENS);
}

static int
check_request(struct unit *u, const Anchord__V1__CreateTokenRequest *req, acd_err *err)
{
    int rc = req->name[0] ? check_name(u->call, "name", req->name, err) : 0;
    if (rc == 0)
        rc = check_email(u, req->email, err);
    if (rc == 0 && req->expires_ms && req->expires_ms <= u->now_ms)
        rc = bad(u, "expires_ms", err_set(err, ACD_EINVAL, "the time at which it expires is past"), err);
    return rc;
}

/* "anc_" and 256 random bits in base64url without padding (RFC 4648 section 5). */
static void
make_secret(char out[SECRET_LEN + 1])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t raw[SECRET_BYTES + 1];
    rand_bytes(raw, SECRET_BYTES);
    raw[SECRET_BYTES] = 0;
    memcpy(out, "anc_", SECRET_PREFIX);
    for (unsigned i = 0; i < SECRET_LEN - SECRET_PREFIX; i++) {
        unsigned bit = i * 6, two = (unsigned)raw[bit / 8] << 8 | raw[bit / 8 + 1];
        out[SECRET_PREFIX + i] = alphabet[two >> (10 - bit % 8) & 63];
    }
    out[SECRET_LEN] = '\0';
}

static int
put_token(struct unit *u, acd_value *row, const char *secret, acd_err *err)
{
    char id[ID_HEX_LEN + 1];
    uint8_t *digest = mem_alloc(u->region, DIGEST_LEN);
    uint64_t rev;
    if (!digest)
        return ACD_ENOMEM;
    int rc = unit_rev(u, &rev, err);
    if (rc < 0)
        return rc;
    id_new_hex(id);
    digest_sha256(secret, SECRET_LEN, digest);
    row[TOKEN_ID] = VAL_TEXT(mem_strdup(u->region, id));
    row[TOKEN_DIGEST] = VAL_BLOB(digest, DIGEST_LEN);
    row[TOKEN_REV] = VAL_INT(rev);
    if (!row[TOKEN_ID].bytes.ptr)
        return ACD_ENOMEM;
    rc = db_put(&u->db, COLL_TOKEN, row, ACD_REV_NEW, err);
    if (rc == 0)
        rc = change_add(&u->changes, CHANGED_TOKEN, row_text(row, TOKEN_ID));
    unit_note(u, row_text(row, TOKEN_ACCOUNT), row_text(row, TOKEN_ID), row_text(row, TOKEN_NAME));
    return rc;
}

static int
token_create(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__CreateTokenRequest *req = req_;
    permission_set permissions = 0;
    const char *zones = "", *sources = "";
    acd_value *account;
    char secret[SECRET_LEN + 1];
    (void)plan_;
    int rc = find_account(u, req->account, &account, err);
    if (rc == 0)
        rc = check_request(u, req, err);
    if (rc == 0)
        rc = read_permissions(u, req, &permissions, err);
    if (rc == 0)
        rc = read_zones(u, req, account, &zones, err);
    if (rc == 0)
        rc = read_sources(u, req, &sources, err);
    if (rc == 0)
        rc = check_room(u, account, err);
    if (rc < 0)
        return rc;
    acd_value row[TOKEN_COLS] = {
        [TOKEN_ACCOUNT] = account[ACCOUNT_ID],
        [TOKEN_NAME] = VAL_TEXT(req->name[0] ? req->name : "token"),
        [TOKEN_PERMISSIONS] = VAL_INT(permissions),
        [TOKEN_ZONES] = VAL_TEXT(zones),
        [TOKEN_SOURCES] = VAL_TEXT(sources),
        [TOKEN_EMAIL] = VAL_TEXT(req->email),
        [TOKEN_CREATED] = VAL_INT(u->now_ms),
        [TOKEN_EXPIRES] = VAL_INT(req->expires_ms),
    };
    make_secret(secret);
    rc = put_token(u, row, secret, err);
    if (rc < 0)
        return rc;
    Anchord__V1__CreateTokenResponse *resp =
        wire_new(u->region, Anchord__V1__CreateTokenResponse, anchord__v1__create_token_response);
    if (!resp || !(resp->token = token_msg(u, row)) ||
        !(resp->secret = mem_strdup(u->region, u->dry ? "" : secret)))
        return ACD_ENOMEM;
    *ret_resp = resp;
    return 0;
}

static char **
created_secret(void *resp)
{
    return &((Anchord__V1__CreateTokenResponse *)resp)->secret;
}

static bool
create_dry(const void *req)
{
    return ((const Anchord__V1__CreateTokenRequest *)req)->dry_run;
}

/* --- the others -------------------------------------------------------------------------------------------
 */

static int
find_token(struct unit *u, const char *id, acd_value **ret_row, acd_err *err)
{
    int rc = id_is_hex(slice_str(id)) ? db_get(&u->db, COLL_TOKEN, VALS(VAL_TEXT(id)), 1, ret_row, err)
                                      : ACD_ENOENT;
    if (rc != ACD_ENOENT)
        return rc;
    rpc_detail_error_info(u->call, "NOT_FOUND", 0, id);
    return err_set(err, rc, "no token '%s'", id);
}

static int
token_list(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListTokensRequest *req = req_;
    uint32_t size = page_size(req->page);
    acd_value *account, *after = NULL;
    struct db_rows rows;
    uint64_t total;
    (void)plan_;
    int rc = find_account(u, req->account, &account, err);
    if (rc == 0 && page_after(req->page)[0])
        rc = find_token(u, page_after(req->page), &after, err);
    if (rc < 0)
        return rc;
    struct db_query q = {.coll = COLL_TOKEN,
                         .index = TOKEN_BY_ACCOUNT,
                         .reverse = true,
                         .eq = &account[ACCOUNT_ID],
                         .neq = 1,
                         .after = after,
                         .limit = size + 1};
    rc = db_list(&u->db, &q, &rows, err);
    q.after = NULL;
    q.limit = 0;
    if (rc == 0)
        rc = db_count(&u->db, &q, &total, err);
    if (rc < 0)
        return rc;
    size_t n = rows.n > size ? size : rows.n;
    Anchord__V1__ListTokensResponse *resp =
        wire_new(u->region, Anchord__V1__ListTokensResponse, anchord__v1__list_tokens_response);
    if (!resp || !(resp->tokens = mem_new_n(u->region, n, Anchord__V1__Token *)))
        return ACD_ENOMEM;
    for (; resp->n_tokens < n; resp->n_tokens++)
        if (!(resp->tokens[resp->n_tokens] = token_msg(u, rows.rows[resp->n_tokens])))
            return ACD_ENOMEM;
    resp->page = page_info(u->region, rows.n > size ? row_text(rows.rows[n - 1], TOKEN_ID) : "", total);
    *ret_resp = resp;
    return resp->page ? 0 : ACD_ENOMEM;
}

static int
drop(struct unit *u, const acd_value *row, acd_err *err)
{
    int rc = db_del(&u->db, COLL_TOKEN, VALS(row[TOKEN_ID]), 1, err);
    return rc < 0 ? rc : change_add(&u->changes, CHANGED_TOKEN, row_text(row, TOKEN_ID));
}

static int
token_revoke(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__RevokeTokenRequest *req = req_;
    acd_value *row;
    uint64_t rev;
    (void)plan_;
    int rc = find_token(u, req->id, &row, err);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc == 0)
        rc = drop(u, row, err);
    if (rc < 0)
        return rc;
    unit_note(u, row_text(row, TOKEN_ACCOUNT), row_text(row, TOKEN_ID), row_text(row, TOKEN_NAME));
    return (*ret_resp = token_msg(u, row)) ? 0 : ACD_ENOMEM;
}

static bool
revoke_dry(const void *req)
{
    return ((const Anchord__V1__RevokeTokenRequest *)req)->dry_run;
}

int
tokens_drop(struct unit *u, const acd_value *account, acd_err *err)
{
    struct db_rows rows;
    const struct db_query q = {
        .coll = COLL_TOKEN, .index = TOKEN_BY_ACCOUNT, .eq = &account[ACCOUNT_ID], .neq = 1};
    int rc = db_list(&u->db, &q, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.n; i++)
        rc = drop(u, rows.rows[i], err);
    return rc;
}

static int
token_verify(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const struct grant *g = (const void *)u->call->scope;
    acd_value *row;
    (void)req_;
    (void)plan_;
    if (!g)
        return err_set(err, ACD_EUNAUTH, "no token came with the call");
    int rc = find_token(u, g->id, &row, err);
    if (rc < 0)
        return rc;
    return (*ret_resp = token_msg(u, row)) ? 0 : ACD_ENOMEM;
}

const struct op token_ops[] = {
    {.method = "TokenService/CreateToken",
     .apply = token_create,
     .write = true,
     .dry_run = create_dry,
     .secret = created_secret},
    OP_READ("TokenService/ListTokens", token_list),
    OP_WRITE_DRY("TokenService/RevokeToken", NULL, token_revoke, revoke_dry),
    OP_READ("TokenService/VerifyToken", token_verify),
    {0},
};
