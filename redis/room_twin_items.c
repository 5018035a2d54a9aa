/* What of a room's changes and events is not in Redis yet. */
#include "redis/room_twin.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/diff.h"
#include "core/mem.h"

static struct twin_item *item_new(enum twin_item_kind kind, struct str name, struct str data)
{
	struct twin_item *item = mem_try_alloc(sizeof *item + name.len + data.len);

	if (!item)
		return NULL;
	*item = (struct twin_item){.kind = kind};
	if (name.len)
		memcpy(item->bytes, name.ptr, name.len);
	if (data.len)
		memcpy(item->bytes + name.len, data.ptr, data.len);
	item->name = (struct str){item->bytes, name.len};
	item->data = (struct str){item->bytes + name.len, data.len};
	return item;
}

static size_t size_of(const struct twin_item *item)
{
	return sizeof *item + item->name.len + item->data.len;
}

static void add(struct room_twin *twin, struct twin_item *item)
{
	*twin->last = item;
	twin->last = &item->next;
	twin->item_count++;
	counter_add(&twin->home->figures.waiting, 1);
	twin->changes += item->kind == TWIN_STATE;
	twin->item_bytes += size_of(item);
	room_twin_wake(twin);
}

/* Takes *at out and frees it. */
static void take_out(struct room_twin *twin, struct twin_item **at)
{
	struct twin_item *item = *at;

	assert_always(item);
	*at = item->next;
	if (!*at)
		twin->last = at;
	twin->item_count--;
	counter_sub(&twin->home->figures.waiting, 1);
	twin->changes -= item->kind == TWIN_STATE;
	twin->item_bytes -= size_of(item);
	live_value_unref(item->delta);
	free(item);
}

static bool is_crowded(const struct room_twin *twin)
{
	return twin->item_count >= TWIN_ITEMS_MAX || twin->item_bytes >= TWIN_BYTES_MAX;
}

void room_twin_add_event(struct room_twin *twin, struct str name, struct str data)
{
	struct twin_item *item = NULL;

	if (redis_link_is_up(twin->home->link) && !is_crowded(twin))
		item = item_new(TWIN_EVENT, name, data);
	if (item)
		add(twin, item);
	else
		counter_add(&twin->home->figures.dropped, 1);
}

void room_twin_add_membership(struct room_twin *twin, bool joined, struct str member_id)
{
	struct twin_item *item = NULL;

	twin->members += joined ? 1 : -1U;
	/* Who is not told now is set right when the connection is there again. */
	if (redis_link_is_up(twin->home->link) && !is_crowded(twin))
		item = item_new(TWIN_MEMBERSHIP, member_id, (struct str){0});
	if (!item)
		return;
	item->joined = joined;
	item->members = twin->members;
	add(twin, item);
}

unsigned room_twin_items_out(const struct room_twin *twin)
{
	unsigned count = 0;

	for (const struct twin_item *item = twin->first; item && item->sent; item = item->next)
		count++;
	return count;
}

/* All changes that wait and are not out become one, or two with the seed: what they come to together. */
static void collapse(struct room_twin *twin, const live_value *shown)
{
	const struct diff_options options = {.deep = true, .depth = 64};
	unsigned keep = room_twin_items_out(twin);
	struct twin_item **at = &twin->first;
	const live_value *delta, *next;

	for (unsigned i = 0; i < keep; i++)
		at = &(*at)->next;
	if (*at && (*at)->is_seed) {
		keep++;
		at = &(*at)->next;
	}
	const live_value *before = room_twin_fold(twin, twin->base, keep);
	while (*at)
		take_out(twin, at);
	diff_patch(before, shown, &options, &delta, &next);
	live_value_unref(before);
	live_value_unref(next);
	if (!delta)
		return;
	struct twin_item *item = mem_alloc(sizeof *item);
	item->kind = TWIN_STATE;
	item->delta = delta;
	add(twin, item);
}

void room_twin_add_change(struct room_twin *twin, const live_value *delta, const live_value *state, bool is_seed)
{
	struct twin_item *item = mem_alloc(sizeof *item);

	item->kind = TWIN_STATE;
	item->is_seed = is_seed;
	item->delta = live_value_ref(delta);
	add(twin, item);
	if (twin->changes >= TWIN_COLLAPSE && (!redis_link_is_up(twin->home->link) || is_crowded(twin)))
		collapse(twin, state);
}

void room_twin_drop_items(struct room_twin *twin, unsigned count)
{
	while (count--)
		take_out(twin, &twin->first);
}

void room_twin_drop_acked(struct room_twin *twin)
{
	while (twin->first && twin->first->sent && twin->first->sent <= twin->acked)
		take_out(twin, &twin->first);
}

void room_twin_drop_events(struct room_twin *twin)
{
	unsigned keep = room_twin_items_out(twin);
	struct twin_item **at = &twin->first;

	for (unsigned i = 0; i < keep; i++)
		at = &(*at)->next;
	while (*at) {
		if ((*at)->kind == TWIN_STATE) {
			at = &(*at)->next;
			continue;
		}
		if ((*at)->kind == TWIN_EVENT)
			counter_add(&twin->home->figures.dropped, 1);
		take_out(twin, at);
	}
}

void room_twin_drop_seed(struct room_twin *twin)
{
	for (struct twin_item **at = &twin->first; *at; at = &(*at)->next) {
		if ((*at)->is_seed) {
			take_out(twin, at);
			return;
		}
	}
}

const live_value *room_twin_fold(const struct room_twin *twin, const live_value *base, unsigned count)
{
	const live_value *state = base ? live_value_ref(base) : live_object(NULL, NULL);

	for (struct twin_item *item = twin->first; item && count--; item = item->next) {
		if (item->kind != TWIN_STATE)
			continue;
		const live_value *next = live_merge(state, item->delta);
		live_value_unref(state);
		state = next;
	}
	return state;
}

void room_twin_wake(struct room_twin *twin)
{
	shard_at_tick_end(twin->home->shard, TICK_CLOSE, &twin->pump);
}
