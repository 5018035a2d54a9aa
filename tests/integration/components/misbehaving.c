/*
 * Rogue - a component that does what one should not, in whatever way it is asked to: by its actions, and in its hooks
 * by the `way` that it was mounted with. Built twice: as Rogue, and as the singleton RogueShared.
 */
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <live/live.h>

struct rogue {
	live_deferred *kept;
};

static bool is_way(const live_component *self, const char *way)
{
	return !strcmp(live_get_string(self, "way"), way);
}

static int64_t number(const live_value *payload, const char *key)
{
	return live_as_int(live_get(payload, key), 0);
}

static const char *text(const live_value *payload, const char *key)
{
	const char *found = live_as_string(live_get(payload, key));

	return found ? found : "";
}

/* ---- values that are hard to send ---- */

static const live_value *nest(unsigned levels)
{
	const live_value *value = live_int(1);

	while (levels--)
		value = live_object("in", value, NULL);
	return value;
}

/* A graph of so many nodes whose tree has two to the power of that: what a cycle would be if values could have one. */
static const live_value *bomb(unsigned levels)
{
	const live_value *value = live_int(1);

	while (levels--) {
		const live_value *child = value;
		value = live_object("a", live_value_ref(child), "b", child, NULL);
	}
	return value;
}

static const live_value *letters(size_t count)
{
	char *all = malloc(count + 1);

	memset(all, 'x', count);
	const live_value *value = live_string_len(all, count);
	free(all);
	return value;
}

static const live_value *odd_value(const live_value *payload)
{
	const char *what = text(payload, "what");

	if (!strcmp(what, "nan"))
		return live_array_of(live_double(NAN), live_double(INFINITY), live_double(-INFINITY), live_double(-0.0),
				     LIVE_END);
	if (!strcmp(what, "utf8"))
		return live_string("a\xff\xc3(\xed\xa0\x80z");
	if (!strcmp(what, "deep"))
		return nest((unsigned)number(payload, "size"));
	if (!strcmp(what, "bomb"))
		return bomb((unsigned)number(payload, "size"));
	if (!strcmp(what, "huge"))
		return letters((size_t)number(payload, "size"));
	if (!strcmp(what, "binary"))
		return live_binary("\0\xff\x01", 3);
	return NULL;
}

static int put(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_set(self, "odd", odd_value(payload));
	return 0;
}

static int give(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	live_reply_value(reply, odd_value(payload));
	return 0;
}

static int tell(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_emit(self, "ODD", odd_value(payload));
	return 0;
}

/* ---- replies ---- */

static int fail(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	if (live_get(payload, "text"))
		live_reply_error(reply, "%s", text(payload, "text"));
	return (int)number(payload, "code");
}

static int silent(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	(void)reply;
	return 0;
}

static int never(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	live_reply_defer(reply); /* and forgets it */
	return 0;
}

static void answer_again(live_component *self, live_timer *timer)
{
	struct rogue *rogue = live_private(self);

	(void)timer;
	live_deferred_value(rogue->kept, live_string("again"));
	live_set(self, "again", live_bool(true));
}

/* Ends its reply at once, then again, and after a while once more. */
static int twice(live_component *self, const live_value *payload, live_reply *reply)
{
	struct rogue *rogue = live_private(self);

	(void)payload;
	rogue->kept = live_reply_defer(reply);
	live_deferred_value(rogue->kept, live_string("first"));
	live_deferred_error(rogue->kept, "second");
	live_after(self, 50, answer_again);
	return 0;
}

/* Defers, and fails besides. */
static int both(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	live_deferred_value(live_reply_defer(reply), live_string("deferred"));
	return live_reply_error(reply, "failed");
}

/* ---- threads of its own, which it joins when its code goes ---- */

struct late {
	live_deferred *deferred;
	int64_t ms;
};

enum { THREADS_MAX = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_t threads[THREADS_MAX];
static unsigned thread_count;

static void *answer_late(void *argument)
{
	struct late *late = argument;

	usleep((useconds_t)late->ms * 1000);
	live_deferred_value(late->deferred, live_string("late"));
	free(late);
	return NULL;
}

static int elsewhere(live_component *self, const live_value *payload, live_reply *reply)
{
	int rc = -1;

	(void)self;
	pthread_mutex_lock(&lock);
	if (thread_count < THREADS_MAX) {
		struct late *late = malloc(sizeof *late);
		*late = (struct late){live_reply_defer(reply), number(payload, "ms")};
		rc = pthread_create(&threads[thread_count++], NULL, answer_late, late);
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

__attribute__((destructor)) static void join_threads(void)
{
	while (thread_count)
		pthread_join(threads[--thread_count], NULL);
}

/* ---- ending ---- */

static void use_all(live_component *self)
{
	live_set(self, "late", live_bool(true));
	live_emit(self, "LATE", live_string("late"));
	live_room_join(self, "late", NULL);
	live_room_emit(self, "late", "late", NULL);
	live_emit_room_event(self, "late", NULL, true);
	live_broadcast(self, "late", NULL, false);
}

static int end(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_destroy(self);
	use_all(self);
	live_reply_value(reply, live_string("from the grave"));
	return 0;
}

static int end_then_answer(live_component *self, const live_value *payload, live_reply *reply)
{
	live_deferred *deferred = live_reply_defer(reply);

	(void)payload;
	live_destroy(self);
	live_deferred_value(deferred, live_string("from the grave"));
	return 0;
}

/* By eight timers that are due together. */
static void end_by_timer(live_component *self, live_timer *timer)
{
	live_destroy(self);
	live_timer_stop(timer);
	use_all(self);
}

static int end_soon(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	for (unsigned i = 0; i < 8; i++)
		live_every(self, 5, end_by_timer);
	return 0;
}

/* ---- names that are none ---- */

static int nothing(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_set(self, "", live_null());
	live_set_state(self, live_int(3));
	live_set_state(self, NULL);
	live_emit(self, NULL, NULL);
	live_emit(self, "\xff\"\n", NULL);
	live_broadcast(self, NULL, NULL, false);
	live_room_emit(self, NULL, NULL, NULL);
	live_room_set_state(self, NULL, live_int(1));
	live_emit_room_event(self, NULL, NULL, true);
	live_deferred_error(live_reply_defer(reply), NULL);
	return 0;
}

/* ---- its hooks ---- */

static void set_in(live_component *self, const char *hook)
{
	if (is_way(self, "set everywhere"))
		live_set(self, hook, live_bool(true));
}

static void on_connect(live_component *self)
{
	set_in(self, "onConnect");
}

static int on_mount(live_component *self, live_reply *reply)
{
	set_in(self, "onMount");
	if (is_way(self, "set everywhere"))
		live_room_join(self, "everywhere", NULL);
	if (is_way(self, "mount error"))
		return live_reply_error(reply, "no \xff good");
	if (is_way(self, "mount code"))
		return INT_MIN;
	if (is_way(self, "mount never"))
		live_reply_defer(reply);
	if (is_way(self, "mount huge"))
		live_set(self, "odd", letters(65 << 20));
	if (is_way(self, "mount end"))
		live_destroy(self);
	return 0;
}

static void on_rehydrate(live_component *self, const live_value *previous)
{
	(void)previous;
	set_in(self, "onRehydrate");
}

static void on_disconnect(live_component *self)
{
	set_in(self, "onDisconnect");
}

static void on_destroy(live_component *self)
{
	set_in(self, "onDestroy");
	if (!is_way(self, "farewell"))
		return;
	live_emit(self, "FAREWELL", live_string("bye"));
	use_all(self);
	live_destroy(self);
}

static void on_state_change(live_component *self, const live_value *changes)
{
	if (is_way(self, "recurse"))
		live_set(self, "count", live_int(live_get_int(self, "count") + 1));
	if (is_way(self, "end in change") && live_get(changes, "count"))
		live_destroy(self);
	set_in(self, "onStateChange");
}

static int on_action(live_component *self, const char *action, const live_value *payload, live_reply *reply)
{
	(void)action;
	set_in(self, "onAction");
	if (live_get(payload, "veto"))
		return live_reply_error(reply, "%s", text(payload, "veto"));
	return (int)number(payload, "hook");
}

static void on_room_join(live_component *self, const char *room)
{
	(void)room;
	set_in(self, "onRoomJoin");
}

static void on_room_leave(live_component *self, const char *room)
{
	(void)room;
	set_in(self, "onRoomLeave");
}

static void on_client_join(live_component *self, const char *connection, unsigned clients)
{
	(void)connection;
	(void)clients;
	set_in(self, "onClientJoin");
}

static void on_client_leave(live_component *self, const char *connection, unsigned clients)
{
	(void)connection;
	(void)clients;
	set_in(self, "onClientLeave");
}

static int count(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_set(self, "count", live_int(live_get_int(self, "count") + 1));
	return 0;
}

static int leave(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	return live_room_leave(self, "everywhere");
}

/* ---- who may ---- */

static void authorize(const live_auth *auth, const char *component, const char *action, const live_value *payload,
		      live_auth_request *request)
{
	const char *how = text(payload, "how");

	(void)auth;
	(void)component;
	(void)action;
	if (!strcmp(how, "fail"))
		live_auth_fail(request, "the directory is down \xff");
	else if (!strcmp(how, "fail without text"))
		live_auth_fail(request, NULL);
	else if (!strcmp(how, "deny"))
		live_auth_deny(request, "\xff");
	else if (!strcmp(how, "allow"))
		live_auth_allow(request);
	/* else it never says */
}

#ifdef SHARED
#define NAME "RogueShared"
#define IS_SHARED true
#else
#define NAME "Rogue"
#define IS_SHARED false
#endif

LIVE_COMPONENT{
	.name = NAME,
	.singleton = IS_SHARED,
	.default_state = LIVE_JSON({"way" : "", "count" : 0}),
	.private_size = sizeof(struct rogue),
	.actions =
		LIVE_ACTIONS({"put", put}, {"give", give}, {"tell", tell}, {"fail", fail}, {"silent", silent},
			     {"never", never}, {"twice", twice}, {"both", both}, {"elsewhere", elsewhere}, {"end", end},
			     {"endThenAnswer", end_then_answer}, {"endSoon", end_soon}, {"nothing", nothing},
			     {"count", count}, {"leave", leave}, {"asked", count}, {"typed", give}),
	.rules = LIVE_RULES(
		{.action = "asked", .auth = LIVE_AUTH(.authorize = authorize)},
		{.action = "typed",
		 .schema = LIVE_JSON(
			 {"type" : "object", "properties" : {"size" : {"type" : "integer"}}, "required" : ["size"]})}),
	.on_connect = on_connect,
	.on_mount = on_mount,
	.on_rehydrate = on_rehydrate,
	.on_disconnect = on_disconnect,
	.on_destroy = on_destroy,
	.on_state_change = on_state_change,
	.on_action = on_action,
	.on_room_join = on_room_join,
	.on_room_leave = on_room_leave,
	.on_client_join = on_client_join,
	.on_client_leave = on_client_leave,
};
