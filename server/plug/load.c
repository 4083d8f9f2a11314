/*
 * The only file that uses dlfcn. Nothing of the file runs before its owner, mode and note were found good;
 * fields of the descriptor are read only after the ones that protect them.
 */
#include "plug/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <anchord/plugin-quota.h>
#include <anchord/plugin-storage.h>
#include <anchord/plugin-validator.h>

#include "base/err.h"
#include "plug/conf.h"

static int
owner_ok(uid_t owner, unsigned flags)
{
    struct stat self;
    if (owner == 0 || owner == geteuid())
        return 1;
    return (flags & PLUG_BUILD_TREE) && stat("/proc/self/exe", &self) == 0 && owner == self.st_uid;
}

static int
mode_check(const char *path, const char *what, const struct stat *st, unsigned flags, acd_err *err)
{
    mode_t refused = flags & PLUG_BUILD_TREE ? S_IWOTH : S_IWOTH | S_IWGRP;
    if (!owner_ok(st->st_uid, flags))
        return err_set(err, ACD_EDENIED, "%s: %s belongs to uid %u, must belong to 0 or %u", path, what,
                       (unsigned)st->st_uid, (unsigned)geteuid());
    if (st->st_mode & refused)
        return err_set(err, ACD_EDENIED, "%s: %s has mode %04o, must not be writable by %s", path, what,
                       (unsigned)(st->st_mode & 07777),
                       flags & PLUG_BUILD_TREE ? "others" : "group or others");
    return 0;
}

int
plug_path_check(const char *path, unsigned flags, acd_err *err)
{
    struct stat st;
    char dir[PATH_MAX];
    if (path[0] != '/')
        return err_set(err, ACD_EINVAL, "%s: the path of a plugin must be absolute", path);
    size_t len = (size_t)(strrchr(path, '/') - path);
    if (len >= sizeof(dir))
        return err_set(err, ACD_EINVAL, "the path of a plugin is too long");
    if (lstat(path, &st) < 0)
        return err_set(err, errno == ENOENT ? ACD_ENOENT : ACD_EIO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, ACD_EDENIED, "%s: not a regular file", path);
    int rc = mode_check(path, "the file", &st, flags, err);
    if (rc < 0)
        return rc;
    memcpy(dir, path, len);
    dir[len] = '\0';
    if (stat(len ? dir : "/", &st) < 0)
        return err_set(err, ACD_EIO, "%s: %s", dir, strerror(errno));
    return mode_check(path, "its directory", &st, flags, err);
}

int
plug_meta_check(const char *path, const struct plug_meta *meta, uint32_t kind, acd_err *err)
{
    if (meta->major != ACD_PLUGIN_MAJOR)
        return err_set(err, ACD_EABI, "%s: plugin ABI %u, this program knows %u", path, meta->major,
                       ACD_PLUGIN_MAJOR);
    if (meta->kind < ACD_STORAGE || meta->kind > ACD_QUOTA)
        return err_set(err, ACD_EABI, "%s: unknown kind %u of plugin", path, meta->kind);
    if (kind && meta->kind != kind)
        return err_set(err, ACD_EABI, "%s: a %s plugin, a %s plugin was expected", path,
                       plug_kind_name(meta->kind), plug_kind_name(kind));
    return 0;
}

struct mandatory {
    const char *name;
    size_t offset;
};
#define FUNCTION(type, f)     \
    {                         \
#f, offsetof(type, f) \
    }
static const struct mandatory plugin_functions[] = {
    FUNCTION(acd_plugin, create),
    FUNCTION(acd_plugin, start),
    FUNCTION(acd_plugin, destroy),
    FUNCTION(acd_plugin, ops),
};
static const struct mandatory storage_functions[] = {
    FUNCTION(acd_storage_ops, schema),        FUNCTION(acd_storage_ops, session_open),
    FUNCTION(acd_storage_ops, session_close), FUNCTION(acd_storage_ops, begin),
    FUNCTION(acd_storage_ops, commit),        FUNCTION(acd_storage_ops, rollback),
    FUNCTION(acd_storage_ops, get),           FUNCTION(acd_storage_ops, scan),
    FUNCTION(acd_storage_ops, put),           FUNCTION(acd_storage_ops, del),
    FUNCTION(acd_storage_ops, counter_add),   FUNCTION(acd_storage_ops, next_seq),
    FUNCTION(acd_storage_ops, seq_now),       FUNCTION(acd_storage_ops, backup),
};
static const struct mandatory validator_functions[] = {
    FUNCTION(acd_validator_ops, inspect),     FUNCTION(acd_validator_ops, bundle_build),
    FUNCTION(acd_validator_ops, bundle_free), FUNCTION(acd_validator_ops, verify),
    FUNCTION(acd_validator_ops, describe),
};
static const struct mandatory quota_functions[] = {
    FUNCTION(acd_quota_ops, reserve),
    FUNCTION(acd_quota_ops, release),
    FUNCTION(acd_quota_ops, usage),
    FUNCTION(acd_quota_ops, set_limit),
};

/* The first that is NULL, or NULL when all are there. */
static const char *
missing(const void *table, const struct mandatory *f, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        void *p;
        memcpy(&p, (const char *)table + f[i].offset, sizeof(p));
        if (!p)
            return f[i].name;
    }
    return NULL;
}
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int
ops_check(const char *path, const acd_plugin *desc, acd_err *err)
{
    const struct mandatory *f = storage_functions;
    size_t n = COUNT(storage_functions), size = sizeof(acd_storage_ops);
    uint32_t have;
    if (desc->kind == ACD_VALIDATOR) {
        f = validator_functions;
        n = COUNT(validator_functions);
        /* what signs is optional, and a table may end before it */
        size = offsetof(acd_validator_ops, key_make);
    } else if (desc->kind == ACD_QUOTA) {
        f = quota_functions;
        n = COUNT(quota_functions);
        /* settle came for external quota only, and a table may end before it */
        size = offsetof(acd_quota_ops, settle);
    }
    memcpy(&have, desc->ops, sizeof(have));
    if (have < size)
        return err_set(err, ACD_EABI, "%s: a %s table of %u bytes, %zu expected at least", path,
                       plug_kind_name(desc->kind), have, size);
    const char *name = missing(desc->ops, f, n);
    if (name)
        return err_set(err, ACD_EABI, "%s: function %s of the %s table is missing", path, name,
                       plug_kind_name(desc->kind));
    if (desc->kind == ACD_QUOTA && (desc->caps & ACD_QUOTA_EXTERNAL))
        return err_set(err, ACD_ENOTSUP, "%s: quota that is settled outside the transaction is not supported",
                       path);
    return 0;
}

/* The four fields at the front, then what they protect. */
static int
front_check(const char *path, const acd_plugin *desc, const struct plug_meta *meta, uint32_t kind,
            acd_err *err)
{
    if (desc->struct_size < sizeof(acd_plugin))
        return err_set(err, ACD_EABI, "%s: a descriptor of %u bytes, %zu expected at least", path,
                       desc->struct_size, sizeof(acd_plugin));
    struct plug_meta said = {.major = desc->major, .minor = desc->minor, .kind = desc->kind};
    int rc = plug_meta_check(path, &said, kind, err);
    if (rc < 0)
        return rc;
    if (!plug_name_valid(desc->name))
        return err_set(err, ACD_EABI, "%s: the descriptor has no valid name", path);
    if (!desc->version || !desc->build_id || !desc->summary)
        return err_set(err, ACD_EABI, "%s: version, build_id or summary is missing", path);
    if (meta &&
        (strcmp(meta->name, desc->name) != 0 || meta->kind != desc->kind || meta->minor != desc->minor))
        return err_set(err, ACD_EABI, "%s: the note says %s %s 1.%u, the descriptor says %s %s 1.%u", path,
                       plug_kind_name(meta->kind), meta->name, meta->minor, plug_kind_name(desc->kind),
                       desc->name, desc->minor);
    return 0;
}

int
plug_desc_check(const char *path, const acd_plugin *desc, const struct plug_meta *meta, uint32_t kind,
                acd_err *err)
{
    int rc = front_check(path, desc, meta, kind, err);
    if (rc < 0)
        return rc;
    if (desc->caps >> 32)
        return err_set(err, ACD_EABI, "%s: requires capabilities 0x%llx, this program knows 0x0", path,
                       (unsigned long long)(desc->caps >> 32 << 32));
    if (desc->thread > ACD_FREE_THREADED)
        return err_set(err, ACD_EABI, "%s: unknown thread model %u", path, desc->thread);
    const char *name = missing(desc, plugin_functions, COUNT(plugin_functions));
    if (name)
        return err_set(err, ACD_EABI, "%s: %s is missing in the descriptor", path, name);
    rc = plug_conf_items_check(desc->conf, desc->conf_n, err);
    if (rc < 0)
        return err_context(err, rc, "%s", path);
    return ops_check(path, desc, err);
}

int
plug_load(const char *path, uint32_t kind, unsigned flags, const acd_plugin **ret, acd_err *err)
{
    struct plug_meta meta;
    int rc = plug_path_check(path, flags, err);
    if (rc == 0)
        rc = plug_meta_read(path, &meta, err);
    if (rc == 0)
        rc = plug_meta_check(path, &meta, kind, err);
    if (rc < 0)
        return rc;
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        const char *why = dlerror();
        return err_set(err, ACD_EABI, "%s: %s", path, why ? why : "cannot be opened");
    }
    const acd_plugin *desc = dlsym(handle, ACD_PLUGIN_SYMBOL);
    if (!desc)
        return err_set(err, ACD_EABI, "%s: no symbol %s", path, ACD_PLUGIN_SYMBOL);
    rc = plug_desc_check(path, desc, &meta, kind, err);
    if (rc == 0)
        *ret = desc;
    return rc;
}
