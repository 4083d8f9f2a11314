/*
 * validator-openssl, inside: names. What was asked for (host, address, mailbox), what a certificate says,
 * and what name constraints allow. Pure functions, any thread; nothing is kept.
 */
#ifndef VO_NAMES_H
#define VO_NAMES_H

#include "vo.h"

enum vo_peer_kind { VO_PEER_NONE = 0, VO_PEER_HOST, VO_PEER_IP, VO_PEER_EMAIL };

/* A name that was asked for, checked. An address given as host becomes an address. */
struct vo_peer {
    enum vo_peer_kind kind;
    char text[VO_MAX_EMAIL + 1];
    size_t len;
    uint8_t ip[16];
    size_t ip_len;
};

struct vo_fault vo_peer_read(acd_slice host, acd_slice ip, acd_slice email, struct vo_peer *ret);
/* RFC 9525 section 6: subject alternative names only, a wildcard is the whole first label. */
bool vo_peer_match(const struct vo_peer *p, const GENERAL_NAMES *san);

/* Names of a leaf that are no names (RFC 5280 section 4.2.1.6), or too many. */
struct vo_fault vo_san_fault(const GENERAL_NAMES *san);
/* A name constraints extension that cannot be applied (RFC 5280 section 4.2.1.10). */
struct vo_fault vo_nc_fault(const NAME_CONSTRAINTS *nc, size_t *ret_subtrees);
/* Names that OpenSSL lets pass an exclusion although they may stand for an excluded name. */
bool vo_nc_slips(const GENERAL_NAMES *san, const NAME_CONSTRAINTS *nc);

/* A DNS name in the preferred syntax, with '_'; wild allows "*." before it. */
bool vo_is_dns(const char *s, size_t len, bool wild);
bool vo_is_email(const char *s, size_t len);

#endif
