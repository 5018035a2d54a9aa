/*
 * category - what log lines are about: the bits LIVE_LOG_... of <live/component.h>, and their names.
 *
 * Owns nothing. Threads: [any].
 */
#ifndef SERVER_DEBUG_CATEGORY_H
#define SERVER_DEBUG_CATEGORY_H

#include <stddef.h>

#include "core/str.h"

/* The name of one category ("lifecycle"); of several the first one's; "none" of none. */
const char *category_name(unsigned category);
/* Reads "true" (all), "false" or nothing (none), or names separated by commas, into *out. 0, or -EINVAL with one line
 * in error. */
int categories_parse(unsigned *out, const char *text, char *error, size_t error_size)
	__attribute__((warn_unused_result));

#endif
