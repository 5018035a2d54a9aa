/*
 * pattern - regular expressions whose cost is bounded: steps of the pattern times characters of the text, whatever both
 * are.
 *
 * The dialect is what JSON Schema (draft 2020-12, section 6.4) asks authors to keep to, and it means what it means in
 * JavaScript with the flag u: characters, ., classes and ranges, \d \w \s and their opposites, \t \n \v \f \r \0 \xHH
 * \uHHHH \u{H...}, groups, |, the quantifiers * + ? {n} {n,} {n,m} and their lazy forms, ^ $ \b \B. It works on code
 * points, and matches anywhere. Back references, look-around and \p{...}, which cannot be bounded or would need tables,
 * are refused, and so is an escape that means nothing.
 *
 * A compiled pattern is immutable; its owner is who made it. Threads: [any].
 */
#ifndef SERVER_SCHEMA_PATTERN_H
#define SERVER_SCHEMA_PATTERN_H

#include "core/str.h"

enum {
	PATTERN_MAX_TEXT = 1024, /* bytes of its source */
	PATTERN_MAX_STEPS = 1000,
};

struct pattern;

/* Compiles text. 0, or -EINVAL with *problem, a static text such as "has nothing to repeat". */
int pattern_new(struct pattern **out, struct str text, const char **problem) __attribute__((warn_unused_result));
/* NULL is fine. */
void pattern_free(struct pattern *pattern);
/* Whether pattern matches somewhere in text (UTF-8): 1 or 0. What it costs is taken from *effort; when that is not
 * enough, -E2BIG. Allocates nothing. */
int pattern_match(const struct pattern *pattern, struct str text, unsigned *effort) __attribute__((warn_unused_result));

#endif
