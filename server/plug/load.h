/*
 * From a path to a descriptor that may be trusted to be what it says it is.
 *
 * For life.c and tests. May block (reads the file, runs the loader); start-up only, one thread. A plugin that
 * was opened is never closed, so the descriptor lives as long as the process. Every refusal is ACD_EABI
 * (ACD_EDENIED for ownership and modes, ACD_EINVAL for the path) with a sentence that names the file and both
 * values.
 */
#ifndef PLUG_LOAD_H
#define PLUG_LOAD_H

#include "plug/meta.h"

/* The plugins of a build tree: may be writable by the group, and belong to whom the program belongs to. */
#define PLUG_BUILD_TREE (1u << 0)

/* Path rules, note, dlopen, descriptor; kind 0: any. */
int plug_load(const char *path, uint32_t kind, unsigned flags, const acd_plugin **ret,
              acd_err *err) ACD_MUSTCHECK;

/* The steps alone. */
int plug_path_check(const char *path, unsigned flags, acd_err *err) ACD_MUSTCHECK;
int plug_meta_check(const char *path, const struct plug_meta *meta, uint32_t kind,
                    acd_err *err) ACD_MUSTCHECK;
/* meta NULL: a descriptor that is linked in. */
int plug_desc_check(const char *path, const acd_plugin *desc, const struct plug_meta *meta, uint32_t kind,
                    acd_err *err) ACD_MUSTCHECK;

#endif
