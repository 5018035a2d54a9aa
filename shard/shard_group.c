/* The birth and death of shards and their threads. */
#include "shard/shard.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/mem.h"
#include "shard/base.h"
#include "shard/shard_private.h"
#include "shard/thread.h"

enum { MAX_SHARDS = 1024 };

enum { ARENA_BLOCK_BYTES = 64 * 1024 };

/* ---- one shard ---- */

static void deliver_stop(struct mail *mail, struct shard *here)
{
	(void)mail;
	here->ending = true;
}

/* Half-built ones are fine. */
static void shard_free(struct shard *shard)
{
	if (!shard)
		return;
	if (shard->box_event)
		event_free(shard->box_event);
	if (shard->timer_event)
		event_free(shard->timer_event);
	if (shard->timer_fd >= 0)
		close(shard->timer_fd);
	mailbox_free(shard->box);
	if (shard->base)
		event_base_free(shard->base);
	wheel_free(shard->wheel);
	arena_free(shard->arena);
	handles_deinit(&shard->handles);
	shard_mail_deinit(shard);
	free(shard);
}

/* Opens the descriptors of shard: its loop, its mailbox and its timer. */
static int shard_open(struct shard *shard)
{
	int rc = base_new(&shard->base);
	if (rc < 0)
		return rc;
	shard->box = mailbox_new();
	if (!shard->box)
		return -errno;
	shard->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (shard->timer_fd < 0)
		return -errno;

	shard->box_event =
		event_new(shard->base, mailbox_fd(shard->box), EV_READ | EV_PERSIST, shard_on_mailbox, shard);
	shard->timer_event =
		event_new(shard->base, shard->timer_fd, EV_READ | EV_PERSIST | EV_ET, shard_on_timer, shard);
	if (!shard->box_event || !shard->timer_event)
		return -ENOMEM;
	if (event_add(shard->box_event, NULL) < 0 || event_add(shard->timer_event, NULL) < 0)
		return -ENOMEM;
	return 0;
}

static int shard_new(struct shard **out, struct shard_group *group, unsigned index)
{
	struct shard *shard = padded_alloc(sizeof *shard);
	shard->group = group;
	shard->index = index;
	shard->timer_fd = -1;
	shard->timer_set_ms = -1;
	shard->stop.deliver = deliver_stop;
	shard->arena = arena_new(ARENA_BLOCK_BYTES);
	handles_init(&shard->handles);
	list_init(&shard->kept);
	shard_mail_init(shard);
	if (!group->options.manual)
		tick_clock_refresh(&shard->clock);
	shard->wheel = wheel_new(shard->clock.mono_ms);

	int rc = shard_open(shard);
	if (rc < 0) {
		shard_free(shard);
		return rc;
	}
	*out = shard;
	return 0;
}

static void shard_main(void *argument)
{
	struct shard *shard = argument;
	struct shard_group *group = shard->group;
	shard_enter(shard);
	if (group->on_start)
		group->on_start(shard, group->argument);
	shard_run(shard);
	if (group->on_stop)
		group->on_stop(shard, group->argument);
	shard_end_tick(shard);
}

/* ---- the group ---- */

int shard_group_new(struct shard_group **out, const struct shard_options *options)
{
	if (options->count < 1 || options->count > MAX_SHARDS || options->mailbox_depth < 1 || options->mail_budget < 1)
		return -EINVAL;

	struct shard_group *group = mem_alloc(sizeof *group + options->count * sizeof group->shards[0]);
	group->options = *options;
	for (unsigned i = 0; i < options->count; i++) {
		int rc = shard_new(&group->shards[i], group, i);
		if (rc < 0) {
			while (i-- > 0)
				shard_free(group->shards[i]);
			free(group);
			return rc;
		}
	}
	*out = group;
	return 0;
}

/* Ends the first count threads. */
static void stop_threads(struct shard_group *group, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		shard_post_outside(group->shards[i], &group->shards[i]->stop);
	for (unsigned i = 0; i < count; i++)
		pthread_join(group->shards[i]->thread, NULL);
	group->running = false;
}

int shard_group_start(struct shard_group *group, void (*on_start)(struct shard *, void *),
		      void (*on_stop)(struct shard *, void *), void *argument)
{
	assert_always(!group->running && !group->options.manual);
	group->on_start = on_start;
	group->on_stop = on_stop;
	group->argument = argument;
	group->running = true;
	for (unsigned i = 0; i < group->options.count; i++) {
		char name[32];
		snprintf(name, sizeof name, "shard %u", i);
		group->shards[i]->ending = false;
		int rc = thread_start(&group->shards[i]->thread, name, shard_main, group->shards[i]);
		if (rc < 0) {
			stop_threads(group, i);
			return rc;
		}
	}
	return 0;
}

void shard_group_stop(struct shard_group *group)
{
	if (!group->running)
		return;
	assert_always(!shard_here() || shard_here()->group != group);
	stop_threads(group, group->options.count);
}

static unsigned discard_all(struct shard_group *group)
{
	unsigned count = 0;
	for (unsigned i = 0; i < group->options.count; i++) {
		shard_enter(group->shards[i]);
		count += shard_discard_mail(group->shards[i]);
		shard_free_graves(group->shards[i], true);
	}
	shard_enter(NULL);
	return count;
}

void shard_group_free(struct shard_group *group)
{
	if (!group)
		return;
	assert_always(!group->running);
	/* Discarding or freeing one thing may post or bury another. */
	while (discard_all(group) > 0)
		;
	for (unsigned i = 0; i < group->options.count; i++) {
		shard_enter(group->shards[i]);
		shard_free_kept(group->shards[i]);
	}
	while (discard_all(group) > 0)
		;
	for (unsigned i = 0; i < group->options.count; i++)
		shard_free(group->shards[i]);
	free(group);
}

unsigned shard_group_count(const struct shard_group *group)
{
	return group->options.count;
}

struct shard *shard_group_at(const struct shard_group *group, unsigned index)
{
	debug_assert(index < group->options.count);
	return group->shards[index];
}
