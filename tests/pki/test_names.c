/*
 * Names by RFC 9525 section 6: cases of our own, one row each. A row is the name that is asked for, the
 * subject alternative names of the certificate, and whether they match. A name is "D:" a dNSName, "I:" an
 * iPAddress in text, "E:" an rfc822Name, "U:" a URI; several are divided by blanks.
 */
#include <arpa/inet.h>
#include <check.h>
#include <stdbool.h>
#include <string.h>

#include "lib/main.h"
#include "names.h"

enum answer { NO, YES, BAD }; /* BAD: the question itself is refused */

struct row {
    const char *host, *san;
    enum answer want;
};

static const struct row rows[] = {
    /* the same name, in either case, with a final dot or without (6.3, 6.2) */
    {"a.example", "D:a.example", YES},
    {"A.EXAMPLE", "D:a.example", YES},
    {"a.example", "D:A.Example", YES},
    {"a.example.", "D:a.example", YES},
    {"a.example", "D:a.example.", NO},
    {"a.example..", "D:a.example", BAD},
    {".a.example", "D:a.example", BAD},
    {".", "D:a.example", BAD},
    {"", "D:a.example", BAD},
    {"example", "D:example", YES},
    {"localhost", "D:localhost", YES},
    /* other names */
    {"b.example", "D:a.example", NO},
    {"a.example", "D:a.exampl", NO},
    {"a.exampl", "D:a.example", NO},
    {"xa.example", "D:a.example", NO},
    {"a.example", "D:xa.example", NO},
    {"a.a.example", "D:a.example", NO},
    {"example", "D:a.example", NO},
    {"a.example", "D:example", NO},
    {"a.example", "D:.example", NO},
    {"a.example.org", "D:a.example", NO},
    {"a.example", "D:a.example.org", NO},
    /* one of several is enough, and only those of its kind count */
    {"a.example", "D:b.example D:a.example", YES},
    {"a.example", "D:b.example D:c.example", NO},
    {"a.example", "E:x@a.example", NO},
    {"a.example", "U:https://a.example/", NO},
    {"a.example", "E:a.example U:a.example D:a.example", YES},
    {"a.example", "", NO},
    /* the wildcard is the whole left-most label and stands for exactly one (6.3) */
    {"a.example.com", "D:*.example.com", YES},
    {"A.Example.Com", "D:*.eXAMPLE.com", YES},
    {"a.example.com.", "D:*.example.com", YES},
    {"example.com", "D:*.example.com", NO},
    {"a.b.example.com", "D:*.example.com", NO},
    {".example.com", "D:*.example.com", BAD},
    {"a.example.com", "D:*.example.org", NO},
    {"a.xexample.com", "D:*.example.com", NO},
    {"a_b.example.com", "D:*.example.com", YES},
    {"-.example.com", "D:*.example.com", BAD},
    {"1.example.com", "D:*.example.com", YES},
    {"a.example.com", "D:a*.example.com", NO},
    {"ab.example.com", "D:a*.example.com", NO},
    {"ab.example.com", "D:*b.example.com", NO},
    {"axb.example.com", "D:a*b.example.com", NO},
    {"a.example.com", "D:**.example.com", NO},
    {"a.b.example.com", "D:*.*.example.com", NO},
    {"a.b.example.com", "D:a.*.example.com", NO},
    {"a.example.com", "D:a.example.*", NO},
    {"a.example.com", "D:*.*.com", NO},
    {"a.example.com", "D:*", NO},
    {"a", "D:*", NO},
    {"com", "D:*", NO},
    {"example.com", "D:*.com", NO},
    {"a.com", "D:*.com", NO},
    {"a.example.com", "D:*.", NO},
    {"a.example.com", "D:.*.example.com", NO},
    {"a.example.com", "D:*example.com", NO},
    {"a.example.com", "D:*.example.com.", NO},
    {"a.example.com", "D:*..example.com", NO},
    {"a.example.com", "D:b.example.com D:*.example.com", YES},
    {"*.example.com", "D:*.example.com", BAD},
    {"*", "D:*", BAD},
    /* internationalised names are A-labels here; the wildcard matches a whole one (6.3), never a part */
    {"xn--bcher-kva.example", "D:xn--bcher-kva.example", YES},
    {"XN--BCHER-KVA.example", "D:xn--bcher-kva.example", YES},
    {"b\xc3\xbc"
     "cher.example",
     "D:xn--bcher-kva.example", BAD},
    {"xn--bcher-kva.example",
     "D:b\xc3\xbc"
     "cher.example",
     NO},
    {"xn--bcher-kva.example.com", "D:*.example.com", YES},
    {"xn--bcher-kva.example.com", "D:xn--*.example.com", NO},
    {"a.xn--bcher-kva.example", "D:*.xn--bcher-kva.example", YES},
    /* labels and lengths */
    {"a-b.example", "D:a-b.example", YES},
    {"-a.example", "D:-a.example", BAD},
    {"a..example", "D:a..example", BAD},
    {"a b.example", "D:a.example", BAD},
    {"a\tb.example", "D:a.example", BAD},
    {"a/b.example", "D:a.example", BAD},
    {"a:443", "D:a", BAD},
    {"a.example:443", "D:a.example", BAD},
    {"https://a.example", "D:a.example", BAD},
    {"x@a.example", "E:x@a.example", BAD},
    {"_sip.a.example", "D:_sip.a.example", YES},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
     "D:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", YES},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example",
     "D:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", BAD},
    /* addresses: an iPAddress of the same octets, and nothing else (6.5) */
    {"192.0.2.1", "I:192.0.2.1", YES},
    {"192.0.2.1", "I:192.0.2.2", NO},
    {"192.0.2.1", "D:192.0.2.1", NO},
    {"192.0.2.1", "D:*.0.2.1", NO},
    {"192.0.2.1", "E:192.0.2.1 D:a.example I:192.0.2.1", YES},
    {"a.example", "I:192.0.2.1", NO},
    {"2001:db8::1", "I:2001:db8::1", YES},
    {"2001:DB8:0:0:0:0:0:1", "I:2001:db8::1", YES},
    {"2001:db8::2", "I:2001:db8::1", NO},
    {"::1", "I:::1", YES},
    {"::ffff:192.0.2.1", "I:192.0.2.1", NO},
    {"192.0.2.1", "I:::ffff:192.0.2.1", NO},
    {"::ffff:192.0.2.1", "I:::ffff:192.0.2.1", YES},
    {"[2001:db8::1]", "I:2001:db8::1", BAD},
    {"2001:db8::1%eth0", "I:2001:db8::1", BAD},
    {"192.0.2", "I:192.0.2.0", NO},
    {"192.0.2.1.", "I:192.0.2.1", NO},
    {"192.0.2.01", "I:192.0.2.1", NO},
    {"0xc0.0.2.1", "I:192.0.2.1", NO},
    {"3221225985", "I:192.0.2.1", NO},
    {"192.0.2.256", "I:192.0.2.1", NO},
    {"1.2.3.4.5", "I:1.2.3.4", NO},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
_Static_assert(ROWS >= 100, "the table is worth its name");

static GENERAL_NAME *
name_of(const char *text, size_t len)
{
    GENERAL_NAME *n = GENERAL_NAME_new();
    uint8_t ip[16];
    char copy[128];
    ck_assert(n && len >= 2 && len < sizeof(copy));
    memcpy(copy, text + 2, len - 2);
    copy[len - 2] = '\0';
    if (text[0] == 'I') {
        int v4 = inet_pton(AF_INET, copy, ip) == 1;
        ck_assert(v4 || inet_pton(AF_INET6, copy, ip) == 1);
        ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
        ck_assert_int_eq(ASN1_OCTET_STRING_set(octets, ip, v4 ? 4 : 16), 1);
        GENERAL_NAME_set0_value(n, GEN_IPADD, octets);
        return n;
    }
    ASN1_IA5STRING *string = ASN1_IA5STRING_new();
    ck_assert_int_eq(ASN1_STRING_set(string, copy, (int)len - 2), 1);
    GENERAL_NAME_set0_value(n, text[0] == 'D' ? GEN_DNS : text[0] == 'E' ? GEN_EMAIL : GEN_URI, string);
    return n;
}

static GENERAL_NAMES *
names_of(const char *san)
{
    GENERAL_NAMES *list = GENERAL_NAMES_new();
    while (*san) {
        size_t len = strcspn(san, " ");
        ck_assert_int_gt(sk_GENERAL_NAME_push(list, name_of(san, len)), 0);
        san += len + (san[len] == ' ');
    }
    return list;
}

static enum answer
ask(const char *host, const GENERAL_NAMES *san)
{
    struct vo_peer peer;
    struct vo_fault f =
        vo_peer_read((acd_slice){host, strlen(host)}, (acd_slice){NULL, 0}, (acd_slice){NULL, 0}, &peer);
    return f.error ? BAD : vo_peer_match(&peer, san) ? YES : NO;
}

START_TEST(rows_of_the_table)
{
    const struct row *r = &rows[_i];
    GENERAL_NAMES *san = names_of(r->san);
    enum answer got = ask(r->host, san);
    ck_assert_msg(got == r->want, "'%s' against '%s': %d, not %d", r->host, r->san, got, r->want);
    GENERAL_NAMES_free(san);
}
END_TEST

/* What stands behind a NUL in a name is part of it: "a.example\0.evil.test" is no "a.example". */
START_TEST(a_name_does_not_end_at_a_nul)
{
    static const char evil[] = "a.example\0.evil.test";
    GENERAL_NAMES *san = GENERAL_NAMES_new();
    GENERAL_NAME *n = GENERAL_NAME_new();
    ASN1_IA5STRING *string = ASN1_IA5STRING_new();
    struct vo_peer peer;
    ck_assert_int_eq(ASN1_STRING_set(string, evil, sizeof(evil) - 1), 1);
    GENERAL_NAME_set0_value(n, GEN_DNS, string);
    ck_assert_int_gt(sk_GENERAL_NAME_push(san, n), 0);
    ck_assert_int_eq(ask("a.example", san), NO);
    ck_assert_int_eq(ask(".evil.test", san), BAD);
    ck_assert_ptr_nonnull(vo_san_fault(san).error);
    ck_assert_ptr_nonnull(
        vo_peer_read((acd_slice){evil, sizeof(evil) - 1}, (acd_slice){NULL, 0}, (acd_slice){NULL, 0}, &peer)
            .error);
    GENERAL_NAMES_free(san);
}
END_TEST

Suite *suite_names(void);

Suite *
suite_names(void)
{
    Suite *s = suite_create("names");
    TCase *c = tcase_create("rfc9525");
    tcase_add_loop_test(c, rows_of_the_table, 0, ROWS);
    tcase_add_test(c, a_name_does_not_end_at_a_nul);
    suite_add_tcase(s, c);
    return s;
}
