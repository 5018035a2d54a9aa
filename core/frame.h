/*
 * frame - immutable bytes, encoded once and shared by every connection and shard that sends them.
 *
 * Counted atomically, but meant to be counted per shard, not per member: a shard holds one reference for as long as its
 * members need the bytes. Threads: [any] may ref, unref and read.
 */
#ifndef CORE_FRAME_H
#define CORE_FRAME_H

#include <stddef.h>

#include "core/str.h"

struct frame;

/* A frame with a copy of bytes and one reference, which the caller owns. Never NULL. */
struct frame *frame_new(struct str bytes);
struct frame *frame_ref(struct frame *frame);
/* NULL is fine. */
void frame_unref(struct frame *frame);
/* The bytes; a loan for as long as the reference is held. */
struct str frame_bytes(const struct frame *frame);

#endif
