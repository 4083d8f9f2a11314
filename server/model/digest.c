#include "model/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/must.h"
#include "model/limits.h"

/* A fetched algorithm and a context kept per thread: fetching on each call costs more than hashing a
 * certificate. */
static EVP_MD *sha256;
static pthread_key_t ctx_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
ctx_free(void *ctx)
{
    EVP_MD_CTX_free(ctx);
}

static void
setup(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(sha256 != NULL);
    must(pthread_key_create(&ctx_key, ctx_free) == 0);
}

static EVP_MD_CTX *
thread_ctx(void)
{
    must(pthread_once(&once, setup) == 0);
    EVP_MD_CTX *ctx = pthread_getspecific(ctx_key);
    if (!ctx) {
        ctx = EVP_MD_CTX_new();
        must(ctx != NULL);
        must(pthread_setspecific(ctx_key, ctx) == 0);
    }
    return ctx;
}

static void
hash_pieces(EVP_MD_CTX *ctx, const acd_slice *pieces, size_t n, uint8_t out[DIGEST_LEN])
{
    must(EVP_DigestInit_ex2(ctx, sha256, NULL) == 1);
    for (size_t i = 0; i < n; i++)
        must(EVP_DigestUpdate(ctx, pieces[i].ptr, pieces[i].len) == 1);
    must(EVP_DigestFinal_ex(ctx, out, NULL) == 1);
}

void
digest_sha256(const void *p, size_t len, uint8_t out[DIGEST_LEN])
{
    acd_slice piece = {p, len};
    hash_pieces(thread_ctx(), &piece, 1, out);
}

bool
digest_md5(const void *p, size_t len, uint8_t out[DIGEST_MD5_LEN])
{
    return EVP_Digest(p, len, out, NULL, EVP_md5(), NULL) == 1;
}

void
digest_init(struct digest *d)
{
    (void)thread_ctx();
    d->ctx = EVP_MD_CTX_new();
    must(d->ctx != NULL);
    must(EVP_DigestInit_ex2(d->ctx, sha256, NULL) == 1);
}

void
digest_update(struct digest *d, const void *p, size_t len)
{
    must(EVP_DigestUpdate(d->ctx, p, len) == 1);
}

void
digest_final(struct digest *d, uint8_t out[DIGEST_LEN])
{
    must(EVP_DigestFinal_ex(d->ctx, out, NULL) == 1);
    EVP_MD_CTX_free(d->ctx);
    d->ctx = NULL;
}

/* A chain of a question fits, and its digest then needs no memory but the thread's context. */
static void
short_chain(const acd_slice *ders, size_t n, uint8_t out[DIGEST_LEN])
{
    uint8_t each[LIMIT_CHAIN][DIGEST_LEN];
    for (size_t i = 0; i < n; i++)
        digest_sha256(ders[i].ptr, ders[i].len, each[i]);
    digest_sha256(each, n * DIGEST_LEN, out);
}

void
digest_chain(const acd_slice *ders, size_t n, uint8_t out[DIGEST_LEN])
{
    struct digest d;
    if (n <= LIMIT_CHAIN) {
        short_chain(ders, n, out);
        return;
    }
    digest_init(&d);
    for (size_t i = 0; i < n; i++) {
        uint8_t one[DIGEST_LEN];
        digest_sha256(ders[i].ptr, ders[i].len, one);
        digest_update(&d, one, sizeof(one));
    }
    digest_final(&d, out);
}
