/* Private keys at rest: kept with an upload, sealed to their row, told when their wrapping key is gone. */
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/str.h"
#include "core/keys.h"
#include "lib/main.h"
#include "pki.h"
#include "rig.h"

#define OTHER_KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"

static struct pki_pair ca, leaf;
static char other_file[128];

static void
setup(void)
{
    rig_setup();
    (void)snprintf(other_file, sizeof(other_file), "%s.other", rig_key_file);
    pki_make(&ca, "ca", 1);
    pki_make(&leaf, "leaf", 0);
    Anchord__V1__CreateAccountRequest req = ANCHORD__V1__CREATE_ACCOUNT_REQUEST__INIT;
    req.name = WIRE_STR("acme");
    ck_assert_ptr_nonnull(rig_invoke(1, "account", "AccountService/CreateAccount", &req));
}

static void
teardown(void)
{
    (void)unlink(other_file);
    rig_teardown();
}

static const Anchord__V1__UploadCertificateResponse *
upload(const char *key_name, const struct pki_pair *pair, const char *key, bool is_leaf, bool dry)
{
    Anchord__V1__UploadCertificateRequest req = ANCHORD__V1__UPLOAD_CERTIFICATE_REQUEST__INIT;
    req.account = WIRE_STR("acme");
    req.name = WIRE_STR(key_name);
    req.leaf = is_leaf;
    req.certificates = WIRE_STR(pair->cert);
    req.private_key = wire_bytes(slice_of(key, key ? strlen(key) : 0));
    req.dry_run = dry;
    return rig_invoke(1, key_name, "CaService/UploadCertificate", &req);
}

static char upload_id[64];

static void
upload_with_key(const char *key_name, const struct pki_pair *pair, bool is_leaf)
{
    const Anchord__V1__UploadCertificateResponse *resp = upload(key_name, pair, pair->key, is_leaf, false);
    ck_assert_msg(resp != NULL, "%s", rig_call.err.text);
    ck_assert(resp->certificate->has_private_key);
    (void)snprintf(upload_id, sizeof(upload_id), "%s", resp->certificate->id);
}

/* The rows as storage has them. */
struct rows {
    struct mem_region region;
    struct db_rows rows;
    struct plug_session *s;
    struct db db;
};

static void
read_rows(struct rows *r)
{
    mem_init(&r->region, 65536, 0);
    ck_assert_int_eq(plug_session_open(rig_storage(), &r->s, NULL), 0);
    ck_assert_int_eq(plug_begin(r->s, 1, 0, NULL), 0);
    r->db = (struct db){r->s, &r->region};
    ck_assert_int_eq(db_list(&r->db, &(struct db_query){.coll = COLL_KEY}, &r->rows, NULL), 0);
}

static void
done_rows(struct rows *r)
{
    ck_assert_int_eq(plug_commit(r->s, NULL), 0);
    plug_session_close(r->s);
    mem_done(&r->region);
}

static uint64_t
count_rows(void)
{
    struct rows r;
    read_rows(&r);
    uint64_t n = r.rows.n;
    done_rows(&r);
    return n;
}

static uint64_t
bad_keys(struct core_keys *ret)
{
    uint64_t bad = 0;
    ck_assert_int_eq(core_check_keys(rig_core(), &rig_call, ret, &bad, NULL), 0);
    return bad;
}

START_TEST(a_key_is_kept_sealed_and_goes_with_its_certificate)
{
    struct rows r;
    struct core_keys keys;
    upload_with_key("ca", &ca, false);
    read_rows(&r);
    ck_assert_uint_eq(r.rows.n, 1);
    acd_slice sealed = r.rows.rows[0][KEY_SEALED].bytes;
    ck_assert_uint_eq(sealed.len, strlen(ca.key) + SEAL_EXTRA);
    ck_assert_ptr_null(memmem(sealed.ptr, sealed.len, "PRIVATE", 7));
    done_rows(&r);
    ck_assert_uint_eq(bad_keys(&keys), 0);
    ck_assert_uint_eq(keys.wrapped, 1);
    Anchord__V1__DeleteCertificateRequest del = ANCHORD__V1__DELETE_CERTIFICATE_REQUEST__INIT;
    del.id = upload_id;
    ck_assert_ptr_nonnull(rig_invoke(1, "delete", "CaService/DeleteCertificate", &del));
    ck_assert_uint_eq(count_rows(), 0);
}
END_TEST

/* The decoded request and the bytes it came from share memory with whoever comes next. */
START_TEST(the_request_forgets_its_key)
{
    const char *line = strchr(ca.key, '\n') + 1;
    upload_with_key("ca", &ca, false);
    ck_assert_ptr_null(memmem(rig_call.frame.payload.ptr, rig_call.frame.payload.len, line, 32));
    ck_assert_ptr_null(upload("twice", &ca, ca.key, false, false));
    ck_assert_ptr_null(memmem(rig_call.frame.payload.ptr, rig_call.frame.payload.len, line, 32));
}
END_TEST

START_TEST(a_dry_run_makes_nothing)
{
    ck_assert_ptr_nonnull(upload("dry", &ca, ca.key, false, true));
    ck_assert_uint_eq(count_rows(), 0);
    ck_assert_int_ne(access(rig_key_file, F_OK), 0);
}
END_TEST

START_TEST(a_leaf_needs_its_key_and_is_for_workers)
{
    ck_assert_ptr_null(upload("none", &leaf, NULL, true, false));
    ck_assert_ptr_nonnull(strstr(rig_call.err.text, "A leaf needs the private key"));
    ck_assert_ptr_null(upload("wrong", &leaf, ca.key, true, false));
    upload_with_key("leaf", &leaf, true);
    Anchord__V1__GetCertificateRequest get = ANCHORD__V1__GET_CERTIFICATE_REQUEST__INIT;
    get.id = upload_id;
    const Anchord__V1__Certificate *m = rig_invoke(1, "get", "CaService/GetCertificate", &get);
    ck_assert_str_eq(m->product, "workers");
    ck_assert(!m->ca && m->has_private_key);
    ck_assert_ptr_null(strstr(m->certificates, "PRIVATE"));
    Anchord__V1__UploadCertificateRequest req = ANCHORD__V1__UPLOAD_CERTIFICATE_REQUEST__INIT;
    req.account = req.name = WIRE_STR("acme");
    req.leaf = true;
    req.product = WIRE_STR("gateway");
    ck_assert_ptr_null(rig_invoke(1, "product", "CaService/UploadCertificate", &req));
    ck_assert_ptr_nonnull(strstr(rig_call.err.text, "workers"));
}
END_TEST

/* Contents of one row in another, by somebody who can write to storage. */
START_TEST(a_row_that_was_moved_does_not_open)
{
    struct rows r;
    struct core_keys keys;
    upload_with_key("ca", &ca, false);
    upload_with_key("leaf", &leaf, true);
    ck_assert_uint_eq(bad_keys(&keys), 0);
    read_rows(&r);
    acd_value *to = r.rows.rows[0];
    to[KEY_SEALED] = r.rows.rows[1][KEY_SEALED];
    ck_assert_int_eq(db_put(&r.db, COLL_KEY, to, ACD_REV_ANY, NULL), 0);
    done_rows(&r);
    ck_assert_uint_eq(bad_keys(&keys), 1);
    ck_assert_uint_eq(keys.unreadable, 0);
}
END_TEST

/* Without the file there is no new key either: it would hide that the old one was lost. */
START_TEST(a_lost_wrapping_key_is_told_and_never_replaced)
{
    struct core_keys keys;
    char lost[KEYRING_ID_LEN + 1];
    upload_with_key("ca", &ca, false);
    ck_assert_uint_eq(bad_keys(&keys), 0);
    memcpy(lost, keys.key_id, sizeof(lost));
    ck_assert_int_eq(unlink(rig_key_file), 0);
    rig_restart(&(struct keyring_opts){.own = rig_key_file});
    ck_assert_ptr_null(upload("leaf", &leaf, leaf.key, true, false));
    ck_assert_int_eq(rig_call.status, ACD_EPRECOND);
    ck_assert_ptr_nonnull(strstr(rig_call.err.text, lost));
    ck_assert_int_ne(access(rig_key_file, F_OK), 0);
    ck_assert_int_eq(core_key_status(rig_core(), &rig_call, &keys, NULL), 0);
    ck_assert_uint_eq(keys.unreadable, 1);
    ck_assert_uint_eq(keys.nmissing, 1);
    ck_assert_str_eq(keys.missing[0], lost);
    ck_assert_uint_eq(bad_keys(&keys), 1);
}
END_TEST

static const Anchord__V1__RewrapKeysResponse *
rewrap(const char *key, uint32_t limit, bool dry)
{
    Anchord__V1__RewrapKeysRequest req = ANCHORD__V1__REWRAP_KEYS_REQUEST__INIT;
    req.limit = limit;
    req.dry_run = dry;
    return rig_invoke(1, key, "KeyService/RewrapKeys", &req);
}

START_TEST(rotation_rewraps_step_by_step)
{
    struct core_keys keys;
    const char *old[] = {rig_key_file};
    upload_with_key("ca", &ca, false);
    upload_with_key("leaf", &leaf, true);
    ck_assert_int_eq(io_write_durable(other_file, OTHER_KEY, sizeof(OTHER_KEY) - 1, 0600, NULL), 0);
    rig_restart(&(struct keyring_opts){.own = rig_key_file, .file = other_file});
    ck_assert_ptr_null(rewrap("without", 0, false)); /* the earlier key was not given */
    ck_assert_int_eq(rig_call.status, ACD_EPRECOND);
    rig_restart(&(struct keyring_opts){.own = rig_key_file, .file = other_file, .old = old, .nold = 1});
    ck_assert_uint_eq(bad_keys(&keys), 0);
    ck_assert_uint_eq(keys.to_rewrap, 2);
    const Anchord__V1__RewrapKeysResponse *resp = rewrap("dry", 0, true);
    ck_assert_uint_eq(resp->rewrapped, 2);
    resp = rewrap("one", 1, false);
    ck_assert_uint_eq(resp->rewrapped, 1);
    ck_assert_uint_eq(resp->remaining, 1);
    resp = rewrap("two", 1, false);
    ck_assert_uint_eq(resp->remaining, 0);
    resp = rewrap("none", 0, false);
    ck_assert_uint_eq(resp->rewrapped, 0);
    rig_restart(&(struct keyring_opts){.own = rig_key_file, .file = other_file});
    ck_assert_uint_eq(bad_keys(&keys), 0);
    ck_assert_uint_eq(keys.to_rewrap + keys.unreadable, 0);
}
END_TEST

Suite *suite_keys(void);

Suite *
suite_keys(void)
{
    Suite *s = suite_create("core/keys");
    TCase *c = tcase_create("keys");
    const TTest *tests[] = {a_key_is_kept_sealed_and_goes_with_its_certificate,
                            the_request_forgets_its_key,
                            a_dry_run_makes_nothing,
                            a_leaf_needs_its_key_and_is_for_workers,
                            a_row_that_was_moved_does_not_open,
                            a_lost_wrapping_key_is_told_and_never_replaced,
                            rotation_rewraps_step_by_step};
    tcase_add_checked_fixture(c, setup, teardown);
    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
        tcase_add_test(c, tests[i]);
    suite_add_tcase(s, c);
    return s;
}
