/*
 * What a plugin file says about itself, read from its note section without running any of its code.
 *
 * For load.c and for `anchorctl plugin inspect`. Pure but for plug_meta_read, which reads the file; any
 * thread. The file may be anything: every offset is checked (ELF-64 Object File Format, version 1.5, and the
 * gABI's "Note Section").
 */
#ifndef PLUG_META_H
#define PLUG_META_H

#include <anchord/plugin.h>

#include "base/must.h"

#define PLUG_FILE_MAX (64u << 20) /* bytes of a plugin file */
#define PLUG_NAME_MAX 31u         /* bytes of a plugin's name: [a-z0-9-] */

struct plug_meta {
    char name[32], version[24];
    uint16_t major, minor;
    uint32_t kind;
};

/* ACD_EABI with a sentence that does not name the file, or 0. Any kind and major is accepted here. */
int plug_meta_parse(acd_slice file, struct plug_meta *ret, acd_err *err) ACD_MUSTCHECK;
/* The sentence begins with the path. */
int plug_meta_read(const char *path, struct plug_meta *ret, acd_err *err) ACD_MUSTCHECK;

const char *plug_kind_name(uint32_t kind); /* "storage", "validator", "quota"; "unknown" */
int plug_name_valid(const char *name);     /* also for NULL */

#endif
