/*
 * dialect - patterns as JavaScript means them, in the words of PCRE2.
 *
 * The two differ in what . and \s take, in \v, in escapes by number, and in what a "[" in a class is; all that is
 * written anew. What ECMA-262 (22.2.1, with the flag u) refuses though PCRE2 has a meaning for it is refused: \A, \Q,
 * \R and the like, (?>...), (?i), (*...), possessive quantifiers, stray brackets.
 *
 * Threads: [any].
 */
#ifndef SERVER_SCHEMA_DIALECT_H
#define SERVER_SCHEMA_DIALECT_H

#include "core/buf.h"
#include "core/str.h"

/* Appends what PCRE2 is to be given for text to out. 0, or -EINVAL with *problem, a static text, and *offset, where in
 * text it is. */
int dialect_translate(struct buf *out, struct str text, const char **problem, size_t *offset)
	__attribute__((warn_unused_result));
/* Where in text, which dialect_translate took, stands what became byte at of its output. */
size_t dialect_origin(struct str text, size_t at);

#endif
