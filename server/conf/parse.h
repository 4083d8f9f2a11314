/* Text of a configuration file to values, over what the conf holds. Inside conf/ only; one thread. */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include "conf/conf.h"
#include "conf/report.h"

/* Problems of the text go to the report; the return value tells only whether there was memory. */
int conf_parse_into(struct conf *c, acd_slice text, struct conf_report *report, acd_err *err) ACD_MUSTCHECK;

#endif
