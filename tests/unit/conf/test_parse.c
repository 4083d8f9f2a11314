#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "found.h"
#include "lib/main.h"
#include "model/limits.h"

#include <unistd.h>

static struct conf *
accepted(const char *text)
{
    acd_err err = ACD_ERR_INIT;
    struct found f = {0};
    struct conf *c = NULL;
    int rc = conf_parse(slice_str(text), found_add, &f, &c, &err);
    ck_assert_msg(rc == 0, "%s%s", err.text, f.text);
    ck_assert_uint_eq(f.n, 0);
    return c;
}

/* Exactly these problems, in this order. */
static void
refused(const char *text, const char *problems)
{
    acd_err err = ACD_ERR_INIT;
    struct found f = {0};
    struct conf *c = NULL;
    ck_assert_int_eq(conf_parse(slice_str(text), found_add, &f, &c, &err), ACD_EINVAL);
    ck_assert_ptr_null(c);
    ck_assert_str_eq(f.text, problems);
    ck_assert(err.text[0] != '\0');
}

START_TEST(empty_file_gives_defaults)
{
    const char *texts[] = {"", "# nothing\n", "---\n", "~\n", "{}\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct conf *c = accepted(texts[i]);
        ck_assert_int_eq(c->role, CONF_PRIMARY);
        ck_assert_ptr_null(c->data);
        ck_assert_uint_eq(c->listen.n, 0);
        ck_assert(!c->insecure && c->snapshot.image);
        ck_assert_int_eq(c->log.level, ACD_LOG_INFO);
        ck_assert_int_eq(c->log.format, LOG_TEXT);
        ck_assert_int_eq(c->workers.admin, 2);
        ck_assert_str_eq(c->plugins.storage.name, "storage-sqlite");
        ck_assert_ptr_null(c->plugins.storage.file);
        conf_free(c);
    }
}
END_TEST

START_TEST(every_kind_of_value)
{
    struct conf *c = accepted("role: edge\n"
                              "primary: tcp://127.0.0.1:7700\n"
                              "data: \"/var/lib/anchord\"\n"
                              "listen:\n"
                              "  - ipc:///run/anchord/anchord.sock\n"
                              "  - 'tcp://127.0.0.1:7700'\n"
                              "insecure: true\n"
                              "log: {level: debug, format: json}\n"
                              "workers:\n"
                              "  query: 4\n"
                              "snapshot:\n"
                              "  image: false\n"
                              "plugins:\n"
                              "  storage:\n"
                              "    file: /opt/s.so\n"
                              "    options:\n"
                              "      path: x.db\n"
                              "      busy_ms: 5000\n"
                              "      empty: ''\n");
    ck_assert_int_eq(c->role, CONF_EDGE);
    ck_assert_str_eq(c->primary, "tcp://127.0.0.1:7700");
    ck_assert_str_eq(c->data, "/var/lib/anchord");
    ck_assert_uint_eq(c->listen.n, 2);
    ck_assert_str_eq(c->listen.items[1], "tcp://127.0.0.1:7700");
    ck_assert(c->insecure && !c->snapshot.image);
    ck_assert_int_eq(c->log.level, ACD_LOG_DEBUG);
    ck_assert_int_eq(c->log.format, LOG_JSON);
    ck_assert_int_eq(c->workers.query, 4);
    ck_assert_str_eq(c->plugins.storage.file, "/opt/s.so");
    ck_assert_uint_eq(c->plugins.storage.options.n, 3);
    ck_assert_str_eq(c->plugins.storage.options.items[1].key, "busy_ms");
    ck_assert_str_eq(c->plugins.storage.options.items[1].value, "5000");
    ck_assert_uint_eq(c->plugins.storage.options.items[1].line, 18);
    ck_assert_str_eq(c->plugins.storage.options.items[2].value, "");
    ck_assert_uint_eq(c->line[CONF_ID_workers_query], 10);
    ck_assert_uint_eq(c->line[CONF_ID_workers_admin], 0);
    conf_free(c);
}
END_TEST

START_TEST(all_problems_in_one_run)
{
    refused("dta: /x\n"
            "log:\n"
            "  level: loud\n"
            "  colour: red\n"
            "workers: 3\n"
            "queue: {query: 0, admin: many}\n"
            "insecure: yes\n"
            "listen: ipc:///a\n"
            "data:\n"
            "role: [edge]\n",
            "1 dta: unknown key 'dta'\n"
            "3 log.level: 'log.level' is not one of: error, warning, notice, info, debug\n"
            "4 log.colour: unknown key 'log.colour'\n"
            "5 workers: 'workers' is a section: it holds keys, not a value\n"
            "6 queue.query: 'queue.query' is not between 1 and 65536\n"
            "6 queue.admin: 'queue.admin' is not a whole number\n"
            "7 insecure: 'insecure' is neither true nor false\n"
            "8 listen: 'listen' is not a list\n"
            "9 data: 'data' has no value\n"
            "10 role: 'role' must not be a list\n");
}
END_TEST

START_TEST(keys_are_given_once)
{
    refused("role: edge\nrole: primary\n", "2 role: 'role' is given twice, first on line 1\n");
    refused("log:\n  level: info\n  level: info\n",
            "3 log.level: 'log.level' is given twice, first on line 2\n");
    refused("plugins:\n  quota:\n    options:\n      a: 1\n      a: 2\n",
            "5 plugins.quota.options.a: 'plugins.quota.options.a' is given twice, first on line 4\n");
    refused("listen: [ipc:///a, ipc:///a]\n", "1 listen: 'listen' has 'ipc:///a' twice\n");
}
END_TEST

START_TEST(keys_are_reached_by_their_sections_only)
{
    refused("log.level: debug\n", "1 log.level: unknown key 'log.level'\n");
    refused("\"data\\0x\": /a\n", "1 data: unknown key 'data'\n");
    refused("plugins:\n  storage: storage-sqlite\n",
            "2 plugins.storage: 'plugins.storage' is a section: it holds keys, not a value\n");
    refused("'': 1\n", "1 : unknown key ''\n");
}
END_TEST

START_TEST(language_is_plain)
{
    refused("a: [\n", "2 : did not find expected node content\n");
    refused("role: &x edge\n", "1 : anchors and tags are not part of this file's language\n");
    refused("role: !!str edge\n", "1 : anchors and tags are not part of this file's language\n");
    refused("role: *x\n", "1 : aliases are not part of this file's language\n");
    refused("role: edge\n---\nrole: edge\n", "2 : a second document begins\n");
    refused("{[a]: b}\n", "1 : a key is not a text\n");
    refused("- role\n", "1 : the file is not a mapping of keys to values\n");
    refused("role\n", "1 : the file is not a mapping of keys to values\n");
    refused("data: \"a\\u0001b\"\n", "1 data: 'data' holds a control character\n");
    refused("listen: [[a]]\n", "1 listen: 'listen' has an entry that is not a text on line 1\n");
}
END_TEST

START_TEST(bounds)
{
    char text[8192], deep[64] = "";
    struct conf *c = accepted("workers: {query: 256, admin: 1}\nqueue: {query: 1, admin: 65536}\n");
    ck_assert_int_eq(c->workers.query, 256);
    conf_free(c);
    refused("workers: {query: 257}\n", "1 workers.query: 'workers.query' is not between 0 and 256\n");
    refused("workers: {query: -1}\n", "1 workers.query: 'workers.query' is not between 0 and 256\n");
    refused("workers: {query: 9223372036854775808}\n",
            "1 workers.query: 'workers.query' is not a whole number\n");
    refused("listen: []\n", "1 listen: 'listen' has 0 entries, not 1 to 16\n");
    for (int i = 0; i < LIMIT_CONF_DEPTH; i++)
        strcat(deep, "[");
    snprintf(text, sizeof(text), "x: %s\n", deep);
    refused(text, "1 : nested deeper than 8 levels\n");
    snprintf(text, sizeof(text), "data: %04096d\n", 0);
    c = accepted(text);
    conf_free(c);
    snprintf(text, sizeof(text), "data: %04097d\n", 0);
    refused(text, "1 data: 'data' is longer than 4096 bytes\n");
    snprintf(text, sizeof(text), "primary: %0512d\n", 0);
    c = accepted(text);
    conf_free(c);
    snprintf(text, sizeof(text), "primary: %0513d\n", 0);
    refused(text, "1 primary: 'primary' is longer than 512 bytes\n");
}
END_TEST

START_TEST(too_much_is_refused)
{
    acd_err err = ACD_ERR_INIT;
    struct conf *c = NULL;
    struct buf text = BUF_INIT(2 * LIMIT_CONF_FILE);
    for (int i = 0; i < LIMIT_CONF_NODES / 2 + 1; i++)
        buf_printf(&text, "k%d: v\n", i);
    ck_assert_int_eq(conf_parse(slice_of(text.data, text.len), NULL, NULL, &c, &err), ACD_EINVAL);
    ck_assert_ptr_nonnull(strstr(err.text, "more than 4096 values"));
    buf_clear(&text);
    while (text.len < LIMIT_CONF_FILE)
        buf_putc(&text, '\n');
    ck_assert_int_eq(conf_parse(slice_of(text.data, text.len), NULL, NULL, &c, &err), 0);
    conf_free(c);
    c = NULL;
    buf_putc(&text, '\n');
    ck_assert_int_eq(conf_parse(slice_of(text.data, text.len), NULL, NULL, &c, &err), ACD_EINVAL);
    ck_assert_ptr_nonnull(strstr(err.text, "longer than 65536 bytes"));
    ck_assert_ptr_null(c);
    buf_done(&text);
}
END_TEST

START_TEST(findings_are_bounded_and_counted)
{
    acd_err err = ACD_ERR_INIT;
    struct found f = {0};
    struct conf *c = NULL;
    struct buf text = BUF_INIT(LIMIT_CONF_FILE);
    for (int i = 0; i < LIMIT_CONF_FINDINGS + 7; i++)
        buf_printf(&text, "k%d: v\n", i);
    ck_assert_int_eq(conf_parse(slice_of(text.data, text.len), found_add, &f, &c, &err), ACD_EINVAL);
    ck_assert_uint_eq(f.n, LIMIT_CONF_FINDINGS);
    ck_assert_str_eq(err.text, "line 1: unknown key 'k0' (and 106 more)");
    buf_done(&text);
}
END_TEST

START_TEST(files)
{
    acd_err err = ACD_ERR_INIT;
    struct conf *c = NULL;
    char path[] = "/tmp/anchord-conf.XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(io_write_all(fd, "workers: {admin: 7}\n", 20), 0);
    ck_assert_int_eq(conf_load(path, NULL, NULL, &c, &err), 0);
    ck_assert_int_eq(c->workers.admin, 7);
    conf_free(c);
    c = NULL;
    ck_assert_int_eq(io_write_all(fd, "colour: red\n", 12), 0);
    ck_assert_int_eq(conf_load(path, NULL, NULL, &c, &err), ACD_EINVAL);
    ck_assert_ptr_nonnull(strstr(err.text, path));
    ck_assert_ptr_nonnull(strstr(err.text, "line 2: unknown key 'colour'"));
    close(fd);
    unlink(path);
    ck_assert_int_lt(conf_load(path, NULL, NULL, &c, &err), 0);
    ck_assert_ptr_null(c);
}
END_TEST

Suite *suite_parse(void);

Suite *
suite_parse(void)
{
    Suite *s = suite_create("parse");
    ADD_TESTS(s, "parse", empty_file_gives_defaults, every_kind_of_value, all_problems_in_one_run,
              keys_are_given_once, keys_are_reached_by_their_sections_only, language_is_plain, bounds,
              too_much_is_refused, findings_are_bounded_and_counted, files);
    return s;
}
