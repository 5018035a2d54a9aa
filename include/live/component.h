/*
 * component - how a live component is written.
 *
 * A component is a table of data and functions (live_definition); an instance of it (live_component) lives on one shard
 * and belongs to one client, or, for a singleton, to all clients that mounted it. Functions of the table run on that
 * shard, one at a time, and must not block: slow work goes to live_offload, replies may be deferred. Nothing needs a
 * lock, since nobody else touches the instance.
 *
 * Ownership: values given to live_set, live_emit, live_reply_value and the like are given away; what live_state and
 * live_get_* return is a loan until the state changes. What one may get wrong: keeping a live_component pointer beyond
 * on_destroy, or using it on another thread.
 *
 * Threads: [shard] of the instance, but where another tag stands.
 */
#ifndef LIVE_COMPONENT_H
#define LIVE_COMPONENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <live/auth.h>
#include <live/value.h>
#include <live/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct live_component live_component;
typedef struct live_reply live_reply;
typedef struct live_deferred live_deferred;
typedef struct live_timer live_timer;

/* The layout of this header: a plugin built against another one is refused. */
#define LIVE_ABI 2u

/* ---- the definition ---- */

/*
 * Runs an action. payload is a loan (an object, or whatever the client sent; null when it sent nothing). Returns 0 for
 * success (the result is what live_reply_value set, or none), else the action failed: with the text of
 * live_reply_error, or "Action failed".
 */
typedef int live_action_fn(live_component *self, const live_value *payload, live_reply *reply);

typedef struct live_action {
	const char *name;
	live_action_fn *run;
} live_action;

/* What an action demands beyond its name; any of it may be left out. */
typedef struct live_action_rule {
	const char *action;         /* whose rule it is */
	const live_auth_rule *auth; /* who may call it; LIVE_AUTH(...) */
	/* JSON Schema of its payload; LIVE_JSON({"type": "object", "required": ["text"]}). A payload that does not fit
	 * is refused before on_action is asked; one that fits gets the schema's defaults. docs/components.md names the
	 * keywords. */
	const char *schema;
} live_action_rule;

/* How often one client may call the actions of a component: in each window of window_ms, max_calls in all, or of each
 * action. Refused calls count too. */
typedef struct live_rate_limit {
	unsigned max_calls;
	int64_t window_ms;
	bool per_action;
} live_rate_limit;

/* The built-in action behind property writes of the clients' bindings, {key, value}; list it to allow them:
 * LIVE_ACTIONS({"setValue", live_action_set_value}). */
LIVE_API int live_action_set_value(live_component *self, const live_value *payload, live_reply *reply);

/* What on_action returns to cancel the call: the client gets "Action '<name>' was cancelled". */
#define LIVE_CANCEL 1

/* What the server tells of a component's instances: bits of live_definition.logging. */
#define LIVE_LOG_LIFECYCLE (1u << 0)   /* mounted, come back, gone; hooks that failed */
#define LIVE_LOG_MESSAGES (1u << 1)    /* actions called, events pushed, and what became of them */
#define LIVE_LOG_STATE (1u << 2)       /* changes of state */
#define LIVE_LOG_PERFORMANCE (1u << 3) /* how long actions took */
#define LIVE_LOG_ROOMS (1u << 4)       /* joined and left, events, changes of a room's state */
#define LIVE_LOG_WEBSOCKET (1u << 5)   /* the client's connection: opened, closed, slow */
#define LIVE_LOG_ALL                                                                                       \
	(LIVE_LOG_LIFECYCLE | LIVE_LOG_MESSAGES | LIVE_LOG_STATE | LIVE_LOG_PERFORMANCE | LIVE_LOG_ROOMS | \
	 LIVE_LOG_WEBSOCKET)

/*
 * A component. Everything but name is optional. The strings and tables must stay valid for as long as the component is
 * registered; in a plugin they are static anyway.
 */
typedef struct live_definition {
	const char *name;                  /* under which clients mount it */
	const char *default_state;         /* JSON object; LIVE_JSON(...) */
	const char *persistent;            /* JSON object that all instances in the process share; LIVE_JSON(...) */
	const live_action *actions;        /* ends with an entry whose name is NULL; LIVE_ACTIONS(...) */
	const live_auth_rule *auth;        /* who may mount it; LIVE_AUTH(...); NULL: everybody */
	const live_action_rule *rules;     /* of single actions; LIVE_RULES(...) */
	const live_rate_limit *rate_limit; /* LIVE_RATE_LIMIT(.max_calls = 5, .window_ms = 1000); NULL: none */
	/* Keys that PROPERTY_UPDATE may write, NULL-terminated; NULL: those of default_state. */
	const char *const *updatable;
	unsigned logging;    /* bits of LIVE_LOG_...; 0: only what is wrong */
	bool singleton;      /* one instance for all clients */
	bool move_on_reload; /* its instances by older code go over to this (see docs/components.md); else they stay */
	/* Clients may not set the state of a room that was created by the join of such a component (ROOM_STATE_SET). */
	bool server_only_room_state;
	size_t private_size;   /* bytes of zeroed memory that live_private returns */
	const char *room_type; /* of its channel on the event bus; NULL: "default" */

	/* Lifecycle, in this order. An error of one hook is logged and ends nothing but that hook. */
	void (*on_connect)(live_component *self);
	/* The mount is answered when this has returned 0 and all rooms that it joined have answered; it may defer its
	 * reply. An error is pushed to the client as "Mount initialization failed: <text>"; the component stays
	 * mounted. */
	int (*on_mount)(live_component *self, live_reply *reply);
	/* After the client came back with the state that it had (before on_mount). previous is that state. */
	void (*on_rehydrate)(live_component *self, const live_value *previous);
	/* The client's connection closed (not on unmount); for a singleton, when the last client has gone. */
	void (*on_disconnect)(live_component *self);
	/* The last call; then private memory, timers, rooms and state are gone. */
	void (*on_destroy)(live_component *self);
	/* After a change of state; changes is the delta. Changes made in here are sent, but do not call it again. */
	void (*on_state_change)(live_component *self, const live_value *changes);
	/* Before an action. Returns 0 to let it run, LIVE_CANCEL, or another value with live_reply_error's text. */
	int (*on_action)(live_component *self, const char *action, const live_value *payload, live_reply *reply);
	/* live_room_join was answered: live_room_state has the room's state. */
	void (*on_room_join)(live_component *self, const char *room);
	void (*on_room_leave)(live_component *self, const char *room);
	/* Singletons: a client mounted it, or left it; clients is how many there are now. */
	void (*on_client_join)(live_component *self, const char *connection, unsigned clients);
	void (*on_client_leave)(live_component *self, const char *connection, unsigned clients);
} live_definition;

/* JSON written as it is: LIVE_JSON({"count": 0}) */
#define LIVE_JSON(...) #__VA_ARGS__
/* LIVE_RATE_LIMIT(.max_calls = 5, .window_ms = 1000, .per_action = true) */
#define LIVE_RATE_LIMIT(...) (&(const live_rate_limit){__VA_ARGS__})
/* LIVE_AUTH(.roles = LIVE_NAMES("admin")) */
#define LIVE_AUTH(...) (&(const live_auth_rule){__VA_ARGS__})
/* LIVE_RULES({.action = "wipe", .auth = LIVE_AUTH(.required = true)}) */
#define LIVE_RULES(...) ((const live_action_rule[]){__VA_ARGS__, {.action = NULL}})
/* LIVE_ACTIONS({"increment", increment}, {"reset", reset}) */
#define LIVE_ACTIONS(...) ((const live_action[]){__VA_ARGS__, {NULL, NULL}})
/*
 * Makes this file a plugin: LIVE_COMPONENT { .name = "Counter", ... };
 * Build it as a shared object and put it into the server's components folder.
 */
#define LIVE_COMPONENT                                                \
	LIVE_API extern const uint32_t live_plugin_abi;               \
	LIVE_API extern const uint32_t live_plugin_size;              \
	LIVE_API extern const live_definition live_plugin_definition; \
	const uint32_t live_plugin_abi = LIVE_ABI;                    \
	const uint32_t live_plugin_size = sizeof(live_definition);    \
	const live_definition live_plugin_definition =

/* ---- the instance ---- */

LIVE_API const char *live_id(const live_component *self);
LIVE_API const char *live_name(const live_component *self);
/* Its own room, the one given at mount unless it subscribed to another; NULL: it has none. A loan until that changes.
 */
LIVE_API const char *live_room(const live_component *self);
/* Whom the client is signed on as, or NULL. */
LIVE_API const char *live_user_id(const live_component *self);
/* Who its client was signed on as when it mounted this; a loan; never NULL (anonymous). */
LIVE_API const live_auth *live_auth_of(const live_component *self);
/* private_size bytes that are this instance's own and never sent. */
LIVE_API void *live_private(live_component *self);
/* The shard that runs it, and how many there are. */
LIVE_API unsigned live_shard(const live_component *self);
LIVE_API unsigned live_shard_count(const live_component *self);
/* The name of this node. */
LIVE_API const char *live_node(const live_component *self);
/* The time as of this tick, in ms since 1970 (UTC). */
LIVE_API int64_t live_now_ms(const live_component *self);
/* Ends the instance, at once: on_destroy runs inside this call, and what the current function does to the instance
 * afterwards has no effect. What it answers still reaches the client. */
LIVE_API void live_destroy(live_component *self);

/* ---- state ---- */

/* The state; a loan. */
LIVE_API const live_value *live_state(const live_component *self);
/* The member named key of the state, or NULL; a loan. */
LIVE_API const live_value *live_state_get(const live_component *self, const char *key);
LIVE_API int64_t live_get_int(const live_component *self, const char *key);
LIVE_API double live_get_double(const live_component *self, const char *key);
LIVE_API bool live_get_bool(const live_component *self, const char *key);
/* "" when it is no string; a loan. */
LIVE_API const char *live_get_string(const live_component *self, const char *key);
/* Sets one key; gives value away. The client gets one STATE_DELTA per tick with what has changed. */
LIVE_API void live_set(live_component *self, const char *key, const live_value *value);
/* Merges patch (an object; given away) into the state: its keys are set, nested objects are complete. */
LIVE_API void live_set_state(live_component *self, const live_value *patch);
/* Gives the patch for a state; argument is as given to live_update_state. Returns a new reference. */
typedef const live_value *live_state_fn(const live_value *state, const live_value *argument);
/* Merges what patch returns for the state as it is; gives argument away. */
LIVE_API void live_update_state(live_component *self, live_state_fn *patch, const live_value *argument);

/* ---- data that all instances share, on all shards, for as long as the process lives ---- */

/* The component's persistent data as this shard knows it; a loan until the function returns. What others change comes
 * within a few ticks. On several nodes each has its own. */
LIVE_API const live_value *live_persistent(const live_component *self);
/*
 * Runs where the data lives, alone with it, so that no update is ever lost. Returns the new data (an object) as a new
 * reference (data itself, referenced, for no change) and may set *result, which is given away. It must touch nothing
 * but its arguments.
 */
typedef const live_value *live_persistent_fn(const live_value *data, const live_value *argument,
					     const live_value **result);
/* Changes the data by update; gives argument away. When reply is not NULL it is deferred and ends with *result; by then
 * live_persistent has the change, not before. */
LIVE_API void live_persistent_update(live_component *self, live_persistent_fn *update, const live_value *argument,
				     live_reply *reply);
/* Merges updates (an object; given away) into the data, as live_merge does. */
LIVE_API void live_persistent_merge(live_component *self, const live_value *updates);

/* ---- replies ---- */

/* Who calls: of a singleton's clients the one that asked; a loan for the call; never NULL (anonymous). */
LIVE_API const live_auth *live_reply_auth(const live_reply *reply);
/* The id of the connection through which that client calls, as on_client_join was told; a loan for the call; NULL when
 * a program calls. */
LIVE_API const char *live_reply_connection(const live_reply *reply);
/* The result of the action; gives value away. The last call wins. */
LIVE_API void live_reply_value(live_reply *reply, const live_value *value);
/* The text of its failure, as printf does; then return live_reply_error(...): it returns -1. */
LIVE_API int live_reply_error(live_reply *reply, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The reply will come later: the caller must end it with live_deferred_value or live_deferred_error, once. The function
 * that got reply still returns 0. */
LIVE_API live_deferred *live_reply_defer(live_reply *reply);
/* [any] Ends a deferred reply; gives value and deferred away. Fine when the client has gone. */
LIVE_API void live_deferred_value(live_deferred *deferred, const live_value *value);
/* [any] As above, with the text of a failure (copied; NULL: "Action failed"). */
LIVE_API void live_deferred_error(live_deferred *deferred, const char *text);

/* ---- to the clients ---- */

/* Pushes a message of that type to the component's client (all clients of a singleton); gives payload away. */
LIVE_API void live_emit(live_component *self, const char *type, const live_value *payload);
/* Pushes a BROADCAST {type, data} to every component whose own room is the same; gives data away.
 * exclude_user: not to those of the same user. -EINVAL without a room. */
LIVE_API int live_broadcast(live_component *self, const char *type, const live_value *data, bool exclude_user);

/* ---- rooms; room NULL means the component's own ---- */

/*
 * Makes room its own, as if it had been mounted with it: it joins the room, broadcasts and events of the bus go there
 * and come from there, and later pushes name it. The room that was its own before is left, as
 * live_unsubscribe_from_room does. 0 (also when it is its own already), or -EINVAL for an invalid name.
 */
LIVE_API int live_subscribe_to_room(live_component *self, const char *room);
/* Leaves its own room; its handlers of the bus (live_on_room_event) end, and it has no room of its own. 0, or -EINVAL
 * without one. */
LIVE_API int live_unsubscribe_from_room(live_component *self);
/* Joins; initial_state (given away, may be NULL) is the room's if this creates it. on_room_join tells when it is done.
 * 0 (also when joined already), -EINVAL for an invalid name or without a default room. */
LIVE_API int live_room_join(live_component *self, const char *room, const live_value *initial_state);
LIVE_API int live_room_leave(live_component *self, const char *room);
/* The rooms that it is in, as an array of their ids; the caller owns it. */
LIVE_API const live_value *live_rooms(const live_component *self);
LIVE_API bool live_room_is_member(const live_component *self, const char *room);
/* The room's state as of the last event; a loan; {} when not a member. */
LIVE_API const live_value *live_room_state(const live_component *self, const char *room);
/* Members of the room on all shards, as of the last event; 0 when not a member. */
LIVE_API unsigned live_room_members(const live_component *self, const char *room);
/* Sends event to all other members; gives data away. -EINVAL, or -ENOTCONN when not a member. */
LIVE_API int live_room_emit(live_component *self, const char *room, const char *event, const live_value *data);
/* Merges updates (given away) into the room's state; all other members are told. Errors as live_room_emit. */
LIVE_API int live_room_set_state(live_component *self, const char *room, const live_value *updates);

/*
 * Runs where the room lives, alone with its state, so that no update is ever lost. Returns the new state as a new
 * reference (state itself, referenced, for no change) and may set *result, which is given away. It must touch nothing
 * but its arguments.
 */
typedef const live_value *live_room_update_fn(const live_value *state, const live_value *argument,
					      const live_value **result);
/* Changes a room by update. argument is given away. All members, this one too, are told. When reply is not NULL it is
 * deferred and ends with *result. Errors as live_room_emit. */
LIVE_API int live_room_update(live_component *self, const char *room, live_room_update_fn *update,
			      const live_value *argument, live_reply *reply);

/* Called for an event of a room. event: its name ("$state:update" with {state: changes}; "$sub:join" and "$sub:leave"
 * with {subscriberId, count}). data is a loan. */
typedef void live_room_event_fn(live_component *self, const char *room, const char *event, const live_value *data);
/* Calls fn for each such event ("*" for all) that somebody else sends, for as long as this is a member. Join first.
 * Errors as live_room_emit. */
LIVE_API int live_room_on(live_component *self, const char *room, const char *event, live_room_event_fn *fn);

/* ---- the event bus: components of the same room among themselves, on all shards; clients hear nothing of it ---- */

/* Called for an event of the bus. data is a loan. */
typedef void live_event_fn(live_component *self, const char *event, const live_value *data);
/* Calls fn for each such event ("*" for all) in its own room, for as long as that is its own. -EINVAL without a room.
 */
LIVE_API int live_on_room_event(live_component *self, const char *event, live_event_fn *fn);
/* Sends event to the handlers of all components whose own room is the same, one's own only with notify_self; gives data
 * away. -EINVAL without a room. */
LIVE_API int live_emit_room_event(live_component *self, const char *event, const live_value *data, bool notify_self);
/* The same to all others, after merging updates (given away) into one's own state. */
LIVE_API int live_emit_room_event_with_state(live_component *self, const char *event, const live_value *data,
					     const live_value *updates);

/* ---- the log ---- */

/* Prints a line, as printf does, if the definition's logging has category (one of LIVE_LOG_...); while the debugger is
 * on it hears it in any case. The next is the same, as a warning. */
LIVE_API void live_log(live_component *self, unsigned category, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
LIVE_API void live_log_warn(live_component *self, unsigned category, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- time ---- */

typedef void live_timer_fn(live_component *self, live_timer *timer);
/* Calls fn every interval_ms (at least 1); ends with live_timer_stop or with the instance. */
LIVE_API live_timer *live_every(live_component *self, int64_t interval_ms, live_timer_fn *fn);
/* Calls fn once after delay_ms; then the timer is gone. */
LIVE_API live_timer *live_after(live_component *self, int64_t delay_ms, live_timer_fn *fn);
/* Ends the timer; also from inside its function. */
LIVE_API void live_timer_stop(live_timer *timer);

/* ---- blocking work ---- */

/* [pool thread] Does the work; touches nothing but argument. Returns the result as a new reference. */
typedef const live_value *live_offload_fn(const live_value *argument);
/* Back on the shard; result is a loan. Not called when the instance has gone. */
typedef void live_offload_done_fn(live_component *self, const live_value *result);
/* Runs work on a thread of the pool, then done here. argument is given away. 0, -EAGAIN when too much waits, or
 * -EINVAL when the instance has ended. */
LIVE_API int live_offload(live_component *self, live_offload_fn *work, const live_value *argument,
			  live_offload_done_fn *done);

#ifdef __cplusplus
}
#endif

#endif
