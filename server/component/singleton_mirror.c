/*
 * A singleton that another node owns: its clients here, and its state as they see it.
 */
#include "core/diff.h"
#include "core/json.h"
#include "server/component/client.h"
#include "server/component/component_shard.h"
#include "server/component/singleton_cluster_private.h"
#include "server/component/singleton_home.h"

enum { EARLY_MAX = 256 }; /* messages heard before the state that they change is known */

/* ---- a mirror's clients ---- */

static void attach(struct clustered *self, struct singleton_request *request)
{
	struct audience *audience = self->audience;
	struct component_shard *here = clustered_here(self);

	if (!audience_listener(audience, request->client))
		audience_add(audience, request->client, request->is_legacy, request->connection);
	encode_state_update(&here->out.scratch, &audience->sender, self->state, (struct str){NULL, 0});
	audience_publish_state(audience, request->client, scratch_take(here));
	singleton_answer_mount(audience, request, self->state, (struct str){NULL, 0});
}

static void refresh(struct clustered *self, const struct singleton_request *request)
{
	struct component_shard *here = clustered_here(self);

	if (self->role != ROLE_MIRROR || !audience_listener(self->audience, request->client))
		return; /* who comes next tells all the state that it begins with */
	encode_state_update(&here->out.scratch, &self->audience->sender, self->state, (struct str){NULL, 0});
	audience_publish_state(self->audience, request->client, scratch_take(here));
}

static void detach(struct clustered *self, const struct singleton_request *request)
{
	struct listener *listener = audience_listener(self->audience, request->client);

	if (!listener)
		return;
	audience_drop(self->audience, listener);
	clustered_over_if_unwanted(self);
}

static void wait(struct clustered *self, struct singleton_request *request)
{
	list_append(&self->waiting, &request->link);
	if (!timer_is_armed(&self->patience))
		shard_timer_after(clustered_here(self)->shard, &self->patience, self->cluster->settings->timeout_ms);
}

bool clustered_serve(struct clustered *self, struct singleton_request *request)
{
	switch (request->ask) {
	case ASK_MOUNT:
		if (self->role == ROLE_MIRROR) {
			attach(self, request);
			return false;
		}
		wait(self, request);
		return true;
	case ASK_DETACH: detach(self, request); return false;
	case ASK_REFRESH: refresh(self, request); return false;
	default: break;
	}
	if (!str_equal(self->audience->sender.id, request->component_id)) {
		singleton_refuse_lost(clustered_here(self), request);
		return false;
	}
	const struct cluster_target target = clustered_target(self);
	forwards_add(&self->forwards, request, &target);
	return true;
}

void mirror_take_waiting(struct clustered *self, struct list *waiting)
{
	timer_disarm(&self->patience);
	list_init(waiting);
	list_for_each_safe (link, &self->waiting) {
		list_remove(link);
		list_append(waiting, link);
	}
}

void mirror_serve(struct clustered *self, struct list *waiting)
{
	struct component_shard *here = clustered_here(self);

	list_for_each_safe (link, waiting) {
		struct singleton_request *request = LIST_OF(link, struct singleton_request, link);
		list_remove(link);
		request->definition = self->audience->definition; /* it may be newer by now */
		if (!singleton_serve(here, request))
			singleton_request_free(request);
	}
}

void mirror_serve_waiting(struct clustered *self)
{
	struct list waiting;

	mirror_take_waiting(self, &waiting);
	mirror_serve(self, &waiting);
}

/* ---- mirroring ---- */

void mirror_push_state(struct clustered *self)
{
	struct component_shard *here = clustered_here(self);

	encode_state_update(&here->out.scratch, &self->audience->sender, self->state, (struct str){NULL, 0});
	audience_publish(self->audience, scratch_take(here));
}

/* The state was read again: its clients get the difference. */
void mirror_catch_up(struct clustered *self, const live_value *state, uint64_t seq)
{
	struct diff_steps steps;

	diff_states(self->state, state, &clustered_here(self)->out.diff, &steps);
	clustered_set_state(self, state, seq);
	if (steps.delta)
		audience_publish_steps(self->audience, &steps, state);
}

static void hear_delta(struct clustered *self, const live_value *message)
{
	struct component_shard *here = clustered_here(self);
	uint64_t seq = (uint64_t)live_as_int(live_get(message, "seq"), 0);
	const live_value *delta = live_get(message, "delta");

	if (live_value_type(delta) != LIVE_OBJECT || (self->seq && seq <= self->seq))
		return;
	counter_add(&here->counters.cluster_deltas, 1);
	if (self->seq && seq != self->seq + 1) {
		counter_add(&here->counters.cluster_gaps, 1);
		clustered_look(self);
		return;
	}
	const live_value *next = live_merge(self->state, delta);
	clustered_set_state(self, next, seq);
	if (live_len(delta))
		audience_publish_delta(self->audience, delta, next);
	live_value_unref(next);
}

static void hear_push(struct clustered *self, const live_value *message)
{
	struct component_shard *here = clustered_here(self);
	const live_value *push = live_get(message, "message");

	if (live_value_type(push) != LIVE_OBJECT)
		return;
	json_write(&here->out.scratch, push);
	audience_publish(self->audience, scratch_take(here));
}

/* A change of the state, or a push: in its order, once the state before it is known. */
static void hear_change(struct clustered *self, const live_value *message)
{
	if (!str_equal(cluster_text(message, "origin"), clustered_elsewhere(self))) {
		clustered_look(self); /* somebody else owns it by now */
		return;
	}
	if (str_equal(cluster_text(message, "type"), STR("delta")))
		hear_delta(self, message);
	else
		hear_push(self, message);
}

static void keep_early(struct clustered *self, const live_value *message)
{
	const live_value *early = self->early;

	if (live_len(early) >= EARLY_MAX) {
		self->again = true;
		return;
	}
	self->early = live_append(early, live_value_ref(message));
	live_value_unref(early);
}

void mirror_hear_early(struct clustered *self)
{
	const live_value *early = self->early;

	self->early = NULL;
	for (live_iter it = {0}; self->role == ROLE_MIRROR && live_next(early, &it);)
		if (str_equal(cluster_text(it.value, "origin"), clustered_elsewhere(self)))
			hear_change(self, it.value);
	live_value_unref(early);
}

void mirror_resend(struct clustered *self)
{
	const struct cluster_target target = clustered_target(self);

	forwards_send(&self->forwards, &target);
}

/* Its owner may not have heard what it was asked, when it lost its link to the store. */
static void hear_claim(struct clustered *self, struct str origin)
{
	clustered_look(self);
	if (str_equal(origin, clustered_elsewhere(self)))
		mirror_resend(self);
}

void clustered_heard(struct clustered *self, const live_value *message)
{
	struct str type = cluster_text(message, "type");
	struct str origin = cluster_text(message, "origin");

	if (self->role == ROLE_OWNER || str_equal(origin, str_of(self->cluster->port.id)))
		return;
	if (str_equal(type, STR("delta")) || str_equal(type, STR("push"))) {
		if (self->asking)
			keep_early(self, message);
		else if (self->role == ROLE_MIRROR &&
			 str_equal(cluster_text(message, "componentId"), self->audience->sender.id))
			hear_change(self, message);
		return;
	}
	if (self->role != ROLE_MIRROR)
		return;
	if (str_equal(type, STR("singleton_claimed")))
		hear_claim(self, origin);
	if (!str_equal(origin, clustered_elsewhere(self)))
		return;
	if (str_equal(type, STR("singleton_released"))) {
		clustered_set_elsewhere(self, STR(""), 0);
		self->claim_from_ms = 0;
		clustered_claim(self);
	} else if (str_equal(type, STR("singleton_ended"))) {
		clustered_over(self, STR(CLUSTER_LOST));
	}
}
