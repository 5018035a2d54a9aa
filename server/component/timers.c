#include "server/component/timers.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/component/instance.h"

struct live_timer {
	struct timer timer;
	struct list link; /* live_component->timers */
	struct grave grave;
	live_component *component;
	live_timer_fn *fn;
	int64_t interval_ms; /* 0: once */
	bool is_stopped;
};

static void fire(struct timer *timer)
{
	live_timer *self = LIST_OF(timer, live_timer, timer);

	if (self->interval_ms)
		shard_timer_after(self->component->home->shard, &self->timer, self->interval_ms);
	struct shard_job before = instance_enter(self->component, "a timer");
	self->fn(self->component, self);
	instance_leave(self->component, before);
	if (!self->interval_ms)
		live_timer_stop(self);
}

static void free_timer(struct grave *grave)
{
	free(LIST_OF(grave, live_timer, grave));
}

void live_timer_stop(live_timer *timer)
{
	if (timer->is_stopped)
		return;
	timer->is_stopped = true;
	timer_disarm(&timer->timer);
	list_remove(&timer->link);
	timer->grave.free = free_timer;
	shard_bury(timer->component->home->shard, &timer->grave);
}

static live_timer *start(live_component *component, int64_t delay_ms, int64_t interval_ms, live_timer_fn *fn)
{
	live_timer *self = mem_alloc(sizeof *self);

	self->component = component;
	self->fn = fn;
	self->interval_ms = interval_ms;
	timer_init(&self->timer, fire);
	list_append(&component->timers, &self->link);
	if (component->is_dead) /* its timers have ended: this one too */
		live_timer_stop(self);
	else
		shard_timer_after(component->home->shard, &self->timer, delay_ms);
	return self;
}

live_timer *live_every(live_component *self, int64_t interval_ms, live_timer_fn *fn)
{
	if (interval_ms < 1)
		interval_ms = 1;
	return start(self, interval_ms, interval_ms, fn);
}

live_timer *live_after(live_component *self, int64_t delay_ms, live_timer_fn *fn)
{
	return start(self, delay_ms > 0 ? delay_ms : 0, 0, fn);
}

void timers_stop_all(live_component *self)
{
	list_for_each_safe (link, &self->timers)
		live_timer_stop(LIST_OF(link, live_timer, link));
}
