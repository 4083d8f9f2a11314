/* anchorctl: the administrators' command line. */
#include <langinfo.h>
#include <locale.h>

#include "ctl.h"

int
main(int argc, char **argv)
{
    /* Tables measure their cells in characters: they need to know that text is UTF-8. */
    if (!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    return ctl_main(argc, argv, stdout, stderr);
}
