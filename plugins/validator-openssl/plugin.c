/* The descriptor. There are no options and no state: everything lives in bundles and questions. */
#include <stdlib.h>

#include "inspect.h"
#include "run.h"
#include "sign.h"

struct instance {
    const acd_host *host; /* for logs, none so far: a validator has nothing to say but its answers */
};

static int
conf_check(const acd_conf_val *vals, size_t n, acd_err *err)
{
    (void)vals;
    return n == 0 ? 0 : sdk_fail(err, ACD_EINVAL, "validator-openssl has no options");
}

static int
create(const acd_host *host, const acd_conf_val *vals, size_t n, void **ret_inst, acd_err *err)
{
    int rc = conf_check(vals, n, err);
    if (rc < 0)
        return rc;
    struct instance *i = calloc(1, sizeof(*i));
    if (!i)
        return sdk_fail(err, ACD_ENOMEM, "out of memory");
    i->host = host;
    *ret_inst = i;
    return 0;
}

static int
start(void *inst, acd_err *err)
{
    (void)inst;
    (void)err;
    return 0;
}

static int
health(void *inst, acd_err *err)
{
    (void)inst;
    (void)err;
    return 0;
}

static int
quiesce(void *inst, uint64_t deadline_ns)
{
    (void)inst;
    (void)deadline_ns;
    return 0;
}

static const acd_validator_ops ops = {
    .struct_size = sizeof(ops),
    .inspect = vo_inspect,
    .bundle_build = vo_bundle_build,
    .bundle_free = vo_bundle_free,
    .verify = vo_verify,
    .describe = vo_describe,
    .inspect_crl = vo_inspect_crl,
    .key_make = vo_key_make,
    .ca_make = vo_ca_make,
    .inspect_csr = vo_inspect_csr,
    .client_sign = vo_client_sign,
};

ACD_PLUGIN_DEFINE(ACD_VALIDATOR, "validator-openssl", "0.1.0", .thread = ACD_FREE_THREADED,
                  .caps = ACD_VERIFY_BOUNDED, .build_id = "openssl-3.0",
                  .summary = "X.509 upload checks and chain verification with OpenSSL",
                  .conf_check = conf_check, .create = create, .start = start, .health = health,
                  .quiesce = quiesce, .destroy = free, .ops = &ops);
