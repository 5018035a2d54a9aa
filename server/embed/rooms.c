/*
 * The room manager and the room states, for the program: asked where the room or the component is.
 */
#include <errno.h>
#include <stdlib.h>

#include <live/rooms.h>

#include "core/json.h"
#include "core/mem.h"
#include "pubsub/rooms.h"
#include "server/component/instance.h"
#include "server/component/membership.h"
#include "server/embed/embed_private.h"
#include "server/embed/errand.h"
#include "server/embed/find.h"
#include "server/server_shard.h"

#define ROOM STR("room")

/* ---- asking ---- */

/* At the home of room; more (given away, may be NULL) is "value" to visit. */
static void ask_home(live_server *server, const char *room, const live_value *more, struct errand_plan plan)
{
	unsigned home = rooms_home_shard(ROOM, str_of(room), live_server_shard_count(server));

	plan.argument = live_object("room", live_string(room), "value", more, NULL);
	errand_send_to(server, home, &plan);
}

static void ask_component(live_server *server, const char *component, const char *room, const live_value *more,
			  struct errand_plan plan)
{
	plan.missing = FIND_NO_COMPONENT;
	plan.argument =
		live_object("component", live_string(component), "room", live_string(room), "value", more, NULL);
	errand_send(server, &plan);
}

/* ---- the room manager ---- */

static void visit_join(struct errand_leg *leg, struct server_shard *here)
{
	live_component *self = find_asked_component(leg, here);

	if (!self)
		return;
	struct str room = errand_text(leg, "room");
	bool was_member = membership_find(&self->mounted, room) != NULL;
	int rc = live_room_join(self, room.ptr, live_value_ref(errand_value(leg, "value")));
	errand_end(leg, rc < 0 ? "Invalid room name" : NULL, rc < 0 ? NULL : live_bool(!was_member));
}

void live_room_manager_join(live_server *server, const char *component, const char *room,
			    const live_value *initial_state, live_done_fn *done, void *argument)
{
	ask_component(server, component, room, initial_state,
		      (struct errand_plan){.visit = visit_join, .done = done, .context = argument});
}

static void visit_leave(struct errand_leg *leg, struct server_shard *here)
{
	live_component *self = find_asked_component(leg, here);

	if (!self)
		return;
	struct str room = errand_text(leg, "room");
	bool was_member = membership_find(&self->mounted, room) != NULL;
	int rc = live_room_leave(self, room.ptr);
	errand_end(leg, NULL, live_bool(was_member && rc == 0));
}

void live_room_manager_leave(live_server *server, const char *component, const char *room, live_done_fn *done,
			     void *argument)
{
	ask_component(server, component, room, NULL,
		      (struct errand_plan){.visit = visit_leave, .done = done, .context = argument});
}

int live_room_manager_emit(live_server *server, const char *room, const char *event, const live_value *data)
{
	if (room_name_is_valid(str_of(room)))
		return live_events_emit(server, "room", room, event, data);
	live_value_unref(data);
	return -EINVAL;
}

static void visit_is_member(struct errand_leg *leg, struct server_shard *here)
{
	live_component *self = find_asked_component(leg, here);

	if (self)
		errand_end(leg, NULL, live_bool(live_room_is_member(self, errand_text(leg, "room").ptr)));
}

void live_room_manager_is_member(live_server *server, const char *component, const char *room, live_done_fn *done,
				 void *argument)
{
	ask_component(server, component, room, NULL,
		      (struct errand_plan){.visit = visit_is_member, .done = done, .context = argument});
}

static void visit_rooms_of(struct errand_leg *leg, struct server_shard *here)
{
	live_component *self = find_asked_component(leg, here);

	if (self)
		errand_end(leg, NULL, live_rooms(self));
}

void live_room_manager_rooms_of(live_server *server, const char *component, live_done_fn *done, void *argument)
{
	ask_component(server, component, "", NULL,
		      (struct errand_plan){.visit = visit_rooms_of, .done = done, .context = argument});
}

static void visit_members(struct errand_leg *leg, struct server_shard *here)
{
	struct room_view *view = rooms_find_view(here->components->rooms, ROOM, errand_text(leg, "room"));
	struct errand_list ids = {0};

	for (struct room_member *at = view ? room_view_next_member(view, NULL) : NULL; at;
	     at = room_view_next_member(view, at))
		errand_list_add(&ids, live_string_len(at->id.ptr, at->id.len));
	errand_end(leg, NULL, errand_list_end(&ids));
}

void live_room_manager_members(live_server *server, const char *room, live_done_fn *done, void *argument)
{
	errand_send(server, &(struct errand_plan){.visit = visit_members,
						  .join = errand_join_lists,
						  .argument = live_object("room", live_string(room), NULL),
						  .done = done,
						  .context = argument});
}

/* ---- statistics: an object of all rooms ---- */

static void set_room(const live_value **rooms, struct str id, const live_value *about)
{
	const live_value *next = live_with_len(*rooms, id.ptr, id.len, about);

	live_value_unref(*rooms);
	*rooms = next;
}

static void add_activity(void *context, const struct room_stats *stats)
{
	set_room(context, stats->id,
		 live_object("members", live_int(stats->members), "createdAt", live_int(stats->created_ms),
			     "lastActivity", live_int(stats->last_activity_ms), NULL));
}

static void add_keys(void *context, const struct room_stats *stats)
{
	struct errand_list keys = {0};

	for (live_iter it = {0}; live_next(stats->state, &it);)
		errand_list_add(&keys, live_string_len(it.key, it.key_len));
	set_room(context, stats->id,
		 live_object("componentCount", live_int(stats->members), "stateKeys", errand_list_end(&keys), NULL));
}

static void visit_activity(struct errand_leg *leg, struct server_shard *here)
{
	const live_value *rooms = live_object(NULL, NULL);

	rooms_each_home(here->components->rooms, add_activity, &rooms);
	errand_end(leg, NULL, rooms);
}

static void visit_keys(struct errand_leg *leg, struct server_shard *here)
{
	const live_value *rooms = live_object(NULL, NULL);

	rooms_each_home(here->components->rooms, add_keys, &rooms);
	errand_end(leg, NULL, rooms);
}

static const live_value *join_rooms(const live_value *const *parts, unsigned count)
{
	const live_value *rooms = live_object(NULL, NULL);

	for (unsigned i = 0; i < count; i++) {
		const live_value *more = live_merge(rooms, parts[i]);
		live_value_unref(rooms);
		rooms = more;
	}
	return live_object("totalRooms", live_int((int64_t)live_len(rooms)), "rooms", rooms, NULL);
}

void live_room_manager_stats(live_server *server, live_done_fn *done, void *argument)
{
	errand_send(server, &(struct errand_plan){
				    .visit = visit_activity, .join = join_rooms, .done = done, .context = argument});
}

void live_room_states_stats(live_server *server, live_done_fn *done, void *argument)
{
	errand_send(server,
		    &(struct errand_plan){.visit = visit_keys, .join = join_rooms, .done = done, .context = argument});
}

/* ---- room states ---- */

static void on_room_answer(void *context, const char *error, const live_value *value)
{
	errand_end(context, error, error ? NULL : value ? live_value_ref(value) : live_null());
}

static void visit_state(struct errand_leg *leg, struct server_shard *here)
{
	errand_hold(leg, here);
	rooms_get_state(here->components->rooms, errand_text(leg, "room"), on_room_answer, leg);
}

void live_room_states_get(live_server *server, const char *room, live_done_fn *done, void *argument)
{
	ask_home(server, room, NULL, (struct errand_plan){.visit = visit_state, .done = done, .context = argument});
}

static void visit_update(struct errand_leg *leg, struct server_shard *here)
{
	errand_hold(leg, here);
	rooms_set_state(here->components->rooms, errand_text(leg, "room"), errand_value(leg, "value"),
			(struct room_origin){0}, on_room_answer, leg);
}

void live_room_states_update(live_server *server, const char *room, const live_value *updates, live_done_fn *done,
			     void *argument)
{
	ask_home(server, room, updates, (struct errand_plan){.visit = visit_update, .done = done, .context = argument});
}

/* A live_room_update_fn: next in place of state, whose other keys become null. */
static const live_value *replace(const live_value *state, const live_value *next, const live_value **result)
{
	const live_value *whole = live_value_ref(next);

	for (live_iter it = {0}; live_next(state, &it);) {
		if (live_get_len(next, it.key, it.key_len))
			continue;
		const live_value *more = live_with_len(whole, it.key, it.key_len, live_null());
		live_value_unref(whole);
		whole = more;
	}
	*result = live_value_ref(whole);
	return whole;
}

static void visit_change(struct errand_leg *leg, struct server_shard *here)
{
	errand_hold(leg, here);
	rooms_update(here->components->rooms, errand_text(leg, "room"), errand_plan(leg)->program.update,
		     errand_value(leg, "value"), (struct room_origin){0}, on_room_answer, leg);
}

void live_room_states_change(live_server *server, const char *room, live_room_update_fn *change,
			     const live_value *question, live_done_fn *done, void *argument)
{
	ask_home(server, room, question,
		 (struct errand_plan){
			 .visit = visit_change, .program = {.update = change}, .done = done, .context = argument});
}

void live_room_states_set(live_server *server, const char *room, const live_value *state, live_done_fn *done,
			  void *argument)
{
	live_room_states_change(server, room, replace, state, done, argument);
}

static void visit_has(struct errand_leg *leg, struct server_shard *here)
{
	errand_end(leg, NULL, live_bool(rooms_has_home(here->components->rooms, errand_text(leg, "room"))));
}

void live_room_states_has(live_server *server, const char *room, live_done_fn *done, void *argument)
{
	ask_home(server, room, NULL, (struct errand_plan){.visit = visit_has, .done = done, .context = argument});
}

static void visit_delete(struct errand_leg *leg, struct server_shard *here)
{
	errand_end(leg, NULL, live_bool(rooms_drop_home(here->components->rooms, errand_text(leg, "room"))));
}

void live_room_states_delete(live_server *server, const char *room, live_done_fn *done, void *argument)
{
	ask_home(server, room, NULL, (struct errand_plan){.visit = visit_delete, .done = done, .context = argument});
}
