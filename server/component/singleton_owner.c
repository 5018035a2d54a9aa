#include "server/component/singleton_owner.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/diff.h"
#include "core/json.h"
#include "core/mem.h"
#include "core/value.h"
#include "server/component/call.h"
#include "server/component/client.h"
#include "server/component/cluster_shard.h"
#include "server/component/component_shard.h"
#include "server/component/singleton_cluster.h"
#include "server/component/singleton_replies.h"
#include "shard/shard.h"

enum {
	RETRY_MS = 250,    /* after a question that was not answered */
	PUSHES_MAX = 4096, /* that wait for the store */
};

struct note { /* what clients elsewhere shall hear */
	struct list link;
	size_t len;
	char text[];
};

struct owner {
	struct list link; /* cluster->owners */
	struct cluster_shard *cluster;
	struct clustered *clustered; /* NULL: it let go */
	struct str name;             /* ours */
	char *id;                    /* ours; of the component */
	uint64_t fence;
	uint64_t seq; /* of the last delta that was told */
	int64_t lease_until_ms;
	int64_t asked_ms;
	int64_t forgotten_ms;        /* since when the store knows nothing of the claim; 0: it does */
	const live_value *state;     /* ours; as it is */
	const live_value *published; /* ours; as it was told last */
	uint64_t changes;            /* so far */
	uint64_t asked;              /* of these, in the question under way */
	struct list pushes;          /* of struct note */
	unsigned push_count;
	struct replies replies;
	struct cluster_ask ask;  /* keep, save */
	struct cluster_ask last; /* release */
	bool asking, parting;    /* these two are under way */
	bool retries;            /* parting, it waits to ask again */
	bool dirty;              /* there is something to save */
	bool loses;              /* the store may have lost what it was told: all is to be saved again */
	bool must_tell;          /* that there is a new state, even if its delta is not known */
	bool is_untold;          /* others may not know that it is ours, or that we hear them again */
	bool forgets;            /* the state goes with it */
	struct tick_task task;   /* asks */
	struct timer beat;       /* keeps the claim, or asks again */
	struct timer patience;   /* of the first answer that waits */
	struct grave grave;
};

static int64_t now_ms(const struct owner *owner)
{
	return shard_clock(owner->cluster->here->shard)->mono_ms;
}

bool owner_is_leased(const struct owner *owner)
{
	return now_ms(owner) < owner->lease_until_ms;
}

/* Clocks of two machines do not run alike: an owner stops a tenth before others may begin. */
static void confirm(struct owner *owner, int64_t asked_ms)
{
	int64_t lease_ms = owner->cluster->settings->adapter->lease_ms;

	owner->lease_until_ms = asked_ms + lease_ms - lease_ms / 10;
	owner->forgotten_ms = 0;
}

static void beat_after(struct owner *owner, int64_t delay_ms)
{
	shard_timer_after(owner->cluster->here->shard, &owner->beat, delay_ms);
}

static void ask_soon(struct owner *owner)
{
	shard_at_tick_end(owner->cluster->here->shard, TICK_FLUSH, &owner->task);
}

/* ---- what a question carries ---- */

struct load { /* in the tick's memory */
	struct str state;
	struct str *messages;
	size_t count;
};

static struct cluster_names names_of(const struct owner *owner)
{
	return cluster_names(owner->cluster, str_of(owner->id), owner->name);
}

static struct str take(struct owner *owner)
{
	return scratch_take(owner->cluster->here);
}

/* Tells one delta, which is given away. */
static void load_step(struct owner *owner, struct load *load, const live_value *delta)
{
	struct cluster_names names = names_of(owner);

	cluster_write_delta(&owner->cluster->here->out.scratch, &names, delta, ++owner->seq);
	load->messages[load->count++] = take(owner);
	live_value_unref(delta);
}

/* What has changed since it was told last. */
static void load_delta(struct owner *owner, struct load *load)
{
	struct diff_steps steps;

	diff_states(owner->published, owner->state, &owner->cluster->here->out.diff, &steps);
	if (!steps.delta && owner->must_tell)
		steps.delta = value_empty(LIVE_OBJECT);
	if (!steps.delta)
		return;
	if (steps.clear)
		load_step(owner, load, steps.clear);
	load_step(owner, load, steps.delta);
	live_value_unref(owner->published);
	owner->published = live_value_ref(owner->state);
	owner->must_tell = false;
}

static void load_pushes(struct owner *owner, struct load *load)
{
	struct component_shard *here = owner->cluster->here;
	struct cluster_names names = names_of(owner);

	list_for_each_safe (link, &owner->pushes) {
		struct note *note = LIST_OF(link, struct note, link);
		cluster_write_push(&here->out.scratch, &names, (struct str){note->text, note->len});
		load->messages[load->count++] = take(owner);
		list_remove(&note->link);
		free(note);
	}
	owner->push_count = 0;
}

static void load_note(struct owner *owner, struct load *load, const char *type)
{
	struct cluster_names names = names_of(owner);

	cluster_write_note(&owner->cluster->here->out.scratch, &names, type);
	load->messages[load->count++] = take(owner);
}

static void load_state(struct owner *owner, struct load *load)
{
	json_write(&owner->cluster->here->out.scratch, owner->state);
	load->state = take(owner);
}

static struct load new_load(struct owner *owner)
{
	struct arena *arena = shard_arena(owner->cluster->here->shard);

	return (struct load){.messages = arena_alloc(arena, (owner->push_count + 4) * sizeof(struct str))};
}

static void put_load(struct owner *owner, struct cluster_ask *ask, const struct load *load)
{
	ask->name = owner->name;
	ask->component_id = str_of(owner->id);
	ask->fence = owner->fence;
	ask->revive = owner_is_leased(owner) || (owner->forgotten_ms && now_ms(owner) - owner->forgotten_ms >=
										owner->cluster->settings->heartbeat_ms);
	ask->state = load->state;
	ask->seq = owner->seq;
	ask->messages = load->messages;
	ask->message_count = load->count;
	ask->handled_all = owner->loses;
	ask->handled_count =
		replies_unsaved(&owner->replies, owner->loses, shard_arena(owner->cluster->here->shard), &ask->handled);
}

static void ask(struct owner *owner, struct cluster_ask *question)
{
	struct cluster_adapter *adapter = owner->cluster->settings->adapter;

	adapter->ops->ask(adapter, &owner->cluster->port, question);
}

/* ---- saving and keeping ---- */

static void save(struct owner *owner)
{
	struct load load = new_load(owner);

	if (owner->is_untold)
		load_note(owner, &load, "singleton_claimed");
	if (owner->dirty) {
		load_delta(owner, &load);
		load_state(owner, &load);
	}
	load_pushes(owner, &load);
	owner->asking = true;
	owner->is_untold = false;
	owner->dirty = false;
	owner->asked = owner->changes;
	owner->asked_ms = now_ms(owner);
	owner->ask.verb = CLUSTER_SAVE;
	put_load(owner, &owner->ask, &load);
	ask(owner, &owner->ask);
}

static void keep(struct owner *owner)
{
	struct load load = {.state = STR("")};

	owner->asking = true;
	owner->asked_ms = now_ms(owner);
	owner->ask.verb = CLUSTER_KEEP;
	put_load(owner, &owner->ask, &load);
	owner->ask.handled_count = 0;
	owner->ask.handled_all = false;
	owner->ask.revive = false; /* what is forgotten is given back whole */
	ask(owner, &owner->ask);
}

static void run_task(struct tick_task *task, struct shard *shard)
{
	struct owner *owner = LIST_OF(task, struct owner, task);

	(void)shard;
	if (owner->clustered && !owner->asking && (owner->dirty || owner->push_count))
		save(owner);
}

static void on_beat(struct timer *timer)
{
	struct owner *owner = LIST_OF(timer, struct owner, beat);

	beat_after(owner, owner->cluster->settings->heartbeat_ms);
	if (!owner->clustered)
		return;
	clustered_beat(owner->clustered);
	if (owner->asking)
		return;
	if (owner->dirty)
		save(owner);
	else
		keep(owner);
}

static void free_owner(struct grave *grave)
{
	struct owner *owner = LIST_OF(grave, struct owner, grave);

	replies_deinit(&owner->replies);
	list_for_each_safe (link, &owner->pushes)
		free(LIST_OF(link, struct note, link));
	live_value_unref(owner->state);
	live_value_unref(owner->published);
	free((char *)(uintptr_t)owner->name.ptr);
	free(owner->id);
	free(owner);
}

static void free_when_done(struct owner *owner)
{
	if (owner->asking || owner->parting)
		return;
	timer_disarm(&owner->beat);
	timer_disarm(&owner->patience);
	list_remove(&owner->link);
	owner->grave.free = free_owner;
	shard_bury(owner->cluster->here->shard, &owner->grave);
}

/* Whether it was done nobody knows: it is done again, and those who may have heard the delta are told to look. */
static void ask_again(struct owner *owner)
{
	counter_add(&owner->cluster->here->counters.cluster_unknown, 1);
	if (owner->ask.verb == CLUSTER_SAVE) {
		owner->dirty = true;
		owner->is_untold = true;
		owner->must_tell = true;
		owner->seq++;
	}
	beat_after(owner, RETRY_MS);
}

/* The store has not all that it was told. */
static void save_all(struct owner *owner)
{
	owner->dirty = true;
	owner->loses = true;
}

static void on_mine(struct owner *owner, const struct cluster_answer *answer)
{
	confirm(owner, owner->asked_ms);
	if (answer->fence != owner->fence && !owner->ask.handled_all)
		save_all(owner);
	else if (owner->ask.handled_all)
		owner->loses = false;
	if (owner->ask.verb != CLUSTER_SAVE)
		return;
	counter_add(&owner->cluster->here->counters.cluster_saves, 1);
	replies_stored(&owner->replies, owner->asked);
}

static void on_answer(struct cluster_ask *question, const struct cluster_answer *answer)
{
	struct owner *owner = LIST_OF(question, struct owner, ask);

	owner->asking = false;
	if (!owner->clustered) {
		free_when_done(owner);
		return;
	}
	switch (answer->verdict) {
	case CLUSTER_MINE: on_mine(owner, answer); break;
	case CLUSTER_OTHERS: clustered_lost(owner->clustered); return;
	case CLUSTER_NOBODYS:
		/* Not even that it was ours. Who owned it until now comes first. */
		if (!owner->forgotten_ms)
			owner->forgotten_ms = now_ms(owner);
		save_all(owner);
		ask_again(owner);
		break;
	case CLUSTER_UNKNOWN: ask_again(owner); break;
	}
	if (answer->verdict == CLUSTER_MINE && (owner->dirty || owner->push_count))
		ask_soon(owner);
}

/* ---- what happens to it ---- */

static void on_patience(struct timer *timer)
{
	struct owner *owner = LIST_OF(timer, struct owner, patience);
	struct component_shard *here = owner->cluster->here;

	buf_printf(&here->out.scratch, "Cluster action timeout after %lldms",
		   (long long)owner->cluster->settings->timeout_ms);
	int64_t next_ms = replies_expire(&owner->replies, now_ms(owner), scratch_take(here));
	if (next_ms)
		shard_timer_after(here->shard, &owner->patience, next_ms - now_ms(owner));
}

void owner_changed(struct owner *owner, const live_value *state)
{
	live_value_unref(owner->state);
	owner->state = live_value_ref(state);
	owner->changes++;
	owner->dirty = true;
	ask_soon(owner);
}

void owner_push(struct owner *owner, struct str text)
{
	if (owner->push_count == PUSHES_MAX)
		return;
	struct note *note = mem_alloc(sizeof *note + text.len);
	note->len = text.len;
	memcpy(note->text, text.ptr, text.len);
	list_append(&owner->pushes, &note->link);
	owner->push_count++;
	owner->changes++; /* for the answers behind it */
	ask_soon(owner);
}

/* The change that must be stored before anybody is told of what it led to; 0: none. */
static uint64_t unsaved(const struct owner *owner)
{
	if (owner->dirty || owner->push_count)
		return owner->changes;
	return owner->asking && owner->ask.verb == CLUSTER_SAVE ? owner->asked : 0;
}

void owner_answer(struct owner *owner, const struct call *call, struct str result, struct str error)
{
	const struct cluster_settings *settings = owner->cluster->settings;
	uint64_t waits_for = settings->acks_local ? 0 : unsaved(owner);
	uint64_t changed = owner->dirty ? owner->changes : 0;

	replies_put(&owner->replies, call, result, error, waits_for, changed, now_ms(owner) + settings->timeout_ms);
	if (waits_for && !timer_is_armed(&owner->patience))
		shard_timer_after(owner->cluster->here->shard, &owner->patience, settings->timeout_ms);
}

uint64_t owner_fence(const struct owner *owner)
{
	return owner->fence;
}

bool owner_begin(struct owner *owner, struct str request_id, struct str *result)
{
	return replies_begin(&owner->replies, request_id, result);
}

struct str owner_find(const struct owner *owner, struct str request_id)
{
	return replies_find(&owner->replies, request_id);
}

void owner_restored(struct owner *owner)
{
	owner->is_untold = true;
	save_all(owner);
	ask_soon(owner);
}

/* ---- its life ---- */

struct owner *owner_new(struct cluster_shard *cluster, struct clustered *clustered, struct str name,
			const struct cluster_answer *answer, int64_t asked_ms, const live_value *state)
{
	struct owner *owner = mem_alloc(sizeof *owner);

	owner->cluster = cluster;
	owner->clustered = clustered;
	owner->name = (struct str){mem_strndup(name.ptr, name.len), name.len};
	owner->id = mem_strndup(answer->component_id.ptr, answer->component_id.len);
	owner->fence = answer->fence;
	owner->seq = answer->seq ? answer->seq : 1; /* 0 would be "not known" */
	owner->state = live_value_ref(state);
	owner->published = live_value_ref(state);
	owner->changes = 1; /* it is to be stored under this node's name */
	owner->dirty = true;
	owner->is_untold = true;
	owner->ask.answered = on_answer;
	owner->task.run = run_task;
	list_init(&owner->pushes);
	list_append(&cluster->owners, &owner->link);
	replies_init(&owner->replies, cluster);
	replies_load(&owner->replies, answer->handled, answer->handled_count);
	timer_init(&owner->beat, on_beat);
	timer_init(&owner->patience, on_patience);
	confirm(owner, asked_ms);
	beat_after(owner, cluster->settings->heartbeat_ms);
	ask_soon(owner);
	return owner;
}

static void part(struct owner *owner);

static void on_retry(struct timer *timer)
{
	struct owner *owner = LIST_OF(timer, struct owner, beat);

	owner->retries = false;
	part(owner);
}

void owners_end(struct cluster_shard *cluster)
{
	list_for_each_safe (link, &cluster->owners) {
		struct owner *owner = LIST_OF(link, struct owner, link);
		if (!owner->retries)
			continue;
		owner->parting = false;
		replies_fail(&owner->replies, STR(CLUSTER_ENDING));
		free_when_done(owner);
	}
}

static void on_parted(struct cluster_ask *question, const struct cluster_answer *answer)
{
	struct owner *owner = LIST_OF(question, struct owner, last);

	owner->parting = false;
	if (answer->verdict == CLUSTER_UNKNOWN && owner_is_leased(owner) && !owner->cluster->is_ending) {
		owner->parting = owner->retries = true;
		timer_init(&owner->beat, on_retry);
		beat_after(owner, RETRY_MS);
		return;
	}
	if (answer->verdict == CLUSTER_MINE)
		replies_stored(&owner->replies, owner->changes);
	else
		replies_fail(&owner->replies, owner->cluster->is_ending ? STR(CLUSTER_ENDING) : STR(CLUSTER_LOST));
	free_when_done(owner);
}

/* Leaves what it has to whoever comes next, and tells all. */
static void part(struct owner *owner)
{
	struct load load = new_load(owner);

	load_state(owner, &load);
	load_pushes(owner, &load);
	load_note(owner, &load, owner->forgets ? "singleton_ended" : "singleton_released");
	owner->seq++;
	owner->parting = true;
	owner->last.verb = CLUSTER_RELEASE;
	owner->last.answered = on_parted;
	owner->last.forget = owner->forgets;
	put_load(owner, &owner->last, &load);
	ask(owner, &owner->last);
}

void owner_let_go(struct owner *owner, enum owner_farewell farewell)
{
	owner->clustered = NULL;
	timer_disarm(&owner->beat);
	owner->forgets = farewell == OWNER_FORGET;
	if (farewell == OWNER_LOST) {
		replies_fail(&owner->replies, STR(CLUSTER_LOST));
		free_when_done(owner);
	} else {
		part(owner);
	}
}
