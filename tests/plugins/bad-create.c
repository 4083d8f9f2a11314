#include "zoo.h"

static int
create(const acd_host *host, const acd_conf_val *vals, size_t n, void **ret, acd_err *err)
{
    (void)host;
    (void)vals;
    (void)n;
    (void)ret;
    (void)snprintf(err->text, sizeof(err->text), "no luck");
    return ACD_EIO;
}

ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_VALIDATOR, "bad-create", .create = create);
