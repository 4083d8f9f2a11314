#include "zoo.h"

ZOO_OPS(.verify = NULL);
ZOO(ACD_VALIDATOR, "bad-function", .caps = 0);
