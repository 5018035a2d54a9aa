/*
 * auth - who a client is signed on as, what it may do, and how a program tells the server.
 *
 * A live_auth is immutable and counted, like a live_value: whoever holds one calls live_auth_unref when done. A
 * provider is a table of functions that sign clients on and, if it likes, have the last word on actions and rooms. It
 * is asked on the client's shard and must not block: it ends the request that it is given, at once or later, from any
 * thread.
 *
 * What one may get wrong: a request that is never ended holds its client up until the server's time limit, and its
 * memory until the server ends; of two ends the first counts, but when the client has been told the second is a use
 * after free.
 *
 * Threads: [any], but where another tag stands.
 */
#ifndef LIVE_AUTH_H
#define LIVE_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include <live/value.h>
#include <live/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct live_auth live_auth;
typedef struct live_auth_request live_auth_request;

/* ---- the context ---- */

/*
 * A client that is signed on. user (given away) is an object whose id is a string that is not empty; roles and
 * permissions, if any, are arrays of strings; all else in it is the program's. It is the "session" that the client
 * sees. token (copied) may be NULL. The caller owns the result; NULL when user is something else.
 */
LIVE_API const live_auth *live_auth_new(const live_value *user, const char *token);
/* A client that is not signed on: has no roles and no permissions, not even none of none. A reference as good as any.
 */
LIVE_API const live_auth *live_auth_anonymous(void);
/* Takes one more reference; returns auth. NULL gives NULL. */
LIVE_API const live_auth *live_auth_ref(const live_auth *auth);
/* Drops a reference; the last one frees it. NULL is fine. */
LIVE_API void live_auth_unref(const live_auth *auth);

/* ---- reading: all take NULL as anonymous; what they return is a loan ---- */

LIVE_API bool live_auth_is_authenticated(const live_auth *auth);
/* The user, or NULL. */
LIVE_API const live_value *live_auth_user(const live_auth *auth);
/* Its id, or NULL. */
LIVE_API const char *live_auth_user_id(const live_auth *auth);
/* What it signed on with, or NULL. */
LIVE_API const char *live_auth_token(const live_auth *auth);
/* When, in ms since 1970 (UTC), or 0. */
LIVE_API int64_t live_auth_time_ms(const live_auth *auth);
LIVE_API bool live_auth_has_role(const live_auth *auth, const char *role);
LIVE_API bool live_auth_has_permission(const live_auth *auth, const char *permission);
/* Lists end with NULL: LIVE_NAMES("admin", "editor"). Any of none is false, all of none is true (but not for a client
 * that is not signed on). */
LIVE_API bool live_auth_has_any_role(const live_auth *auth, const char *const *roles);
LIVE_API bool live_auth_has_all_roles(const live_auth *auth, const char *const *roles);
LIVE_API bool live_auth_has_any_permission(const live_auth *auth, const char *const *permissions);
LIVE_API bool live_auth_has_all_permissions(const live_auth *auth, const char *const *permissions);

#define LIVE_NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- ending a request: exactly one of these, once; it gives request away ---- */

/* Signed on: gives auth away. NULL or a context that is anonymous: not by this provider, ask the next one. */
LIVE_API void live_auth_grant(live_auth_request *request, const live_auth *auth);
/* The action or the room: yes. */
LIVE_API void live_auth_allow(live_auth_request *request);
/* No, with a reason for the client (copied), or NULL for the usual one; a provider's reason is always the usual one. */
LIVE_API void live_auth_deny(live_auth_request *request, const char *reason);
/* It could not be told, because of text (copied): to sign on ask the next provider, all else is refused. */
LIVE_API void live_auth_fail(live_auth_request *request, const char *text);

/* ---- who is asked ---- */

/*
 * A provider. The table is copied, its name too. Its functions are called on any shard, also on several at a time.
 * authorize_action is asked after the rule of an action that has one, authorize_room for each room that a client joins;
 * both only of the provider that is the default, and NULL means yes.
 */
typedef struct live_auth_provider {
	const char *name;
	void *argument; /* given to each function */
	/* [shard] credentials: what the client sent, an object; a loan for the call. */
	void (*authenticate)(void *argument, const live_value *credentials, live_auth_request *request);
	/* [shard] All but request are loans for the call. */
	void (*authorize_action)(void *argument, const live_auth *auth, const char *component, const char *action,
				 live_auth_request *request);
	void (*authorize_room)(void *argument, const live_auth *auth, const char *room, live_auth_request *request);
	/* Frees argument when the provider goes; NULL: nothing to do. [start] */
	void (*free)(void *argument);
} live_auth_provider;

/*
 * What it takes to mount a component or to call an action. authorize (may be NULL) has the last word: component is its
 * name, action NULL for a mount, payload what the client sent; all but request are loans for the call. [shard]
 */
typedef struct live_auth_rule {
	bool required;                  /* be signed on */
	const char *const *roles;       /* one of these at least; NULL or LIVE_NAMES(...) */
	const char *const *permissions; /* all of these; NULL or LIVE_NAMES(...) */
	void (*authorize)(const live_auth *auth, const char *component, const char *action, const live_value *payload,
			  live_auth_request *request);
} live_auth_rule;

#ifdef __cplusplus
}
#endif

#endif
