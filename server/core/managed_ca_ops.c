/* ManagedCaService: show, rotate, retire. */
#include "base/err.h"
#include "core/certs.h"
#include "core/find.h"
#include "core/managed_ca.h"

static int
find(struct unit *u, const char *account, struct managed_ca *ret, acd_err *err)
{
    acd_value *row;
    int rc = find_account(u, account, &row, err);
    return rc < 0 ? rc : managed_ca_find(u, row, ret, err);
}

static int
reply(struct unit *u, const struct managed_ca *ca, bool dry, void **ret_resp, acd_err *err)
{
    Anchord__V1__ManagedCaResponse *resp =
        wire_new(u->region, Anchord__V1__ManagedCaResponse, anchord__v1__managed_ca_response);
    if (!resp)
        return ACD_ENOMEM;
    resp->dry_run = dry;
    *ret_resp = resp;
    return cert_msg(u, ca->cert, true, &resp->certificate, err);
}

static void
note(struct unit *u, const struct managed_ca *ca, const char *what)
{
    unit_note(u, row_text(ca->account, ACCOUNT_ID), row_text(ca->cert, CERT_ID), what);
}

static int
managed_ca_get(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__GetManagedCaRequest *req = req_;
    struct managed_ca ca;
    (void)plan_;
    int rc = find(u, req->account, &ca, err);
    return rc < 0 ? rc : reply(u, &ca, false, ret_resp, err);
}

/* --- rotate -----------------------------------------------------------------------------------------------
 */

static int
key_kind(Anchord__V1__KeyType type, enum acd_key_kind *ret, acd_err *err)
{
    switch (type) {
    case ANCHORD__V1__KEY_TYPE__KEY_TYPE_UNSPECIFIED:
    case ANCHORD__V1__KEY_TYPE__KEY_TYPE_P256:
        *ret = ACD_KEY_P256;
        return 0;
    case ANCHORD__V1__KEY_TYPE__KEY_TYPE_RSA2048:
        *ret = ACD_KEY_RSA2048;
        return 0;
    case ANCHORD__V1__KEY_TYPE__KEY_TYPE_RSA4096:
        *ret = ACD_KEY_RSA4096;
        return 0;
    default:
        return err_set(err, ACD_EINVAL, "key type %d is unknown: P-256, RSA-2048 or RSA-4096", (int)type);
    }
}

static int
rotate_prepare(struct core *core, struct rpc_call *call, const void *req_, void **ret_plan, acd_err *err)
{
    const Anchord__V1__RotateManagedCaRequest *req = req_;
    enum acd_key_kind kind = ACD_KEY_P256;
    struct secret *key = mem_new(call->region, struct secret);
    int rc = key ? key_kind(req->key_type, &kind, err) : ACD_ENOMEM;
    *ret_plan = key;
    return rc < 0 ? rc : managed_ca_key(core, call, kind, key, err);
}

static void
rotate_release(void *plan)
{
    secret_done(plan);
}

static int
rotate(struct unit *u, const void *req_, void *plan, void **ret_resp, acd_err *err)
{
    const Anchord__V1__RotateManagedCaRequest *req = req_;
    struct managed_ca ca;
    int rc = find(u, req->account, &ca, err);
    if (rc == 0)
        rc = managed_ca_add(u, &ca, secret_slice(plan), err);
    if (rc < 0)
        return rc;
    note(u, &ca, "a new key signs");
    return reply(u, &ca, req->dry_run, ret_resp, err);
}

static bool
rotate_dry(const void *req)
{
    return ((const Anchord__V1__RotateManagedCaRequest *)req)->dry_run;
}

/* --- retire -----------------------------------------------------------------------------------------------
 */

static int
retire(struct unit *u, const void *req_, void *plan_, void **ret_resp, acd_err *err)
{
    const Anchord__V1__RetireManagedCaRequest *req = req_;
    struct managed_ca ca;
    uint64_t orphans = 0;
    uint32_t retired = 0;
    (void)plan_;
    int rc = find(u, req->account, &ca, err);
    if (rc == 0)
        rc = managed_ca_retire(u, &ca, &retired, &orphans, err);
    if (rc == 0)
        rc = reply(u, &ca, req->dry_run, ret_resp, err);
    if (rc < 0)
        return rc;
    Anchord__V1__ManagedCaResponse *resp = *ret_resp;
    resp->retired = retired;
    resp->orphaned = orphans;
    note(u, &ca, mem_printf(u->region, "%u certificates retired", retired));
    return 0;
}

static bool
retire_dry(const void *req)
{
    return ((const Anchord__V1__RetireManagedCaRequest *)req)->dry_run;
}

const struct op managed_ca_ops[] = {
    OP_READ("ManagedCaService/GetManagedCa", managed_ca_get),
    {.method = "ManagedCaService/RotateManagedCa",
     .prepare = rotate_prepare,
     .apply = rotate,
     .release = rotate_release,
     .write = true,
     .dry_run = rotate_dry},
    OP_WRITE_DRY("ManagedCaService/RetireManagedCa", NULL, retire, retire_dry),
    {0},
};
