/*
 * `anchorctl rule check|eval|fields|functions`: the forms that need no server. Called from the program's main
 * with what follows the program's name; reads files and standard input, writes standard output and error.
 */
#ifndef ANCHORCTL_OFFLINE_RULE_H
#define ANCHORCTL_OFFLINE_RULE_H

/*
 *   rule check FILE|- [--fields FILE] [-o json]       errors with positions, for people on standard error
 *   rule eval EXPR [--field NAME=VALUE]... [--fields FILE] [--explain] [-o json]
 *   rule eval --batch [--fields FILE]                 one JSON object per line in, one out
 *   rule fields|functions [-o json]                   the words of the language
 *
 * argv[0] is "rule". Returns the exit status: 0 fine (eval: true or false was said), 1 refused, 2 usage or
 * unreadable input.
 */
int offline_rule(int argc, char **argv);

#endif
