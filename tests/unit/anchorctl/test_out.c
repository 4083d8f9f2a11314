/* Tables and JSON of one value; texts that want to be more than text. */
#include "out.h"

#include "fail.h"
#include "fake.h"
#include "json.h"

static struct ctl c;
static char *text;
static size_t len;

static void
forget(void)
{
    free(text);
    text = NULL;
}

static void
begin(bool json)
{
    if (!text)
        ck_assert_int_eq(atexit(forget), 0);
    forget();
    ctl_init(&c, open_memstream(&text, &len), stderr);
    c.json = json;
}

static const char *
end(void)
{
    (void)fclose(c.out);
    ctl_done(&c);
    return text;
}

static const struct out_col cols[] = {{"NAME", "name", false},
                                      {"OWNER", "owner.id", false},
                                      {"N", "n", true},
                                      {"OK", "ok", false},
                                      {NULL, NULL, false}};

static json_t *
row(const char *name, int n)
{
    json_t *v = js_object(), *owner = js_object();
    js_set(v, "name", js_text(name));
    js_set(owner, "id", js_text("o1"));
    js_set(v, "owner", owner);
    js_set(v, "n", json_integer(n));
    js_set(v, "ok", json_true());
    js_set(v, "hidden", json_null());
    return v;
}

START_TEST(table_of_rows)
{
    json_t *rows = js_array();
    js_add(rows, row("one", 1));
    js_add(rows, row("second", 22));
    begin(false);
    out_rows(&c, rows, cols);
    ck_assert_str_eq(end(), "NAME   OWNER  N OK\n"
                            "one    o1     1 yes\n"
                            "second o1    22 yes\n");
}
END_TEST

START_TEST(table_without_rows)
{
    begin(false);
    out_rows(&c, js_array(), cols);
    ck_assert_str_eq(end(), "NAME OWNER N OK\n");
}
END_TEST

START_TEST(json_of_rows)
{
    json_t *rows = js_array();
    js_add(rows, row("one", 1));
    begin(true);
    out_rows(&c, rows, cols);
    json_t *back = json_loads(end(), 0, NULL);
    ck_assert(json_is_array(back) && json_array_size(back) == 1);
    ck_assert(json_object_get(json_array_get(back, 0), "hidden")); /* all of it, not only the columns */
    json_decref(back);
    begin(true);
    out_rows(&c, js_array(), cols);
    ck_assert_str_eq(end(), "[]\n");
}
END_TEST

START_TEST(object_leaves_out_null)
{
    json_t *v = row("one", 1);
    js_set(v, "owner", json_null());
    begin(false);
    out_object(&c, v, cols);
    ck_assert_str_eq(end(), "NAME one\nN    1\nOK   yes\n");
}
END_TEST

/* A name may hold what a terminal would obey. */
START_TEST(control_characters)
{
    json_t *rows = js_array();
    js_add(rows, row("a\033[2Jb\nc", 1));
    begin(false);
    out_rows(&c, rows, cols);
    (void)end();
    ck_assert_ptr_null(strchr(text, '\033'));
    ck_assert_ptr_eq(strrchr(text, '\n'), text + len - 1);
    begin(false);
    out_line(&c, "x\033y\xc2\x9bz\x7f \xc3\xa4");
    ck_assert_str_eq(end(), "x?y?z? \xc3\xa4\n");
}
END_TEST

START_TEST(texts_that_are_not_utf8)
{
    json_t *v = js_text("a\xff"
                        "b");
    ck_assert_str_eq(json_string_value(v), "a?b");
    json_decref(v);
}
END_TEST

START_TEST(times_and_digests)
{
    json_t *v = js_time(1767323045000);
    ck_assert_str_eq(json_string_value(v), "2026-01-02T03:04:05Z");
    json_decref(v);
    ck_assert(json_is_null(js_time(0)));
    v = js_hex(SLICE_LIT("\x01\xfe"));
    ck_assert_str_eq(json_string_value(v), "01fe");
    json_decref(v);
    ck_assert(json_is_null(js_hex((acd_slice){NULL, 0})));
}
END_TEST

START_TEST(no_colour_off_a_terminal)
{
    begin(false);
    ck_assert_str_eq(out_paint(c.out, PAINT_BAD), "");
    (void)end();
}
END_TEST

Suite *suite_out(void);
Suite *
suite_out(void)
{
    Suite *s = suite_create("anchorctl out");
    ADD_TESTS(s, "out", table_of_rows, table_without_rows, json_of_rows, object_leaves_out_null,
              control_characters, texts_that_are_not_utf8, times_and_digests, no_colour_off_a_terminal);
    return s;
}
