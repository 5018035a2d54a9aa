#include "shard/watchdog.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "shard/shard_private.h"
#include "shard/thread.h"

enum { LOOKS_PER_LIMIT = 4, LONGEST_LOOK_MS = 250, LONGEST_SILENCE_MS = 60000 };

enum { NAME_BYTES = 160 };

struct suspect {          /* one shard, as the watchdog saw it last */
	int64_t began_ns; /* of the tick that was reported; 0: none */
	int64_t next_ms;  /* when it is told again */
	bool has_job;
	char who[NAME_BYTES]; /* copies: the author's own may be gone by the next look */
	char what[NAME_BYTES];
};

struct watchdog {
	struct shard_group *group;
	struct watchdog_options options;
	int stop_fd; /* readable: end */
	pthread_t thread;
	/* Looks that others wait for. Added to by them, with release, and read with acquire when a look begins; then
	 * written by the watchdog when it has ended, again with release: what a look read was read before. */
	_Atomic uint64_t asked;
	_Atomic uint64_t passed;
	struct suspect suspects[];
};

static void tell(struct watchdog *self, unsigned index, int64_t held_ms, bool ended)
{
	const struct suspect *suspect = &self->suspects[index];
	const struct shard_job none = {NULL, NULL}, job = {suspect->who, suspect->what};
	const struct watchdog_report report = {index, suspect->has_job ? job : none, held_ms, ended};

	self->options.report(self->options.argument, &report);
}

static void copy_name(char name[NAME_BYTES], const char *from)
{
	size_t len = from ? strnlen(from, NAME_BYTES - 1) : 0;

	if (len)
		memcpy(name, from, len);
	name[len] = 0;
}

static void copy_job(struct suspect *suspect, const struct shard *shard)
{
	const char *who = atomic_load_explicit(&shard->watched.who, memory_order_relaxed);

	suspect->has_job = who;
	copy_name(suspect->who, who);
	copy_name(suspect->what, atomic_load_explicit(&shard->watched.what, memory_order_relaxed));
}

static void look_at(struct watchdog *self, unsigned index, int64_t now_ns)
{
	const struct shard *shard = self->group->shards[index];
	struct suspect *suspect = &self->suspects[index];
	/* Acquire: when the tick is seen to have ended, so is how long it took. */
	int64_t began_ns = atomic_load_explicit(&shard->watched.began_ns, memory_order_acquire);

	if (suspect->began_ns && suspect->began_ns != began_ns) {
		tell(self, index, atomic_load_explicit(&shard->watched.longest_ns, memory_order_relaxed) / 1000000,
		     true);
		suspect->began_ns = 0;
	}
	int64_t held_ms = began_ns ? (now_ns - began_ns) / 1000000 : 0;
	if (held_ms < self->options.limit_ms)
		return;
	if (suspect->began_ns && held_ms < suspect->next_ms)
		return;
	suspect->began_ns = began_ns;
	copy_job(suspect, shard);
	suspect->next_ms = held_ms < LONGEST_SILENCE_MS ? held_ms * 2 : held_ms + LONGEST_SILENCE_MS;
	tell(self, index, held_ms, false);
}

static void look_around(struct watchdog *self)
{
	uint64_t asked = atomic_load_explicit(&self->asked, memory_order_acquire);
	int64_t now_ns = clock_now_mono_ns();

	for (unsigned i = 0; i < self->group->options.count; i++)
		look_at(self, i, now_ns);
	atomic_store_explicit(&self->passed, asked, memory_order_release);
	log_flush();
}

static void watch(void *argument)
{
	struct watchdog *self = argument;
	int64_t look_ms = self->options.limit_ms / LOOKS_PER_LIMIT;
	int wait_ms = look_ms < 1 ? 1 : look_ms > LONGEST_LOOK_MS ? LONGEST_LOOK_MS : (int)look_ms;
	struct pollfd stop = {.fd = self->stop_fd, .events = POLLIN};

	while (poll(&stop, 1, wait_ms) <= 0)
		look_around(self);
	look_around(self);
}

static void set_limit(struct shard_group *group, int64_t limit_ns)
{
	for (unsigned i = 0; i < group->options.count; i++)
		group->shards[i]->watch_limit_ns = limit_ns;
}

int watchdog_new(struct watchdog **out, struct shard_group *group, const struct watchdog_options *options)
{
	struct watchdog *self = mem_alloc(sizeof *self + group->options.count * sizeof self->suspects[0]);

	self->group = group;
	self->options = *options;
	self->stop_fd = eventfd(0, EFD_CLOEXEC);
	int rc = self->stop_fd < 0 ? -errno : 0;
	if (rc == 0) {
		set_limit(group, options->limit_ms * 1000000);
		rc = thread_start(&self->thread, "watchdog", watch, self);
	}
	if (rc < 0) {
		if (self->stop_fd >= 0)
			close(self->stop_fd);
		free(self);
		return rc;
	}
	*out = self;
	return 0;
}

uint64_t watchdog_ask(struct watchdog *self)
{
	return self ? atomic_fetch_add_explicit(&self->asked, 1, memory_order_release) + 1 : 0;
}

bool watchdog_has_passed(const struct watchdog *self, uint64_t look)
{
	return !self || atomic_load_explicit(&self->passed, memory_order_acquire) >= look;
}

void watchdog_free(struct watchdog *self)
{
	if (!self)
		return;
	eventfd_write(self->stop_fd, 1);
	pthread_join(self->thread, NULL);
	close(self->stop_fd);
	free(self);
}
