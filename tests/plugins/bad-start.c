#include "zoo.h"

static int
start(void *inst, acd_err *err)
{
    (void)inst;
    (void)snprintf(err->text, sizeof(err->text), "no luck");
    return ACD_EIO;
}

ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_VALIDATOR, "bad-start", .start = start);
