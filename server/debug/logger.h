/*
 * logger - a log line of a category: printed for whoever asked for that category, and always told to the debugger.
 *
 * Owns nothing. Threads: [shard] of the tap.
 */
#ifndef SERVER_DEBUG_LOGGER_H
#define SERVER_DEBUG_LOGGER_H

#include <stdbool.h>

#include "server/debug/debug_event.h"

struct debug_tap;

struct logger_line {
	struct debug_subject subject;
	unsigned category; /* one of LIVE_LOG_... */
	bool warns;        /* else it informs */
	bool prints;       /* somebody asked for the category */
	struct str text;
	struct str details; /* for the debugger: JSON; ptr NULL: none */
};

/* tap NULL: there is no debugger. */
void logger_tell(struct debug_tap *tap, const struct logger_line *line);

#endif
