/*
 * embed_stage - a server embedded in the test, on real threads, reached by a transport that is a piece of memory.
 *
 * The transport keeps the routes that it is told, and what each client is sent. Whatever is asked of the server is
 * waited for with a deadline. Threads: the test's.
 */
#ifndef TESTS_UNIT_SERVER_EMBED_EMBED_STAGE_H
#define TESTS_UNIT_SERVER_EMBED_EMBED_STAGE_H

#include <live/embed.h>

struct embed_stage;
struct embed_client;

/* Two shards and these components (ends with NULL), not started yet. */
struct embed_stage *embed_stage_new(const live_definition *const *definitions);
/* The same from options, which are given away. */
struct embed_stage *embed_stage_with(live_options *options, const live_definition *const *definitions);
live_server *embed_stage_server(struct embed_stage *stage);
void embed_stage_start(struct embed_stage *stage);
/* Closes what is open, ends the server, asserts that every client was released. */
void embed_stage_free(struct embed_stage *stage);
/* The routes that the transport was told. */
const live_route *embed_stage_routes(const struct embed_stage *stage, size_t *count);

/* Connects; token and origin may be NULL. */
struct embed_client *embed_client_new(struct embed_stage *stage, const char *token, const char *origin);
/* JSON in which ' stands for ". */
void embed_client_send(struct embed_client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
void embed_client_send_bytes(struct embed_client *client, const void *bytes, size_t len, bool is_binary);
live_socket *embed_client_socket(struct embed_client *client);
/* The next message whose member is wanted; a loan until the client is freed with the stage. */
const live_value *embed_client_wait(struct embed_client *client, const char *path, const char *wanted);
/* Sends a request with these JSON members and returns its answer. */
const live_value *embed_client_ask(struct embed_client *client, const char *fields, ...)
	__attribute__((format(printf, 2, 3)));
/* Mounts; the id is a loan. room may be NULL. */
const char *embed_client_mount(struct embed_client *client, const char *name, const char *room);
/* Waits until the server closed it; the code. */
unsigned embed_client_wait_closed(struct embed_client *client);
/* Its connection is gone. */
void embed_client_close(struct embed_client *client);
/* Its connection id. */
const char *embed_client_id(struct embed_client *client);
/* How often it was paused. */
unsigned embed_client_pauses(struct embed_client *client);

/* ---- answers ---- */

/* The answer to what was asked with live_wait_done and wait; fails the test for an error. The caller owns it. */
const live_value *embed_answer(live_wait *wait);
/* The same when an error is expected: its text, a loan until the next call. */
const char *embed_error(live_wait *wait);
/* Asserts that the answer, as JSON with every " written as ', is expected. */
void embed_expect(live_wait *wait, const char *expected);
/* Asks by a call in which W is the live_wait: EMBED_ANSWER(live_registry_stats(server, live_wait_done, W)) */
#define EMBED_ANSWER(call)                      \
	({                                      \
		live_wait *W = live_wait_new(); \
		call;                           \
		embed_answer(W);                \
	})
#define EMBED_ERROR(call)                       \
	({                                      \
		live_wait *W = live_wait_new(); \
		call;                           \
		embed_error(W);                 \
	})
#define EMBED_EXPECT(expected, call)            \
	({                                      \
		live_wait *W = live_wait_new(); \
		call;                           \
		embed_expect(W, expected);      \
	})

#endif
