/*
 * Answers in the proxy's own process: the server's image (DATA/anchord.image) is mapped read-only, and a
 * question is a function call. C11 and C++.
 *
 *   acd_edge_open("/var/lib/anchord/anchord.image", NULL, &edge, &err);
 *   acd_edge_reader_new(edge, &reader, &err);             once per thread
 *   acd_edge_enter(reader);
 *   acd_edge_lookup(reader, host, now_ms, &answer);       any number of questions, all at one revision
 *   acd_edge_leave(reader);
 *   acd_edge_refresh(edge, NULL, &err);                   now and then, from any thread
 *
 * I/O: acd_edge_open, acd_edge_refresh, acd_edge_reader_new and acd_edge_verify may do I/O and may block. All
 * other calls take no lock, never wait, read no clock and make no system call; time is given as input. One
 * exception: a host name outside ASCII, or with an "xn--" label and no association of exactly that name, is
 * brought to normal form by libidn2, which allocates memory.
 *
 * Threading: a reader belongs to one thread at a time, and is best made by the thread that uses it. Any
 * number of readers ask while another thread refreshes. Between acd_edge_enter and acd_edge_leave a reader
 * holds one revision; older ones are given back when their last reader has left, at a later refresh. A
 * section may be long, but it keeps a revision, and after a compaction the memory of a whole file. A process
 * that forks opens its handle in the child.
 *
 * Ownership: slices of an answer point into the mapped file and live until acd_edge_leave; a verdict is plain
 * values.
 *
 * Staleness: an image says when the server last confirmed it (created_ms). Beyond stale_after_ms, in the past
 * or in the future, answers say `stale`, or with ACD_EDGE_REFUSE_STALE there are none (ACD_EUNAVAIL).
 *
 * Errors: 0 or a negative code of <anchord/status.h>. ACD_EUNAVAIL: no image, or it is stale and that is
 * refused; ACD_ECORRUPT: what this question needs is damaged; ACD_EINVAL: not a host name; ACD_EPRECOND: not
 * between enter and leave. Whatever the error: nothing is trusted, nothing is verified. Fail closed.
 *
 * The file must only be changed by its server, which never shrinks or overwrites what a root leads to. Its
 * mode is 0640: its owner and root can write to it, the group can only read. If one of those truncates it
 * while it is mapped, touching the missing part raises SIGBUS, as with every mapped file; nothing in a
 * look-up can prevent that. Refresh notices and gives the mapping up; the server notices at the next change,
 * or within seconds, and puts a new file in its place. Where that is not enough,
 * ACD_EDGE_COPY reads the file into memory of our own.
 */
#ifndef ANCHORD_EDGE_H
#define ANCHORD_EDGE_H

#include <anchord/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct acd_edge acd_edge;
typedef struct acd_edge_reader acd_edge_reader;

enum acd_edge_flags {
    ACD_EDGE_REFUSE_STALE = 1, /* a stale image answers nothing */
    ACD_EDGE_COPY = 2,         /* hold a copy, which nobody can truncate; refresh costs a read of the file */
};

/* Zeroed fields take their defaults; set struct_size to sizeof(acd_edge_opts). */
typedef struct {
    uint32_t struct_size;
    uint32_t flags;          /* enum acd_edge_flags */
    uint64_t stale_after_ms; /* 0: never stale */
    size_t verdicts; /* kept at most; default 16384, some 350 bytes each; ACD_EDGE_NO_VERDICTS: none */
} acd_edge_opts;

#define ACD_EDGE_NO_VERDICTS SIZE_MAX

/* opts may be NULL. ACD_ENOENT: there is no such file; ACD_ECORRUPT: truncated, damaged or not an image;
 * ACD_ENOTSUP: of another format version or byte order; ACD_EIO, ACD_ENOMEM. */
int acd_edge_open(const char *path, const acd_edge_opts *opts, acd_edge **ret_edge, acd_err *err);
/* Frees its readers too: none may be in use. NULL is fine. */
void acd_edge_close(acd_edge *edge);

/*
 * Takes up a newer revision, or the file that replaced this one. *ret_changed (may be NULL): 1 when there was
 * one. Costs two stats when there is nothing new. On an error the last good revision stays (and grows stale),
 * but for a file that was truncated or overwritten under us: then nothing is answered until a refresh
 * succeeds.
 */
int acd_edge_refresh(acd_edge *edge, int *ret_changed, acd_err *err);

int acd_edge_reader_new(acd_edge *edge, acd_edge_reader **ret_reader, acd_err *err);
void acd_edge_reader_free(acd_edge_reader *reader); /* NULL is fine */

/* Sections may be nested; the outermost decides the revision. */
void acd_edge_enter(acd_edge_reader *reader);
void acd_edge_leave(acd_edge_reader *reader);

typedef struct {
    uint64_t revision, epoch; /* epoch differs when the server's data was restored from a backup */
    uint64_t hosts, zones, cas;
    int64_t created_ms, age_ms; /* age at at_ms; negative when the image is of the future */
    int stale;
} acd_edge_info;

int acd_edge_get_info(acd_edge_reader *reader, int64_t at_ms, acd_edge_info *ret_info);

/* ---- which CAs may vouch for clients of this host? ---- */

#define ACD_EDGE_HOST_MAX 253

typedef struct {
    int status; /* 0, or why there is no answer; then match is ACD_MATCH_NONE and cas is 0 */
    int match;  /* enum acd_match */
    int stale;
    uint32_t set; /* for acd_edge_get_ca */
    size_t cas;   /* CAs in the trust set, best first */
    acd_slice zone_id;
    acd_slice digest; /* of the trust set, 32 bytes */
    uint64_t revision;
    int64_t age_ms;
    const void *view;                    /* for acd_edge_get_ca */
    char host[ACD_EDGE_HOST_MAX + 1];    /* in normal form */
    char pattern[ACD_EDGE_HOST_MAX + 1]; /* the association that matched, "" when none did */
} acd_edge_answer;

typedef struct {
    acd_slice id;      /* of the uploaded object */
    acd_slice subject; /* RFC 2253 */
    acd_slice sha256, der;
    int64_t not_before_ms, not_after_ms;
    uint32_t index; /* certificate within the uploaded object */
    int profile;    /* enum acd_profile */
    int helper;     /* enum acd_ca_role; not 0: grants nothing, trust it for nothing */
} acd_edge_ca;

/* Inside a section. No association is an answer (ACD_MATCH_NONE), not an error. Returns ret_answer->status.
 */
int acd_edge_lookup(acd_edge_reader *reader, acd_slice host, int64_t at_ms, acd_edge_answer *ret_answer);
/* The same among the CAs of a product, as in acd_trust_question. ACD_ENOTSUP: no such product. */
int acd_edge_lookup_product(acd_edge_reader *reader, const char *product, acd_slice host, int64_t at_ms,
                            acd_edge_answer *ret_answer);
/* The same for n hosts, with the memory accesses of several in flight. Each answer has its own status; the
 * call fails, and every status says so, when there is no revision to answer from. */
int acd_edge_lookup_batch(acd_edge_reader *reader, const acd_slice *hosts, size_t n, int64_t at_ms,
                          acd_edge_answer *ret_answers);
/* The i-th CA of an answer of this very section. ACD_ENOENT: there is no such CA. */
int acd_edge_get_ca(acd_edge_reader *reader, const acd_edge_answer *answer, size_t i, acd_edge_ca *ret_ca);

/* ---- is this client's certificate verified for this host? ---- */

typedef struct {
    int verdict; /* enum acd_verdict; only ACD_VERIFIED lets in */
    int depth;   /* of the certificate that failed, 0 is the leaf; -1: none in particular */
    int match;   /* enum acd_match */
    int revoked; /* the chain is sound, and the certificate revoked */
    int cached;  /* from this handle's cache, or said by the image alone */
    int stale;
    uint64_t revision;                       /* of the answer */
    int64_t valid_from_ms, valid_until_ms;   /* it holds for these times while trust set and revocation lists
                                                stay; 0, 0: unknown */
    uint8_t trust_digest[32], ca_sha256[32]; /* zeros when there is none */
    char ca_id[65];                          /* the CA that vouched, "" when none did */
    char error[56];                          /* stable code; "" when verified */
    char reason[184];                        /* a sentence, cut to this length */
} acd_edge_verdict;

/* The digest that stands for a chain: SHA-256 over the SHA-256 of each certificate, leaf first. ACD_ELIMIT:
 * more than 17 certificates. */
int acd_edge_chain_digest(const acd_slice *chain, size_t chain_len, uint8_t ret_digest[32]);

/*
 * A verdict that is known here: kept for this chain, the host's trust set and its CAs' revocation lists of
 * now, and at_ms; or a refusal that needs no certificate, as of a host without CAs. Inside a section or not.
 * The question names its chain by bytes or digest, and a time: there is no "now". ACD_ENOENT: not known here,
 * ask the server.
 */
int acd_edge_verdict_find(acd_edge_reader *reader, const acd_verify_question *question,
                          acd_edge_verdict *ret_verdict);

/* Keeps the i-th answer of acd_verify_client for the chain with that digest. Not everything may be kept:
 * ACD_ENOTSUP says that this was not. No section is needed; any thread. */
int acd_edge_verdict_put(acd_edge *edge, const uint8_t chain_digest[32], const acd_result *result, size_t i);

/* acd_edge_verdict_find, and where it does not know, the server: its answer is kept and returned. Blocks
 * then, so rather outside of a section. */
int acd_edge_verify(acd_edge_reader *reader, acd_client *client, const acd_verify_question *question,
                    acd_edge_verdict *ret_verdict, acd_err *err);

#ifdef __cplusplus
}
#endif

#endif
