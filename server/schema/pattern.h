/*
 * pattern - regular expressions of JavaScript (with the flag u), by PCRE2.
 *
 * JSON Schema (draft 2020-12, section 6.3.3) means ECMA-262 by them. dialect.h tells how the one is made of the other,
 * and docs/components.md what remains different. They work on code points, and match anywhere.
 *
 * PCRE2 tries one way after the other, so a text can be made that it would try for years on. Here each match is given a
 * number of steps, small at first and more when they do not do, as long as the effort of the payload lasts; a step
 * costs more the longer the text is, since it may go through all of it.
 *
 * A compiled pattern is shared by all shards, and its owner is who made it. What a match needs besides belongs to the
 * thread, and is allocated by the first one there. Threads: [any].
 */
#ifndef SERVER_SCHEMA_PATTERN_H
#define SERVER_SCHEMA_PATTERN_H

#include "core/str.h"

enum {
	PATTERN_PROBLEM_SIZE = 160,
	PATTERN_MAX_TEXT = 1024,     /* bytes of its source */
	PATTERN_MAX_STEPS = 1 << 15, /* of one match: a few ms, by measurement */
	PATTERN_MAX_HEAP_KIB = 1024, /* of a thread, for the ways back of one match; about 100 bytes each */
};

struct pattern;

/* Compiles text. 0, or -EINVAL with problem, such as "missing closing parenthesis, at offset 3" (in bytes). */
int pattern_new(struct pattern **out, struct str text, char problem[PATTERN_PROBLEM_SIZE])
	__attribute__((warn_unused_result));
/* NULL is fine. */
void pattern_free(struct pattern *pattern);
/* Whether pattern matches somewhere in text (UTF-8, which may hold lone surrogates): 1 or 0. What it costs is taken
 * from *effort. When that or the limits above do not do, nothing is known: -E2BIG, and the first time a warning in the
 * log. */
int pattern_match(struct pattern *pattern, struct str text, unsigned *effort) __attribute__((warn_unused_result));

#endif
