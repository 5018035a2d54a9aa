/*
 * utf8 - is it well-formed UTF-8? (The Unicode Standard, table 3-7: no overlong forms, no surrogates, up to U+10FFFF.)
 *
 * utf8_check looks at a whole text; a utf8_state takes it in pieces, as a fragmented WebSocket message comes (RFC 6455
 * section 8.1), and fails as soon as no continuation could be well-formed. Owns nothing. Threads: [any].
 */
#ifndef CORE_UTF8_H
#define CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/str.h"

bool utf8_check(struct str text);
/* Bytes of the well-formed sequence that text begins with (1 to 4), or 0 when it begins with none. */
size_t utf8_sequence(struct str text);
/* UTF-16 code units of a well-formed text: its length in JavaScript. */
size_t utf8_units(struct str text);
/* Appends text with each ill-formed part as U+FFFD, one for each maximal subpart as the Unicode Standard (section 3.9)
 * and browsers do. */
void utf8_append_repaired(struct buf *to, struct str text);

struct utf8_state {        /* zeroed: a new text */
	uint8_t pending;   /* continuation bytes still to come; 0 between characters */
	uint8_t low, high; /* what the next of them may be */
	bool broken;
};

/* The next piece; false as soon as the text cannot be well-formed any more, and from then on. */
bool utf8_state_feed(struct utf8_state *state, struct str piece);
/* Whether the text may end here. */
bool utf8_state_complete(const struct utf8_state *state);

#endif
