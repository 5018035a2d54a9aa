/*
 * live_offload: blocking work of a component, on the pool and back.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/component/instance.h"
#include "shard/pool.h"

struct offload {
	struct work work;
	struct handle component;
	struct borrower borrower;
	live_offload_fn *run;
	live_offload_done_fn *done;
	const live_value *argument;
	const live_value *result;
};

static void free_offload(struct offload *offload)
{
	live_value_unref(offload->argument);
	live_value_unref(offload->result);
	free(offload);
}

static void run(struct work *work)
{
	struct offload *offload = LIST_OF(work, struct offload, work);

	offload->result = offload->run(offload->argument);
}

static void deliver(struct mail *mail, struct shard *here)
{
	struct offload *offload = LIST_OF(mail, struct offload, work.done);
	live_component *self = shard_handle_find(here, offload->component);
	const struct definition *asked_by = offload->borrower.definition;

	/* One that was moved to other code since then has not asked. */
	if (self && self->definition->api == asked_by->api) {
		struct shard_job before = instance_enter(self, "what follows blocking work");
		offload->done(self, offload->result);
		instance_leave(self, before);
	}
	if (component_shard_of(here))
		list_remove(&offload->borrower.link);
	free_offload(offload);
}

static void discard(struct mail *mail)
{
	free_offload(LIST_OF(mail, struct offload, work.done));
}

int live_offload(live_component *self, live_offload_fn *work, const live_value *argument, live_offload_done_fn *done)
{
	struct offload *offload = mem_alloc(sizeof *offload);

	offload->work.run = run;
	offload->work.done.deliver = deliver;
	offload->work.done.discard = discard;
	offload->component = instance_handle(self);
	offload->run = work;
	offload->done = done;
	offload->argument = argument;
	struct pool *pool = self->home->settings->pool;
	int rc = self->is_dead ? -EINVAL : pool ? pool_submit(pool, self->home->shard, &offload->work) : -EAGAIN;
	if (rc < 0) {
		free_offload(offload);
		return rc;
	}
	offload->borrower.definition = self->definition;
	list_append(&self->home->borrowers, &offload->borrower.link);
	return 0;
}
