/*
 * plain - plain text: ASCII that JSON prints as it is, so neither a quote, a backslash nor a control character.
 *
 * Most strings and nearly all keys are plain: then neither a reader nor a printer need look at their bytes one by one.
 * The thing to get right: text that is not plain may still need no escape ("é"). Owns nothing. Threads: [any].
 */
#ifndef CORE_PLAIN_H
#define CORE_PLAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/str.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Whether any of eight bytes is not plain. One may be taken for it wrongly only beside one that is not. */
static inline bool plain_has_odd(uint64_t bytes)
{
	const uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
	/* A byte of x - ones has its high bit set, if x's has not, only when some byte up to it was 0. */
	uint64_t quotes = bytes ^ (ones * '"'), backslashes = bytes ^ (ones * '\\');
	return ((quotes - ones) | (backslashes - ones) | (bytes - ones * ' ') | bytes) & highs;
}

/* The first byte from at on that is not plain, or end. */
static inline const char *plain_end(const char *at, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(' ');
	while (end - at >= 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		/* Signed: bytes from 0x80 on are negative, thus below the space, as control characters are. */
		__m128i odd =
			_mm_or_si128(_mm_cmplt_epi8(bytes, space),
				     _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)));
		int mask = _mm_movemask_epi8(odd);
		if (mask)
			return at + __builtin_ctz((unsigned)mask);
		at += 16;
	}
#else
	while (end - at >= 8) {
		uint64_t bytes;
		memcpy(&bytes, at, 8);
		if (plain_has_odd(bytes))
			break;
		at += 8;
	}
#endif
	while (at < end && (unsigned char)*at >= ' ' && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\')
		at++;
	return at;
}

static inline bool plain_is(struct str s)
{
	return !s.len || plain_end(s.ptr, s.ptr + s.len) == s.ptr + s.len;
}

/* Copies s to to, which has room for it; whether it is plain. A short one is looked at on its way. */
static inline bool plain_copy(char *to, struct str s)
{
	if (s.len > 16) {
		memcpy(to, s.ptr, s.len);
		return plain_is(s);
	}
	/* In two halves that overlap. */
	if (s.len >= 8) {
		uint64_t first, last;
		memcpy(&first, s.ptr, 8);
		memcpy(&last, s.ptr + s.len - 8, 8);
		memcpy(to, &first, 8);
		memcpy(to + s.len - 8, &last, 8);
		return !plain_has_odd(first) && !plain_has_odd(last);
	}
	if (s.len >= 4) {
		uint32_t first, last;
		memcpy(&first, s.ptr, 4);
		memcpy(&last, s.ptr + s.len - 4, 4);
		memcpy(to, &first, 4);
		memcpy(to + s.len - 4, &last, 4);
		return !plain_has_odd((uint64_t)first << 32 | last);
	}
	uint64_t seen = 0x2020202020202020;
	for (size_t i = 0; i < s.len; i++) {
		to[i] = s.ptr[i];
		seen = seen << 8 | (unsigned char)s.ptr[i];
	}
	return !plain_has_odd(seen);
}

#endif
