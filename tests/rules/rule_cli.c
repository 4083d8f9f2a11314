/* `rule` as a program of its own, for scripts that drive the offline forms. */
#include "anchorctl/offline_rule.h"

int
main(int argc, char **argv)
{
    return offline_rule(argc, argv);
}
