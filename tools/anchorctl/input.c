#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "fail.h"
#include "pem.h"

void
input_wipe(struct buf *b)
{
    if (b->data)
        wipe(b->data, b->len);
    buf_done(b);
}

/* A certificate in DER is a SEQUENCE whose length takes two more bytes (X.690, 8.1.3.5). */
static bool
looks_like_der(const struct buf *b)
{
    return b->len > 4 && (uint8_t)b->data[0] == 0x30 && (uint8_t)b->data[1] == 0x82;
}

int
input_bytes(struct ctl *c, const char *path, struct buf *b)
{
    acd_err err = ACD_ERR_INIT;
    int rc = io_read_file(path, b, &err);
    if (rc < 0)
        return fail_input(c, rc, "%s", err_text(&err, rc));
    return b->len ? 0 : fail_input(c, ACD_EINVAL, "%s is empty", path);
}

int
input_text(struct ctl *c, const char *path, struct buf *b)
{
    int rc = input_bytes(c, path, b);
    if (rc)
        return rc;
    if (looks_like_der(b))
        return fail_input(c, ACD_EINVAL, "%s is DER: convert it to PEM (openssl x509 -inform DER)", path);
    if (memchr(b->data, 0, b->len) || !utf8_valid(slice_of(b->data, b->len)))
        return fail_input(c, ACD_EINVAL, "%s is not text", path);
    return 0;
}

/* Read by hand: growing buffers leave copies of a key behind. */
int
input_secret(struct ctl *c, const char *path, char *out, size_t *ret_len)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    if (fd < 0)
        return fail_input(c, errno == ENOENT ? ACD_ENOENT : ACD_EIO, "%s: %s", path, strerror(errno));
    while (len <= LIMIT_KEY_PEM) {
        ssize_t n = read(fd, out + len, LIMIT_KEY_PEM + 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_input(c, ACD_EIO, "%s: %s", path, strerror(errno));
        if (n == 0)
            break;
        len += (size_t)n;
    }
    if (len > LIMIT_KEY_PEM)
        return fail_input(c, ACD_ELIMIT, "%s is larger than %d bytes", path, LIMIT_KEY_PEM);
    if (len == 0)
        return fail_input(c, ACD_EINVAL, "%s is empty", path);
    *ret_len = len;
    return 0;
}

static int
decode_all(struct ctl *c, const char *path, struct pem_reader *r, size_t max, acd_slice *ret, size_t *ret_n)
{
    acd_err err = ACD_ERR_INIT;
    struct pem_block b;
    size_t n = 0;
    int rc;
    while ((rc = pem_next(r, &b, &err)) > 0) {
        if (!pem_is_cert(&b))
            return fail_input(c, ACD_EINVAL, "%s: line %zu: a block that is not a certificate: %.*s", path,
                              b.line, (int)(b.label.len < 64 ? b.label.len : 64), (const char *)b.label.ptr);
        if (n == max)
            return fail_input(c, ACD_ELIMIT, "%s holds more than %zu certificates", path, max);
        uint8_t *der = ctl_need(mem_alloc(&c->region, PEM_DECODED(b.body.len)));
        rc = pem_decode(&b, der, &ret[n].len, &err);
        if (rc < 0)
            break;
        ret[n++].ptr = der;
    }
    if (rc < 0)
        return fail_input(c, rc, "%s: %s", path, err_text(&err, rc));
    if (n == 0)
        return fail_input(c, ACD_EINVAL, "%s holds no certificate", path);
    *ret_n = n;
    return 0;
}

int
input_chain(struct ctl *c, const char *path, size_t max, acd_slice *ret, size_t *ret_n)
{
    struct buf text = BUF_INIT(INPUT_PEM_MAX);
    struct pem_reader r;
    int rc = input_text(c, path, &text);
    if (rc == 0) {
        pem_init(&r, slice_of(text.data, text.len));
        rc = decode_all(c, path, &r, max, ret, ret_n);
    }
    input_wipe(&text);
    return rc;
}
