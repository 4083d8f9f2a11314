/*
 * The table of cases (matrix.txt), read line by line: certificates, lists, questions, expected answers.
 * One thread. An `ask` borrows from the factory and lives for the callback.
 */
#ifndef TESTS_PKI_MATRIX_H
#define TESTS_PKI_MATRIX_H

#include <stdio.h>

#include <anchord/plugin-validator.h>

#include "factory.h"

enum { MATRIX_LIST = 64 };

struct ask {
    char name[96];      /* "case/number" */
    const char *expect; /* "ok" or the name of an error */
    acd_verify verify;
    acd_slice leaf, inter[MATRIX_LIST], crls[MATRIX_LIST], helpers[MATRIX_LIST];
    acd_anchor anchors[MATRIX_LIST];
    size_t nanchors, ncrls, nhelpers;
};

typedef void (*matrix_fn)(void *ctx, const struct ask *ask);

/* Ends the program with a message when the table is wrong. */
void matrix_read(FILE *in, matrix_fn fn, void *ctx);

#endif
