/*
 * manager - the providers in their order, and the questions put to them: who is this client, may it mount, act, join
 * (behaviour.md section 8).
 *
 * Built before the shards start, then read-only but for which provider is the default and which are retired: two atomic
 * words, so every shard asks it without a lock. A question's struct is embedded in what waits for the answer; its done
 * is called exactly once, on the shard that asked, perhaps before the function that asks returns. Nothing blocks. What
 * one may get wrong: freeing what waits before done or discard was called; keep handles in it, since clients and
 * components may be gone by then.
 */
#ifndef SERVER_AUTH_MANAGER_H
#define SERVER_AUTH_MANAGER_H

#include <live/auth.h>

#include "core/str.h"
#include "shard/shard.h"

struct auth_manager;

/* [start] timeout_ms: for a provider to answer. Never NULL. */
struct auth_manager *auth_manager_new(int64_t timeout_ms);
/* [start] After the shards have stopped, before their group is freed (providers may end requests that wait). NULL is
 * fine. */
void auth_manager_free(struct auth_manager *manager);

/* ---- providers [start] ---- */

/* Adds a provider; one of the same name gives way to it and is freed. The first one is the default. 0, or -EINVAL
 * without a name or authenticate, -ENOSPC: there were 64 (then provider is still the caller's). */
int auth_manager_register(struct auth_manager *manager, const live_auth_provider *provider)
	__attribute__((warn_unused_result));
/* [any] From now on the provider of that name is not asked any more; the first one that is left becomes the default if
 * it was. It may still have requests, so it is freed with the manager. 0, or -ENOENT. */
int auth_manager_unregister(struct auth_manager *manager, const char *name) __attribute__((warn_unused_result));
/* [any] Makes it the default. 0, or -ENOENT: AUTH_NOT_REGISTERED is the text. */
int auth_manager_set_default(struct auth_manager *manager, const char *name) __attribute__((warn_unused_result));
#define AUTH_NOT_REGISTERED "Auth provider '%s' not registered"
/* [any] The default, or NULL. */
const live_auth_provider *auth_manager_default(const struct auth_manager *manager);
/* [any] The provider of that name, or NULL. */
const live_auth_provider *auth_manager_find(const struct auth_manager *manager, const char *name);
/* [any] The one at index in the order of asking, the default, then the others as registered; NULL: there are not so
 * many. */
const live_auth_provider *auth_manager_at(const struct auth_manager *manager, unsigned index);
/* [any] */
int64_t auth_manager_timeout_ms(const struct auth_manager *manager);

/* ---- questions [shard] ---- */

struct auth_sign_on { /* embed it in what waits */
	/* auth: whoever it is (a loan, never NULL): anonymous when no provider knew it. */
	void (*done)(struct auth_sign_on *self, struct shard *here, const live_auth *auth);
	/* Instead, when the shard ends before: frees what waits. [start] */
	void (*discard)(struct auth_sign_on *self);
};

/* Asks who credentials (a loan) belong to: all providers in turn, or only the one named (NULL: all). Credentials that
 * are no object, or without a value that is true in JavaScript, are anonymous; nobody is asked. */
void auth_sign_on(const struct auth_manager *manager, struct shard *here, const live_value *credentials,
		  const char *provider, struct auth_sign_on *question);

struct auth_check { /* embed it in what waits */
	/* reason: why not (a loan), or NULL: allowed. The text does not begin with "AUTH_DENIED: ". */
	void (*done)(struct auth_check *self, struct shard *here, const char *reason);
	/* Instead, when the shard ends before: frees what waits. [start] */
	void (*discard)(struct auth_check *self);
};

/* May auth mount component? All are loans, of which component and rule must stay until the answer. rule NULL: yes. */
void auth_check_component(const struct auth_manager *manager, struct shard *here, const live_auth *auth,
			  const char *component, const live_auth_rule *rule, const live_value *props,
			  struct auth_check *question);
/* May auth call action of component? The same; rule NULL: yes, and the provider is not asked. */
void auth_check_action(const struct auth_manager *manager, struct shard *here, const live_auth *auth,
		       const char *component, const char *action, const live_auth_rule *rule, const live_value *payload,
		       struct auth_check *question);
/* May auth join room? room is copied. */
void auth_check_room(const struct auth_manager *manager, struct shard *here, const live_auth *auth, struct str room,
		     struct auth_check *question);

#endif
