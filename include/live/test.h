/*
 * test - a component on trial: mounted, called, looked at, without a server, a socket or a second that passes.
 *
 * A live_test is a whole server whose shards, clock and blocking work stand still until the test moves them. A
 * live_tested is a component that one client has mounted there. What one says to it goes the way that a real client's
 * message goes, so names, payloads, sign-on and errors are checked as in earnest; what it holds is compared with what
 * its client made of the pushes, each time that the test asks for its state.
 *
 *	#include <live/test.h>
 *
 *	int main(void)
 *	{
 *		live_test *test = live_test_new(&live_plugin_definition);
 *		live_tested *counter = LIVE_TEST_MOUNT(test, .props = LIVE_JSON({"count": 3}));
 *
 *		LIVE_TEST(live_tested_act(counter, "increment", "{}") == 0);
 *		LIVE_TEST(live_tested_is(counter, LIVE_JSON({"count": 4})));
 *		live_test_free(test);
 *		return 0;
 *	}
 *
 * The program is built of the component's source and the test's, and linked with liblive_test (liveshard::test,
 * pkg-config live-test), which has the server in it: not with liblive as well. What one may get wrong: awaiting what
 * nobody moves; timers want live_test_advance, blocking work live_test_run.
 *
 * Threads: the test's alone. Strings and values returned are loans until the test is freed, but where said otherwise.
 */
#ifndef LIVE_TEST_H
#define LIVE_TEST_H

#include <live/component.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct live_test live_test;
typedef struct live_tested live_tested;

/* The component of the source that the program is built of. */
LIVE_API extern const live_definition live_plugin_definition;

/* ---- the server ---- */

typedef struct live_test_options {
	const live_definition *const *definitions; /* what can be mounted; ends with NULL */
	unsigned shards;                           /* 1 to 8; 0 means 1 */
	uint64_t seed; /* of the order in which things happen on several shards; 0 means 1; TEST_SEED overrides it */
} live_test_options;

/* A server of one component and one shard. Never NULL. A definition that is no good ends the program. */
LIVE_API live_test *live_test_new(const live_definition *definition);
LIVE_API live_test *live_test_new_with(const live_test_options *options);
/* Its clients go, and everything is freed. What remained alive then ends the program. NULL is fine. */
LIVE_API void live_test_free(live_test *test);
/* Does all that is ready, blocking work (live_offload) too, and what follows from it. Time stands still. */
LIVE_API void live_test_run(live_test *test);
/* The clock goes on by ms; timers fire at their moments. */
LIVE_API void live_test_advance(live_test *test, int64_t ms);
/* What live_now_ms says there. */
LIVE_API int64_t live_test_now_ms(const live_test *test);
/* Components that are alive. */
LIVE_API unsigned live_test_alive(const live_test *test);

/* ---- mounting and going ---- */

/* All may be left out. */
typedef struct live_test_mount_options {
	const char *component; /* its name; NULL: of the first definition */
	const char *props;     /* JSON */
	const char *room;
	const char *user;               /* signed on as this; with roles or permissions alone as "tester" */
	const char *const *roles;       /* LIVE_NAMES(...) */
	const char *const *permissions; /* LIVE_NAMES(...) */
	unsigned shard;                 /* where its client is */
	live_tested *with;              /* by the same client as this one; NULL: by a client of its own */
} live_test_mount_options;

/* Mounts a component, and does what is ready but no blocking work. NULL when it was refused or is not answered yet. */
LIVE_API live_tested *live_test_mount(live_test *test, const live_test_mount_options *options);
#define LIVE_TEST_MOUNT(test, ...) live_test_mount((test), &(live_test_mount_options){__VA_ARGS__})
/* Why the last mount was refused, or "". */
LIVE_API const char *live_test_refusal(const live_test *test);
/* The client unmounts it, or its connection is gone; the answer has come. */
LIVE_API void live_tested_unmount(live_tested *tested);
LIVE_API void live_tested_disconnect(live_tested *tested);
/* The client's connection is gone, and another one presents the state that it had last (a second passes, in which it is
 * signed). 0: tested is the component that came of it; -1: refused (live_tested_error). For a client of one component.
 */
LIVE_API int live_tested_come_back(live_tested *tested);
LIVE_API bool live_tested_is_alive(const live_tested *tested);
/* Its id as of now. */
LIVE_API const char *live_tested_id(const live_tested *tested);

/* ---- calling ---- */

/* Calls an action; payload is JSON, or NULL for none. Does what is ready, and blocking work until it is answered. 0:
 * success; -1: failure; 1: not answered (a deferred reply). */
LIVE_API int live_tested_act(live_tested *tested, const char *action, const char *payload);
/* The same of the last call, as it is now. */
LIVE_API int live_tested_outcome(live_tested *tested);
/* What it answered: the result (NULL: none), and the text of its failure ("" for none). */
LIVE_API const live_value *live_tested_result(live_tested *tested);
LIVE_API const char *live_tested_error(live_tested *tested);
/* Sends any message of the protocol, as JSON; its componentId is added if it has none. */
LIVE_API void live_tested_send(live_tested *tested, const char *message);

/* ---- looking ---- */

/* Its state, or NULL when it has ended; a loan until the next call. A client that holds another state ends the program.
 */
LIVE_API const live_value *live_tested_state(live_tested *tested);
/* Whether its state is exactly that JSON; says on standard error what it is if not. */
LIVE_API bool live_tested_is(live_tested *tested, const char *state);
/* The instance, for what else there is to look at (live_private, live_rooms), or NULL when it has ended; a loan until
 * the next call. */
LIVE_API live_component *live_tested_instance(live_tested *tested);
/* The next message of that type (NULL: of any) that its client got about it, as JSON, or NULL; those between are passed
 * over. A loan until the next call. */
LIVE_API const char *live_tested_next(live_tested *tested, const char *type);
/* How many of that type came in all. */
LIVE_API unsigned live_tested_count(const live_tested *tested, const char *type);

/* ---- saying so ---- */

/* Ends the program when condition does not hold, telling where and what. */
#define LIVE_TEST(condition) ((condition) ? (void)0 : live_test_failed(__FILE__, __LINE__, #condition))
LIVE_API void live_test_failed(const char *file, int line, const char *condition) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif

#endif
