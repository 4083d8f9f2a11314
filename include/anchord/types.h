/*
 * Types shared by client programs and plugins. C11, clean under -Wpedantic and as C++.
 *
 * Threading: these are plain values; who may touch them when is said where they are used.
 */
#ifndef ANCHORD_TYPES_H
#define ANCHORD_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include <anchord/status.h>

/* Bytes that somebody else owns. Valid for the duration of the call they are passed to, unless said
 * otherwise. Never NUL-terminated by contract; {NULL, 0} means absent where absence is allowed. */
typedef struct {
    const void *ptr;
    size_t len;
} acd_slice;

/* Room for an error's text. The caller owns it and sets struct_size; the callee fills the rest on failure
 * only. retry_after_ms: 0, or how many milliseconds to wait before the same call is worth repeating. */
typedef struct {
    uint32_t struct_size;
    int32_t native; /* code of the failing library (SQLite, OpenSSL, errno), 0 when there is none */
    uint32_t retry_after_ms;
    char text[240]; /* one sentence, NUL-terminated, no trailing dot or line feed */
} acd_err;

#define ACD_ERR_INIT           \
    {                          \
        sizeof(acd_err), 0, 0, \
        {                      \
            0                  \
        }                      \
    }

/* What a certificate is to be used for (RFC 5280 section 4.2.1.12). */
enum acd_purpose { ACD_PURPOSE_CLIENT = 1, ACD_PURPOSE_SERVER = 2 };

/* How strictly what an anchor issues is checked. STRICT is RFC 5280; COMPAT tolerates missing key
 * identifiers, absent key usage and non-critical basic constraints. */
enum acd_profile { ACD_PROFILE_STRICT = 0, ACD_PROFILE_COMPAT = 1 };

/* What verification said. Only ACD_VERIFIED lets in; NEED_CERTIFICATE asks for the chain behind a digest. */
enum acd_verified { ACD_NOT_VERIFIED = 0, ACD_VERIFIED = 1, ACD_NEED_CERTIFICATE = 2 };

/* Severity of a finding. Only ERROR refuses. */
enum acd_severity { ACD_SEV_ERROR = 1, ACD_SEV_WARNING = 2 };

#endif
