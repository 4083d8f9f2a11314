#include "offline_validator.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "offline_x509.h"
#include "plug/life.h"
#include "plug/load.h"

#ifndef ANCHORD_PLUGIN_DIR
#error "the build names the directory of installed plugins"
#endif

#define VALIDATOR "validator-openssl.so"

/* A program that is run from a build tree uses that tree's plugin, like the server. False: it is installed.
 */
static bool
build_tree(char ret[PATH_MAX])
{
    char path[PATH_MAX + 32];
    ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);
    if (n <= 0)
        return false;
    ret[n] = '\0';
    for (char *slash = strrchr(ret, '/'); slash && slash != ret; slash = strrchr(ret, '/')) {
        *slash = '\0';
        (void)snprintf(path, sizeof(path), "%s/meson-info", ret);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

static int
start(const char *path, unsigned flags, struct plug **ret, acd_err *err)
{
    const struct plug_env env = {.flags = flags};
    int rc = plug_new(ACD_VALIDATOR, path, NULL, &env, ret, err);
    if (rc == 0)
        rc = plug_open(*ret, err);
    if (rc == 0)
        rc = plug_configure(*ret, NULL, 0, err);
    if (rc == 0)
        rc = plug_create(*ret, err);
    return rc == 0 ? plug_start(*ret, err) : rc;
}

int
offline_validator(int argc, char **argv, int *ret_exit, acd_err *err)
{
    char tree[PATH_MAX], path[PATH_MAX + 64];
    struct plug *validator = NULL;
    bool built = build_tree(tree);
    (void)snprintf(path, sizeof(path), "%s%s/" VALIDATOR, built ? tree : ANCHORD_PLUGIN_DIR,
                   built ? "/plugins" : "");
    int rc = start(path, built ? PLUG_BUILD_TREE : 0, &validator, err);
    if (rc == 0)
        *ret_exit = offline_x509(validator->desc->ops, validator->inst, argc, argv);
    plug_free(validator);
    return rc;
}
