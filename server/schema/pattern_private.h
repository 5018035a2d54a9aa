/*
 * pattern_private - a pattern as it is compiled: a program for a machine that is in many places at once. Threads:
 * [any], since nothing changes once it is built.
 */
#ifndef SERVER_SCHEMA_PATTERN_PRIVATE_H
#define SERVER_SCHEMA_PATTERN_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/schema/pattern.h"

enum step_kind {
	STEP_CHAR,  /* takes the character a */
	STEP_SET,   /* takes a character of the b ranges from number a on */
	STEP_SPLIT, /* goes on at a and at b */
	STEP_JUMP,  /* goes on at a */
	STEP_START, /* these four go on only there */
	STEP_END,
	STEP_WORD_EDGE,
	STEP_NO_WORD_EDGE,
	STEP_MATCH,
};

/* Where to go on is relative to the step, so that a part of a program may be moved and copied. */
struct step {
	enum step_kind kind;
	int32_t a, b;
};

struct range {
	uint32_t low, high; /* code points, both included */
};

struct pattern {
	struct step *steps;
	size_t step_count;
	struct range *ranges;
	size_t range_count;
};

#endif
