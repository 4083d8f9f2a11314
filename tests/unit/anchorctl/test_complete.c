/* Completion scripts and the manual page, as the program prints them. */
#include "base/io.h"
#include "fake.h"
#include "table.h"

START_TEST(manual_is_in_step)
{
    struct buf page = BUF_INIT(1 << 20);
    struct done d = ctl("completion", "man", NULL);
    ck_assert_int_eq(d.code, 0);
    ck_assert_int_eq(io_read_file(MANUAL_PAGE, &page, NULL), 0);
    ck_assert_msg(
        strcmp(d.out, page.data) == 0,
        "tools/manual/anchorctl.1 is out of step: anchorctl completion man > tools/manual/anchorctl.1");
    buf_done(&page);
}
END_TEST

START_TEST(manual_names_everything)
{
    char heading[64];
    struct done d = ctl("completion", "man", NULL);
    for (const struct ctl_cmd *cmd = ctl_cmds; cmd->noun; cmd++) {
        (void)snprintf(heading, sizeof(heading), ".SS %s %s\n", cmd->noun, cmd->verb);
        ck_has(d.out, heading);
    }
}
END_TEST

/* What bash offers for a line, the last word being begun. */
static char *
bash_offers(const char *line)
{
    static const char driver[] =
        "source \"$1\"; COMP_WORDS=($2); [[ $2 == *\" \" ]] && COMP_WORDS+=('')\n"
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _anchorctl; echo \"${COMPREPLY[*]}\"\n";
    char command[1024];
    static char out[4096];
    struct done d = ctl("completion", "bash", NULL);
    const char *script = fake_file("completion", d.out), *file = fake_file("driver", driver);
    (void)snprintf(command, sizeof(command), "cd %s && bash %s %s '%s'", fake.dir, file, script, line);
    FILE *f = popen(command, "r");
    ck_assert(f != NULL);
    size_t n = fread(out, 1, sizeof(out) - 1, f);
    out[n] = '\0';
    ck_assert_int_eq(pclose(f), 0);
    return out;
}

START_TEST(bash_completes)
{
    fake_new();
    ck_has(bash_offers("anchorctl "), "account zone ca crl host");
    ck_assert_str_eq(bash_offers("anchorctl accou"), "account\n");
    ck_has(bash_offers("anchorctl -o json zone "), "create list get delete");
    ck_has(bash_offers("anchorctl zone create --a"), "--account --acm");
    ck_assert_str_eq(bash_offers("anchorctl account create --plan "), "enterprise free\n");
    ck_assert_str_eq(bash_offers("anchorctl account create --name "), "\n");
    ck_assert_str_eq(bash_offers("anchorctl query evaluate --field http.request.meth"),
                     "http.request.method=\n");
    ck_assert_str_eq(bash_offers("anchorctl query evaluate --field cf.tls_client_auth."),
                     "\n"); /* computed */
    ck_assert_str_eq(bash_offers("anchorctl rule fu"), "functions\n");
    ck_has(bash_offers("anchorctl --socket account ca upload "), "completion");
    ck_assert_str_eq(bash_offers("anchorctl ca upload --account x --key dri"), "driver\n");
    ck_lacks(bash_offers("anchorctl account list "), "driver");
    fake_done();
}
END_TEST

START_TEST(other_shells_name_everything)
{
    static const char *const shells[] = {"zsh", "fish"};
    for (size_t i = 0; i < 2; i++) {
        struct done d = ctl("completion", shells[i], NULL);
        ck_assert_int_eq(d.code, 0);
        for (unsigned id = OPT_NONE + 1; id < OPT_COUNT; id++)
            if (id != OPT_VERSION || i == 0)
                ck_has(d.out, ctl_opt(id)->name);
        for (const struct ctl_cmd *cmd = ctl_cmds; cmd->noun; cmd++)
            ck_has(d.out, cmd->verb);
    }
}
END_TEST

/* The line of a script in which `what` stands. */
static char *
line_with(const char *script, const char *what)
{
    static char line[1 << 15];
    const char *at = strstr(script, what);
    ck_assert_msg(at != NULL, "no line with %s", what);
    while (at > script && at[-1] != '\n')
        at--;
    size_t len = strcspn(at, "\n");
    ck_assert_uint_lt(len, sizeof(line));
    memcpy(line, at, len);
    line[len] = '\0';
    return line;
}

/* Names that may be given stand behind --field, with their =; what the server computes does not. */
START_TEST(other_shells_complete_fields)
{
    static const struct {
        const char *shell, *option;
    } cases[] = {{"zsh", "--field)"}, {"fish", " -l field "}};
    for (size_t i = 0; i < 2; i++) {
        const char *line = line_with(ctl("completion", cases[i].shell, NULL).out, cases[i].option);
        ck_has(line, "http.request.method= ");
        ck_has(line, "http.host= ");
        ck_lacks(line, "cf.tls_client_auth.cert_verified");
    }
}
END_TEST

Suite *suite_complete(void);
Suite *
suite_complete(void)
{
    Suite *s = suite_create("anchorctl complete");
    ADD_TESTS(s, "complete", manual_is_in_step, manual_names_everything, bash_completes,
              other_shells_name_everything, other_shells_complete_fields);
    return s;
}
