/*
 * A component's state: changed by patches, sent as deltas, signed now and then.
 */
#include "core/diff.h"
#include "server/component/instance.h"
#include "server/component/singleton.h"
#include "server/component/trace.h"

static struct str sign_to_scratch(live_component *self)
{
	struct component_shard *here = self->home;
	struct signing signing = {
		.component_id = self->sender.id,
		.component_name = self->definition->name,
		.state = self->state,
		.version = ++self->version,
		.wall_ms = shard_clock(here->shard)->wall_ms,
	};

	self->signed_ms = shard_clock(here->shard)->mono_ms;
	signer_sign(here->signer, &signing, &here->out.scratch);
	if (self->extra)
		backups_add(&self->extra->backups, self->state, self->version, signing.wall_ms);
	return scratch_take(here);
}

void instance_cancel_renewal(live_component *self)
{
	if (self->extra)
		timer_disarm(&self->extra->renewal);
}

struct str instance_sign(live_component *self)
{
	instance_cancel_renewal(self);
	return sign_to_scratch(self);
}

static void renew_signature(struct timer *timer)
{
	live_component *self = LIST_OF(timer, struct instance_extra, renewal)->component;
	struct str signed_state = sign_to_scratch(self);

	if (!signed_state.len)
		return;
	encode_state_signature(&self->home->out.scratch, &self->sender, signed_state);
	if (self->audience)
		singleton_push_here(self, scratch_take(self->home));
	else
		instance_push(self, scratch_take(self->home));
}

void instance_init_renewal(live_component *self)
{
	timer_init(&self->extra->renewal, renew_signature);
	backups_init(&self->extra->backups, self->home->settings->state_backups);
}

/* The first change after an idle window schedules a signature; further ones ride on it (protocol 7.4). */
static void schedule_renewal(live_component *self)
{
	int64_t interval = self->home->settings->signature_renew_ms;

	if (!interval || timer_is_armed(&instance_extra(self)->renewal))
		return;
	int64_t wait = self->signed_ms + interval - shard_clock(self->home->shard)->mono_ms;
	shard_timer_after(self->home->shard, &self->extra->renewal, wait > 0 ? wait : 0);
}

static void tell_change(live_component *self, const live_value *delta)
{
	if (!self->definition->api->on_state_change || self->in_state_change)
		return;
	struct shard_job before = instance_enter(self, "onStateChange");
	self->in_state_change = true;
	self->definition->api->on_state_change(self, delta);
	self->in_state_change = false;
	instance_leave(self, before);
}

void instance_set_state(live_component *self, const live_value *patch)
{
	instance_change(self, patch, "setState");
}

void instance_change(live_component *self, const live_value *patch, const char *source)
{
	const live_value *delta, *next;

	if (self->is_dead)
		return;
	diff_patch(self->state, patch, &self->home->out.diff, &delta, &next);
	if (!delta) {
		live_value_unref(next);
		return;
	}
	const live_value *before = self->state;
	self->state = next;
	counter_add(&self->home->counters.state_changes, 1);
	self->state_change_count++;
	self->active_s = (uint32_t)(shard_clock(self->home->shard)->mono_ms / 1000);
	if (trace_wants(self, LIVE_LOG_STATE))
		trace_changed(self, delta, source);
	if (self->audience)
		singleton_push_delta(self, before, live_value_ref(delta));
	else if (self->mounted.client)
		outbox_push_delta(&self->mounted.client->outbox, &self->pending, before, live_value_ref(delta));
	live_value_unref(before);
	schedule_renewal(self);
	tell_change(self, delta);
	live_value_unref(delta);
}

/* With a fresh signature. */
static void push_full_state(live_component *self)
{
	struct component_shard *here = self->home;
	struct str signed_state = instance_sign(self);

	encode_state_update(&here->out.scratch, &self->sender, self->state, signed_state);
	instance_push(self, scratch_take(here));
}

void client_catch_up(struct client *client)
{
	list_for_each (link, &client->mounted) {
		struct mounted *mounted = LIST_OF(link, struct mounted, link);
		live_component *self = mounted->instance;
		if (!self)
			singleton_refresh(mounted);
		else if (self->pending.collapsed) {
			self->pending.collapsed = false;
			counter_add(&self->home->counters.collapses, 1);
			if (trace_wants(self, LIVE_LOG_WEBSOCKET))
				trace_connection(self, "its client was slow, and gets the full state");
			push_full_state(self);
		}
	}
}
