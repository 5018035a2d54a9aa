/*
 * script - a Lua script that Redis runs, known by its SHA-1.
 *
 * Static data of the module that uses it: only the text is given, redis_node_add_script does the rest. Read-only once
 * the shards run. Threads: [start] to prepare, [any] to read.
 */
#ifndef REDIS_SCRIPT_H
#define REDIS_SCRIPT_H

#include "core/str.h"

enum { REDIS_SHA_HEX = 40 };

struct redis_script {
	struct str text;
	char sha[REDIS_SHA_HEX + 1]; /* filled by redis_script_prepare */
};

void redis_script_prepare(struct redis_script *script);

#endif
