#include "server/session/sign_on.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/auth/manager.h"
#include "server/component/component_shard.h"
#include "server/protocol/encode.h"
#include "server/session/session_private.h"

struct sign_on {
	struct auth_sign_on question;
	struct handle client;
	bool greets;           /* by token: the greeting is the answer */
	struct str request_id; /* in text */
	char text[];
};

/* ---- the answer ---- */

static void greet(struct session *session)
{
	struct component_shard *components = session->here->components;

	session->is_greeted = true;
	encode_connection_established(&components->out.scratch, str_of(session->client.id),
				      session->client.auth != NULL);
	outbox_reply(&session->client.outbox, scratch_take(components));
}

static void answer(struct session *session, const struct sign_on *self)
{
	struct component_shard *components = session->here->components;

	encode_auth_response(&components->out.scratch, live_auth_user(session->client.auth), self->request_id);
	outbox_reply(&session->client.outbox, scratch_take(components));
}

/* From now on the client is auth; what it mounted before stays as it was mounted. */
static void become(struct client *client, const live_auth *auth)
{
	live_auth_unref(client->auth);
	client->auth = live_auth_is_authenticated(auth) ? live_auth_ref(auth) : NULL;
}

static void on_answer(struct auth_sign_on *question, struct shard *here, const live_auth *auth)
{
	struct sign_on *self = LIST_OF(question, struct sign_on, question);
	struct client *client = shard_handle_find(here, self->client);

	if (client) {
		struct session *session = LIST_OF(client, struct session, client);
		become(client, auth);
		if (self->greets)
			greet(session);
		else
			answer(session, self);
		client->ops->release(client);
	}
	free(self);
}

static void discard(struct auth_sign_on *question)
{
	free(LIST_OF(question, struct sign_on, question));
}

/* ---- asking ---- */

static void ask(struct session *session, const live_value *credentials, struct str request_id, bool greets)
{
	struct sign_on *self = mem_alloc(sizeof *self + request_id.len);

	self->question.done = on_answer;
	self->question.discard = discard;
	self->client = session->client.handle;
	self->greets = greets;
	if (request_id.ptr) {
		memcpy(self->text, request_id.ptr, request_id.len);
		self->request_id = (struct str){self->text, request_id.len};
	}
	session->client.ops->hold(&session->client);
	auth_sign_on(session->here->components->settings->auth, session->here->shard, credentials, NULL,
		     &self->question);
}

void sign_on_by_message(struct session *session, const live_value *credentials, struct str request_id)
{
	ask(session, credentials, request_id, false);
}

void sign_on_by_token(struct session *session, struct str token)
{
	if (!token.len) {
		greet(session);
		return;
	}
	const live_value *credentials = live_object("token", live_string_len(token.ptr, token.len), NULL);
	ask(session, credentials, (struct str){NULL, 0}, true);
	live_value_unref(credentials);
}
