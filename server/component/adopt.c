#include "server/component/adopt.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/component/action_rate.h"
#include "server/component/audience.h"
#include "server/component/bus.h"
#include "server/component/component_shard.h"
#include "server/component/definition.h"
#include "server/component/instance.h"
#include "server/component/membership.h"
#include "server/component/mount.h"
#include "server/component/room_watch.h"
#include "server/component/singleton.h"
#include "server/component/timers.h"

/* ---- moving an instance over ---- */

/* The old code lets go of what it holds, as at the end of the instance: nothing that it does now has any effect, but
 * for what it sends. */
static void end_old_code(live_component *self)
{
	self->is_dead = true;
	if (self->definition->api->on_destroy) {
		struct shard_job before = instance_enter(self, "onDestroy");
		self->definition->api->on_destroy(self);
		instance_leave(self, before);
	}
	self->is_dead = false;
	timers_stop_all(self);
	if (self->extra) {
		bus_watches_end(self);
		action_rate_end(self);
	}
	list_for_each (link, &self->mounted.memberships)
		room_watches_end(LIST_OF(link, struct membership, link));
}

/* Maps know it by the name, whose text is the definition's, so the key goes where the definition goes. */
static void set_definition(struct audience *audience, const struct definition *next)
{
	audience->definition = next;
	audience->by_name.key = next->name;
}

static void change_definition(live_component *self, const struct definition *next)
{
	struct instance_extra *extra = instance_extra(self);

	free(extra->moved_memory);
	extra->moved_memory = mem_alloc(next->api->private_size + 1);
	self->definition = next;
	if (self->audience)
		set_definition(self->audience, next);
}

/* What the new default state has and the state has not; the rest stays. */
static void complete_state(live_component *self)
{
	const live_value *whole = mount_initial_state(self->definition, self->state);

	self->in_state_change = true; /* the author's hook has not been told of the state that it is */
	instance_set_state(self, whole);
	self->in_state_change = false;
	live_value_unref(whole);
}

/* What the new code would have been told had it been there from the beginning. The hook may join and leave, so the
 * rooms are listed first. */
static void tell_rooms(live_component *self)
{
	struct arena *arena = shard_arena(self->home->shard);
	const live_definition *api = self->definition->api;
	size_t count = 0, size = 0;

	if (!api->on_room_join)
		return;
	list_for_each (link, &self->mounted.memberships)
		size++;
	struct str *rooms = arena_alloc(arena, (size + 1) * sizeof *rooms);
	list_for_each (link, &self->mounted.memberships) {
		const struct membership *membership = LIST_OF(link, struct membership, link);
		struct str room = membership->room_id;
		if (membership->member.state == ROOM_MEMBER_IN && !membership->by_client)
			rooms[count++] = arena_copy(arena, (struct str){room.ptr, room.len + 1});
	}
	for (size_t i = 0; i < count && !self->is_dead; i++) {
		struct shard_job before = instance_enter(self, "onRoomJoin");
		if (membership_find(&self->mounted, (struct str){rooms[i].ptr, rooms[i].len - 1}))
			api->on_room_join(self, rooms[i].ptr);
		instance_leave(self, before);
	}
}

static void move(live_component *self, const struct definition *next)
{
	const live_value *previous = live_value_ref(self->state);

	end_old_code(self);
	change_definition(self, next);
	complete_state(self);
	if (self->audience)
		singleton_tell_joins(self);
	if (!self->is_dead)
		mount_again(self, previous);
	if (!self->is_dead)
		tell_rooms(self);
	live_value_unref(previous);
}

/* ---- who takes over from whom ---- */

enum succession { SUCCEED_NONE, SUCCEED_SAME, SUCCEED_MOVE };

/* What the registry of here has in place of definition, in *next. */
static enum succession find_successor(const struct component_shard *here, const struct definition *definition,
				      const struct definition **next)
{
	const struct definition *found = registry_find(here->registry, definition->name);

	if (!found || !str_equal(found->name, definition->name))
		return SUCCEED_NONE;
	*next = found;
	if (found->api == definition->api)
		return SUCCEED_SAME;
	return found->api->move_on_reload && found->api->singleton == definition->api->singleton ? SUCCEED_MOVE
												 : SUCCEED_NONE;
}

/* Mail of a shard to itself: so many are moved before the sockets have their turn again. */
enum { MOVED_AT_ONCE = 32 };

struct moving {
	struct mail mail;
	unsigned count;
	struct handle instances[MOVED_AT_ONCE];
};

static void deliver_moving(struct mail *mail, struct shard *shard)
{
	struct moving *moving = LIST_OF(mail, struct moving, mail);
	struct component_shard *here = component_shard_of(shard);
	const struct definition *next;

	for (unsigned i = 0; here && i < moving->count; i++) {
		live_component *self = shard_handle_find(shard, moving->instances[i]);
		if (self && !self->mounting && find_successor(here, self->definition, &next) == SUCCEED_MOVE)
			move(self, next);
	}
	free(moving);
}

static void discard_moving(struct mail *mail)
{
	free(LIST_OF(mail, struct moving, mail));
}

static void move_soon(struct component_shard *here, struct moving **moving, live_component *self)
{
	if (!*moving || (*moving)->count == MOVED_AT_ONCE) {
		*moving = mem_alloc(sizeof **moving);
		(*moving)->mail.deliver = deliver_moving;
		(*moving)->mail.discard = discard_moving;
		shard_post(here->shard, shard_index(here->shard), &(*moving)->mail);
	}
	(*moving)->instances[(*moving)->count++] = instance_handle(self);
}

static void adopt_instances(struct component_shard *here)
{
	const struct definition *next;
	struct moving *moving = NULL;

	list_for_each (link, &here->instances) {
		live_component *self = LIST_OF(link, live_component, link);
		enum succession how = find_successor(here, self->definition, &next);
		if (how == SUCCEED_SAME)
			self->definition = next;
		else if (how == SUCCEED_MOVE)
			move_soon(here, &moving, self);
	}
}

static void adopt_audiences(struct component_shard *here)
{
	const struct definition *next;

	for (struct map_entry *entry = map_first(&here->singletons); entry;
	     entry = map_next(&here->singletons, entry)) {
		struct audience *audience = MAP_OF(entry, struct audience, by_name);
		enum succession how = find_successor(here, audience->definition, &next);
		/* One whose instance is here goes over with that. */
		if (how == SUCCEED_SAME || (how == SUCCEED_MOVE && !audience->component))
			set_definition(audience, next);
	}
}

void adopt_for_new(struct audience *audience)
{
	const struct definition *newest = registry_find(audience->here->registry, audience->definition->name);

	if (newest && newest->api->singleton && str_equal(newest->name, audience->definition->name))
		set_definition(audience, newest);
}

void adopt_mounted(live_component *self)
{
	struct moving *moving = NULL;
	const struct definition *next;

	if (!definition_is_of(self->definition, self->home->registry) &&
	    find_successor(self->home, self->definition, &next) == SUCCEED_MOVE)
		move_soon(self->home, &moving, self);
}

const struct definition *adopt_successor(const struct component_shard *here, const struct definition *definition)
{
	const struct definition *next = definition;

	return find_successor(here, definition, &next) == SUCCEED_NONE ? definition : next;
}

void adopt_registry(struct component_shard *here, const struct registry *next)
{
	here->registry = next;
	adopt_instances(here);
	adopt_audiences(here);
	singleton_adopt(here);
}

/* ---- what is still in use ---- */

static bool is_borrowed(const struct list *borrowers, const struct registry *registry)
{
	list_for_each (link, borrowers)
		if (definition_is_of(LIST_OF(link, struct borrower, link)->definition, registry))
			return true;
	return false;
}

bool adopt_uses(const struct component_shard *here, const struct registry *registry)
{
	if (is_borrowed(&here->borrowers, registry) || is_borrowed(&here->deferred, registry))
		return true;
	list_for_each (link, &here->instances)
		if (definition_is_of(LIST_OF(link, live_component, link)->definition, registry))
			return true;
	for (struct map_entry *entry = map_first(&here->singletons); entry; entry = map_next(&here->singletons, entry))
		if (definition_is_of(MAP_OF(entry, struct audience, by_name)->definition, registry))
			return true;
	return singleton_uses(here, registry);
}
