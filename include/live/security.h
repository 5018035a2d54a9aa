/*
 * security - sign-on and signed state of a server, for the program that embeds it: the auth manager and the state
 * signature manager.
 *
 * Providers are registered with live_server_use_auth and written with auth.h. Threads: [any].
 */
#ifndef LIVE_SECURITY_H
#define LIVE_SECURITY_H

#include <live/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the auth manager ---- */

/* The names of the providers, as an array: the default, then the others in the order of asking; the caller owns it. */
LIVE_API const live_value *live_auth_manager_providers(const live_server *server);
/* From now on the provider of that name is asked first, and about actions and rooms. -ENOENT: "Auth provider '<name>'
 * not registered". */
LIVE_API int live_auth_manager_set_default(live_server *server, const char *name);
/* From now on the provider of that name is not asked any more; requests that it has are still its own, so it is freed
 * with the server. -ENOENT: there is none. */
LIVE_API int live_auth_manager_unregister(live_server *server, const char *name);
/* Asks the providers, or the one named (NULL: all in turn), who credentials (an object, given away) belong to:
 * {authenticated, user, token, authenticatedAt}, where user is null when nobody knows. live_auth_new makes a live_auth
 * of user and token. */
LIVE_API void live_auth_manager_authenticate(live_server *server, const live_value *credentials, const char *provider,
					     live_done_fn *done, void *argument);
/* May auth (a loan, may be NULL: nobody) mount a component, call an action of it, join a room? {allowed, reason};
 * reason is null when it is allowed. props and payload (given away, may be NULL) are for the rule's authorize.
 * "Component not found" for a name that is not registered. */
LIVE_API void live_auth_manager_may_mount(live_server *server, const live_auth *auth, const char *component,
					  const live_value *props, live_done_fn *done, void *argument);
LIVE_API void live_auth_manager_may_act(live_server *server, const live_auth *auth, const char *component,
					const char *action, const live_value *payload, live_done_fn *done,
					void *argument);
LIVE_API void live_auth_manager_may_join(live_server *server, const live_auth *auth, const char *room,
					 live_done_fn *done, void *argument);

/* ---- the state signature manager ---- */

/* Signs a state (an object, given away) as that of a component: the signed state, an object. id without a colon;
 * version below 2^53. An error when it is larger than the setting state_max_bytes. */
LIVE_API void live_state_signature_sign(live_server *server, const char *id, const char *component,
					const live_value *state, uint64_t version, live_done_fn *done, void *argument);
/* Checks a signed state (given away): {valid, error}, where error is null or the protocol's text. uses_nonce: a nonce
 * in it is used up. */
LIVE_API void live_state_signature_validate(live_server *server, const live_value *signed_state, bool uses_nonce,
					    live_done_fn *done, void *argument);
/* The state in a signed state (given away) that is valid; else the error is the protocol's text. Nonces are not looked
 * at. */
LIVE_API void live_state_signature_extract(live_server *server, const live_value *signed_state, live_done_fn *done,
					   void *argument);

/* The last signed states of a component that lives (setting state_backups), as an array, newest first: those since its
 * first change. */
LIVE_API void live_state_signature_backups(live_server *server, const char *component, live_done_fn *done,
					   void *argument);

#ifdef __cplusplus
}
#endif

#endif
