/*
 * asked - what the tests of auth/ share: questions that note their answers, and providers that answer as told.
 */
#ifndef UNIT_SERVER_AUTH_ASKED_H
#define UNIT_SERVER_AUTH_ASKED_H

#include "server/auth/manager.h"
#include "stage/stage.h"
#include "unit/core/core_test.h"

static inline const live_value *json(const char *text)
{
	const live_value *value = live_from_json(text, strlen(text), NULL, 0);
	ck_assert_msg(value != NULL, "%s", text);
	return value;
}

/* A user of that id and, when not NULL, of one role and one permission. */
static inline const live_auth *make_auth(const char *id, const char *role, const char *permission)
{
	const live_value *user = live_object("id", live_string(id), NULL), *with;
	if (role) {
		with = live_with(user, "roles", live_array_of(live_string(role), LIVE_END));
		live_value_unref(user);
		user = with;
	}
	if (permission) {
		with = live_with(user, "permissions", live_array_of(live_string(permission), LIVE_END));
		live_value_unref(user);
		user = with;
	}
	return live_auth_new(user, NULL);
}

/* How a provider answers. */
enum manner { GRANT, GRANT_ANONYMOUS, NOBODY, DENY, ALLOW, FAIL, LATER };

struct oracle { /* a provider's argument */
	const char *name;
	enum manner manner;
	unsigned asked;
	unsigned freed;
	live_auth_request *waiting; /* of LATER */
};

static inline void oracle_answer(struct oracle *oracle, enum manner manner, live_auth_request *request)
{
	switch (manner) {
	case GRANT: live_auth_grant(request, make_auth(oracle->name, NULL, NULL)); break;
	case GRANT_ANONYMOUS: live_auth_grant(request, live_auth_anonymous()); break;
	case NOBODY: live_auth_grant(request, NULL); break;
	case DENY: live_auth_deny(request, "reason of its own"); break;
	case ALLOW: live_auth_allow(request); break;
	case FAIL: live_auth_fail(request, "out of order"); break;
	case LATER: oracle->waiting = request; break;
	}
}

static inline void oracle_ask(struct oracle *oracle, live_auth_request *request)
{
	oracle->asked++;
	oracle_answer(oracle, oracle->manner, request);
}

static inline void oracle_authenticate(void *argument, const live_value *credentials, live_auth_request *request)
{
	ck_assert_int_eq(live_value_type(credentials), LIVE_OBJECT);
	oracle_ask(argument, request);
}

static inline void oracle_action(void *argument, const live_auth *auth, const char *component, const char *action,
				 live_auth_request *request)
{
	ck_assert(auth && !strcmp(component, "Panel") && !strcmp(action, "wipe"));
	oracle_ask(argument, request);
}

static inline void oracle_room(void *argument, const live_auth *auth, const char *room, live_auth_request *request)
{
	ck_assert(auth && !strcmp(room, "lobby"));
	oracle_ask(argument, request);
}

static inline void oracle_free(void *argument)
{
	struct oracle *oracle = argument;
	oracle->freed++;
	if (oracle->waiting)
		live_auth_deny(oracle->waiting, NULL);
	oracle->waiting = NULL;
}

static inline void add_oracle(struct auth_manager *manager, struct oracle *oracle)
{
	const live_auth_provider provider = {
		.name = oracle->name,
		.argument = oracle,
		.authenticate = oracle_authenticate,
		.authorize_action = oracle_action,
		.authorize_room = oracle_room,
		.free = oracle_free,
	};
	ck_assert_int_eq(auth_manager_register(manager, &provider), 0);
}

#endif
