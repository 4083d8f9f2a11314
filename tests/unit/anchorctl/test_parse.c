/* The command line: what is understood, what is refused, with which sentence and exit code. */
#include "parse.h"

#include "fake.h"

static struct ctl c;
static char *said;
static size_t said_len;

/* Arguments divided by spaces. */
static enum parse_result
parse(const char *line, int *ret_exit)
{
    static char text[512];
    static char *argv[64];
    const struct ctl_noun *noun;
    int argc = 0;
    FILE *err = open_memstream(&said, &said_len);
    argv[argc++] = (char *)"anchorctl";
    (void)snprintf(text, sizeof(text), "%s", line);
    for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    ctl_init(&c, stdout, err);
    enum parse_result r = parse_args(&c, argc, argv, &noun, ret_exit);
    (void)fclose(err);
    return r;
}

static void
forget(void)
{
    free(said);
    ctl_done(&c);
}

static void
refused(const char *line, const char *part)
{
    int code = 0;
    ck_assert_int_eq(parse(line, &code), PARSE_FAILED);
    ck_assert_int_eq(code, EXIT_USAGE);
    ck_has(said, part);
    forget();
}

START_TEST(options_stand_anywhere)
{
    static const char *const lines[] = {
        "-o json zone create --account a --name b.example --acm",
        "zone -o json create --acm --name=b.example --account=a",
        "--acm --account a zone -ojson --name b.example create",
        "zone create --name b.example --account a --acm --output=json",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        int code = -1;
        ck_assert_msg(parse(lines[i], &code) == PARSE_RUN, "%s: %s", lines[i], said);
        ck_assert_str_eq(c.cmd->verb, "create");
        ck_assert_str_eq(c.val[OPT_ACCOUNT], "a");
        ck_assert_str_eq(c.val[OPT_NAME], "b.example");
        ck_assert(ctl_flag(&c, OPT_ACM) && c.json);
        ck_assert_uint_eq(c.n_args, 0);
        forget();
    }
}
END_TEST

START_TEST(arguments)
{
    int code;
    ck_assert_int_eq(parse("host set a.example --zone z -- --all -", &code), PARSE_RUN);
    ck_assert_uint_eq(c.n_args, 3);
    ck_assert_str_eq(c.args[0], "a.example");
    ck_assert_str_eq(c.args[1], "--all");
    ck_assert_str_eq(c.args[2], "-");
    forget();
}
END_TEST

START_TEST(names_what_is_unknown)
{
    refused("acount list", "unknown noun 'acount': did you mean 'account'?");
    refused("frobnicate", "unknown noun 'frobnicate'");
    refused("account lst", "'account' has no verb 'lst': did you mean 'list'?");
    refused("account list --sokcet x", "unknown option '--sokcet': did you mean '--socket'?");
    refused("account list --xyzzy", "unknown option '--xyzzy'");
    refused("account list -x", "unknown option '-x'");
    refused("account list -hx", "unknown option '-hx'");
}
END_TEST

/* An option of another command is not one of this one, wherever it stands. */
START_TEST(option_of_another_command)
{
    refused("account list --acm", "unknown option '--acm'");
    refused("--acm account list", "unknown option '--acm'");
    refused("account list --idempotency-key k", "unknown option '--idempotency-key'");
}
END_TEST

START_TEST(names_what_is_missing)
{
    refused("", "missing: NOUN and VERB");
    refused("zone", "missing: the verb of 'zone'");
    refused("zone create", "missing: --account ACCOUNT, --name NAME");
    refused("account get", "missing: ACCOUNT");
    refused("account list --socket", "option --socket is missing its value URL");
    refused("account get a b", "unexpected argument 'b'");
}
END_TEST

START_TEST(checks_values)
{
    refused("account create --name a --plan gold", "'gold' is none of enterprise|free");
    refused("account list -o yaml", "'yaml' is none of table|json");
    refused("account list --timeout x", "'x' is not a whole number");
    refused("account list --timeout 0", "1 to 600 seconds");
    refused("account list --timeout 601", "1 to 600 seconds");
    refused("account list --timeout 1 --timeout 2", "given twice");
    refused("zone create --acm=yes", "takes no value");
    refused("query verify --host h --time yesterday f", "is not a time");
    refused("account create --name \xff", "not UTF-8");
    refused("account get \xff", "not UTF-8");
    refused("account create --name a --idempotency-key=", "1 to 64 bytes");
    refused("account create --name a --idempotency-key "
            "0123456789012345678901234567890123456789012345678901234567890123x",
            "1 to 64 bytes");
}
END_TEST

START_TEST(bounds_that_are_just_allowed)
{
    int code;
    ck_assert_int_eq(parse("account create --name a --timeout 600 --idempotency-key "
                           "0123456789012345678901234567890123456789012345678901234567890123",
                           &code),
                     PARSE_RUN);
    forget();
}
END_TEST

START_TEST(help_and_version)
{
    int code;
    ck_assert_int_eq(parse("--help", &code), PARSE_HELP);
    forget();
    ck_assert_int_eq(parse("zone -h", &code), PARSE_HELP);
    forget();
    ck_assert_int_eq(parse("zone create --help", &code), PARSE_HELP);
    forget();
    ck_assert_int_eq(parse("--version", &code), PARSE_VERSION);
    forget();
    struct done d = ctl("zone", "create", "--help", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_has(d.out, "Usage: anchorctl zone create --account ACCOUNT --name NAME");
    ck_has(d.out, "--idempotency-key");
    d = ctl("--help", NULL);
    ck_assert_int_eq(d.code, 0);
    for (const struct ctl_cmd *cmd = ctl_cmds; cmd->noun; cmd++)
        ck_has(d.out, cmd->help);
    d = ctl("--version", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_has(d.out, "anchorctl ");
}
END_TEST

START_TEST(usage_in_json)
{
    struct done d = ctl("-o", "json", "account", "lst", NULL);
    ck_assert_int_eq(d.code, 2);
    ck_assert_str_eq(d.out, "");
    ck_has(d.err, "\"exit\":2");
    ck_has(d.err, "\"status\":\"ACD_EINVAL\"");
}
END_TEST

Suite *suite_parse(void);
Suite *
suite_parse(void)
{
    Suite *s = suite_create("anchorctl parse");
    ADD_TESTS(s, "parse", options_stand_anywhere, arguments, names_what_is_unknown, option_of_another_command,
              names_what_is_missing, checks_values, bounds_that_are_just_allowed, help_and_version,
              usage_in_json);
    return s;
}
