/* Texts made from the table of commands: help, completion scripts, the manual page. */
#ifndef ANCHORCTL_HELP_H
#define ANCHORCTL_HELP_H

#include <stdio.h>

#include "table.h"

void help_all(FILE *f);
void help_noun(FILE *f, const struct ctl_noun *noun);
void help_cmd(FILE *f, const struct ctl_cmd *cmd);

void help_bash(FILE *f);
void help_zsh(FILE *f);
void help_fish(FILE *f);
void help_manual(FILE *f); /* roff, section 1 */

#endif
