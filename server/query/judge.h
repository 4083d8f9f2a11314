/*
 * The verdict on one presented chain for one host, in steps, shared by VerifyClient and Evaluate so that both
 * say the same: chain, trust set, verdict that is kept, verdict of the validator.
 *
 * The first three may run inside a read section; judge_cold may take long and may not: the view is then held
 * by reference. Everything lies in the region. Only query/ includes this.
 */
#ifndef QUERY_JUDGE_H
#define QUERY_JUDGE_H

#include "query/chain.h"

/* What the questions of a batch share. */
struct judge {
    struct query *q;
    struct rpc_call *call;
    struct mem_region *region;
    const struct snap_view *view;
    bool explain; /* the derivation is asked for: verdicts that are kept will not do */
    bool fields;  /* the values of cf.tls_client_auth.* are asked for */
    bool brief;   /* nobody reads the answer but rules: verdict, revoked and ca_id will do */
};

/* One of them: the caller fills question, answer, host, at_ms, then hit and found of the look-up, and sets
 * open. */
struct judged {
    const Anchord__V1__VerifyQuestion *question;
    Anchord__V1__VerifyAnswer *answer;
    struct query_host host;
    struct snap_hit hit;
    int found; /* what the look-up returned */
    struct snap_trust trust;
    struct chain chain;
    int64_t at_ms;
    bool open;      /* still to be verified */
    bool unchecked; /* the validator reached no verdict: nothing is known, not even that it is not revoked */
};

void judge_bad_host(struct judged *it);
int judge_chain(const struct judge *j, struct judged *it) ACD_MUSTCHECK;
int judge_look_up(const struct judge *j, struct judged *it) ACD_MUSTCHECK;
/* Takes over the verdict of `before`, an answered question of the same batch, when this one is about the same
 * chain, trust set and time; both answers then share what is text. */
void judge_repeat(const struct judge *j, const struct judged *before, struct judged *it);
int judge_warm(const struct judge *j, struct judged *it) ACD_MUSTCHECK;
int judge_cold(const struct judge *j, struct judged *it) ACD_MUSTCHECK;

#endif
