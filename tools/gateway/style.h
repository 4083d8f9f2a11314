/* Problems as values, and the styles that write them down: one per API. */
#ifndef GATEWAY_STYLE_H
#define GATEWAY_STYLE_H

#include <stddef.h>

struct gw;

/* Texts live in the request's region or are constants. */
struct problem {
    unsigned status;     /* of HTTP */
    unsigned code;       /* the number of the v4 API */
    const char *message; /* a sentence */
    const char *pointer; /* JSON pointer (RFC 6901) into the request's body; NULL: none */
    unsigned chain_code; /* the problem behind it; 0: none */
    const char *chain_message;
};

/* Fills the reply; list[0] gives the status. */
struct style {
    void (*problems)(struct gw *g, const struct problem *list, size_t n);
};

extern const struct style v4_style;    /* the envelope of /client/v4 */
extern const struct style plain_style; /* {"error": ...}, for what machines probe */

#endif
