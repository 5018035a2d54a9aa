#include "core/id.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "core/assert.h"

enum { POOL_SIZE = 512 };

static _Thread_local struct {
	unsigned char bytes[POOL_SIZE];
	size_t left;     /* unused bytes, at the front */
	unsigned forked; /* fork_count when the bytes were drawn */
} pool;

/* How often this process is a fork of the one that started: a child must not hand out its parent's bytes. Written by
 * the only thread of a fresh child, read by all. */
static _Atomic unsigned fork_count;

static void note_fork(void)
{
	atomic_fetch_add_explicit(&fork_count, 1, memory_order_relaxed);
}

__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, note_fork);
}

static void draw(void *out, size_t len)
{
	char *at = out;
	while (len) {
		ssize_t got = getrandom(at, len, 0);
		if (got < 0) {
			if (errno == EINTR)
				continue;
			fprintf(stderr, "liveshard: no random bytes: %s\n", strerror(errno));
			abort();
		}
		at += got;
		len -= (size_t)got;
	}
}

void id_random(void *out, size_t len)
{
	if (len > POOL_SIZE / 4) {
		draw(out, len);
		return;
	}
	unsigned forked = atomic_load_explicit(&fork_count, memory_order_relaxed);
	if (pool.left < len || pool.forked != forked) {
		draw(pool.bytes, POOL_SIZE);
		pool.left = POOL_SIZE;
		pool.forked = forked;
	}
	pool.left -= len;
	memcpy(out, pool.bytes + pool.left, len);
	/* What was handed out is not kept: a later look into memory finds no old ids. */
	explicit_bzero(pool.bytes + pool.left, len);
}

void id_make(char out[ID_LEN + 1])
{
	static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned char bits[ID_LEN];

	id_random(bits, sizeof bits);
	for (int i = 0; i < ID_LEN; i++)
		out[i] = letters[bits[i] & 63];
	out[ID_LEN] = 0;
}

size_t id_source_make(const struct id_source *source, char out[ID_SIZE_MAX])
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

	if (!source->make) {
		id_make(out);
		return ID_LEN;
	}
	out[0] = out[ID_SIZE_MAX - 1] = 0;
	source->make(source->argument, out);
	size_t len = strspn(out, letters);
	assert_always(len > 0 && len < ID_SIZE_MAX && !out[len]);
	return len;
}

uint32_t id_random_below(uint32_t bound)
{
	/* Numbers below 2^32 mod bound are drawn again, so that each remainder is equally likely. */
	uint32_t unfair = (uint32_t)(-bound) % bound;
	uint32_t number;
	do
		id_random(&number, sizeof number);
	while (number < unfair);
	return number % bound;
}
