#include "tls.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/str.h"

enum { CHAIN_MAX = 16, FILE_MAX = 1 << 20 };

struct pair {
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned n;
    gnutls_privkey_t key;
    struct pair *older;
};

/* GnuTLS gives its callback no context, so there is one for the process. */
static _Atomic(struct pair *) current;

static void
pair_free(struct pair *p)
{
    for (unsigned i = 0; i < p->n; i++)
        gnutls_pcert_deinit(&p->chain[i]);
    if (p->key)
        gnutls_privkey_deinit(p->key);
    free(p);
}

static int
read_pem(const char *path, struct buf *b, gnutls_datum_t *ret, acd_err *err)
{
    int rc = io_read_file(path, b, err);
    *ret = (gnutls_datum_t){(unsigned char *)b->data, (unsigned)b->len};
    return rc;
}

static int
load_chain(struct pair *p, const char *path, acd_err *err)
{
    struct buf text = BUF_INIT(FILE_MAX);
    gnutls_datum_t pem;
    unsigned n = CHAIN_MAX;
    int rc = read_pem(path, &text, &pem, err);
    if (rc == 0) {
        int g = gnutls_pcert_list_import_x509_raw(p->chain, &n, &pem, GNUTLS_X509_FMT_PEM,
                                                  GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED);
        if (g < 0)
            rc = err_set(err, ACD_EINVAL, "%s: %s", path, gnutls_strerror(g));
        else
            p->n = n;
    }
    buf_done(&text);
    return rc;
}

static int
load_key(struct pair *p, const char *path, acd_err *err)
{
    struct buf text = BUF_INIT(FILE_MAX);
    gnutls_datum_t pem;
    int rc = read_pem(path, &text, &pem, err);
    if (rc == 0) {
        int g = gnutls_privkey_init(&p->key);
        if (g >= 0)
            g = gnutls_privkey_import_x509_raw(p->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
        if (g < 0)
            rc = err_set(err, ACD_EINVAL, "%s: %s", path, gnutls_strerror(g));
    }
    if (text.data)
        wipe(text.data, text.cap);
    buf_done(&text);
    return rc;
}

/* A key that is not the certificate's would make every handshake fail. */
static int
check_pair(const struct pair *p, const char *cert_path, const char *key_path, acd_err *err)
{
    unsigned char a[64], b[64];
    size_t na = sizeof(a), nb = sizeof(b);
    gnutls_pubkey_t own = NULL;
    int g = gnutls_pubkey_init(&own);
    if (g >= 0)
        g = gnutls_pubkey_import_privkey(own, p->key, 0, 0);
    if (g >= 0)
        g = gnutls_pubkey_get_key_id(own, GNUTLS_KEYID_USE_SHA256, a, &na);
    if (g >= 0)
        g = gnutls_pubkey_get_key_id(p->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, b, &nb);
    if (own)
        gnutls_pubkey_deinit(own);
    if (g < 0)
        return err_set(err, ACD_EINVAL, "%s: %s", key_path, gnutls_strerror(g));
    if (na != nb || memcmp(a, b, na) != 0)
        return err_set(err, ACD_EINVAL, "the key in %s is not that of the certificate in %s", key_path,
                       cert_path);
    return 0;
}

int
tls_load(const char *cert_path, const char *key_path, acd_err *err)
{
    struct pair *p = calloc(1, sizeof(*p));
    if (!p)
        return err_set(err, ACD_ENOMEM, "out of memory");
    int rc = load_chain(p, cert_path, err);
    if (rc == 0)
        rc = load_key(p, key_path, err);
    if (rc == 0)
        rc = check_pair(p, cert_path, key_path, err);
    if (rc < 0) {
        pair_free(p);
        return rc;
    }
    p->older = atomic_load(&current);
    atomic_store(&current, p);
    return 0;
}

void
tls_done(void)
{
    struct pair *p = atomic_exchange(&current, NULL);
    while (p) {
        struct pair *older = p->older;
        pair_free(p);
        p = older;
    }
}

int
tls_certificate(gnutls_session_t session, const gnutls_datum_t *req_ca_dn, int nreqs,
                const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length, gnutls_pcert_st **pcert,
                unsigned int *pcert_length, gnutls_privkey_t *privkey)
{
    struct pair *p = atomic_load(&current);
    (void)session;
    (void)req_ca_dn;
    (void)nreqs;
    (void)pk_algos;
    (void)pk_algos_length;
    if (!p)
        return -1;
    *pcert = p->chain;
    *pcert_length = p->n;
    *privkey = p->key;
    return 0;
}
