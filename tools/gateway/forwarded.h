/*
 * What a proxy forwards to /auth, read from text: the question's form, certificates, addresses.
 *
 * Pure functions; results live in the region or borrow from the text. Every parser is strict: the texts come
 * from a proxy's configuration, and what does not fit is a mistake in it or a forgery.
 */
#ifndef GATEWAY_FORWARDED_H
#define GATEWAY_FORWARDED_H

#include <stdbool.h>

#include "base/mem.h"
#include "model/digest.h"
#include "model/limits.h"

/* --- the form of the question, from its target ---
 *
 *   /auth{/WORD}[/request{ORIGINAL}]
 *
 * The words choose what is read, so that a header which the proxy does not set is not looked at:
 *   client-cert   Client-Cert and Client-Cert-Chain (RFC 9440) in place of X-SSL-Client-Cert
 *   digest        X-SSL-Client-SHA256 in place of it
 *   optional      no verified certificate is needed: the rules alone decide
 *   only-403      every refusal is 403, for proxies that know no other; the rule's status is in a header
 *   request       the request's own method, target (what follows) and X-Forwarded-For are those that are
 *                 judged, in place of X-Original-Method, X-Original-URI and X-Real-IP
 * Each at most once, and at most one of the first two. */
enum hook_cert { HOOK_ESCAPED_PEM, HOOK_CLIENT_CERT, HOOK_DIGEST };

struct hook_form {
    enum hook_cert cert;
    bool optional, only_403, request;
    acd_slice uri; /* with request: the original target, "/" at least */
};

bool hook_is(acd_slice target); /* does it begin with the word "auth"? */
bool hook_form_read(acd_slice target, struct hook_form *ret) ACD_MUSTCHECK;

/* --- certificates --- */

struct forwarded {
    acd_slice ders[LIMIT_CHAIN]; /* leaf first */
    size_t n;                    /* 0: the client showed none */
};

/* PEM (RFC 7468) with URL escapes (RFC 3986 section 2.1), as nginx writes $ssl_client_escaped_cert. False:
 * *ret_why says what is wrong. */
bool forwarded_pem(struct mem_region *r, acd_slice text, struct forwarded *ret,
                   const char **ret_why) ACD_MUSTCHECK;

/* RFC 9440 sections 2.2 and 2.3: a byte sequence (RFC 8941 section 3.3.5), and a list of them. Parameters, of
 * which none are defined, are refused. An empty text is no header. */
bool forwarded_client_cert(struct mem_region *r, acd_slice leaf, acd_slice chain, struct forwarded *ret,
                           const char **ret_why) ACD_MUSTCHECK;

/* The chain's digest (model/digest.h) of a leaf alone, from the SHA-256 of it: 64 hex digits of either case,
 * or 32 pairs with ':' between them. */
bool forwarded_digest(acd_slice text, uint8_t ret[DIGEST_LEN]) ACD_MUSTCHECK;

/* --- addresses and hosts --- */

/* The last address of X-Forwarded-For: the one that the nearest proxy has added. A port is left out, and so
 * are brackets. Empty: there is none. */
acd_slice forwarded_for(acd_slice text);

/* An address as ip.src takes it: 4 or 16 bytes. 0: it is none. */
size_t forwarded_address(acd_slice text, uint8_t ret[16]);

/* The value of Host without its port. */
acd_slice forwarded_host(acd_slice text);

#endif
