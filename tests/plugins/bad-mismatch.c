/* The note and the descriptor do not agree on the name. */
#include "zoo.h"

ZOO_OPS(.struct_size = sizeof(zoo_ops));
ZOO(ACD_VALIDATOR, "bad-mismatch", .name = "somebody-else");
