#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

/* Set once before threads start, read by all of them. */
static int log_fd = STDERR_FILENO;
static enum log_format log_form = LOG_TEXT;
static int log_max = ACD_LOG_INFO;

enum { LINE_MAX_BYTES = 8192 };

static const struct {
    int level;
    const char *name;
} levels[] = {
    {ACD_LOG_ERR, "error"}, {ACD_LOG_WARNING, "warning"}, {ACD_LOG_NOTICE, "notice"},
    {ACD_LOG_INFO, "info"}, {ACD_LOG_DEBUG, "debug"},
};

void
log_setup(int fd, enum log_format format, int level)
{
    log_fd = fd;
    log_form = format;
    log_max = level;
}

int
log_level_parse(const char *name)
{
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcmp(levels[i].name, name) == 0)
            return levels[i].level;
    return -1;
}

static const char *
level_name(int level)
{
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (levels[i].level >= level)
            return levels[i].name;
    return "debug";
}

int
log_enabled(int level)
{
    return level <= log_max;
}

/* Length of a character that would drive a terminal, end a line for some readers or turn the direction of
 * writing: C1 controls, U+2028 to U+202E, U+2066 to U+2069. 0: none. s is UTF-8. */
static size_t
hidden_at(const unsigned char *p, size_t n, unsigned *ret_code)
{
    if (n >= 2 && p[0] == 0xc2 && p[1] < 0xa0) {
        *ret_code = p[1];
        return 2;
    }
    if (n < 3 || p[0] != 0xe2)
        return 0;
    *ret_code = 0x2000u | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    return (*ret_code >= 0x2028 && *ret_code <= 0x202e) || (*ret_code >= 0x2066 && *ret_code <= 0x2069) ? 3
                                                                                                        : 0;
}

static void
put_escaped(struct buf *b, acd_slice s)
{
    const unsigned char *p = s.ptr;
    bool utf8 = utf8_valid(s);
    buf_putc(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned code;
        size_t hidden = utf8 ? hidden_at(p + i, s.len - i, &code) : 0;
        if (hidden) {
            buf_printf(b, "\\u%04x", code);
            i += hidden - 1;
        } else if (p[i] == '"' || p[i] == '\\')
            buf_printf(b, "\\%c", p[i]);
        else if (p[i] == '\n')
            buf_puts(b, "\\n");
        else if (p[i] < 0x20 || p[i] == 0x7f || (!utf8 && p[i] >= 0x80))
            buf_printf(b, "\\u%04x", p[i]);
        else
            buf_putc(b, (char)p[i]);
    }
    buf_putc(b, '"');
}

static bool
is_plain(acd_slice s)
{
    const unsigned char *p = s.ptr;
    for (size_t i = 0; i < s.len; i++)
        if (p[i] <= ' ' || p[i] == '"' || p[i] == '\\' || p[i] == '=' || p[i] >= 0x7f)
            return false;
    return s.len > 0;
}

static void
put_value(struct buf *b, const struct log_field *f)
{
    acd_slice s = f->type == LOG_T_SLICE ? f->slice : slice_str(f->str ? f->str : "");
    if (f->type == LOG_T_INT)
        buf_printf(b, "%lld", (long long)f->num);
    else if (log_form == LOG_TEXT && is_plain(s))
        buf_slice(b, s);
    else
        put_escaped(b, s);
}

void
log_write(int level, const char *event, const struct log_field *fields, size_t n)
{
    struct buf b = BUF_INIT(LINE_MAX_BYTES);
    char when[TIME_TEXT_MAX];
    time_format(clock_wall_ms(&clock_system), when);
    if (log_form == LOG_JSON)
        buf_printf(&b, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\"", when, level_name(level), event);
    else
        buf_printf(&b, "%s %s %s", when, level_name(level), event);
    for (size_t i = 0; i < n; i++) {
        buf_printf(&b, log_form == LOG_JSON ? ",\"%s\":" : " %s=", fields[i].key);
        put_value(&b, &fields[i]);
    }
    if (b.failed) { /* an overlong line is cut to its name: half a field would mislead */
        buf_clear(&b);
        buf_printf(&b,
                   log_form == LOG_JSON ? "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"cut\":1"
                                        : "%s %s %s cut=1",
                   when, level_name(level), event);
    }
    buf_puts(&b, log_form == LOG_JSON ? "}\n" : "\n");
    if (b.data)
        (void)!write(log_fd, b.data, b.len);
    buf_done(&b);
}
