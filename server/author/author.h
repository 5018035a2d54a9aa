/*
 * author - the words of the program for those who write components: what is in a folder of components (manifest), the
 * same as TypeScript (types), the files that a component begins with (new), and whether a plugin is good (check).
 *
 * Each does its work and ends; none of them starts a server. What one may get wrong: plugins are opened, so their code
 * runs. Threads: [start].
 */
#ifndef SERVER_AUTHOR_AUTHOR_H
#define SERVER_AUTHOR_AUTHOR_H

#include <stdbool.h>
#include <stdio.h>

#include "server/config/config.h"

/* Whether word, the first of a command line, is one of these. */
bool author_has_word(const char *word);
/* Does what the command line asks for, argv[1] being such a word; prints to standard output. 0, or -errno with one line
 * in error. */
int author_run(int argc, char **argv, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));
/* Writes how to call them. */
void author_print_help(FILE *to);

#endif
