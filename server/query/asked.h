/*
 * One question to the rules: its request, its zone's rules, and the fields that we compute for them when a
 * rule first reads one. Only query/ includes this; one thread; everything lies in the call's region.
 */
#ifndef QUERY_ASKED_H
#define QUERY_ASKED_H

#include "query/judge.h"
#include "query/rulesets.h"
#include "rule/vm.h"

/* Why no decision was reached. */
extern const char asked_no_zone[], asked_bad_host[], asked_bad_field[], asked_need_certificate[],
    asked_not_checked[], asked_bad_chain[], asked_limit[], asked_bad_rules[];

/* A zone of the batch, with its rules, looked up once. */
struct asked_zone {
    uint32_t number;
    char *id, *name, *ruleset_id;
    struct ruleset_ref *rules; /* NULL: none */
    const char *error;         /* NULL: fine */
};

struct asked {
    const struct judge *judge;
    const Anchord__V1__EvaluateQuestion *question;
    Anchord__V1__EvaluateAnswer *answer;
    struct rule_ctx *ctx;
    const struct asked_zone *zone;
    struct judged judged;
    Anchord__V1__VerifyQuestion chain; /* the certificate part of the question */
    const struct asked *before;        /* the latest of the batch with a verdict; NULL: none yet */
    bool hit, later;                   /* the verdict was kept; a prompt call would have to wait for it */
    bool has_host, chained, verdict;   /* verdict: judged.answer says what there is to say */
    const acd_slice *facts;            /* NULL: not asked yet */
    int rc;                            /* why a field could not be told */
    const char *error, *reason;
};

/* Puts the values of the question into its context. ACD_EINVAL: *ret_why says which one is no value of its
 * field. */
int asked_fields(struct asked *a, const char **ret_why) ACD_MUSTCHECK;

/* The fill callback: arg is a struct asked. */
int asked_fill(void *arg, unsigned field, struct rule_value *ret);

/* Verdict on the presented chain for the host that was asked. */
int asked_verdict(struct asked *a) ACD_MUSTCHECK;

/* How the answer came about, as text and as JSON; values are those of the evaluation. */
int asked_explain(struct asked *a) ACD_MUSTCHECK;

#endif
