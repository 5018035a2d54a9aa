/*
 * May this client mount, act, join? First the rule, then its authorize function, then the default provider.
 */
#include <stdlib.h>

#include "core/buf.h"
#include "core/mem.h"
#include "core/utf8.h"
#include "server/auth/manager.h"
#include "server/auth/request.h"
#include "server/auth/rule.h"

enum { REASON_BYTES = 64 * 1024 };

enum check_kind { CHECK_COMPONENT, CHECK_ACTION, CHECK_ROOM };

enum check_step { CHECK_RULE, CHECK_PROVIDER, CHECK_OVER };

struct check {
	enum check_kind kind;
	enum check_step step; /* the one that is asked */
	const struct auth_manager *manager;
	struct shard *home;
	struct auth_check *question;
	const live_auth *auth; /* ours */
	const char *component;
	const char *action; /* ours; NULL but for an action */
	const live_auth_rule *rule;
	const live_value *payload;          /* ours */
	const live_auth_provider *provider; /* who is asked; the default may change meanwhile */
	char room[];                        /* NUL-terminated */
};

static void drop(struct check *self)
{
	live_auth_unref(self->auth);
	live_value_unref(self->payload);
	free((char *)(uintptr_t)self->action);
	free(self);
}

static void finish(struct check *self, const char *reason)
{
	self->question->done(self->question, self->home, reason);
	drop(self);
}

/* What the client is told when authorize, or the provider, said no. */
static void append_denial(const struct check *self, const char *reason, struct buf *to)
{
	if (self->step == CHECK_PROVIDER && self->kind == CHECK_ROOM)
		buf_printf(to, "Access to room '%s' denied by auth provider '%s'", self->room, self->provider->name);
	else if (self->step == CHECK_PROVIDER)
		buf_printf(to, "Action '%s' denied by auth provider '%s'", self->action, self->provider->name);
	else if (reason)
		utf8_append_repaired(to, str_of(reason)); /* clients end the connection at anything else */
	else if (self->kind == CHECK_ACTION)
		buf_printf(to, "Action '%s' denied by custom authorize", self->action);
	else
		buf_append_str(to, STR("Denied by custom authorize"));
}

static void append_failure(const struct check *self, const char *text, struct buf *to)
{
	if (self->kind == CHECK_ROOM)
		buf_append_str(to, STR("Room authorization error: "));
	else if (self->kind == CHECK_ACTION)
		buf_printf(to, "Action '%s' authorization error: ", self->action);
	else
		buf_append_str(to, STR("Authorization error: "));
	utf8_append_repaired(to, str_of(text));
}

/* Whether that ended it. */
static bool take_answer(struct check *self, const struct auth_answer *answer)
{
	struct buf reason;

	if (answer->verdict == AUTH_ALLOWED)
		return false;
	buf_init(&reason, REASON_BYTES);
	if (answer->verdict == AUTH_FAILED)
		append_failure(self, answer->text, &reason);
	else
		append_denial(self, answer->text, &reason);
	buf_append_char(&reason, 0);
	/* A reason that an author made larger than any client would read. */
	finish(self, buf_failed(&reason) ? "Denied" : reason.ptr);
	buf_deinit(&reason);
	return true;
}

/* Asks whom the step names. */
static void ask(struct check *self, live_auth_request *request)
{
	const live_auth_provider *provider = self->provider;

	if (self->step == CHECK_RULE) {
		self->rule->authorize(self->auth, self->component, self->action, self->payload, request);
		return;
	}
	if (self->kind == CHECK_ROOM)
		provider->authorize_room(provider->argument, self->auth, self->room, request);
	else
		provider->authorize_action(provider->argument, self->auth, self->component, self->action, request);
}

static bool find_someone_to_ask(struct check *self)
{
	const live_auth_provider *provider = self->provider = auth_manager_default(self->manager);

	if (self->step == CHECK_RULE)
		return self->rule && self->rule->authorize;
	if (!provider || self->kind == CHECK_COMPONENT)
		return false;
	return self->kind == CHECK_ROOM ? provider->authorize_room != NULL : provider->authorize_action != NULL;
}

static void ask_on(struct check *self);

static void answered(void *context, const struct auth_answer *answer)
{
	struct check *self = context;

	if (take_answer(self, answer))
		return;
	self->step++;
	ask_on(self);
}

static void discard(void *context)
{
	struct check *self = context;

	self->question->discard(self->question);
	drop(self);
}

static void ask_on(struct check *self)
{
	for (; self->step != CHECK_OVER; self->step++) {
		struct auth_answer answer;
		if (!find_someone_to_ask(self))
			continue;
		live_auth_request *request =
			auth_request_new(self->home, &(struct auth_asker){answered, discard, self});
		ask(self, request);
		if (!auth_request_settle(request, auth_manager_timeout_ms(self->manager), &answer))
			return;
		bool ended = take_answer(self, &answer);
		auth_answer_drop(&answer);
		if (ended)
			return;
	}
	finish(self, NULL);
}

static struct check *check_new(enum check_kind kind, const struct auth_manager *manager, struct shard *here,
			       const live_auth *auth, struct str room, struct auth_check *question)
{
	struct check *self = mem_alloc(sizeof *self + room.len + 1);

	self->kind = kind;
	self->manager = manager;
	self->home = here;
	self->question = question;
	self->auth = live_auth_ref(auth ? auth : live_auth_anonymous());
	if (room.len)
		memcpy(self->room, room.ptr, room.len);
	return self;
}

/* What the rule says by itself: whether question goes on. */
static bool rule_holds(struct shard *here, const live_auth *auth, const char *action, const live_auth_rule *rule,
		       struct auth_check *question)
{
	struct buf reason;

	buf_init(&reason, REASON_BYTES);
	bool holds = auth_rule_holds(rule, auth, action, &reason);
	if (!holds) {
		buf_append_char(&reason, 0);
		question->done(question, here, buf_failed(&reason) ? "Denied" : reason.ptr);
	}
	buf_deinit(&reason);
	return holds;
}

void auth_check_component(const struct auth_manager *manager, struct shard *here, const live_auth *auth,
			  const char *component, const live_auth_rule *rule, const live_value *props,
			  struct auth_check *question)
{
	shard_assert_here(here);
	if (rule && !rule_holds(here, auth, NULL, rule, question))
		return;
	if (!rule || !rule->authorize) {
		question->done(question, here, NULL);
		return;
	}
	struct check *self = check_new(CHECK_COMPONENT, manager, here, auth, STR(""), question);
	self->component = component;
	self->rule = rule;
	self->payload = live_value_ref(props);
	ask_on(self);
}

void auth_check_action(const struct auth_manager *manager, struct shard *here, const live_auth *auth,
		       const char *component, const char *action, const live_auth_rule *rule, const live_value *payload,
		       struct auth_check *question)
{
	const live_auth_provider *provider = auth_manager_default(manager);

	shard_assert_here(here);
	if (rule && !rule_holds(here, auth, action, rule, question))
		return;
	if (!rule || (!rule->authorize && !(provider && provider->authorize_action))) {
		question->done(question, here, NULL);
		return;
	}
	struct check *self = check_new(CHECK_ACTION, manager, here, auth, STR(""), question);
	self->component = component;
	self->action = mem_strndup(action, strlen(action));
	self->rule = rule;
	self->payload = live_value_ref(payload);
	ask_on(self);
}

void auth_check_room(const struct auth_manager *manager, struct shard *here, const live_auth *auth, struct str room,
		     struct auth_check *question)
{
	const live_auth_provider *provider = auth_manager_default(manager);

	shard_assert_here(here);
	if (!provider || !provider->authorize_room) {
		question->done(question, here, NULL);
		return;
	}
	struct check *self = check_new(CHECK_ROOM, manager, here, auth, room, question);
	self->step = CHECK_PROVIDER;
	ask_on(self);
}
