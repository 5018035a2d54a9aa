/*
 * msgpack - live_value as MessagePack, in the subset that browsers' decoder knows (protocol.md section 13.2).
 *
 * What one may get wrong: integers outside -2^31..2^32-1 travel as float64 and come back as ints where JavaScript's
 * numbers are exact; a lone surrogate, which UTF-8 has not, is written as U+FFFD. Threads: [any].
 */
#ifndef CORE_MSGPACK_H
#define CORE_MSGPACK_H

#include <live/value.h>

#include "core/buf.h"
#include "core/str.h"

enum { MSGPACK_MAX_DEPTH = 64 };

/* Appends value. Check buf_failed when done. */
void msgpack_write(struct buf *to, const live_value *value);
/* The same with every integer exact, as other servers read it; browsers' decoder does not know the 64-bit forms. */
void msgpack_write_wide(struct buf *to, const live_value *value);

/*
 * Reads bytes (at most 64 MiB), which must be one value and no more, into *out, which the caller then owns. All of
 * MessagePack is read but extensions: strings must be well-formed UTF-8, map keys strings or integers (which become
 * their decimal text), and of equal keys the last wins. Containers may nest max_depth deep, at most MSGPACK_MAX_DEPTH.
 * What a length claims is never believed before the bytes are there. 0, -EINVAL, or -E2BIG when nested too deep or too
 * long.
 */
int msgpack_parse(const live_value **out, struct str bytes, unsigned max_depth) __attribute__((warn_unused_result));

#endif
