/*
 * Structured log: a level, a dotted event name, fields. Any thread; a line is one write.
 *
 *   LOG(ACD_LOG_INFO, "ca.upload", LF_STR("account", id), LF_INT("certificates", n));
 *
 * Text form: "<time> info ca.upload account=... certificates=3"; JSON form: one object per line. Values that
 * hold spaces, quotes or control bytes are quoted and escaped. Never pass key material or tokens.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include <anchord/plugin.h>

enum log_format { LOG_TEXT = 0, LOG_JSON = 1 };

enum log_type { LOG_T_STR, LOG_T_INT, LOG_T_SLICE };
struct log_field {
    const char *key;
    enum log_type type;
    const char *str;
    int64_t num;
    acd_slice slice;
};

#define LF_STR(k, v)   ((struct log_field){.key = (k), .type = LOG_T_STR, .str = (v)})
#define LF_INT(k, v)   ((struct log_field){.key = (k), .type = LOG_T_INT, .num = (int64_t)(v)})
#define LF_SLICE(k, v) ((struct log_field){.key = (k), .type = LOG_T_SLICE, .slice = (v)})

/* Before threads start. fd is borrowed; default: text, info, standard error. */
void log_setup(int fd, enum log_format format, int level);
int log_level_parse(const char *name); /* "error", "warning", "notice", "info", "debug"; -1: no such level */
int log_enabled(int level);

void log_write(int level, const char *event, const struct log_field *fields, size_t n);

#define LOG(level, event, ...)                                                                      \
    do {                                                                                            \
        if (log_enabled(level)) {                                                                   \
            const struct log_field log_fields_[] = {__VA_ARGS__};                                   \
            log_write((level), (event), log_fields_, sizeof(log_fields_) / sizeof(log_fields_[0])); \
        }                                                                                           \
    } while (0)

#endif
