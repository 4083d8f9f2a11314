/*
 * Output: one JSON value, or a table made from the same value. A column picks a member by path
 * ("account.id").
 */
#ifndef ANCHORCTL_OUT_H
#define ANCHORCTL_OUT_H

#include "ctl.h"

struct out_col {
    const char *title; /* NULL ends the list */
    const char *path;
    bool right; /* numbers */
};

/* `value` is taken. In JSON it is printed whole; otherwise a row for each element of the array. */
void out_rows(struct ctl *c, json_t *rows, const struct out_col *cols);
/* ... otherwise a line "title  value" for each column that there is. */
void out_object(struct ctl *c, json_t *object, const struct out_col *cols);
void out_json(struct ctl *c, json_t *value);
/* A table of part of a larger answer, human form only; borrowed. */
void out_table(struct ctl *c, const json_t *rows, const struct out_col *cols);
/* A line of human output: the text is printed without control characters. */
void out_line(struct ctl *c, const char *fmt, ...) ACD_PRINTF(2, 3);

/* "\033[32m" and the like when f is a terminal that may be coloured (NO_COLOR, TERM=dumb), otherwise "". */
enum out_paint { PAINT_OFF, PAINT_GOOD, PAINT_BAD };
const char *out_paint(FILE *f, enum out_paint paint);

#endif
