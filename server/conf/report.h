/* Collects the problems of one run and passes each on. Inside conf/ only; one thread. */
#ifndef CONF_REPORT_H
#define CONF_REPORT_H

#include "conf/conf.h"

struct conf_report {
    conf_finding_f found; /* may be NULL */
    void *ctx;
    unsigned n;      /* problems so far, also those beyond LIMIT_CONF_FINDINGS, which are not passed on */
    char first[200]; /* the first one, with its line */
};

void conf_report(struct conf_report *r, const char *key, unsigned line, const char *fmt, ...)
    ACD_PRINTF(4, 5);

/* 0 without problems; else ACD_EINVAL and a sentence about all of them. */
int conf_report_end(const struct conf_report *r, acd_err *err) ACD_MUSTCHECK;

#endif
