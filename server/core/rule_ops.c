/*
 * RuleService: one ruleset per zone, replaced as a whole.
 *
 * Expressions are compiled before the transaction; what is wrong with any rule is reported at once and
 * nothing is written. A rule of the new list is the same rule as one of the old list if it carries its id, or
 * else its ref: it then keeps its id, and its version rises only when what it says changes. The row of the
 * ruleset holds its rules as they are; what was there before becomes a row of the versions.
 */
#include <stdio.h>

#include "base/err.h"
#include "base/map.h"
#include "core/find.h"
#include "core/rule_text.h"
#include "model/ids.h"

static const char phase_name[] = "http_request_firewall_custom";
static const char default_name[] = "default";

_Static_assert((int)LIMIT_RULES == (int)RULESET_RULES_MAX, "one bound under two names");

/* --- finding ----------------------------------------------------------------------------------------------
 */

/* A ruleset with its zone; row is NULL while nothing was written. */
struct rules {
    acd_value *zone, *row;
    struct rule_record rec;
};

static int
decode(struct unit *u, acd_slice body, struct rule_record *ret, acd_err *err)
{
    int rc = rule_record_decode(u->region, body, ret);
    return rc < 0 && rc != ACD_ENOMEM ? err_set(err, ACD_ECORRUPT, "the stored rules are damaged") : rc;
}

static int
by_zone(struct unit *u, const char *zone, struct rules *ret, acd_err *err)
{
    struct db_rows rows;
    int rc = find_zone(u, zone, &ret->zone, err);
    if (rc < 0)
        return rc;
    const struct db_query q = {.coll = COLL_RULESET,
                               .index = RULESET_BY_ZONE,
                               .eq = VALS(ret->zone[ZONE_ID], VAL_TEXT(phase_name)),
                               .neq = 2,
                               .limit = 1};
    rc = db_list(&u->db, &q, &rows, err);
    if (rc == 0 && rows.n)
        ret->row = rows.rows[0];
    return rc;
}

static int
by_id(struct unit *u, const char *zone, const char *id, struct rules *ret, acd_err *err)
{
    acd_value *named = NULL;
    int rc = zone[0] ? find_zone(u, zone, &named, err) : 0;
    if (rc < 0)
        return rc;
    rc = id_is_hex(slice_str(id)) ? db_get(&u->db, COLL_RULESET, VALS(VAL_TEXT(id)), 1, &ret->row, err)
                                  : ACD_ENOENT;
    if (rc == 0)
        rc = db_get(&u->db, COLL_ZONE, VALS(ret->row[RULESET_ZONE]), 1, &ret->zone, err);
    if (rc == 0 &&
        (!reaches_zone(u, ret->zone) || (named && !slice_eq(named[ZONE_ID].bytes, ret->zone[ZONE_ID].bytes))))
        rc = ACD_ENOENT;
    if (rc == ACD_ENOENT) {
        rpc_detail_error_info(u->call, "NOT_FOUND", 0, id);
        return err_set(err, rc, "no ruleset '%s'", id);
    }
    return rc;
}

static int
find_rules(struct unit *u, const char *zone, const char *id, struct rules *ret, acd_err *err)
{
    *ret = (struct rules){0};
    int rc = id[0] ? by_id(u, zone, id, ret, err) : by_zone(u, zone, ret, err);
    if (rc == 0 && ret->row)
        rc = decode(u, ret->row[RULESET_BODY].bytes, &ret->rec, err);
    return rc;
}

static uint64_t
rules_rev(const struct rules *s)
{
    return s->row ? (uint64_t)s->row[RULESET_REV].num : 0;
}

static int
check_expected(struct unit *u, const struct rules *s, const Anchord__V1__Precondition *expected, acd_err *err)
{
    if (!expected || expected->revision == rules_rev(s))
        return 0;
    rpc_detail_precondition(u->call, rules_rev(s));
    return err_set(err, ACD_ECONFLICT, "the rules are at revision %llu, not %llu: somebody else changed them",
                   (unsigned long long)rules_rev(s), (unsigned long long)expected->revision);
}

/* --- messages ---------------------------------------------------------------------------------------------
 */

static int
ruleset_msg(struct unit *u, const struct rules *s, Anchord__V1__Ruleset **ret)
{
    Anchord__V1__Ruleset *m = wire_new(u->region, Anchord__V1__Ruleset, anchord__v1__ruleset);
    *ret = m;
    if (!m)
        return ACD_ENOMEM;
    m->zone_id = (char *)row_text(s->zone, ZONE_ID);
    m->account_id = (char *)row_text(s->zone, ZONE_ACCOUNT);
    m->kind = (char *)"zone";
    m->phase = (char *)phase_name;
    m->current = true;
    if (!s->row)
        return 0;
    m->id = (char *)row_text(s->row, RULESET_ID);
    m->name = (char *)row_text(s->row, RULESET_NAME);
    m->description = (char *)row_text(s->row, RULESET_DESCRIPTION);
    m->version = (uint64_t)s->row[RULESET_VERSION_NUMBER].num;
    m->last_updated_ms = s->row[RULESET_UPDATED].num;
    m->revision = rules_rev(s);
    return rules_to_msgs(u->region, &s->rec, &m->n_rules, &m->rules);
}

/* --- check before the transaction -------------------------------------------------------------------------
 */

struct put_plan {
    struct rule_in *rules;
    Anchord__V1__RuleFinding **warnings;
    size_t n_warnings;
};

static int
take_findings(struct rpc_call *call, const struct ruleset_findings *f, struct put_plan *plan, acd_err *err)
{
    const struct ruleset_finding *first = NULL;
    for (size_t i = 0; i < f->len; i++) {
        Anchord__V1__RuleFinding *m = rule_finding_msg(call->region, &f->items[i]);
        if (!m)
            return ACD_ENOMEM;
        if (f->errors)
            rpc_detail_rule(call, m);
        else if (wire_append(call->region, &plan->n_warnings, &plan->warnings, m) < 0)
            return ACD_ENOMEM;
        if (!first && !f->items[i].warning)
            first = &f->items[i];
    }
    if (!first)
        return 0;
    return err_set(err, ACD_EINVAL, "the rules have %zu problem%s; rule %zu, %s: %s", f->errors,
                   f->errors == 1 ? "" : "s", first->rule + 1, first->field, first->message);
}

/* What is taken but would do nothing is refused: a zone has one ruleset, and rules that are in none but that
 * one need no id to be skipped. Only here: what was stored earlier still compiles, and skips nothing. */
static int
check_skips(struct rpc_call *call, const struct rule_in *rules, size_t n, acd_err *err)
{
    const struct ruleset_finding *first = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct rule_skip_in *s = &rules[i].skip;
        struct ruleset_finding *f;
        if (!s->nrulesets && !s->nrules)
            continue;
        if (!(f = mem_new(call->region, struct ruleset_finding)))
            return ACD_ENOMEM;
        f->rule = i;
        f->field = s->nrulesets ? "action_parameters.rulesets" : "action_parameters.rules";
        (void)snprintf(
            f->message, sizeof(f->message), "%s",
            "a zone has one ruleset, there is no other to skip: ruleset \"current\" skips what follows");
        Anchord__V1__RuleFinding *m = rule_finding_msg(call->region, f);
        if (!m)
            return ACD_ENOMEM;
        rpc_detail_rule(call, m);
        first = first ? first : f;
    }
    return !first
               ? 0
               : err_set(err, ACD_EINVAL, "rule %zu, %s: %s", first->rule + 1, first->field, first->message);
}

static int
put_prepare(struct core *core, struct rpc_call *call, const void *req_, void **ret_plan, acd_err *err)
{
    const Anchord__V1__PutRulesRequest *req = req_;
    struct put_plan *plan = mem_new(call->region, struct put_plan);
    struct ruleset_findings findings;
    struct ruleset *set = NULL;
    if (!plan || !(plan->rules = mem_new_n(call->region, req->n_rules, struct rule_in)))
        return ACD_ENOMEM;
    if (req->keep_rules && req->n_rules)
        return err_set(err, ACD_EINVAL, "keep_rules and rules exclude each other");
    if (strlen(req->description) > RULESET_TEXT_MAX) {
        rpc_detail_field(call, "description", "is too long");
        return err_set(err, ACD_EINVAL, "description is longer than %d bytes", RULESET_TEXT_MAX);
    }
    int rc = req->name[0] ? check_name(call, "name", req->name, err) : 0;
    if (rc == 0)
        rc = rules_from_msgs(call->region, req->rules, req->n_rules, plan->rules);
    if (rc == 0)
        rc = check_skips(call, plan->rules, req->n_rules, err);
    if (rc < 0)
        return rc;
    rc = ruleset_new(core_scheme(core), SLICE_LIT(""), 0, plan->rules, req->n_rules, &set, &findings);
    if (rc == 0)
        ruleset_free(set);
    int told = rc == 0 || rc == ACD_EINVAL ? take_findings(call, &findings, plan, err) : 0;
    ruleset_findings_done(&findings);
    *ret_plan = plan;
    return told < 0 ? told : rc;
}

/* --- which rule is which? ---------------------------------------------------------------------------------
 */

struct merge {
    struct unit *u;
    const struct rules *old;
    struct rule_record rec; /* the new one */
    size_t *from;           /* of each new rule: 1 + its place in the old list; 0: it is new */
    bool *taken;            /* of each old rule */
    bool changed;
};

/* Old rules by id and by ref; values are 1 + place. */
static int
index_old(const struct rules *old, struct map *ids, struct map *refs)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < old->rec.n; i++) {
        rc = map_put(ids, old->rec.rules[i].id, (void *)(i + 1), NULL);
        if (rc == 0)
            rc = map_put(refs, old->rec.rules[i].ref, (void *)(i + 1), NULL);
    }
    return rc;
}

/* Ids go first, so that a ref never takes away the rule that another one names by its id. */
static void
match_rules(struct merge *m, const struct map *ids, const struct map *refs)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < m->rec.n; i++) {
            acd_slice name = pass ? m->rec.rules[i].ref : m->rec.rules[i].id;
            size_t at = m->from[i] || !name.len ? 0 : (size_t)map_find(pass ? refs : ids, name);
            if (at && !m->taken[at - 1]) {
                m->taken[at - 1] = true;
                m->from[i] = at;
            }
        }
}

static int
settle_rule(struct merge *m, size_t i)
{
    struct rule_in *in = &m->rec.rules[i];
    const struct rule_in *was = m->from[i] ? &m->old->rec.rules[m->from[i] - 1] : NULL;
    char id[ID_HEX_LEN + 1];
    if (was) {
        in->id = was->id;
    } else {
        id_new_hex(id);
        in->id = mem_slice(m->u->region, slice_of(id, ID_HEX_LEN));
        if (!in->id.ptr)
            return ACD_ENOMEM;
    }
    if (!in->ref.len)
        in->ref = was ? was->ref : in->id;
    bool same = was && rule_record_same(in, was);
    in->version = was ? was->version + !same : 1;
    m->rec.updated_ms[i] = same ? m->old->rec.updated_ms[m->from[i] - 1] : m->u->now_ms;
    m->changed |= !same || m->from[i] != i + 1;
    return 0;
}

static int
check_refs(struct merge *m, acd_err *err)
{
    struct map refs = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->rec.n; i++) {
        void *old = NULL;
        rc = map_put(&refs, m->rec.rules[i].ref, &m->rec.rules[i], &old);
        if (rc == 0 && old) {
            rpc_detail_field(m->u->call, mem_printf(m->u->region, "rules[%zu].ref", i), "is used twice");
            rc = err_set(err, ACD_EINVAL, "rule %zu: its ref is that of another rule", i + 1);
        }
    }
    map_done(&refs);
    return rc;
}

static int
merge_rules(struct merge *m, const struct put_plan *plan, size_t n, acd_err *err)
{
    struct map ids = {0}, refs = {0};
    m->rec.n = n;
    m->rec.rules = mem_dup(m->u->region, plan->rules, n * sizeof(*plan->rules)); /* apply may run again */
    m->rec.updated_ms = mem_new_n(m->u->region, n, int64_t);
    m->from = mem_new_n(m->u->region, n, size_t);
    m->taken = mem_new_n(m->u->region, m->old->rec.n, bool);
    if (!m->rec.rules || !m->rec.updated_ms || !m->from || !m->taken)
        return ACD_ENOMEM;
    m->changed = n != m->old->rec.n || !m->old->row;
    int rc = index_old(m->old, &ids, &refs);
    if (rc == 0)
        match_rules(m, &ids, &refs);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = settle_rule(m, i);
    map_done(&ids);
    map_done(&refs);
    return rc < 0 ? rc : check_refs(m, err);
}

/* --- writing ----------------------------------------------------------------------------------------------
 */

static int
encode(struct unit *u, const struct rule_record *rec, acd_slice *ret, acd_err *err)
{
    struct buf out = BUF_INIT(LIMIT_RULES_BYTES);
    rule_record_encode(&out, rec);
    int rc = out.failed;
    if (rc == ACD_ELIMIT)
        rc = err_set(err, rc, "the rules of a zone may take %d bytes together, texts included",
                     LIMIT_RULES_BYTES);
    if (rc == 0) {
        *ret = mem_slice(u->region, slice_of(out.data, out.len));
        rc = ret->ptr ? 0 : ACD_ENOMEM;
    }
    buf_done(&out);
    return rc;
}

/* What was there becomes a version; the oldest one goes. */
static int
keep_version(struct unit *u, const acd_value *row, acd_err *err)
{
    const acd_value version[RULESET_VERSION_COLS] = {
        [RULESET_VERSION_RULESET] = row[RULESET_ID],
        [RULESET_VERSION_VERSION] = row[RULESET_VERSION_NUMBER],
        [RULESET_VERSION_DESCRIPTION] = row[RULESET_DESCRIPTION],
        [RULESET_VERSION_UPDATED] = row[RULESET_UPDATED],
        [RULESET_VERSION_BODY] = row[RULESET_BODY],
        [RULESET_VERSION_REV] = row[RULESET_REV],
    };
    int rc = db_put(&u->db, COLL_RULESET_VERSION, version, ACD_REV_NEW, err);
    int64_t oldest = row[RULESET_VERSION_NUMBER].num - LIMIT_RULES_VERSIONS;
    if (rc < 0 || oldest < 1)
        return rc;
    rc = db_del(&u->db, COLL_RULESET_VERSION, VALS(row[RULESET_ID], VAL_INT(oldest)), 2, err);
    return rc == ACD_ENOENT ? 0 : rc;
}

static int
store(struct unit *u, struct rules *s, struct rule_record *rec, const Anchord__V1__PutRulesRequest *req,
      acd_err *err)
{
    char id[ID_HEX_LEN + 1];
    uint64_t rev;
    acd_value *row = mem_new_n(u->region, RULESET_COLS, acd_value);
    id_new_hex(id);
    char *fresh = mem_strdup(u->region, id);
    int rc = row && fresh ? unit_rev(u, &rev, err) : ACD_ENOMEM;
    if (rc == 0 && s->row)
        rc = keep_version(u, s->row, err);
    if (rc < 0)
        return rc;
    if (s->row)
        memcpy(row, s->row, RULESET_COLS * sizeof(*row));
    else {
        row[RULESET_ID] = VAL_TEXT(fresh);
        row[RULESET_ZONE] = s->zone[ZONE_ID];
        row[RULESET_PHASE] = VAL_TEXT(phase_name);
        row[RULESET_NAME] = VAL_TEXT(req->name[0] ? req->name : default_name);
        row[RULESET_DESCRIPTION] = VAL_TEXT("");
        row[RULESET_CREATED] = VAL_INT(u->now_ms);
    }
    if (req->set_description)
        row[RULESET_DESCRIPTION] = VAL_TEXT(req->description);
    row[RULESET_VERSION_NUMBER].num++;
    row[RULESET_UPDATED] = VAL_INT(u->now_ms);
    row[RULESET_REV] = VAL_INT(rev);
    rec->id = row[RULESET_ID].bytes;
    rec->version = row[RULESET_VERSION_NUMBER].num;
    rc = encode(u, rec, &row[RULESET_BODY].bytes, err);
    if (rc == 0)
        rc = db_put(&u->db, COLL_RULESET, row, s->row ? ACD_REV_ANY : ACD_REV_NEW, err);
    if (rc == 0)
        rc = change_add(&u->changes, CHANGED_RULES, row_text(s->zone, ZONE_ID));
    s->row = row;
    s->rec = *rec;
    return rc;
}

static int
put_reply(struct unit *u, const struct rules *s, const struct put_plan *plan, bool changed, void **ret_resp)
{
    Anchord__V1__PutRulesResponse *resp =
        wire_new(u->region, Anchord__V1__PutRulesResponse, anchord__v1__put_rules_response);
    int rc = resp ? ruleset_msg(u, s, &resp->ruleset) : ACD_ENOMEM;
    if (rc < 0)
        return rc;
    resp->warnings = plan->warnings;
    resp->n_warnings = plan->n_warnings;
    resp->dry_run = u->dry;
    resp->changed = changed;
    *ret_resp = resp;
    return 0;
}

static int
put_apply(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__PutRulesRequest *req = req_;
    const struct put_plan *plan = plan_;
    struct rules s;
    struct merge m = {.u = u, .old = &s};
    int rc = find_rules(u, req->zone, "", &s, err);
    if (rc == 0)
        rc = check_expected(u, &s, req->expected, err);
    if (rc == 0 && req->keep_rules && !s.row)
        rc = err_set(err, ACD_EPRECOND, "zone '%s' has no rules yet", row_text(s.zone, ZONE_NAME));
    if (rc == 0 && !req->keep_rules)
        rc = merge_rules(&m, plan, req->n_rules, err);
    if (rc < 0)
        return rc;
    struct rule_record rec = req->keep_rules ? s.rec : m.rec;
    bool changed = m.changed;
    if (req->set_description && s.row && strcmp(row_text(s.row, RULESET_DESCRIPTION), req->description) != 0)
        changed = true;
    if (changed)
        rc = store(u, &s, &rec, req, err);
    if (rc < 0)
        return rc;
    unit_note(u, row_text(s.zone, ZONE_ACCOUNT), row_text(s.row, RULESET_ID),
              mem_printf(u->region, "zone %s: %zu rules, version %lld", row_text(s.zone, ZONE_NAME), s.rec.n,
                         (long long)s.row[RULESET_VERSION_NUMBER].num));
    return put_reply(u, &s, plan, changed, ret_resp);
}

static bool
put_dry(const void *req)
{
    return ((const Anchord__V1__PutRulesRequest *)req)->dry_run;
}

/* --- deleting ---------------------------------------------------------------------------------------------
 */

static int
drop_ruleset(struct unit *u, const acd_value *row, acd_err *err)
{
    struct db_rows rows;
    const struct db_query q = {.coll = COLL_RULESET_VERSION, .eq = &row[RULESET_ID], .neq = 1};
    int rc = db_list(&u->db, &q, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.n; i++)
        rc = db_del(&u->db, COLL_RULESET_VERSION,
                    VALS(row[RULESET_ID], rows.rows[i][RULESET_VERSION_VERSION]), 2, err);
    return rc < 0 ? rc : db_del(&u->db, COLL_RULESET, VALS(row[RULESET_ID]), 1, err);
}

int
rules_drop(struct unit *u, const acd_value *zone, acd_err *err)
{
    struct db_rows rows;
    const struct db_query q = {
        .coll = COLL_RULESET, .index = RULESET_BY_ZONE, .eq = &zone[ZONE_ID], .neq = 1};
    int rc = db_list(&u->db, &q, &rows, err);
    for (size_t i = 0; rc == 0 && i < rows.n; i++)
        rc = drop_ruleset(u, rows.rows[i], err);
    return rc;
}

static int
ruleset_delete(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__DeleteRulesetRequest *req = req_;
    Anchord__V1__Ruleset *m;
    struct rules s;
    uint64_t rev;
    (void)plan_;
    int rc = find_rules(u, req->zone, req->id, &s, err);
    if (rc == 0 && !s.row)
        rc = err_set(err, ACD_ENOENT, "zone '%s' has no rules", row_text(s.zone, ZONE_NAME));
    if (rc == 0)
        rc = check_expected(u, &s, req->expected, err);
    if (rc == 0)
        rc = ruleset_msg(u, &s, &m);
    if (rc == 0)
        rc = unit_rev(u, &rev, err);
    if (rc == 0)
        rc = drop_ruleset(u, s.row, err);
    if (rc == 0)
        rc = change_add(&u->changes, CHANGED_RULES, row_text(s.zone, ZONE_ID));
    if (rc < 0)
        return rc;
    unit_note(u, row_text(s.zone, ZONE_ACCOUNT), row_text(s.row, RULESET_ID),
              mem_printf(u->region, "zone %s: rules deleted", row_text(s.zone, ZONE_NAME)));
    *ret_resp = m;
    return 0;
}

static bool
delete_dry(const void *req)
{
    return ((const Anchord__V1__DeleteRulesetRequest *)req)->dry_run;
}

/* --- reading ----------------------------------------------------------------------------------------------
 */

static int
rules_list(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__ListRulesRequest *req = req_;
    Anchord__V1__Ruleset *m;
    struct rules s;
    (void)plan_;
    int rc = find_rules(u, req->zone, "", &s, err);
    if (rc == 0)
        rc = ruleset_msg(u, &s, &m);
    if (rc == 0)
        *ret_resp = m;
    return rc;
}

/* The ruleset as it was at an earlier version. */
static int
old_version(struct unit *u, struct rules *s, uint64_t version, Anchord__V1__Ruleset **ret, acd_err *err)
{
    acd_value *row;
    int rc = db_get(&u->db, COLL_RULESET_VERSION, VALS(s->row[RULESET_ID], VAL_INT(version)), 2, &row, err);
    if (rc == ACD_ENOENT) {
        rpc_detail_error_info(u->call, "NOT_FOUND", 0, row_text(s->row, RULESET_ID));
        return err_set(err, rc, "version %llu is not there; the last %d before the present one are kept",
                       (unsigned long long)version, LIMIT_RULES_VERSIONS);
    }
    if (rc == 0)
        rc = decode(u, row[RULESET_VERSION_BODY].bytes, &s->rec, err);
    if (rc == 0)
        rc = ruleset_msg(u, s, ret);
    if (rc < 0)
        return rc;
    (*ret)->current = false;
    (*ret)->description = (char *)row_text(row, RULESET_VERSION_DESCRIPTION);
    (*ret)->version = version;
    (*ret)->last_updated_ms = row[RULESET_VERSION_UPDATED].num;
    (*ret)->revision = (uint64_t)row[RULESET_VERSION_REV].num;
    return 0;
}

static int
ruleset_get(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__GetRulesetRequest *req = req_;
    Anchord__V1__Ruleset *m;
    struct rules s;
    (void)plan_;
    int rc = find_rules(u, req->zone, req->id, &s, err);
    if (rc == 0 && !s.row)
        rc = err_set(err, ACD_ENOENT, "zone '%s' has no rules", row_text(s.zone, ZONE_NAME));
    if (rc < 0)
        return rc;
    bool current = !req->version || req->version == (uint64_t)s.row[RULESET_VERSION_NUMBER].num;
    rc = current ? ruleset_msg(u, &s, &m) : old_version(u, &s, req->version, &m, err);
    if (rc == 0)
        *ret_resp = m;
    return rc;
}

const struct op rule_ops[] = {
    OP_WRITE_DRY("RuleService/PutRules", put_prepare, put_apply, put_dry),
    OP_READ("RuleService/ListRules", rules_list),
    OP_READ("RuleService/GetRuleset", ruleset_get),
    OP_WRITE_DRY("RuleService/DeleteRuleset", NULL, ruleset_delete, delete_dry),
    {0},
};
