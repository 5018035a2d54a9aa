/*
 * Signing on: the providers are asked one after the other, and the first that knows the client wins.
 */
#include <math.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "server/auth/manager.h"
#include "server/auth/request.h"

struct sign_on {
	const struct auth_manager *manager;
	struct shard *home;
	struct auth_sign_on *question;
	const live_value *credentials;  /* ours */
	const live_auth_provider *only; /* or NULL: all in turn */
	unsigned asked;                 /* how many were */
};

/* Whether JavaScript takes value for true. */
static bool is_truthy(const live_value *value)
{
	switch (live_value_type(value)) {
	case LIVE_NULL: return false;
	case LIVE_BOOL: return live_as_bool(value);
	case LIVE_INT: return live_as_int(value, 0) != 0;
	case LIVE_DOUBLE: return !isnan(live_as_double(value, 0)) && fpclassify(live_as_double(value, 0)) != FP_ZERO;
	case LIVE_STRING: return live_len(value) > 0;
	default: return true;
	}
}

static bool has_credentials(const live_value *credentials)
{
	if (live_value_type(credentials) != LIVE_OBJECT)
		return false;
	for (live_iter it = {0}; live_next(credentials, &it);)
		if (is_truthy(it.value))
			return true;
	return false;
}

static const live_auth_provider *next_provider(struct sign_on *self)
{
	unsigned at = self->asked++;

	if (self->only)
		return at == 0 ? self->only : NULL;
	return auth_manager_at(self->manager, at);
}

static void drop(struct sign_on *self)
{
	live_value_unref(self->credentials);
	free(self);
}

static void finish(struct sign_on *self, const live_auth *auth)
{
	self->question->done(self->question, self->home, auth);
	drop(self);
}

/* Whether that ended it. */
static bool take_answer(struct sign_on *self, const struct auth_answer *answer)
{
	if (answer->verdict == AUTH_FAILED)
		log_debug("auth", "a provider failed to sign a client on: %s", answer->text);
	if (answer->verdict != AUTH_ALLOWED || !live_auth_is_authenticated(answer->auth))
		return false;
	finish(self, answer->auth);
	return true;
}

static void ask_on(struct sign_on *self);

static void answered(void *context, const struct auth_answer *answer)
{
	struct sign_on *self = context;

	if (!take_answer(self, answer))
		ask_on(self);
}

static void discard(void *context)
{
	struct sign_on *self = context;

	self->question->discard(self->question);
	drop(self);
}

/* Asks one provider after the other, until one knows the client, or has yet to answer, or all were asked. */
static void ask_on(struct sign_on *self)
{
	const live_auth_provider *provider;

	while ((provider = next_provider(self))) {
		struct auth_answer answer;
		live_auth_request *request =
			auth_request_new(self->home, &(struct auth_asker){answered, discard, self});
		provider->authenticate(provider->argument, self->credentials, request);
		if (!auth_request_settle(request, auth_manager_timeout_ms(self->manager), &answer))
			return;
		bool ended = take_answer(self, &answer);
		auth_answer_drop(&answer);
		if (ended)
			return;
	}
	finish(self, live_auth_anonymous());
}

void auth_sign_on(const struct auth_manager *manager, struct shard *here, const live_value *credentials,
		  const char *provider, struct auth_sign_on *question)
{
	const live_auth_provider *only = provider ? auth_manager_find(manager, provider) : NULL;

	shard_assert_here(here);
	if (!has_credentials(credentials) || !auth_manager_default(manager) || (provider && !only)) {
		question->done(question, here, live_auth_anonymous());
		return;
	}
	struct sign_on *self = mem_alloc(sizeof *self);
	*self = (struct sign_on){
		.manager = manager,
		.home = here,
		.question = question,
		.credentials = live_value_ref(credentials),
		.only = only,
	};
	ask_on(self);
}
