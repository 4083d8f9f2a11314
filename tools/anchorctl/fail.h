/*
 * Errors on stderr: a sentence, then a line for each detail, then, with -o json, one line with a JSON object.
 * Each function returns the exit code. Texts of others are printed without control characters.
 */
#ifndef ANCHORCTL_FAIL_H
#define ANCHORCTL_FAIL_H

#include "ctl.h"

/* The command line is wrong; points at --help. */
int fail_usage(struct ctl *c, const char *fmt, ...) ACD_PRINTF(2, 3);
/* Input cannot be read or understood; no call was made. */
int fail_input(struct ctl *c, int status, const char *fmt, ...) ACD_PRINTF(3, 4);
/* The server said no, or did not answer. */
int fail_result(struct ctl *c, int status, const struct admin_result *res);
/* We say no. `details`: a JSON array that is taken, may be NULL; each has "text", its line. */
int fail_refused(struct ctl *c, int status, json_t *details, const char *fmt, ...) ACD_PRINTF(4, 5);
/* The server's answer makes no sense. */
int fail_answer(struct ctl *c, const char *fmt, ...) ACD_PRINTF(2, 3);

/* Writes the text without control characters (C0, C1, DEL) and without broken UTF-8. */
void fail_put(FILE *f, const char *text);

#endif
