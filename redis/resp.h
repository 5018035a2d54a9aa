/*
 * resp - commands as Redis reads them: arrays of bulk strings.
 *
 * Threads: [any].
 */
#ifndef REDIS_RESP_H
#define REDIS_RESP_H

#include <stddef.h>

#include "core/buf.h"
#include "core/str.h"

/* Bytes that resp_write needs at most. */
size_t resp_size(const struct str *args, unsigned count);
/* A whole command. */
void resp_write(struct buf *to, const struct str *args, unsigned count);
/* Its parts: how many arguments, then they. */
void resp_write_count(struct buf *to, unsigned count);
void resp_write_args(struct buf *to, const struct str *args, unsigned count);

#endif
