/* The note is good, the descriptor is of another major. */
#include "zoo.h"

ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_VALIDATOR, "bad-desc-major", .major = 2);
