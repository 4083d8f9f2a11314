#include "query/revocation.h"

#include <stdio.h>
#include <time.h>

/* A second is its first to its last millisecond; the ends of time stay what they are. */
static int64_t
first_ms(int64_t s)
{
    return s < INT64_MIN / 1000 ? INT64_MIN : s > INT64_MAX / 1000 ? INT64_MAX : s * 1000;
}

static int64_t
last_ms(int64_t s)
{
    return s > INT64_MAX / 1000 - 1 ? INT64_MAX : s < INT64_MIN / 1000 ? INT64_MIN : s * 1000 + 999;
}

static const char *
text_time(int64_t at_s, char room[32])
{
    time_t t = (time_t)at_s;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || strftime(room, 32, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        (void)snprintf(room, 32, "%lld", (long long)at_s);
    return room;
}

static void
say_revoked(struct revocation_ctx *c, const struct snap_revoked_entry *e, acd_revocation *ret)
{
    char at[32];
    ret->state = ACD_REVOCATION_REVOKED;
    ret->revoked_ms = first_ms(e->at_s);
    ret->reason = e->reason;
    (void)snprintf(c->text, sizeof(c->text), "the certificate was revoked by its issuer on %s (%s)",
                   text_time(e->at_s, at), revocation_reason(e->reason));
}

/* There is no list to go by at that time. */
static void
say_missing(struct revocation_ctx *c, uint32_t policy, const char *error, const char *what,
            acd_revocation *ret)
{
    bool warn = policy == REVOCATION_WARN;
    ret->state = warn ? ACD_REVOCATION_NOTED : ACD_REVOCATION_UNKNOWN;
    ret->error = warn ? NULL : error;
    (void)snprintf(c->text, sizeof(c->text), "%s%s", what,
                   warn ? ", which the CA's policy `warn` lets pass" : "");
}

static void
say_freshness(struct revocation_ctx *c, const struct snap_revoked_state *s, int64_t at_ms,
              acd_revocation *ret)
{
    char at[32], text[128];
    if (!s->listed) {
        if (s->policy != REVOCATION_DEFAULT)
            say_missing(c, s->policy, "X509_V_ERR_UNABLE_TO_GET_CRL",
                        "there is no revocation list of the issuer", ret);
    } else if (at_ms < first_ms(s->from_s)) {
        (void)snprintf(text, sizeof(text), "the issuer's revocation list is not valid before %s",
                       text_time(s->from_s, at));
        ret->until_ms = first_ms(s->from_s) - 1;
        say_missing(c, s->policy, "X509_V_ERR_CRL_NOT_YET_VALID", text, ret);
    } else if (at_ms > last_ms(s->until_s)) {
        (void)snprintf(text, sizeof(text), "the issuer's revocation list is out of date since %s",
                       text_time(s->until_s, at));
        ret->from_ms = last_ms(s->until_s) + 1;
        say_missing(c, s->policy, "X509_V_ERR_CRL_HAS_EXPIRED", text, ret);
    } else {
        ret->state = ACD_REVOCATION_GOOD;
        ret->from_ms = first_ms(s->from_s);
        ret->until_ms = last_ms(s->until_s);
        (void)snprintf(c->text, sizeof(c->text),
                       "the issuer's revocation list of %u entries does not name the certificate",
                       s->shape.count);
    }
}

/* What is listed is revoked, whether the list is in date or not. */
int
revocation_ask(void *ctx, uint32_t ca, acd_slice serial, int64_t at_ms, acd_revocation *ret)
{
    struct revocation_ctx *c = ctx;
    struct snap_revoked_state s;
    struct snap_revoked_entry e;
    struct snap_ca found;
    uint32_t flags;
    if (ca >= c->n)
        return ACD_EINTERNAL;
    int rc = snap_trust_ca(c->view, c->trust, c->places[ca], &found, &flags);
    if (rc == 0)
        rc = snap_revoked_state(c->view, found.id, found.index, &s);
    if (rc < 0)
        return rc == ACD_ENOENT ? 0 : rc;
    if (s.policy == REVOCATION_IGNORE)
        return 0;
    rc = s.listed ? snap_revoked_find(c->view, found.id, found.index, serial, &e) : 0;
    if (rc < 0)
        return rc;
    if (rc == 1)
        say_revoked(c, &e, ret);
    else
        say_freshness(c, &s, at_ms, ret);
    ret->text = c->text;
    return 0;
}
