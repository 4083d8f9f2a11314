/* Says "verified" by an anchor that is not there. */
#include "zoo.h"

static int
verify(const acd_bundle *b, const acd_verify *what, const acd_call *call, acd_verdict *ret, acd_err *err)
{
    (void)b;
    (void)what;
    (void)call;
    (void)err;
    ret->result = ACD_VERIFIED;
    ret->anchor = 3;
    return 0;
}

ZOO_OPS(.verify = verify);
ZOO(ACD_VALIDATOR, "bad-verdict", .caps = 0);
