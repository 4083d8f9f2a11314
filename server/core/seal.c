#include "core/seal.h"

#include <limits.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/err.h"
#include "base/rand.h"
#include "base/str.h"

enum { SEAL_VERSION = 1 };

/* Room for the wrapping keys and for the private keys that the admin workers hold at one time, the numbers of
 * large RSA keys in the making among them. */
enum { SECURE_HEAP = 1 << 19, SECURE_MIN = 32 };

bool
seal_start(void)
{
    static bool locked = true;
    if (!CRYPTO_secure_malloc_initialized())
        locked = CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_MIN) == 1;
    return locked;
}

void *
seal_alloc(size_t len)
{
    return OPENSSL_secure_malloc(len ? len : 1);
}

void
seal_free(void *p, size_t len)
{
    OPENSSL_secure_clear_free(p, len);
}

static bool
run(EVP_CIPHER_CTX *c, acd_slice aad, acd_slice in, uint8_t *out)
{
    int n = 0, last = 0;
    return (aad.len == 0 || EVP_CipherUpdate(c, NULL, &n, aad.ptr, (int)aad.len) == 1) &&
           (in.len == 0 || EVP_CipherUpdate(c, out, &n, in.ptr, (int)in.len) == 1) &&
           EVP_CipherFinal_ex(c, out + in.len, &last) == 1;
}

int
seal_wrap(const uint8_t key[SEAL_KEY_LEN], acd_slice aad, acd_slice plain, uint8_t *out, acd_err *err)
{
    uint8_t *nonce = out + 1, *text = nonce + SEAL_NONCE_LEN, *tag = text + plain.len;
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    must(plain.len <= INT_MAX && aad.len <= INT_MAX);
    out[0] = SEAL_VERSION;
    rand_bytes(nonce, SEAL_NONCE_LEN);
    bool done = c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
                run(c, aad, plain, text) &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_LEN, tag) == 1;
    EVP_CIPHER_CTX_free(c);
    return done ? 0 : err_set(err, ACD_EINTERNAL, "AES-256-GCM does not work");
}

int
seal_open(const uint8_t key[SEAL_KEY_LEN], acd_slice aad, acd_slice sealed, uint8_t *out, acd_err *err)
{
    const uint8_t *in = sealed.ptr;
    if (sealed.len < SEAL_EXTRA || sealed.len > INT_MAX || in[0] != SEAL_VERSION)
        return err_set(err, ACD_ECORRUPT, "this is not a sealed record");
    const acd_slice text = {in + 1 + SEAL_NONCE_LEN, sealed.len - SEAL_EXTRA};
    uint8_t tag[SEAL_TAG_LEN];
    memcpy(tag, in + sealed.len - SEAL_TAG_LEN, SEAL_TAG_LEN);
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    bool done = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, in + 1) == 1 &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_LEN, tag) == 1 &&
                run(c, aad, text, out);
    EVP_CIPHER_CTX_free(c);
    if (done)
        return 0;
    wipe(out, text.len);
    return err_set(err, ACD_ECORRUPT, "the sealed record does not open: another key, or it was changed");
}
