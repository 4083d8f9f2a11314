#include "core/tokens.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/rcu.h"
#include "core/db.h"

struct token {
    uint8_t digest[DIGEST_LEN];
    struct grant grant;
};

/* Sorted by digest. */
struct token_table {
    struct rcu_retired retired;
    struct mem_region region;
    struct token *tokens;
    size_t n, cap;
};

/* --- reading ----------------------------------------------------------------------------------------------
 */

static size_t
count_words(acd_slice text)
{
    const char *p = text.ptr;
    size_t n = text.len > 0;
    for (size_t i = 0; i < text.len; i++)
        n += p[i] == ' ';
    return n;
}

static acd_slice
next_word(acd_slice *rest)
{
    const char *p = rest->ptr, *space = rest->len ? memchr(p, ' ', rest->len) : NULL;
    acd_slice word = slice_of(p, space ? (size_t)(space - p) : rest->len);
    size_t used = word.len + (space != NULL);
    *rest = slice_of(p + used, rest->len - used);
    return word;
}

static int
read_zones(struct mem_region *r, acd_slice text, struct grant *g)
{
    size_t n = count_words(text);
    char(*zones)[ID_HEX_LEN + 1] = mem_array(r, n, sizeof(*zones));
    if (!zones)
        return ACD_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        acd_slice id = next_word(&text);
        if (!id_is_hex(id))
            return ACD_ECORRUPT;
        memcpy(zones[i], id.ptr, ID_HEX_LEN);
        zones[i][ID_HEX_LEN] = '\0';
    }
    g->zones = (const char(*)[ID_HEX_LEN + 1]) zones;
    g->n_zones = n;
    return 0;
}

static int
read_sources(struct mem_region *r, acd_slice text, struct grant *g)
{
    size_t n = count_words(text);
    struct net_range *sources = mem_new_n(r, n, struct net_range);
    if (!sources)
        return ACD_ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (net_range_parse(next_word(&text), &sources[i], NULL) < 0)
            return ACD_ECORRUPT;
    g->sources = sources;
    g->n_sources = n;
    return 0;
}

static int
read_row(struct mem_region *r, const acd_value *row, struct token *t)
{
    struct grant *g = &t->grant;
    if (row[TOKEN_DIGEST].bytes.len != DIGEST_LEN || !id_is_hex(row[TOKEN_ID].bytes) ||
        !id_is_hex(row[TOKEN_ACCOUNT].bytes))
        return ACD_ECORRUPT;
    memcpy(t->digest, row[TOKEN_DIGEST].bytes.ptr, DIGEST_LEN);
    memcpy(g->id, row[TOKEN_ID].bytes.ptr, ID_HEX_LEN);
    g->id[ID_HEX_LEN] = '\0';
    memcpy(g->actor, "token:", 6);
    memcpy(g->actor + 6, g->id, sizeof(g->id));
    g->permissions = (permission_set)row[TOKEN_PERMISSIONS].num;
    g->expires_ms = row[TOKEN_EXPIRES].num;
    g->email = mem_strndup(r, row[TOKEN_EMAIL].bytes.ptr, row[TOKEN_EMAIL].bytes.len);
    g->scope = (struct rpc_scope){mem_strndup(r, row[TOKEN_ACCOUNT].bytes.ptr, ID_HEX_LEN), grant_has_zone};
    int rc = g->email && g->scope.account ? read_zones(r, row[TOKEN_ZONES].bytes, g) : ACD_ENOMEM;
    return rc < 0 ? rc : read_sources(r, row[TOKEN_SOURCES].bytes, g);
}

static int
take_row(void *ctx, const acd_value *row, size_t ncols)
{
    struct token_table *t = ctx;
    (void)ncols;
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 64;
        struct token *grown = reallocarray(t->tokens, cap, sizeof(*grown));
        if (!grown)
            return ACD_ENOMEM;
        t->tokens = grown;
        t->cap = cap;
    }
    t->tokens[t->n] = (struct token){0};
    int rc = read_row(&t->region, row, &t->tokens[t->n]);
    t->n += rc == 0;
    return rc;
}

/* --- the table --------------------------------------------------------------------------------------------
 */

static int
by_digest(const void *a, const void *b)
{
    return memcmp(a, b, DIGEST_LEN);
}

static void
table_free(struct token_table *t)
{
    if (!t)
        return;
    free(t->tokens);
    mem_done(&t->region);
    free(t);
}

static void
table_retired(struct rcu_retired *r)
{
    table_free((struct token_table *)(void *)((char *)r - offsetof(struct token_table, retired)));
}

static int
table_read(struct token_table *t, struct plug_session *s, acd_err *err)
{
    struct db db = {s, &t->region};
    int rc = plug_begin(s, 0, 0, err);
    if (rc < 0)
        return rc;
    rc = db_walk(&db, &(struct db_query){.coll = COLL_TOKEN}, take_row, t, err);
    plug_rollback(s);
    return rc < 0 ? err_context(err, rc, "tokens") : 0;
}

int
tokens_load(struct tokens *t, struct plug_session *s, acd_err *err)
{
    struct token_table *fresh = calloc(1, sizeof(*fresh));
    int rc = fresh ? 0 : err_set(err, ACD_ENOMEM, "out of memory");
    if (fresh) {
        mem_init(&fresh->region, 4096, 0);
        rc = table_read(fresh, s, err);
    }
    if (rc < 0) {
        table_free(fresh);
        fresh = NULL;
    } else if (fresh->n) {
        qsort(fresh->tokens, fresh->n, sizeof(*fresh->tokens), by_digest);
    }
    struct token_table *old = rcu_swap(t->table, fresh);
    if (old)
        rcu_retire(&old->retired, table_retired);
    return rc;
}

void
tokens_done(struct tokens *t)
{
    table_free(t->table);
    t->table = NULL;
}

/* --- finding ----------------------------------------------------------------------------------------------
 */

static struct grant *
copy_grant(struct mem_region *r, const struct grant *g)
{
    struct grant *copy = mem_new(r, struct grant);
    char(*zones)[ID_HEX_LEN + 1] = mem_array(r, g->n_zones, sizeof(*zones));
    struct net_range *sources = mem_new_n(r, g->n_sources, struct net_range);
    if (!copy || !zones || !sources)
        return NULL;
    *copy = *g;
    if (g->n_zones)
        memcpy(zones, g->zones, g->n_zones * sizeof(*zones));
    if (g->n_sources)
        memcpy(sources, g->sources, g->n_sources * sizeof(*sources));
    copy->zones = (const char(*)[ID_HEX_LEN + 1]) zones;
    copy->sources = sources;
    copy->email = mem_strdup(r, g->email);
    copy->scope.account = mem_strdup(r, g->scope.account);
    return copy->email && copy->scope.account ? copy : NULL;
}

/*
 * How long the search takes depends on the digest of what was sent, and on nothing of a secret: who tries
 * cannot choose digests bit by bit.
 */
int
tokens_find(struct tokens *t, acd_slice secret, struct mem_region *r, struct grant **ret)
{
    uint8_t digest[DIGEST_LEN];
    int rc = ACD_ENOENT;
    if (secret.len < TOKEN_TEXT_MIN || secret.len > TOKEN_TEXT_MAX)
        return ACD_ENOENT;
    digest_sha256(secret.ptr, secret.len, digest);
    rcu_enter();
    const struct token_table *table = rcu_get(t->table);
    const struct token *hit =
        table && table->n ? bsearch(digest, table->tokens, table->n, sizeof(*table->tokens), by_digest)
                          : NULL;
    if (!table)
        rc = ACD_EUNAVAIL;
    else if (hit)
        rc = (*ret = copy_grant(r, &hit->grant)) ? 0 : ACD_ENOMEM;
    rcu_leave();
    return rc;
}
