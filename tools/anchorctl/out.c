#include "out.h"

#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "effect.h"
#include "fail.h"
#include "json.h"

/* --- paint --------------------------------------------------------------------------------------------- */

const char *
out_paint(FILE *f, enum out_paint paint)
{
    static const char *const codes[] = {"\033[0m", "\033[32m", "\033[31m"};
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM");
    int fd = fileno(f);
    if ((none && none[0]) || !term || strcmp(term, "dumb") == 0 || fd < 0 || !isatty(fd))
        return "";
    return codes[paint];
}

/* --- cells --------------------------------------------------------------------------------------------- */

static const json_t *
at_path(const json_t *value, const char *path)
{
    char key[64];
    while (value && *path) {
        size_t n = strcspn(path, ".");
        must(n < sizeof(key));
        memcpy(key, path, n);
        key[n] = '\0';
        value = json_object_get(value, key);
        path += path[n] ? n + 1 : n;
    }
    return value;
}

static void
put_cell(struct buf *b, const json_t *v)
{
    size_t i;
    const json_t *item;
    const char *key;
    if (json_is_string(v))
        buf_puts(b, json_string_value(v));
    else if (json_is_integer(v))
        buf_printf(b, "%lld", (long long)json_integer_value(v));
    else if (json_is_boolean(v))
        buf_puts(b, json_is_true(v) ? "yes" : "no");
    else if (json_is_array(v)) {
        json_array_foreach(v, i, item)
        {
            if (i)
                buf_puts(b, ", ");
            put_cell(b, item);
        }
    } else if (json_is_object(v)) {
        i = 0;
        json_object_foreach((json_t *)v, key, item)
        {
            buf_printf(b, "%s%s=", i++ ? " " : "", key);
            put_cell(b, item);
        }
    } else
        buf_puts(b, "-");
}

enum { CELL_MAX = 1 << 20 };

static void
set_cell(struct libscols_line *line, size_t col, const json_t *v)
{
    struct buf b = BUF_INIT(CELL_MAX);
    put_cell(&b, v);
    if (scols_line_set_data(line, col, b.data ? b.data : "") < 0)
        ctl_oom();
    buf_done(&b);
}

/* --- tables -------------------------------------------------------------------------------------------- */

static struct libscols_table *
table_new(struct ctl *c)
{
    struct libscols_table *tb = ctl_need(scols_new_table());
    int fd = fileno(c->out);
    (void)scols_table_set_stream(tb, c->out);
    if (fd < 0 || !isatty(fd))
        (void)scols_table_set_termforce(tb, SCOLS_TERMFORCE_NEVER);
    return tb;
}

static void
table_print(struct ctl *c, struct libscols_table *tb)
{
    if (scols_print_table(tb) < 0)
        ctl_oom();
    scols_unref_table(tb);
    (void)fflush(c->out);
}

/* An empty table has its head too: that is how one sees that it was looked for. */
static void
empty_table(struct ctl *c, const struct out_col *cols)
{
    for (; cols->title; cols++)
        (void)fprintf(c->out, "%s%s", cols->title, cols[1].title ? " " : "\n");
}

void
out_table(struct ctl *c, const json_t *rows, const struct out_col *cols)
{
    size_t i;
    const json_t *row;
    if (json_array_size(rows) == 0) {
        empty_table(c, cols);
        return;
    }
    struct libscols_table *tb = table_new(c);
    for (const struct out_col *col = cols; col->title; col++)
        ctl_need(scols_table_new_column(tb, col->title, 0, col->right ? SCOLS_FL_RIGHT : 0));
    json_array_foreach(rows, i, row)
    {
        struct libscols_line *line = ctl_need(scols_table_new_line(tb, NULL));
        for (size_t n = 0; cols[n].title; n++)
            set_cell(line, n, at_path(row, cols[n].path));
    }
    table_print(c, tb);
}

static void
object_table(struct ctl *c, const json_t *object, const struct out_col *cols)
{
    struct libscols_table *tb = table_new(c);
    (void)scols_table_enable_noheadings(tb, 1);
    ctl_need(scols_table_new_column(tb, "NAME", 0, 0));
    ctl_need(scols_table_new_column(tb, "VALUE", 0, 0));
    for (; cols->title; cols++) {
        const json_t *v = at_path(object, cols->path);
        if (!v || json_is_null(v))
            continue;
        struct libscols_line *line = ctl_need(scols_table_new_line(tb, NULL));
        if (scols_line_set_data(line, 0, cols->title) < 0)
            ctl_oom();
        set_cell(line, 1, v);
    }
    table_print(c, tb);
}

/* --- values -------------------------------------------------------------------------------------------- */

void
out_json(struct ctl *c, json_t *value)
{
    effect_join(c, value);
    if (json_dumpf(value, c->out, JSON_INDENT(2) | JSON_ENCODE_ANY) < 0)
        ctl_oom();
    (void)fputc('\n', c->out);
    (void)fflush(c->out);
    json_decref(value);
}

void
out_rows(struct ctl *c, json_t *rows, const struct out_col *cols)
{
    if (c->json) {
        out_json(c, rows);
        return;
    }
    out_table(c, rows, cols);
    json_decref(rows);
}

void
out_object(struct ctl *c, json_t *object, const struct out_col *cols)
{
    if (c->json) {
        out_json(c, object);
        return;
    }
    object_table(c, object, cols);
    json_decref(object);
}

void
out_line(struct ctl *c, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        ctl_oom();
    fail_put(c->out, text);
    (void)fputc('\n', c->out);
    free(text);
}
