/*
 * The auth manager and the state signature manager, for the program. Any shard can answer: the first does.
 */
#include <live/security.h>

#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/auth/manager.h"
#include "server/component/instance.h"
#include "server/embed/embed_private.h"
#include "server/embed/errand.h"
#include "server/embed/find.h"
#include "server/security/signature.h"

/* ---- providers ---- */

const live_value *live_auth_manager_providers(const live_server *server)
{
	const struct auth_manager *manager = server->server->auth;
	struct errand_list names = {0};

	const live_auth_provider *provider;
	for (unsigned i = 0; (provider = auth_manager_at(manager, i)); i++)
		errand_list_add(&names, live_string(provider->name));
	return errand_list_end(&names);
}

int live_auth_manager_set_default(live_server *server, const char *name)
{
	return auth_manager_set_default(server->server->auth, name);
}

int live_auth_manager_unregister(live_server *server, const char *name)
{
	return auth_manager_unregister(server->server->auth, name);
}

/* ---- who ---- */

struct sign_on {
	struct auth_sign_on question;
	struct errand_leg *leg;
};

static void on_signed_on(struct auth_sign_on *question, struct shard *here, const live_auth *auth)
{
	struct sign_on *self = LIST_OF(question, struct sign_on, question);
	const live_value *user = live_auth_user(auth);
	const char *token = live_auth_token(auth);

	(void)here;
	errand_end(self->leg, NULL,
		   live_object("authenticated", live_bool(live_auth_is_authenticated(auth)), "user",
			       user ? live_value_ref(user) : live_null(), "token",
			       token ? live_string(token) : live_null(), "authenticatedAt",
			       live_int(live_auth_time_ms(auth)), NULL));
	free(self);
}

static void discard_sign_on(struct auth_sign_on *question)
{
	struct sign_on *self = LIST_OF(question, struct sign_on, question);

	errand_end(self->leg, ERRAND_ENDED, NULL);
	free(self);
}

static void visit_authenticate(struct errand_leg *leg, struct server_shard *here)
{
	struct sign_on *self = mem_alloc(sizeof *self);

	self->question.done = on_signed_on;
	self->question.discard = discard_sign_on;
	self->leg = leg;
	auth_sign_on(here->server->auth, here->shard, errand_value(leg, "credentials"),
		     live_as_string(errand_value(leg, "provider")), &self->question);
}

void live_auth_manager_authenticate(live_server *server, const live_value *credentials, const char *provider,
				    live_done_fn *done, void *argument)
{
	errand_send_to(server, 0,
		       &(struct errand_plan){.visit = visit_authenticate,
					     .argument = live_object("credentials", credentials, "provider",
								     live_string(provider), NULL),
					     .done = done,
					     .context = argument});
}

/* ---- what may they ---- */

struct check {
	struct auth_check question;
	struct errand_leg *leg;
};

static void on_checked(struct auth_check *question, struct shard *here, const char *reason)
{
	struct check *self = LIST_OF(question, struct check, question);

	(void)here;
	errand_end(
		self->leg, NULL,
		live_object("allowed", live_bool(!reason), "reason", reason ? live_string(reason) : live_null(), NULL));
	free(self);
}

static void discard_check(struct auth_check *question)
{
	struct check *self = LIST_OF(question, struct check, question);

	errand_end(self->leg, ERRAND_ENDED, NULL);
	free(self);
}

static struct auth_check *check_new(struct errand_leg *leg)
{
	struct check *self = mem_alloc(sizeof *self);

	self->question.done = on_checked;
	self->question.discard = discard_check;
	self->leg = leg;
	return &self->question;
}

/* The component that is asked about; NULL: the leg is ended. */
static const struct definition *find_definition(struct errand_leg *leg, struct server_shard *here)
{
	const struct definition *found = registry_find(here->components->registry, errand_text(leg, "name"));

	if (!found)
		errand_end(leg, FIND_NO_COMPONENT, NULL);
	return found;
}

static void visit_may_mount(struct errand_leg *leg, struct server_shard *here)
{
	const struct definition *definition = find_definition(leg, here);

	if (definition)
		auth_check_component(here->server->auth, here->shard, errand_plan(leg)->auth, definition->api->name,
				     definition->api->auth, errand_value(leg, "payload"), check_new(leg));
}

static void visit_may_act(struct errand_leg *leg, struct server_shard *here)
{
	const struct definition *definition = find_definition(leg, here);
	struct str action = errand_text(leg, "action");

	if (!definition)
		return;
	const live_action_rule *rule = definition_rule(definition, action);
	auth_check_action(here->server->auth, here->shard, errand_plan(leg)->auth, definition->api->name, action.ptr,
			  rule ? rule->auth : NULL, errand_value(leg, "payload"), check_new(leg));
}

static void visit_may_join(struct errand_leg *leg, struct server_shard *here)
{
	auth_check_room(here->server->auth, here->shard, errand_plan(leg)->auth, errand_text(leg, "name"),
			check_new(leg));
}

/* name: of a component or a room; action may be NULL; payload is given away. */
static void ask_may(live_server *server, const live_auth *auth, const live_value *about, struct errand_plan plan)
{
	plan.auth = live_auth_ref(auth ? auth : live_auth_anonymous());
	plan.argument = about;
	errand_send_to(server, 0, &plan);
}

void live_auth_manager_may_mount(live_server *server, const live_auth *auth, const char *component,
				 const live_value *props, live_done_fn *done, void *argument)
{
	ask_may(server, auth, live_object("name", live_string(component), "payload", props, NULL),
		(struct errand_plan){.visit = visit_may_mount, .done = done, .context = argument});
}

void live_auth_manager_may_act(live_server *server, const live_auth *auth, const char *component, const char *action,
			       const live_value *payload, live_done_fn *done, void *argument)
{
	ask_may(server, auth,
		live_object("name", live_string(component), "action", live_string(action), "payload", payload, NULL),
		(struct errand_plan){.visit = visit_may_act, .done = done, .context = argument});
}

void live_auth_manager_may_join(live_server *server, const live_auth *auth, const char *room, live_done_fn *done,
				void *argument)
{
	ask_may(server, auth, live_object("name", live_string(room), NULL),
		(struct errand_plan){.visit = visit_may_join, .done = done, .context = argument});
}

/* ---- signed states ---- */

static void visit_sign(struct errand_leg *leg, struct server_shard *here)
{
	struct signing what = {
		.component_id = errand_text(leg, "id"),
		.component_name = errand_text(leg, "component"),
		.state = errand_value(leg, "state"),
		.version = (uint64_t)live_as_int(errand_value(leg, "version"), 0),
		.wall_ms = shard_clock(here->shard)->wall_ms,
	};
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	signer_sign(here->components->signer, &what, &out);
	if (out.len)
		errand_end(leg, NULL, live_from_json(out.ptr, out.len, NULL, 0));
	else
		errand_end(leg, "The state is too large to be signed", NULL);
	buf_deinit(&out);
}

void live_state_signature_sign(live_server *server, const char *id, const char *component, const live_value *state,
			       uint64_t version, live_done_fn *done, void *argument)
{
	errand_send_to(server, 0,
		       &(struct errand_plan){.visit = visit_sign,
					     .argument = live_object("id", live_string(id), "component",
								     live_string(component), "state", state, "version",
								     live_int((int64_t)version), NULL),
					     .done = done,
					     .context = argument});
}

/* A new signature of a state that was signed before. */
static const live_value *sign_backup(live_component *self, const struct backup *backup)
{
	struct signing what = {
		.component_id = self->sender.id,
		.component_name = self->definition->name,
		.state = backup->state,
		.version = backup->version,
		.wall_ms = backup->wall_ms,
	};
	struct buf out;

	buf_init(&out, SIZE_MAX / 2);
	signer_sign(self->home->signer, &what, &out);
	const live_value *signed_state = out.len ? live_from_json(out.ptr, out.len, NULL, 0) : live_null();
	buf_deinit(&out);
	return signed_state;
}

static void visit_backups(struct errand_leg *leg, struct server_shard *here)
{
	live_component *self = find_asked_component(leg, here);
	struct errand_list list = {0};
	const struct backup *backup;

	if (!self)
		return;
	for (unsigned age = 0; self->extra && (backup = backups_at(&self->extra->backups, age)); age++)
		errand_list_add(&list, sign_backup(self, backup));
	errand_end(leg, NULL, errand_list_end(&list));
}

void live_state_signature_backups(live_server *server, const char *component, live_done_fn *done, void *argument)
{
	errand_send(server, &(struct errand_plan){.visit = visit_backups,
						  .missing = FIND_NO_COMPONENT,
						  .argument = live_object("component", live_string(component), NULL),
						  .done = done,
						  .context = argument});
}

static const char *open_state(struct errand_leg *leg, struct server_shard *here, const live_value **state)
{
	const live_value *text = errand_value(leg, "signed");
	struct signed_state opened = {0};
	int64_t now_ms = shard_clock(here->shard)->wall_ms;
	struct signer *signer = here->components->signer;
	const char *error = live_as_bool(errand_value(leg, "once")) ? signer_open_once(signer, text, now_ms, &opened)
								    : signer_open(signer, text, now_ms, &opened);

	*state = opened.state;
	live_value_unref(opened.source);
	return error;
}

static void visit_validate(struct errand_leg *leg, struct server_shard *here)
{
	const live_value *state;
	const char *error = open_state(leg, here, &state);

	live_value_unref(state);
	errand_end(leg, NULL,
		   live_object("valid", live_bool(!error), "error", error ? live_string(error) : live_null(), NULL));
}

void live_state_signature_validate(live_server *server, const live_value *signed_state, bool uses_nonce,
				   live_done_fn *done, void *argument)
{
	errand_send_to(server, 0,
		       &(struct errand_plan){
			       .visit = visit_validate,
			       .argument = live_object("signed", signed_state, "once", live_bool(uses_nonce), NULL),
			       .done = done,
			       .context = argument});
}

static void visit_extract(struct errand_leg *leg, struct server_shard *here)
{
	const live_value *state;
	const char *error = open_state(leg, here, &state);

	errand_end(leg, error, state);
}

void live_state_signature_extract(live_server *server, const live_value *signed_state, live_done_fn *done,
				  void *argument)
{
	errand_send_to(server, 0,
		       &(struct errand_plan){.visit = visit_extract,
					     .argument = live_object("signed", signed_state, NULL),
					     .done = done,
					     .context = argument});
}
