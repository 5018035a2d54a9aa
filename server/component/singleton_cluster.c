#include "server/component/singleton_cluster.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/component/action_rate.h"
#include "server/component/adopt.h"
#include "server/component/client.h"
#include "server/component/component_shard.h"
#include "server/component/definition.h"
#include "server/component/instance.h"
#include "server/component/mount.h"
#include "server/component/singleton.h"
#include "server/component/singleton_cluster_private.h"
#include "server/component/singleton_home.h"
#include "server/component/singleton_owner.h"

enum {
	RETRY_MS = 200,     /* after a question that was not answered, or a state that is not there yet */
	LOOKS_MAX = 5,      /* for a state that is not there; then it is the default */
	COURTESY_MS = 2000, /* after a hand-over: others come first */
};

static int64_t now_ms(const struct clustered *self)
{
	return shard_clock(self->cluster->here->shard)->mono_ms;
}

static void look_after(struct clustered *self, int64_t delay_ms)
{
	shard_timer_after(clustered_here(self)->shard, &self->timer, delay_ms);
}

struct owner *clustered_owner(const struct clustered *self)
{
	return self->role == ROLE_OWNER ? self->owner : NULL;
}

struct str clustered_elsewhere(const struct clustered *self)
{
	return self->role == ROLE_MIRROR && self->elsewhere ? str_of(self->elsewhere) : STR("");
}

static bool is_wanted(const struct clustered *self)
{
	return self->audience->count || !list_is_empty(&self->waiting);
}

static void set_mirrored(struct clustered *self, bool is_mirrored)
{
	if (self->is_mirrored == is_mirrored)
		return;
	self->is_mirrored = is_mirrored;
	cluster_mirrors_add(self->cluster, is_mirrored ? 1 : -1);
}

struct cluster_target clustered_target(const struct clustered *self)
{
	return (struct cluster_target){clustered_elsewhere(self), self->fence};
}

void clustered_set_elsewhere(struct clustered *self, struct str port, uint64_t fence)
{
	self->fence = fence;
	free(self->elsewhere);
	self->elsewhere = port.len ? mem_strndup(port.ptr, port.len) : NULL;
}

void clustered_set_state(struct clustered *self, const live_value *state, uint64_t seq)
{
	const live_value *before = self->state;

	self->state = live_value_ref(state);
	self->seq = seq;
	live_value_unref(before);
}

/* ---- asking ---- */

static void on_answer(struct cluster_ask *ask, const struct cluster_answer *answer);

static void ask(struct clustered *self, enum cluster_verb verb)
{
	struct cluster_adapter *adapter = self->cluster->settings->adapter;
	char text[ID_SIZE_MAX];
	struct str id = self->audience->sender.id;

	if (self->asking) {
		self->again = true;
		return;
	}
	if (!id.len)
		id = (struct str){text, id_source_make(&clustered_here(self)->settings->ids, text)};
	self->asking = true;
	self->again = false;
	self->asked_ms = now_ms(self);
	self->ask.verb = verb;
	self->ask.name = str_of(self->name);
	self->ask.component_id = id;
	self->ask.insists = self->audience->count > 0;
	self->ask.answered = on_answer;
	adapter->ops->ask(adapter, &self->cluster->port, &self->ask);
}

/* Claims what nobody has, if somebody here wants it and nobody else shall come first. */
void clustered_claim(struct clustered *self)
{
	if (!is_wanted(self))
		return;
	if (now_ms(self) < self->claim_from_ms)
		look_after(self, RETRY_MS);
	else if (self->cluster->is_heard) /* else it is looked for when it is */
		ask(self, CLUSTER_CLAIM);
}

void clustered_look(struct clustered *self)
{
	ask(self, CLUSTER_LOOK);
}

static void on_timer(struct timer *timer)
{
	struct clustered *self = LIST_OF(timer, struct clustered, timer);

	look_after(self, self->cluster->settings->heartbeat_ms);
	if (self->role == ROLE_MIRROR || self->role == ROLE_ASKING)
		clustered_look(self);
}

static void on_doubt(struct forwards *forwards)
{
	struct clustered *self = LIST_OF(forwards, struct clustered, forwards);

	if (self->role == ROLE_MIRROR)
		clustered_look(self);
}

/* ---- its end ---- */

static void free_clustered(struct grave *grave)
{
	struct clustered *self = LIST_OF(grave, struct clustered, grave);

	live_value_unref(self->state);
	live_value_unref(self->early);
	free(self->elsewhere);
	free(self->name);
	free(self);
}

static void free_when_done(struct clustered *self)
{
	if (self->asking)
		return;
	self->grave.free = free_clustered;
	shard_bury(clustered_here(self)->shard, &self->grave);
}

static void refuse_waiting(struct clustered *self, struct str error)
{
	timer_disarm(&self->patience);
	list_for_each_safe (link, &self->waiting) {
		struct singleton_request *request = LIST_OF(link, struct singleton_request, link);
		list_remove(link);
		singleton_refuse(clustered_here(self), request, error);
		singleton_request_free(request);
	}
}

static void finish(struct clustered *self, struct str error)
{
	self->role = ROLE_OVER;
	self->owner = NULL;
	timer_disarm(&self->timer);
	set_mirrored(self, false);
	refuse_waiting(self, error);
	forwards_fail(&self->forwards, error);
	free_when_done(self);
}

/* The audience ends, too; those who wait begin anew. */
void clustered_over(struct clustered *self, struct str error)
{
	struct list waiting;

	mirror_take_waiting(self, &waiting);
	audience_end(self->audience);
	finish(self, error);
	mirror_serve(self, &waiting);
}

void clustered_over_if_unwanted(struct clustered *self)
{
	if (self->role != ROLE_OVER && self->role != ROLE_OWNER && !is_wanted(self))
		clustered_over(self, STR(CLUSTER_LOST));
}

/* Its clients cannot go on: it has another id now. They mount again. */
static void end_moved(struct clustered *self)
{
	struct component_shard *here = clustered_here(self);

	encode_error_push(&here->out.scratch, &self->audience->sender, (struct str){0}, STR(CLUSTER_MOVED));
	audience_publish(self->audience, scratch_take(here));
	clustered_over(self, STR(CLUSTER_LOST));
}

void clustered_end(struct clustered *self)
{
	audience_end(self->audience);
	finish(self, STR(CLUSTER_ENDING));
}

static void on_patience(struct timer *timer)
{
	struct clustered *self = LIST_OF(timer, struct clustered, patience);
	struct component_shard *here = clustered_here(self);

	counter_add(&here->counters.cluster_timeouts, 1);
	buf_printf(&here->out.scratch, "Cluster action timeout after %lldms",
		   (long long)self->cluster->settings->timeout_ms);
	refuse_waiting(self, scratch_take(here));
	clustered_over_if_unwanted(self);
}

/* ---- what an answer makes of it ---- */

/* The state as it is stored, a loan from *whole, which the caller owns; NULL: there is none. */
static const live_value *read_stored(const struct cluster_answer *answer, const live_value **whole)
{
	*whole = cluster_read(answer->state);
	const live_value *state = live_get(*whole, "state");

	return live_value_type(state) == LIVE_OBJECT ? state : NULL;
}

/* What the first one brought. */
static const live_value *given_by_mount(const struct clustered *self)
{
	if (list_is_empty(&self->waiting))
		return NULL;
	const struct singleton_request *request = LIST_OF(self->waiting.next, const struct singleton_request, link);
	return request->seed ? request->seed : request->value;
}

/* Makes the instance for those who are here, or for the first one who waits. */
static void make(struct clustered *self, const live_value *state, struct str id)
{
	struct singleton_request *first = NULL;

	if (!self->audience->count) {
		first = LIST_OF(self->waiting.next, struct singleton_request, link);
		list_remove(&first->link);
	} else {
		counter_add(&clustered_here(self)->counters.cluster_takeovers, 1);
	}
	singleton_make(self->audience, state, id, first);
	if (first)
		singleton_request_free(first);
}

static void won(struct clustered *self, const struct cluster_answer *answer)
{
	struct component_shard *here = clustered_here(self);
	const live_value *whole;
	const live_value *stored = read_stored(answer, &whole);

	adopt_for_new(self->audience);
	const live_value *base = stored ? stored : self->state ? self->state : given_by_mount(self);
	const live_value *state = mount_initial_state(self->audience->definition, base);

	live_value_unref(whole);
	struct owner *owner = owner_new(self->cluster, self, str_of(self->name), answer, self->asked_ms, state);
	if (!is_wanted(self) ||
	    (self->audience->count && !str_equal(self->audience->sender.id, answer->component_id))) {
		owner_let_go(owner, OWNER_RELEASE);
		live_value_unref(state);
		if (self->audience->count)
			end_moved(self);
		else
			clustered_over_if_unwanted(self);
		return;
	}
	counter_add(&here->counters.cluster_claims, 1);
	counter_add(&here->counters.cluster_owned, 1);
	self->role = ROLE_OWNER;
	self->owner = owner;
	self->fate = FATE_ENDED;
	timer_disarm(&self->timer);
	set_mirrored(self, false);
	clustered_set_elsewhere(self, STR(""), 0);
	make(self, state, answer->component_id);
	if (self->role == ROLE_OWNER)
		forwards_serve(&self->forwards, owner);
	if (self->role == ROLE_OWNER)
		mirror_serve_waiting(self);
}

static void begin_mirror(struct clustered *self, const struct cluster_answer *answer, const live_value *state)
{
	audience_set_id(self->audience, answer->component_id);
	clustered_set_elsewhere(self, answer->owner, answer->fence);
	clustered_set_state(self, state, answer->seq);
	self->role = ROLE_MIRROR;
	set_mirrored(self, true);
	mirror_serve_waiting(self);
}

static void go_on(struct clustered *self, const struct cluster_answer *answer, const live_value *state)
{
	bool is_same = str_equal(answer->owner, clustered_elsewhere(self)) && answer->fence == self->fence;

	if (!is_same) {
		clustered_set_elsewhere(self, answer->owner, answer->fence);
		clustered_set_state(self, state, answer->seq);
		mirror_push_state(self);
		forwards_send(&self->forwards, &(struct cluster_target){answer->owner, answer->fence});
		return;
	}
	forwards_fail_refused(&self->forwards);
	if (!answer->seq || answer->seq > self->seq)
		mirror_catch_up(self, state, answer->seq ? answer->seq : self->seq);
}

/* Another node owns it. */
static void adopt(struct clustered *self, const struct cluster_answer *answer)
{
	const live_value *whole;
	const live_value *state = read_stored(answer, &whole);

	if (!is_wanted(self)) {
		clustered_over_if_unwanted(self);
	} else if (self->role == ROLE_MIRROR && !str_equal(answer->component_id, self->audience->sender.id)) {
		end_moved(self);
	} else if (!state && ++self->looks < LOOKS_MAX) {
		look_after(self, RETRY_MS / LOOKS_MAX); /* it has not been stored yet */
	} else {
		self->looks = 0;
		self->claim_from_ms = 0;
		if (!state)
			state = self->state ? self->state : self->audience->definition->default_state;
		look_after(self, self->cluster->settings->heartbeat_ms);
		if (self->role == ROLE_MIRROR)
			go_on(self, answer, state);
		else
			begin_mirror(self, answer, state);
		mirror_hear_early(self);
	}
	live_value_unref(whole);
}

/* Nobody owns it. When its owner had a fence, and not even that is known, the store has lost what it knew; then the
 * owner comes first for as long as its claim could be good, since it may know more than was heard here. */
static void found_free(struct clustered *self, const struct cluster_answer *answer)
{
	bool is_forgotten = self->elsewhere && self->fence && !answer->fence;

	if (self->elsewhere && !is_forgotten)
		self->claim_from_ms = 0;
	else if (is_forgotten && !self->claim_from_ms)
		self->claim_from_ms = now_ms(self) + self->cluster->settings->adapter->lease_ms;
	clustered_claim(self);
}

static void on_answer(struct cluster_ask *question, const struct cluster_answer *answer)
{
	struct clustered *self = LIST_OF(question, struct clustered, ask);
	bool again = self->again;

	self->asking = false;
	if (self->role == ROLE_OVER) {
		if (question->verb == CLUSTER_CLAIM && answer->verdict == CLUSTER_MINE)
			cluster_give_back(self->cluster, question->name, answer);
		free_when_done(self);
		return;
	}
	if (answer->verdict == CLUSTER_MINE && question->verb == CLUSTER_CLAIM)
		won(self, answer);
	else if (answer->verdict == CLUSTER_MINE)
		ask(self, CLUSTER_CLAIM); /* a claim of ours whose answer was lost */
	else if (answer->verdict == CLUSTER_OTHERS)
		adopt(self, answer);
	else if (answer->verdict == CLUSTER_NOBODYS)
		found_free(self, answer);
	else
		look_after(self, RETRY_MS);
	if (again && !self->asking && self->role == ROLE_MIRROR)
		clustered_look(self);
}

/* ---- its life ---- */

struct clustered *clustered_new(struct audience *audience)
{
	struct clustered *self = mem_alloc(sizeof *self);

	self->cluster = audience->here->cluster;
	self->audience = audience;
	self->name = mem_strndup(audience->definition->name.ptr, audience->definition->name.len);
	list_init(&self->waiting);
	forwards_init(&self->forwards, audience, on_doubt);
	timer_init(&self->timer, on_timer);
	timer_init(&self->patience, on_patience);
	if (self->cluster->is_heard)
		ask(self, CLUSTER_CLAIM);
	return self;
}

void clustered_leave(struct clustered *self)
{
	self->fate = FATE_LEFT;
}

void clustered_restored(struct clustered *self)
{
	if (self->role == ROLE_OWNER)
		owner_restored(self->owner);
	else if (self->role != ROLE_OVER)
		clustered_look(self);
	if (self->role == ROLE_MIRROR) /* answers may have been missed; the owner knows what it has done */
		mirror_resend(self);
}

static void end_instance(struct clustered *self, enum fate fate)
{
	self->fate = fate;
	instance_destroy(self->audience->component);
}

void clustered_hand_over(struct clustered *self)
{
	if (self->role == ROLE_OWNER && self->audience->count)
		end_instance(self, FATE_HANDED_OVER);
}

void clustered_lost(struct clustered *self)
{
	struct component_shard *here = clustered_here(self);

	counter_add(&here->counters.cluster_losses, 1);
	encode_error_push(&here->out.scratch, &self->audience->sender, (struct str){0}, STR(CLUSTER_MOVED));
	singleton_push_here(self->audience->component, scratch_take(here));
	end_instance(self, FATE_LOST);
}

void clustered_beat(struct clustered *self)
{
	action_rate_sweep(self->audience->component);
}

/* What it was is mirrored from now on, until somebody else tells. */
static void become_mirror(struct clustered *self, struct str id, const live_value *state)
{
	audience_set_id(self->audience, id);
	clustered_set_state(self, state, 0);
	self->role = ROLE_MIRROR;
	self->owner = NULL;
	self->claim_from_ms = self->fate == FATE_HANDED_OVER ? now_ms(self) + COURTESY_MS : 0;
	set_mirrored(self, true);
	look_after(self, self->fate == FATE_HANDED_OVER ? RETRY_MS : 0);
}

bool clustered_ended(struct clustered *self, struct str id, const live_value *state)
{
	static const enum owner_farewell farewells[] = {
		[FATE_ENDED] = OWNER_FORGET,
		[FATE_LEFT] = OWNER_RELEASE,
		[FATE_HANDED_OVER] = OWNER_RELEASE,
		[FATE_LOST] = OWNER_LOST,
	};
	struct owner *owner = self->owner;

	if (self->cluster->is_ending && self->fate != FATE_LOST)
		self->fate = FATE_LEFT;
	counter_sub(&clustered_here(self)->counters.cluster_owned, 1);
	bool goes_on = self->fate == FATE_HANDED_OVER || self->fate == FATE_LOST;
	if (goes_on)
		become_mirror(self, id, state);
	owner_let_go(owner, farewells[self->fate]);
	if (!goes_on)
		finish(self, STR(CLUSTER_LOST));
	return goes_on;
}
