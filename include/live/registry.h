/*
 * registry - the components of a server, for the program that embeds it: which there are, which live, and what one may
 * do with one that lives.
 *
 * A component that lives is named by its id. It is looked for on all shards, so these are for management, not for every
 * message; a component itself is written with component.h. Answers come as server.h says; "Component not found"
 * is the error for an id that nobody has, which is an ordinary case: it may have ended meanwhile.
 *
 * Registering is live_server_register and live_server_load. Threads: [any], but for what says [shard].
 */
#ifndef LIVE_REGISTRY_H
#define LIVE_REGISTRY_H

#include <live/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The names that are registered, as an array of strings, in order of registration. */
LIVE_API void live_registry_names(live_server *server, live_done_fn *done, void *argument);
/* {components, definitions, rooms, connections, singletons: {<name>: {componentId, connections}}, roomDetails:
 * {<room>: <members>}}. */
LIVE_API void live_registry_stats(live_server *server, live_done_fn *done, void *argument);
/* The ids of those that live, as an array; name NULL: of all components. */
LIVE_API void live_registry_list(live_server *server, const char *name, live_done_fn *done, void *argument);
/* {id, name, room, userId, connection, singleton, shard, state, rooms, actions, stateChanges, errors}; room, userId and
 * connection may be null. */
LIVE_API void live_registry_get(live_server *server, const char *component, live_done_fn *done, void *argument);

/* [shard] Does with a component what it likes, by component.h; must not block. question is a loan; returns the answer
 * as a new reference, or NULL. */
typedef const live_value *live_visit_fn(live_component *self, const live_value *question);
/* Runs visit with a component, on its shard; question (given away, may be NULL) is what visit gets, and the answer what
 * it returns. */
LIVE_API void live_registry_visit(live_server *server, const char *component, live_visit_fn *visit,
				  const live_value *question, live_done_fn *done, void *argument);

/* Calls an action with payload (given away), as a client would, but no rule of it is asked and no rate is kept; the
 * result is the answer, also when it is deferred. auth (may be NULL: nobody) is whom live_reply_auth tells. Its
 * failures are errors here, and pushed to its clients besides. */
LIVE_API void live_registry_execute(live_server *server, const char *component, const char *action,
				    const live_value *payload, const live_auth *auth, live_done_fn *done,
				    void *argument);
/* Mounts a component for a client that is connected, named by its connection: {componentId, initialState,
 * signedState}. The client gets the first state as after a mount of its own. props (given away) and room may be NULL;
 * rules are not asked. A singleton is made, or, when it lives already, the client joins it and gets the state as it is;
 * signedState is null when another node owns it. */
LIVE_API void live_registry_mount(live_server *server, const char *connection, const char *component,
				  const live_value *props, const char *room, live_done_fn *done, void *argument);
/* Ends a component, a singleton for all its clients. */
LIVE_API void live_registry_unmount(live_server *server, const char *component, live_done_fn *done, void *argument);

#ifdef __cplusplus
}
#endif

#endif
