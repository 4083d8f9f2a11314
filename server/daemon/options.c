#include "daemon/options.h"

#include <getopt.h>
#include <stdio.h>

enum { OPT_CONFIG = 256, OPT_DATA, OPT_LISTEN, OPT_ROLE, OPT_PRIMARY, OPT_CHECK, OPT_DUMP };

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"data", required_argument, NULL, OPT_DATA},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"role", required_argument, NULL, OPT_ROLE},
    {"primary", required_argument, NULL, OPT_PRIMARY},
    {"check-config", no_argument, NULL, OPT_CHECK},
    {"dump-config", no_argument, NULL, OPT_DUMP},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {0},
};

void
options_help(void)
{
    (void)fputs("Usage: anchord [OPTION]...\n"
                "Policy evaluation server for mTLS trust.\n\n"
                "  --config FILE     configuration (YAML); none is needed\n"
                "  --data DIR        directory of the database, the image and the default socket\n"
                "                    (default: $STATE_DIRECTORY, else ./var)\n"
                "  --listen URL      ipc://PATH or tcp://ADDRESS:PORT; may be given more than once\n"
                "                    (default: ipc://DIR/anchord.sock)\n"
                "  --role ROLE       primary (default)\n"
                "  --primary URL     the primary that an edge follows\n"
                "  --check-config    check the configuration and the plugins' options, and exit\n"
                "  --dump-config     print the effective configuration, and exit\n"
                "  -h, --help        this text\n"
                "  -V, --version     the version\n",
                stdout);
}

bool
options_parse(int argc, char **argv, struct options *ret)
{
    int c;
    *ret = (struct options){0};
    while ((c = getopt_long(argc, argv, "hV", long_options, NULL)) != -1) {
        switch (c) {
        case OPT_CONFIG:
            ret->config = optarg;
            break;
        case OPT_DATA:
            ret->data = optarg;
            break;
        case OPT_LISTEN:
            if (ret->nlisten == OPTIONS_LISTEN_MAX) {
                (void)fprintf(stderr, "anchord: at most %d --listen\n", OPTIONS_LISTEN_MAX);
                return false;
            }
            ret->listen[ret->nlisten++] = optarg;
            break;
        case OPT_ROLE:
            ret->role = optarg;
            break;
        case OPT_PRIMARY:
            ret->primary = optarg;
            break;
        case OPT_CHECK:
            ret->check_config = true;
            break;
        case OPT_DUMP:
            ret->dump_config = true;
            break;
        case 'h':
            ret->help = true;
            break;
        case 'V':
            ret->version = true;
            break;
        default:
            (void)fputs("Try 'anchord --help'.\n", stderr);
            return false;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "anchord: unexpected argument '%s'\nTry 'anchord --help'.\n", argv[optind]);
        return false;
    }
    return true;
}
