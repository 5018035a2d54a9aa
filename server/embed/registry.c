#include <live/registry.h>

#include <stdlib.h>

#include "core/mem.h"
#include "pubsub/rooms.h"
#include "server/component/action.h"
#include "server/component/call.h"
#include "server/component/instance.h"
#include "server/component/mount.h"
#include "server/component/singleton.h"
#include "server/embed/embed_private.h"
#include "server/embed/errand.h"
#include "server/embed/find.h"

/* ---- which there are ---- */

static void visit_names(struct errand_leg *leg, struct server_shard *here)
{
	const struct registry *registry = here->components->registry;
	struct errand_list names = {0};

	for (unsigned i = 0; i < registry_count(registry); i++)
		errand_list_add(&names, live_string(registry_at(registry, i)->api->name));
	errand_end(leg, NULL, errand_list_end(&names));
}

void live_registry_names(live_server *server, live_done_fn *done, void *argument)
{
	errand_send_to(server, 0, &(struct errand_plan){.visit = visit_names, .done = done, .context = argument});
}

/* *object with key set, in place of what it was. */
static void set(const live_value **object, const char *key, const live_value *value)
{
	const live_value *next = live_with(*object, key, value);

	live_value_unref(*object);
	*object = next;
}

static void add_room(void *context, const struct room_stats *stats)
{
	const live_value **rooms = context;
	const live_value *next = live_with_len(*rooms, stats->id.ptr, stats->id.len, live_int(stats->members));

	live_value_unref(*rooms);
	*rooms = next;
}

static void visit_stats(struct errand_leg *leg, struct server_shard *here)
{
	const live_value *rooms = live_object(NULL, NULL);
	const live_value *singletons = live_object(NULL, NULL);

	rooms_each_home(here->components->rooms, add_room, &rooms);
	list_for_each (link, &here->components->instances) {
		const live_component *self = LIST_OF(link, live_component, link);
		if (self->audience)
			set(&singletons, self->definition->api->name,
			    live_object("componentId", live_string(self->sender.id.ptr), "connections",
					live_int(singleton_clients(self)), NULL));
	}
	int64_t components = (int64_t)counter_read(&here->components->counters.components);
	int64_t sessions = (int64_t)counter_read(&here->sessions.counters.sessions);
	errand_end(leg, NULL,
		   live_object("components", live_int(components), "definitions",
			       live_int(registry_count(here->components->registry)), "rooms",
			       live_int((int64_t)live_len(rooms)), "connections", live_int(sessions), "singletons",
			       singletons, "roomDetails", rooms, NULL));
}

static const live_value *join_stats(const live_value *const *parts, unsigned count)
{
	static const char *const sums[] = {"components", "rooms", "connections"};
	const live_value *joined = live_value_ref(parts[0]);

	for (unsigned i = 1; i < count; i++) {
		for (size_t key = 0; key < sizeof sums / sizeof sums[0]; key++)
			set(&joined, sums[key],
			    live_int(live_as_int(live_get(joined, sums[key]), 0) +
				     live_as_int(live_get(parts[i], sums[key]), 0)));
		set(&joined, "singletons",
		    live_merge(live_get(joined, "singletons"), live_get(parts[i], "singletons")));
		set(&joined, "roomDetails",
		    live_merge(live_get(joined, "roomDetails"), live_get(parts[i], "roomDetails")));
	}
	return joined;
}

void live_registry_stats(live_server *server, live_done_fn *done, void *argument)
{
	errand_send(server,
		    &(struct errand_plan){.visit = visit_stats, .join = join_stats, .done = done, .context = argument});
}

/* ---- which live ---- */

static void visit_list(struct errand_leg *leg, struct server_shard *here)
{
	struct str name = errand_text(leg, "name");
	struct errand_list ids = {0};

	list_for_each (link, &here->components->instances) {
		const live_component *self = LIST_OF(link, live_component, link);
		if (!name.ptr || str_equal(self->definition->name, name))
			errand_list_add(&ids, live_string(self->sender.id.ptr));
	}
	errand_end(leg, NULL, errand_list_end(&ids));
}

void live_registry_list(live_server *server, const char *name, live_done_fn *done, void *argument)
{
	errand_send(server, &(struct errand_plan){.visit = visit_list,
						  .join = errand_join_lists,
						  .argument = live_object("name", live_string(name), NULL),
						  .done = done,
						  .context = argument});
}

static const live_value *text_or_null(const char *text)
{
	return text && *text ? live_string(text) : live_null();
}

static const live_value *describe(live_component *self)
{
	const struct client *client = self->mounted.client;

	return live_object("id", live_string(self->sender.id.ptr), "name", live_string(self->definition->api->name),
			   "room", text_or_null(self->sender.room.ptr), "userId",
			   text_or_null(self->sender.user_id.ptr), "connection",
			   text_or_null(client ? client->id : NULL), "singleton", live_bool(self->audience != NULL),
			   "shard", live_int(shard_index(self->home->shard)), "state", live_value_ref(self->state),
			   "rooms", live_rooms(self), "actions", live_int(self->action_count), "stateChanges",
			   live_int(self->state_change_count), "errors", live_int(self->error_count), NULL);
}

static void visit_get(struct errand_leg *leg, struct server_shard *here)
{
	live_component *self = find_asked_component(leg, here);

	if (self)
		errand_end(leg, NULL, describe(self));
}

static void ask_component(live_server *server, const char *component, errand_visit *visit, live_done_fn *done,
			  void *argument)
{
	errand_send(server, &(struct errand_plan){.visit = visit,
						  .missing = FIND_NO_COMPONENT,
						  .argument = live_object("component", live_string(component), NULL),
						  .done = done,
						  .context = argument});
}

void live_registry_get(live_server *server, const char *component, live_done_fn *done, void *argument)
{
	ask_component(server, component, visit_get, done, argument);
}

/* ---- what one may do with them ---- */

static void visit_visit(struct errand_leg *leg, struct server_shard *here)
{
	live_component *self = find_asked_component(leg, here);

	if (!self)
		return;
	const live_value *answer = errand_plan(leg)->program.visit(self, errand_value(leg, "question"));
	errand_end(leg, NULL, answer ? answer : live_null());
}

void live_registry_visit(live_server *server, const char *component, live_visit_fn *visit, const live_value *question,
			 live_done_fn *done, void *argument)
{
	errand_send(server, &(struct errand_plan){.visit = visit_visit,
						  .missing = FIND_NO_COMPONENT,
						  .argument = live_object("component", live_string(component),
									  "question", question, NULL),
						  .program = {.visit = visit},
						  .done = done,
						  .context = argument});
}

static void visit_unmount(struct errand_leg *leg, struct server_shard *here)
{
	live_component *self = find_asked_component(leg, here);

	if (!self)
		return;
	instance_destroy(self);
	errand_end(leg, NULL, live_null());
}

void live_registry_unmount(live_server *server, const char *component, live_done_fn *done, void *argument)
{
	ask_component(server, component, visit_unmount, done, argument);
}

struct asker { /* waits for a call or a mount */
	struct call_asker asker;
	struct errand_leg *leg;
};

static void on_answer(struct call_asker *base, const live_value *result, const char *error)
{
	struct asker *asker = LIST_OF(base, struct asker, asker);

	errand_end(asker->leg, error, error ? NULL : result ? live_value_ref(result) : live_null());
	free(asker);
}

static struct call_asker *asker_new(struct errand_leg *leg)
{
	struct asker *asker = mem_alloc(sizeof *asker);

	asker->asker.done = on_answer;
	asker->leg = leg;
	return &asker->asker;
}

static void visit_execute(struct errand_leg *leg, struct server_shard *here)
{
	live_component *self = find_asked_component(leg, here);

	if (!self)
		return;
	struct call call = {
		.kind = CALL_ACTION,
		.expect_response = true,
		.auth = errand_plan(leg)->auth,
		.component_id = self->sender.id,
		.action = errand_text(leg, "action"),
		.asker = asker_new(leg),
	};
	action_run(self, &call, errand_value(leg, "payload"));
}

void live_registry_execute(live_server *server, const char *component, const char *action, const live_value *payload,
			   const live_auth *auth, live_done_fn *done, void *argument)
{
	errand_send(server,
		    &(struct errand_plan){.visit = visit_execute,
					  .missing = FIND_NO_COMPONENT,
					  .argument = live_object("component", live_string(component), "action",
								  live_string(action), "payload", payload, NULL),
					  .auth = live_auth_ref(auth),
					  .done = done,
					  .context = argument});
}

static void visit_mount(struct errand_leg *leg, struct server_shard *here)
{
	struct session *session = find_asked_session(leg, here);

	if (!session)
		return;
	struct mount_request request = {
		.name = errand_text(leg, "name"),
		.room = errand_text(leg, "room"),
		.props = errand_value(leg, "props"),
		.asker = asker_new(leg),
	};
	mount_run(session_client(session), &request);
}

void live_registry_mount(live_server *server, const char *connection, const char *component, const live_value *props,
			 const char *room, live_done_fn *done, void *argument)
{
	errand_send(server, &(struct errand_plan){.visit = visit_mount,
						  .missing = FIND_NO_CONNECTION,
						  .argument = live_object("connection", live_string(connection), "name",
									  live_string(component), "props", props,
									  "room", live_string(room), NULL),
						  .done = done,
						  .context = argument});
}
