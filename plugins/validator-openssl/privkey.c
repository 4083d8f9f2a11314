/* A private key of an upload: plain, RSA or EC, and the one of the first certificate. Its text goes nowhere.
 */
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "inspect.h"

/* Without this, OpenSSL asks for a passphrase on the terminal. */
static int
no_passphrase(char *buf, int size, int rwflag, void *u)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    *(bool *)u = true;
    return 0;
}

void
vo_judge_key(struct vo_look *l, const struct vo_cert *c)
{
    acd_slice text = l->req->key;
    bool asked = false;
    if (text.len == 0 || text.len > VO_MAX_KEY_PEM) {
        vo_find(l, ACD_SEV_ERROR, -1, "key.size", "A private key must be PEM of 1 byte to 16 KiB.");
        return;
    }
    bool encrypted = memmem(text.ptr, text.len, "ENCRYPTED", 9) != NULL;
    BIO *bio = encrypted ? NULL : BIO_new_mem_buf(text.ptr, (int)text.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked) : NULL;
    BIO_free(bio);
    if (encrypted || asked)
        vo_find(l, ACD_SEV_ERROR, -1, "key.encrypted",
                "The private key is encrypted: upload it without a passphrase.");
    else if (!key)
        vo_find(l, ACD_SEV_ERROR, -1, "key.unreadable", "The private key is not readable PEM.");
    else if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA && EVP_PKEY_get_base_id(key) != EVP_PKEY_EC)
        vo_find(l, ACD_SEV_ERROR, -1, "key.type", "The private key must be RSA or EC.");
    else if (!X509_get0_pubkey(c->x) || EVP_PKEY_eq(X509_get0_pubkey(c->x), key) != 1)
        vo_find(l, ACD_SEV_ERROR, -1, "key.mismatch",
                "The private key does not belong to the first certificate.");
    EVP_PKEY_free(key);
    ERR_clear_error();
}
