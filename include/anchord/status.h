/*
 * Status codes: the one table of what can go wrong, for programs and plugins alike.
 *
 * Every function that can fail returns 0 (ACD_OK) or one of these negative numbers. The numbers are part of
 * the ABI and never change; new ones are appended. A code is for machines; where a human must act, a text
 * travels beside it in acd_err.
 *
 * X(name, number, text, retryable, gRPC status code, HTTP status)
 *   retryable: 1 when the same call, sent again unchanged, may succeed without anyone acting.
 */
#ifndef ANCHORD_STATUS_H
#define ANCHORD_STATUS_H

#define ACD_STATUS_MAP(X)                                       \
    X(ACD_OK, 0, "done", 0, 0, 200)                             \
    X(ACD_ENOENT, -1, "not found", 0, 5, 404)                   \
    X(ACD_EEXIST, -2, "already exists", 0, 6, 400)              \
    X(ACD_ECONFLICT, -3, "changed by someone else", 0, 10, 409) \
    X(ACD_ELIMIT, -4, "over a limit", 0, 8, 400)                \
    X(ACD_EINVAL, -5, "invalid", 0, 3, 400)                     \
    X(ACD_ENOMEM, -6, "out of memory", 1, 8, 503)               \
    X(ACD_EBUSY, -7, "busy", 1, 8, 503)                         \
    X(ACD_ETIMEOUT, -8, "deadline passed", 1, 4, 504)           \
    X(ACD_EIO, -9, "input/output error", 0, 13, 500)            \
    X(ACD_ECORRUPT, -10, "stored data is damaged", 0, 15, 500)  \
    X(ACD_EABI, -11, "incompatible plugin", 0, 9, 500)          \
    X(ACD_EDENIED, -12, "permission denied", 0, 7, 403)         \
    X(ACD_EUNAUTH, -13, "not authenticated", 0, 16, 401)        \
    X(ACD_EUNAVAIL, -14, "unavailable", 1, 14, 503)             \
    X(ACD_EPRECOND, -15, "state does not allow it", 0, 9, 400)  \
    X(ACD_ENOTSUP, -16, "not supported", 0, 12, 501)            \
    X(ACD_ECANCELED, -17, "canceled", 0, 1, 499)                \
    X(ACD_EINTERNAL, -18, "internal error", 0, 13, 500)

enum acd_status {
#define ACD_STATUS_ENUM(name, number, text, retryable, grpc, http) name = (number),
    ACD_STATUS_MAP(ACD_STATUS_ENUM)
#undef ACD_STATUS_ENUM
};

#endif
