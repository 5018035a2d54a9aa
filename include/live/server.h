/*
 * server - a liveshard server inside another program.
 *
 * A program makes options, a server from them, registers its components, sign-on providers and routes, and starts it.
 * From then on the server runs on threads of its own, and the program talks to it by the functions of this header,
 * registry.h, rooms.h, connections.h, security.h and monitor.h, from any thread, its own or one of the server's. Plain
 * C for other languages: opaque types, no macros, no variable arguments.
 *
 * What must be asked of the server's threads is answered by a function of the program's, exactly once: live_done_fn. To
 * wait for the answer instead, pass live_wait_done and a live_wait.
 *
 * Functions that can fail return 0 or a negative errno; those with an error argument write one line of text there
 * (error_size bytes at most, NUL-terminated; NULL: not wanted).
 *
 * What one may get wrong: to call a function of the server after live_server_free, or while it runs; to block in a
 * live_done_fn, which is called on a shard.
 *
 * Threads: [any], but where another tag stands. [start]: one thread at a time, before live_server_start has returned or
 * after live_server_shutdown has.
 */
#ifndef LIVE_SERVER_H
#define LIVE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <live/auth.h>
#include <live/component.h>
#include <live/http.h>
#include <live/value.h>
#include <live/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct live_server live_server;
typedef struct live_options live_options;
typedef struct live_wait live_wait;
struct live_transport; /* transport.h */

/* ---- options [start] ---- */

/* All settings as they are by default. Never NULL. */
LIVE_API live_options *live_options_new(void);
/* NULL is fine. Not for options that were given to live_server_new. */
LIVE_API void live_options_free(live_options *options);
/* Sets a setting of docs/configuration.md by its name ("port", "shards"; _ and - are one) from text. A list gets one
 * more. -EINVAL: no such name, or a value that it does not take. */
LIVE_API int live_options_set(live_options *options, const char *name, const char *value, char *error,
			      size_t error_size);
/* Reads a JSON file: an object of settings. */
LIVE_API int live_options_read_file(live_options *options, const char *path, char *error, size_t error_size);
/* Reads LIVE_<NAME> of the environment for every setting. */
LIVE_API int live_options_read_environment(live_options *options, char *error, size_t error_size);
/* Reads what the program liveshard would: the file named by --config, the environment, then --name value for every
 * setting. argv[0] is passed over. */
LIVE_API int live_options_read_arguments(live_options *options, int argc, char **argv, char *error, size_t error_size);
/* Whom clients come by (copied); without one the server listens by itself, as the settings say. */
LIVE_API void live_options_set_transport(live_options *options, const struct live_transport *transport);

enum { LIVE_ID_SIZE = 64 }; /* bytes of an id with its NUL, at most */

/* [shard] Writes a fresh id, NUL-terminated, to id (LIVE_ID_SIZE bytes): 1 to LIVE_ID_SIZE - 1 of A-Z a-z 0-9 _ - and
 * '.', different from all others that live. Called on any shard, also on several at a time. */
typedef void live_id_fn(void *argument, char *id);
/* Who names connections and components; without one the server does (8 random letters). An id that breaks the rule ends
 * the program. */
LIVE_API void live_options_set_id_generator(live_options *options, live_id_fn *make, void *argument);
/* What live_server_user_data returns. */
LIVE_API void live_options_set_user_data(live_options *options, void *user_data);

/* ---- a server's life [start] ---- */

/* Builds a server from options (given away, also on failure; NULL: the defaults), loads the components that its setting
 * names, listens to nothing yet. */
LIVE_API int live_server_new(live_server **out, live_options *options, char *error, size_t error_size);
/* A component: clients may mount it by definition->name. definition and what it points to must stay until
 * live_server_free. -EINVAL: a fault in it, or the name is taken. */
LIVE_API int live_server_register(live_server *server, const live_definition *definition, char *error,
				  size_t error_size);
/* The components of a plugin, or of all plugins (*.so) in a folder. */
LIVE_API int live_server_load(live_server *server, const char *path, char *error, size_t error_size);
/* Who signs clients on (copied; see auth.h). The first one is the default. -EINVAL: it has no name or no authenticate.
 */
LIVE_API int live_server_use_auth(live_server *server, const live_auth_provider *provider);
/* A route of the program's own (copied). -EINVAL: no method, no handler, or no absolute path. */
LIVE_API int live_server_add_route(live_server *server, const live_route *route);
/* Starts the shards and listens; when it has returned 0, clients may come. -EALREADY: it was started before. */
LIVE_API int live_server_start(live_server *server, char *error, size_t error_size);
/* Takes no more clients, sends those that are there away (close code 1001), waits for them up to deadline_ms, ends the
 * shards. Questions that were not answered are answered with an error by live_server_free at the latest. Not on a
 * shard. Twice is fine. */
LIVE_API void live_server_shutdown(live_server *server, int64_t deadline_ms);
/* Shuts down, if need be, and frees everything. No other thread may use the server any more. NULL is fine. */
LIVE_API void live_server_free(live_server *server);

/* ---- about it ---- */

/* Whether it was started and not shut down. */
LIVE_API bool live_server_is_running(const live_server *server);
/* The TCP port that clients come by; 0 before the start, or when there is none (a unix socket, another transport). */
LIVE_API unsigned live_server_port(const live_server *server);
LIVE_API unsigned live_server_shard_count(const live_server *server);
LIVE_API void *live_server_user_data(const live_server *server);
/* The server that a component lives in; NULL outside of one (unit tests of components). */
LIVE_API live_server *live_server_of(const live_component *self);

/* ---- answers ---- */

/*
 * The answer to a question. error: why not, a loan; NULL: it went well, and result (a loan, may be null) is what the
 * function says. Called exactly once: on one of the server's shards, or, when the server does not run, on the thread
 * that asks before the asking function returns; what was asked while it ended is answered by live_server_free.
 */
typedef void live_done_fn(void *argument, const char *error, const live_value *result);

/* A place to wait for one answer: pass live_wait_done as the live_done_fn and the live_wait as its argument. */
LIVE_API live_wait *live_wait_new(void);
LIVE_API void live_wait_done(void *wait, const char *error, const live_value *result);
/* Waits for the answer up to timeout_ms, and frees wait in any case. 0 and *result (may be NULL) is a reference that
 * the caller owns; -EREMOTEIO: the answer is an error, its text in error; -ETIMEDOUT: none came, and when it comes
 * nobody learns of it. Not on a shard, which would wait for itself: that ends the program. */
LIVE_API int live_wait_for(live_wait *wait, int64_t timeout_ms, const live_value **result, char *error,
			   size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
