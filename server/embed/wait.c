/*
 * live_wait: an answer on its way to a thread that sleeps until it comes. Two hold it, the one who waits and the one
 * who answers; the second to let go frees it.
 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <live/server.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/mem.h"
#include "shard/shard.h"

struct live_wait {
	int bell;                 /* an eventfd, rung with the answer */
	_Atomic unsigned held;    /* by how many; let go of with release, freed after acquire */
	const live_value *result; /* written before the bell is rung */
	char *error;
};

live_wait *live_wait_new(void)
{
	live_wait *wait = mem_alloc(sizeof *wait);

	wait->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_always(wait->bell >= 0);
	atomic_init(&wait->held, 2);
	return wait;
}

static void let_go(live_wait *wait)
{
	if (atomic_fetch_sub_explicit(&wait->held, 1, memory_order_acq_rel) != 1)
		return;
	live_value_unref(wait->result);
	free(wait->error);
	close(wait->bell);
	free(wait);
}

void live_wait_done(void *argument, const char *error, const live_value *result)
{
	live_wait *wait = argument;
	uint64_t one = 1;

	wait->error = error ? mem_strndup(error, strlen(error)) : NULL;
	wait->result = live_value_ref(result);
	ssize_t written = write(wait->bell, &one, sizeof one);
	assert_always(written == sizeof one);
	let_go(wait);
}

static bool hear_bell(const live_wait *wait, int64_t timeout_ms)
{
	struct pollfd poll_fd = {.fd = wait->bell, .events = POLLIN};
	int64_t deadline_ms = clock_now_mono_ms() + timeout_ms;
	uint64_t rings;

	for (;;) {
		if (read(wait->bell, &rings, sizeof rings) == sizeof rings)
			return true;
		int64_t left_ms = deadline_ms - clock_now_mono_ms();
		if (left_ms <= 0)
			return false;
		poll(&poll_fd, 1, left_ms > 60000 ? 60000 : (int)left_ms);
	}
}

int live_wait_for(live_wait *wait, int64_t timeout_ms, const live_value **result, char *error, size_t error_size)
{
	int rc = 0;

	assert_always(!shard_here()); /* it would wait for itself */
	if (result)
		*result = NULL;
	if (!hear_bell(wait, timeout_ms)) {
		rc = -ETIMEDOUT;
		if (error && error_size)
			snprintf(error, error_size, "no answer within %lld ms", (long long)timeout_ms);
	} else if (wait->error) {
		rc = -EREMOTEIO;
		if (error && error_size)
			snprintf(error, error_size, "%s", wait->error);
	} else if (result) {
		*result = live_value_ref(wait->result);
	}
	let_go(wait);
	return rc;
}
