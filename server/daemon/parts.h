/* Where the parts of a server find their files. Only daemon/ includes this. */
#ifndef DAEMON_PARTS_H
#define DAEMON_PARTS_H

#include <limits.h>

#include "conf/conf.h"
#include "plug/registry.h"

enum { PARTS_PAIRS_MAX = 65 };

/* The plugins as the configuration names them: files and options. */
struct plugin_specs {
    struct plug_spec spec[3];
    struct plug_pair pairs[3][PARTS_PAIRS_MAX];
    char path[3][PATH_MAX];
    char db[PATH_MAX]; /* of storage-sqlite, unless an option says otherwise */
    unsigned flags;
};
int parts_plugins(const struct conf *conf, const char *data, struct plugin_specs *ret,
                  acd_err *err) ACD_MUSTCHECK;

/* The data directory as an absolute path: the configuration's, $STATE_DIRECTORY, or ./var. Made when missing
 * (0700) if make is set. */
int parts_data(const struct conf *conf, bool make, char ret[PATH_MAX], acd_err *err) ACD_MUSTCHECK;

#endif
