#include "daemon/parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#ifndef ANCHORD_PLUGIN_DIR
#error "the build names the directory of installed plugins"
#endif

/* --- data directory ---------------------------------------------------------------------------------------
 */

int
parts_data(const struct conf *conf, bool make, char ret[PATH_MAX], acd_err *err)
{
    const char *state = getenv("STATE_DIRECTORY");
    const char *dir = conf->data ? conf->data : state && state[0] ? state : "./var";
    char cwd[PATH_MAX];
    int n;
    if (make && mkdir(dir, 0700) < 0 && errno != EEXIST)
        return err_set(err, ACD_EIO, "data directory %s: %s", dir, strerror(errno));
    if (dir[0] == '/') {
        n = snprintf(ret, PATH_MAX, "%s", dir);
    } else {
        if (!getcwd(cwd, sizeof(cwd)))
            return err_set(err, ACD_EIO, "working directory: %s", strerror(errno));
        n = snprintf(ret, PATH_MAX, "%s/%s", cwd, strncmp(dir, "./", 2) == 0 ? dir + 2 : dir);
    }
    return n > 0 && n < PATH_MAX ? 0 : err_set(err, ACD_EINVAL, "data directory: path is too long");
}

/* --- plugins ----------------------------------------------------------------------------------------------
 */

/* A program that is run from a build tree (bin/anchord beside plugins/) loads that tree's plugins. */
static void
plugin_dir(const struct conf *conf, char ret[PATH_MAX], unsigned *ret_flags)
{
    char exe[PATH_MAX], tree[PATH_MAX + 16];
    struct stat st;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    *ret_flags = 0;
    if (n > 0) {
        exe[n] = '\0';
        char *slash = strrchr(exe, '/');
        if (slash && slash - exe >= 4 && strncmp(slash - 4, "/bin", 4) == 0) {
            slash[-4] = '\0';
            (void)snprintf(tree, sizeof(tree), "%s/plugins", exe);
            char mark[PATH_MAX + 32];
            (void)snprintf(mark, sizeof(mark), "%s/meson-info", exe);
            if (stat(mark, &st) == 0 && stat(tree, &st) == 0) {
                *ret_flags = PLUG_BUILD_TREE;
                if (!conf->plugins.dir) {
                    (void)snprintf(ret, PATH_MAX, "%s", tree);
                    return;
                }
            }
        }
    }
    (void)snprintf(ret, PATH_MAX, "%s", conf->plugins.dir ? conf->plugins.dir : ANCHORD_PLUGIN_DIR);
}

static bool
has_option(const struct conf_plugin *p, const char *key)
{
    for (size_t i = 0; i < p->options.n; i++)
        if (strcmp(p->options.items[i].key, key) == 0)
            return true;
    return false;
}

static int
add_spec(struct plugin_specs *ret, size_t at, uint32_t kind, const struct conf_plugin *p, const char *dir,
         acd_err *err)
{
    struct plug_spec *spec = &ret->spec[at];
    int n = p->file ? snprintf(ret->path[at], PATH_MAX, "%s", p->file)
                    : snprintf(ret->path[at], PATH_MAX, "%s/%s.so", dir, p->name);
    if (n < 0 || n >= PATH_MAX)
        return err_set(err, ACD_EINVAL, "plugin %s: path is too long", p->name);
    *spec = (struct plug_spec){.kind = kind, .path = ret->path[at], .pairs = ret->pairs[at]};
    for (; spec->npairs < p->options.n && spec->npairs < PARTS_PAIRS_MAX - 1; spec->npairs++)
        ret->pairs[at][spec->npairs] =
            (struct plug_pair){p->options.items[spec->npairs].key, p->options.items[spec->npairs].value};
    return 0;
}

int
parts_plugins(const struct conf *conf, const char *data, struct plugin_specs *ret, acd_err *err)
{
    char dir[PATH_MAX];
    plugin_dir(conf, dir, &ret->flags);
    int rc = add_spec(ret, 0, ACD_STORAGE, &conf->plugins.storage, dir, err);
    if (rc == 0)
        rc = add_spec(ret, 1, ACD_QUOTA, &conf->plugins.quota, dir, err);
    if (rc == 0)
        rc = add_spec(ret, 2, ACD_VALIDATOR, &conf->plugins.validator, dir, err);
    if (rc < 0)
        return rc;
    /* The embedded default needs to be told nothing. */
    if (conf->plugins.storage.name && strcmp(conf->plugins.storage.name, "storage-sqlite") == 0 &&
        !has_option(&conf->plugins.storage, "path")) {
        if (snprintf(ret->db, PATH_MAX, "%s/anchord.db", data) >= PATH_MAX)
            return err_set(err, ACD_EINVAL, "data directory: path is too long");
        ret->pairs[0][ret->spec[0].npairs++] = (struct plug_pair){"path", ret->db};
    }
    return 0;
}
