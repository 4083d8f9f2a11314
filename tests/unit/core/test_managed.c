/* The managed CA and the client certificates that it signs. */
#include <openssl/bn.h>
#include <stdio.h>

#include "base/str.h"
#include "lib/main.h"
#include "model/limits.h"
#include "pki.h"
#include "rig.h"

static unsigned calls; /* every call has a key of its own */

static const void *
ask(const char *method, const void *req)
{
    char key[32];
    (void)snprintf(key, sizeof(key), "call %u", calls++);
    return rig_invoke(1, key, method, req);
}

static void
setup(void)
{
    rig_setup();
    Anchord__V1__CreateAccountRequest account = ANCHORD__V1__CREATE_ACCOUNT_REQUEST__INIT;
    account.name = WIRE_STR("acme");
    ck_assert_ptr_nonnull(ask("AccountService/CreateAccount", &account));
    Anchord__V1__CreateZoneRequest zone = ANCHORD__V1__CREATE_ZONE_REQUEST__INIT;
    zone.account = WIRE_STR("acme");
    zone.name = WIRE_STR("example.com");
    ck_assert_ptr_nonnull(ask("ZoneService/CreateZone", &zone));
}

static const Anchord__V1__ClientCertificateResponse *
issue(const char *csr, uint32_t days, bool dry)
{
    Anchord__V1__IssueClientCertificateRequest req = ANCHORD__V1__ISSUE_CLIENT_CERTIFICATE_REQUEST__INIT;
    req.zone = WIRE_STR("example.com");
    req.csr = WIRE_STR(csr);
    req.validity_days = days;
    req.dry_run = dry;
    return ask("ClientCertService/IssueClientCertificate", &req);
}

static char id[64];

static const Anchord__V1__ClientCertificateResponse *
issue_one(const char *cn)
{
    const Anchord__V1__ClientCertificateResponse *resp = issue(pki_csr(cn, NULL), 30, false);
    ck_assert_msg(resp != NULL, "%s", rig_call.err.text);
    (void)snprintf(id, sizeof(id), "%s", resp->certificate->id);
    return resp;
}

static const Anchord__V1__ClientCertificateResponse *
change(const char *method, const char *which)
{
    Anchord__V1__ChangeClientCertificateRequest req = ANCHORD__V1__CHANGE_CLIENT_CERTIFICATE_REQUEST__INIT;
    req.zone = WIRE_STR("example.com");
    req.id = WIRE_STR(which);
    return ask(method, &req);
}
#define REVOKE     "ClientCertService/RevokeClientCertificate"
#define REACTIVATE "ClientCertService/ReactivateClientCertificate"

static const Anchord__V1__ManagedCaResponse *
show(void)
{
    Anchord__V1__GetManagedCaRequest req = ANCHORD__V1__GET_MANAGED_CA_REQUEST__INIT;
    req.account = WIRE_STR("acme");
    return ask("ManagedCaService/GetManagedCa", &req);
}

static const Anchord__V1__ManagedCaResponse *
rotate(int type, bool dry)
{
    Anchord__V1__RotateManagedCaRequest req = ANCHORD__V1__ROTATE_MANAGED_CA_REQUEST__INIT;
    req.account = WIRE_STR("acme");
    req.key_type = (Anchord__V1__KeyType)type;
    req.dry_run = dry;
    return ask("ManagedCaService/RotateManagedCa", &req);
}

static const Anchord__V1__ManagedCaResponse *
retire(bool dry)
{
    Anchord__V1__RetireManagedCaRequest req = ANCHORD__V1__RETIRE_MANAGED_CA_REQUEST__INIT;
    req.account = WIRE_STR("acme");
    req.dry_run = dry;
    return ask("ManagedCaService/RetireManagedCa", &req);
}

START_TEST(the_first_certificate_makes_the_ca)
{
    ck_assert_uint_eq(show()->certificate->n_items, 0);
    const Anchord__V1__ClientCertificateResponse *dry = issue(pki_csr("bob", NULL), 30, true);
    ck_assert_msg(dry != NULL, "%s", rig_call.err.text);
    ck_assert_uint_eq(show()->certificate->n_items, 0);
    const Anchord__V1__ClientCertificate *c = issue_one("bob")->certificate;
    ck_assert_str_eq(c->common_name, "bob");
    ck_assert_str_eq(c->signature, "ECDSAWithSHA256");
    BIGNUM *hex = NULL, *dec = NULL;
    ck_assert(BN_hex2bn(&hex, c->serial_hex) && BN_dec2bn(&dec, c->serial_number));
    ck_assert_int_eq(BN_cmp(hex, dec), 0);
    BN_free(hex);
    BN_free(dec);
    ck_assert_int_eq(c->status, ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_ACTIVE);
    ck_assert_int_eq(c->not_after_ms, rig_wall_ms + 30 * 86400000ll);
    ck_assert_int_le(c->not_before_ms, rig_wall_ms);
    ck_assert_uint_eq(c->sha256.len, 32);
    const Anchord__V1__Certificate *ca = show()->certificate;
    ck_assert_uint_eq(ca->n_items, 1);
    ck_assert_str_eq(ca->items[0]->key_type, "P-256");
    ck_assert(ca->has_private_key && ca->items[0]->self_signed);
    ck_assert_ptr_null(strstr(ca->certificates, "PRIVATE"));
}
END_TEST

START_TEST(a_bad_request_is_refused_with_its_findings)
{
    char broken[4096];
    (void)snprintf(broken, sizeof(broken), "%s", pki_csr("bob", NULL));
    char *body = strchr(broken, '\n') + 80;
    *body = *body == 'A' ? 'B' : 'A';
    const char *const bad[] = {"", "hello", broken, pki_csr(NULL, NULL)};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_ptr_null(issue(bad[i], 30, false));
        ck_assert_int_eq(rig_call.status, ACD_EINVAL);
        ck_assert_uint_ge(rig_call.reply.n_details, 2);
    }
    ck_assert_ptr_null(issue(pki_csr("bob", NULL), LIMIT_CLIENT_CERT_DAYS + 1, false));
    ck_assert_int_eq(rig_call.status, ACD_EINVAL);
    ck_assert_ptr_nonnull(issue(pki_csr(NULL, "DNS:bob.example"), LIMIT_CLIENT_CERT_DAYS, false));
}
END_TEST

/* The rig allows three. */
START_TEST(only_active_ones_take_places)
{
    char first[64];
    issue_one("one");
    (void)snprintf(first, sizeof(first), "%s", id);
    issue_one("two");
    issue_one("three");
    ck_assert_ptr_null(issue(pki_csr("four", NULL), 30, false));
    ck_assert_int_eq(rig_call.status, ACD_ELIMIT);
    ck_assert_ptr_nonnull(strstr(rig_call.err.text, "Hit maximum certificate allocation"));
    ck_assert_ptr_nonnull(change(REVOKE, first));
    issue_one("four");
    ck_assert_ptr_null(change(REACTIVATE, first));
    ck_assert_int_eq(rig_call.status, ACD_ELIMIT);
    ck_assert_ptr_nonnull(change(REVOKE, id));
    ck_assert_ptr_nonnull(change(REACTIVATE, first));
}
END_TEST

START_TEST(revoked_and_taken_back)
{
    issue_one("bob");
    rig_wall_ms += 1000;
    const Anchord__V1__ClientCertificateResponse *resp = change(REVOKE, id);
    ck_assert_int_eq(resp->certificate->status,
                     ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_REVOKED);
    ck_assert_int_eq(resp->certificate->revoked_ms, rig_wall_ms);
    ck_assert_ptr_null(change(REVOKE, id));
    ck_assert_int_eq(rig_call.status, ACD_EPRECOND);
    resp = change(REACTIVATE, id);
    ck_assert_int_eq(resp->certificate->status,
                     ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_ACTIVE);
    ck_assert_int_eq(resp->certificate->revoked_ms, 0);
    unsigned published = rig_published;
    ck_assert_ptr_nonnull(change(REACTIVATE, id));
    ck_assert_uint_eq(rig_published, published);
    ck_assert_ptr_null(change(REVOKE, "00000000-0000-4000-8000-000000000000"));
    ck_assert_int_eq(rig_call.status, ACD_ENOENT);
}
END_TEST

START_TEST(lists_go_by_status_newest_first)
{
    issue_one("one");
    ck_assert_ptr_nonnull(change(REVOKE, id));
    issue_one("two");
    Anchord__V1__ListClientCertificatesRequest req = ANCHORD__V1__LIST_CLIENT_CERTIFICATES_REQUEST__INIT;
    req.zone = WIRE_STR("example.com");
    const Anchord__V1__ListClientCertificatesResponse *resp =
        ask("ClientCertService/ListClientCertificates", &req);
    ck_assert_uint_eq(resp->n_certificates, 2);
    ck_assert_str_eq(resp->certificates[0]->common_name, "two");
    req.status = ANCHORD__V1__CLIENT_CERTIFICATE_STATUS__CLIENT_CERTIFICATE_REVOKED;
    resp = ask("ClientCertService/ListClientCertificates", &req);
    ck_assert_uint_eq(resp->n_certificates, 1);
    ck_assert_uint_eq(resp->page->total, 1);
    ck_assert_str_eq(resp->certificates[0]->common_name, "one");
    req.status = 0;
    Anchord__V1__PageRequest page = ANCHORD__V1__PAGE_REQUEST__INIT;
    page.size = 1;
    req.page = &page;
    char after[64];
    resp = ask("ClientCertService/ListClientCertificates", &req);
    ck_assert_uint_eq(resp->n_certificates, 1);
    (void)snprintf(after, sizeof(after), "%s", resp->page->next);
    page.after = after;
    resp = ask("ClientCertService/ListClientCertificates", &req);
    ck_assert_uint_eq(resp->n_certificates, 1);
    ck_assert_str_eq(resp->certificates[0]->common_name, "one");
    ck_assert_str_eq(resp->page->next, "");
}
END_TEST

START_TEST(rotation_overlaps_until_retirement)
{
    char first[256];
    ck_assert_ptr_null(retire(false));
    ck_assert_int_eq(rig_call.status, ACD_EPRECOND);
    issue_one("old");
    (void)snprintf(first, sizeof(first), "%s", show()->certificate->items[0]->ski);
    ck_assert_uint_eq(rotate(ANCHORD__V1__KEY_TYPE__KEY_TYPE_RSA2048, true)->certificate->n_items, 2);
    ck_assert_uint_eq(show()->certificate->n_items, 1);
    const Anchord__V1__Certificate *ca = rotate(ANCHORD__V1__KEY_TYPE__KEY_TYPE_RSA2048, false)->certificate;
    ck_assert_str_eq(ca->items[0]->key_type, "RSA");
    ck_assert_str_eq(ca->items[1]->ski, first);
    ck_assert_str_eq(issue_one("new")->certificate->signature, "SHA256WithRSA");
    const Anchord__V1__ManagedCaResponse *done = retire(false);
    ck_assert_uint_eq(done->retired, 1);
    ck_assert_uint_eq(done->orphaned, 1);
    ck_assert_uint_eq(done->certificate->n_items, 1);
    ck_assert_str_ne(show()->certificate->items[0]->ski, first);
    struct core_keys keys;
    uint64_t bad;
    ck_assert_int_eq(core_check_keys(rig_core(), &rig_call, &keys, &bad, NULL), 0);
    ck_assert_uint_eq(keys.wrapped, 1);
    ck_assert_uint_eq(bad, 0);
    ck_assert_ptr_null(rotate(99, false));
    ck_assert_int_eq(rig_call.status, ACD_EINVAL);
}
END_TEST

START_TEST(rotations_are_bounded)
{
    for (int i = 0; i < LIMIT_MANAGED_CERTS; i++)
        ck_assert_ptr_nonnull(rotate(0, false));
    ck_assert_ptr_null(rotate(0, false));
    ck_assert_int_eq(rig_call.status, ACD_ELIMIT);
    ck_assert_uint_eq(retire(false)->retired, LIMIT_MANAGED_CERTS - 1);
    ck_assert_ptr_nonnull(rotate(0, false));
}
END_TEST

START_TEST(a_certificate_never_outlives_its_ca)
{
    ck_assert_ptr_nonnull(rotate(0, false));
    int64_t end = show()->certificate->items[0]->not_after_ms;
    rig_wall_ms = end - 10 * 86400000ll;
    const Anchord__V1__ClientCertificateResponse *resp = issue(pki_csr("bob", NULL), 30, false);
    ck_assert_msg(resp != NULL, "%s", rig_call.err.text);
    ck_assert_int_eq(resp->certificate->not_after_ms, end);
    ck_assert_uint_eq(resp->n_findings, 1);
    ck_assert_str_eq(resp->findings[0]->code, "client_cert.shortened");
    rig_wall_ms = end + 1000;
    ck_assert_ptr_null(issue(pki_csr("bob", NULL), 30, false));
    ck_assert_ptr_nonnull(strstr(rig_call.err.text, "expired"));
}
END_TEST

START_TEST(a_zone_goes_when_no_active_one_is_left)
{
    Anchord__V1__DeleteZoneRequest zone = ANCHORD__V1__DELETE_ZONE_REQUEST__INIT;
    Anchord__V1__DeleteAccountRequest account = ANCHORD__V1__DELETE_ACCOUNT_REQUEST__INIT;
    zone.zone = WIRE_STR("example.com");
    account.account = WIRE_STR("acme");
    issue_one("bob");
    ck_assert_ptr_null(ask("ZoneService/DeleteZone", &zone));
    ck_assert_int_eq(rig_call.status, ACD_EPRECOND);
    ck_assert_ptr_nonnull(change(REVOKE, id));
    ck_assert_ptr_nonnull(ask("ZoneService/DeleteZone", &zone));
    ck_assert_ptr_nonnull(ask("AccountService/DeleteAccount", &account));
}
END_TEST

Suite *suite_managed(void);

Suite *
suite_managed(void)
{
    Suite *s = suite_create("core/managed_ca");
    TCase *c = tcase_create("managed_ca");
    const TTest *tests[] = {the_first_certificate_makes_the_ca,
                            a_bad_request_is_refused_with_its_findings,
                            only_active_ones_take_places,
                            revoked_and_taken_back,
                            lists_go_by_status_newest_first,
                            rotation_overlaps_until_retirement,
                            rotations_are_bounded,
                            a_certificate_never_outlives_its_ca,
                            a_zone_goes_when_no_active_one_is_left};
    tcase_set_timeout(c, 60); /* RSA keys, under a sanitizer */
    tcase_add_checked_fixture(c, setup, rig_teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
