#include "daemon/parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "plug/load.h"

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

/* The build directory that this program was linked in: the one above it that holds meson's notes and plugins.
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
        if (access(path, F_OK) == 0) {
            (void)snprintf(path, sizeof(path), "%s/plugins", ret);
            return access(path, F_OK) == 0;
        }
    }
    return false;
}

/* A program that is run from a build tree loads that tree's plugins. */
static void
plugin_dir(const struct conf *conf, char ret[PATH_MAX], unsigned *ret_flags)
{
    char tree[PATH_MAX];
    bool built = build_tree(tree);
    *ret_flags = built ? PLUG_BUILD_TREE : 0;
    if (conf->plugins.dir)
        (void)snprintf(ret, PATH_MAX, "%s", conf->plugins.dir);
    else if (!built || snprintf(ret, PATH_MAX, "%s/plugins", tree) >= PATH_MAX)
        (void)snprintf(ret, PATH_MAX, "%s", ANCHORD_PLUGIN_DIR);
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
    if (!conf->plugins.storage.file && conf->plugins.storage.name &&
        strcmp(conf->plugins.storage.name, "storage-sqlite") == 0 &&
        !has_option(&conf->plugins.storage, "path")) {
        if (snprintf(ret->db, PATH_MAX, "%s/anchord.db", data) >= PATH_MAX)
            return err_set(err, ACD_EINVAL, "data directory: path is too long");
        ret->pairs[0][ret->spec[0].npairs++] = (struct plug_pair){"path", ret->db};
    }
    return 0;
}
