#include "pem.h"

#include "base/str.h"
#include "lib/main.h"

#define B "-----BEGIN CERTIFICATE-----"
#define E "-----END CERTIFICATE-----"

static size_t
count(const char *text, int *ret_rc)
{
    struct pem_reader r;
    struct pem_block b;
    size_t n = 0;
    pem_init(&r, slice_str(text));
    while ((*ret_rc = pem_next(&r, &b, NULL)) > 0)
        n++;
    return n;
}

START_TEST(splits)
{
    static const char text[] =
        "\xef\xbb\xbf" B "\r\nQUJD\r\n" E "\r\ntext\n between\n" B "\nQUI=\n" E "  \t\n"
        "-----BEGIN X509 CRL-----\nQQ==\n-----END X509 CRL-----";
    struct pem_reader r;
    struct pem_block b;
    uint8_t out[16];
    size_t len;
    pem_init(&r, slice_of(text, sizeof(text) - 1));
    ck_assert_int_eq(pem_next(&r, &b, NULL), 1);
    ck_assert(pem_is_cert(&b) && b.line == 1);
    ck_assert(slice_eqs(b.text, B "\r\nQUJD\r\n" E "\r\n"));
    ck_assert_int_eq(pem_decode(&b, out, &len, NULL), 0);
    ck_assert(slice_eqs(slice_of(out, len), "ABC"));
    ck_assert_int_eq(pem_next(&r, &b, NULL), 1);
    ck_assert_uint_eq(b.line, 6);
    ck_assert_int_eq(pem_decode(&b, out, &len, NULL), 0);
    ck_assert(slice_eqs(slice_of(out, len), "AB"));
    ck_assert_int_eq(pem_next(&r, &b, NULL), 1);
    ck_assert(!pem_is_cert(&b) && slice_eqs(b.label, "X509 CRL"));
    ck_assert_int_eq(pem_next(&r, &b, NULL), 0);
    ck_assert_int_eq(pem_next(&r, &b, NULL), 0);
}
END_TEST

START_TEST(nothing_to_split)
{
    int rc;
    ck_assert(count("", &rc) == 0 && rc == 0);
    ck_assert(count("some text\n-----BEGIN\n ---- BEGIN X ----\n", &rc) == 0 && rc == 0);
    ck_assert(count(" " B "\nQQ==\n" E "\n", &rc) == 0 && rc == 0); /* a boundary begins its line */
}
END_TEST

static void
broken(const char *text, const char *why)
{
    acd_err err = ACD_ERR_INIT;
    struct pem_reader r;
    struct pem_block b;
    int rc;
    pem_init(&r, slice_str(text));
    while ((rc = pem_next(&r, &b, &err)) > 0)
        ;
    ck_assert_int_eq(rc, ACD_EINVAL);
    ck_assert_str_eq(err.text, why);
}

START_TEST(broken_blocks)
{
    broken("x\n" B "\nQQ==\n", "line 2: the block has no end");
    broken(B "\nQQ==\n" B "\nQQ==\n" E, "line 3: a block begins inside the one of line 1");
    broken(B "\nQQ==\n-----END X509 CRL-----\n", "line 3: the block of line 1 ends with another label");
    broken(B, "line 1: the block has no end");
}
END_TEST

static void
undecodable(const char *text, const char *why)
{
    acd_err err = ACD_ERR_INIT;
    struct pem_reader r;
    struct pem_block b;
    uint8_t out[64];
    size_t len;
    pem_init(&r, slice_str(text));
    ck_assert_int_eq(pem_next(&r, &b, &err), 1);
    ck_assert_uint_le(PEM_DECODED(b.body.len), sizeof(out));
    ck_assert_int_eq(pem_decode(&b, out, &len, &err), ACD_EINVAL);
    ck_assert_str_eq(err.text, why);
}

START_TEST(broken_bodies)
{
    undecodable(B "\n" E, "line 1: the block is empty");
    undecodable(B "\nQQ=\n" E, "line 1: the block is not base64");
    undecodable("\n" B "\nProc-Type: 4\n\nQQ==\n" E, "line 2: the block is not base64");
    undecodable(B "\nQQ==QQ==\n" E, "line 1: the block is not base64");
}
END_TEST

/* White space anywhere in the body, and a NUL byte that is none. */
START_TEST(white_space)
{
    static const char with_nul[] = B "\nQQ\0==\n" E;
    struct pem_reader r;
    struct pem_block b;
    uint8_t out[64];
    size_t len;
    pem_init(&r, slice_str(B "\n Q\tU\r\nJD \n\n" E));
    ck_assert_int_eq(pem_next(&r, &b, NULL), 1);
    ck_assert_int_eq(pem_decode(&b, out, &len, NULL), 0);
    ck_assert(slice_eqs(slice_of(out, len), "ABC"));
    pem_init(&r, slice_of(with_nul, sizeof(with_nul) - 1));
    ck_assert_int_eq(pem_next(&r, &b, NULL), 1);
    ck_assert_int_eq(pem_decode(&b, out, &len, NULL), ACD_EINVAL);
}
END_TEST

Suite *suite_pem(void);
Suite *
suite_pem(void)
{
    Suite *s = suite_create("anchorctl pem");
    ADD_TESTS(s, "pem", splits, nothing_to_split, broken_blocks, broken_bodies, white_space);
    return s;
}
