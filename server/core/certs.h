/* Certificate objects as messages, and their removal. Inside a unit. */
#ifndef CORE_CERTS_H
#define CORE_CERTS_H

#include "core/unit.h"

/* The object with its items; text: with the PEM as uploaded. NULL with *err: storage failed or no memory. */
int cert_msg(struct unit *u, const acd_value *row, bool text, Anchord__V1__Certificate **ret,
             acd_err *err) ACD_MUSTCHECK;

#endif
