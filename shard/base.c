#include "shard/base.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What a base opens: its epoll and a socket pair for signals, and one more while it tests what there is. */
enum { BASE_DESCRIPTORS = 4 };

/* Whether a base will find its descriptors. libevent ends the process when its socket pair fails, so ask first. */
static int probe_descriptors(void)
{
	int fds[BASE_DESCRIPTORS];
	int rc = 0;
	unsigned count = 0;
	while (rc == 0 && count < BASE_DESCRIPTORS) {
		fds[count] = eventfd(0, EFD_CLOEXEC);
		if (fds[count] < 0)
			rc = -errno;
		else
			count++;
	}
	while (count > 0)
		close(fds[--count]);
	return rc;
}

/*
 * Changes of a descriptor's events are collected until the wait, and those that undo each other never reach the kernel
 * (reading stopped and resumed in one tick, a write event that was needed for a moment). Time is not cached, since
 * shards do not use libevent's timers: on the coarse clock they fire up to 5 ms late, and on the precise one they cost
 * a system call in every tick (measured on 2.1.12).
 */
int base_new(struct event_base **out)
{
	int rc = probe_descriptors();
	if (rc < 0)
		return rc;
	struct event_config *config = event_config_new();
	if (!config)
		return -ENOMEM;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST |
					      EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NO_CACHE_TIME);
	event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_O1);
	*out = event_base_new_with_config(config);
	event_config_free(config);
	return *out ? 0 : -ENOMEM;
}
