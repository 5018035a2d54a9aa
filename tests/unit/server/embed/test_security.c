/*
 * The auth manager and the state signature manager, asked by the program.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit/core/core_test.h"
#include "unit/server/embed/embed_stage.h"

static live_auth_request *waiting;

/* Knows whose token is its own name; "wait" waits. */
static void authenticate(void *argument, const live_value *credentials, live_auth_request *request)
{
	const char *token = live_as_string(live_get(credentials, "token"));

	if (token && !strcmp(token, "wait"))
		waiting = request;
	else if (token && !strcmp(token, argument))
		live_auth_grant(request, live_auth_new(live_object("id", live_string(token), NULL), token));
	else
		live_auth_deny(request, NULL);
}

static void authorize_room(void *argument, const live_auth *auth, const char *room, live_auth_request *request)
{
	(void)argument;
	if (live_auth_is_authenticated(auth) || !strcmp(room, "lobby"))
		live_auth_allow(request);
	else
		live_auth_deny(request, NULL);
}

static const live_auth_rule signed_on = {.required = true};
static const live_action_rule rules[] = {{.action = "wipe", .auth = &signed_on}, {.action = NULL}};

static int wipe(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	(void)reply;
	return 0;
}

static const live_action actions[] = {{"wipe", wipe}, {NULL, NULL}};
static const live_definition panel = {.name = "Panel", .auth = &signed_on, .actions = actions, .rules = rules};

static struct embed_stage *stage;
static live_server *server;

static void begin(void)
{
	static char ana[] = "ana", bob[] = "bob";

	stage = embed_stage_new((const live_definition *[]){&panel, NULL});
	server = embed_stage_server(stage);
	ck_assert_int_eq(live_server_use_auth(server, &(live_auth_provider){.name = "first",
									    .argument = ana,
									    .authenticate = authenticate,
									    .authorize_room = authorize_room}),
			 0);
	ck_assert_int_eq(
		live_server_use_auth(
			server, &(live_auth_provider){.name = "second", .argument = bob, .authenticate = authenticate}),
		0);
	embed_stage_start(stage);
}

static const char *who(const char *token, const char *provider)
{
	static char id[32];
	const live_value *answer = EMBED_ANSWER(live_auth_manager_authenticate(
		server, live_object("token", live_string(token), NULL), provider, live_wait_done, W));
	const char *known = live_as_string(live_path(answer, "user.id"));

	snprintf(id, sizeof id, "%s", known ? known : "nobody");
	live_value_unref(answer);
	return id;
}

static void expect_providers(const char *first, size_t count)
{
	const live_value *names = live_auth_manager_providers(server);

	ck_assert_uint_eq(live_len(names), count);
	if (count)
		ck_assert_str_eq(live_as_string(live_at(names, 0)), first);
	live_value_unref(names);
}

START_TEST(providers)
{
	begin();
	expect_providers("first", 2);
	ck_assert_str_eq(who("ana", NULL), "ana");
	ck_assert_str_eq(who("bob", NULL), "bob");
	ck_assert_str_eq(who("bob", "first"), "nobody");
	ck_assert_str_eq(who("eve", NULL), "nobody");
	ck_assert_int_eq(live_auth_manager_set_default(server, "third"), -ENOENT);
	ck_assert_int_eq(live_auth_manager_set_default(server, "second"), 0);
	expect_providers("second", 2);
	ck_assert_int_eq(live_auth_manager_unregister(server, "second"), 0);
	ck_assert_int_eq(live_auth_manager_unregister(server, "second"), -ENOENT);
	expect_providers("first", 1);
	ck_assert_str_eq(who("bob", NULL), "nobody");
	ck_assert_int_eq(live_auth_manager_unregister(server, "first"), 0);
	expect_providers(NULL, 0);
	ck_assert_str_eq(who("ana", NULL), "nobody");
	embed_stage_free(stage);
}
END_TEST

/* A provider that has not answered when the server ends. */
START_TEST(unanswered)
{
	begin();
	live_wait *wait = live_wait_new();
	waiting = NULL;
	live_auth_manager_authenticate(server, live_object("token", live_string("wait"), NULL), "first", live_wait_done,
				       wait);
	live_value_unref(EMBED_ANSWER(live_auth_manager_may_join(server, NULL, "lobby", live_wait_done, W)));
	ck_assert_ptr_nonnull(waiting);
	live_server_shutdown(server, 0);
	live_auth_deny(waiting, NULL);
	embed_stage_free(stage);
	ck_assert_str_eq(embed_error(wait), "The server does not run");
}
END_TEST

START_TEST(checks)
{
	begin();
	const live_auth *ana = live_auth_new(live_object("id", live_string("ana"), NULL), NULL);
	EMBED_EXPECT("{'allowed':false,'reason':'Authentication required'}",
		     live_auth_manager_may_mount(server, NULL, "Panel", NULL, live_wait_done, W));
	EMBED_EXPECT("{'allowed':true,'reason':null}",
		     live_auth_manager_may_mount(server, ana, "Panel", NULL, live_wait_done, W));
	EMBED_EXPECT("{'allowed':true,'reason':null}",
		     live_auth_manager_may_act(server, ana, "Panel", "wipe", NULL, live_wait_done, W));
	EMBED_EXPECT("{'allowed':true,'reason':null}",
		     live_auth_manager_may_act(server, NULL, "Panel", "other", NULL, live_wait_done, W));
	EMBED_EXPECT("{'allowed':true,'reason':null}",
		     live_auth_manager_may_join(server, ana, "den", live_wait_done, W));
	EMBED_EXPECT("{'allowed':false,'reason':'Access to room 'den' denied by auth provider 'first''}",
		     live_auth_manager_may_join(server, NULL, "den", live_wait_done, W));
	ck_assert_str_eq(EMBED_ERROR(live_auth_manager_may_mount(server, ana, "None", NULL, live_wait_done, W)),
			 "Component not found");
	live_auth_unref(ana);
	embed_stage_free(stage);
}
END_TEST

START_TEST(signatures)
{
	begin();
	const live_value *state = live_object("n", live_int(1), NULL);
	const live_value *good = EMBED_ANSWER(
		live_state_signature_sign(server, "id1", "Panel", live_value_ref(state), 3, live_wait_done, W));
	ck_assert_str_eq(live_as_string(live_get(good, "componentId")), "id1");
	ck_assert_int_eq(live_as_int(live_get(good, "version"), 0), 3);
	EMBED_EXPECT("{'valid':true,'error':null}",
		     live_state_signature_validate(server, live_value_ref(good), false, live_wait_done, W));
	EMBED_EXPECT("{'n':1}", live_state_signature_extract(server, live_value_ref(good), live_wait_done, W));
	const live_value *bad = live_with(good, "version", live_int(4));
	EMBED_EXPECT("{'valid':false,'error':'Invalid signature'}",
		     live_state_signature_validate(server, live_value_ref(bad), true, live_wait_done, W));
	ck_assert_str_eq(EMBED_ERROR(live_state_signature_extract(server, live_value_ref(bad), live_wait_done, W)),
			 "Invalid signature");
	live_value_unref(bad);
	live_value_unref(good);
	live_value_unref(state);
	embed_stage_free(stage);
}
END_TEST

static int grow(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_set(self, "n", live_value_ref(payload));
	return 0;
}

static const live_action growing[] = {{"grow", grow}, {NULL, NULL}};
static const live_definition plant = {.name = "Plant", .default_state = "{\"n\":0}", .actions = growing};

/* The last three states that were signed, each good to come back with. */
START_TEST(backups)
{
	live_options *options = live_options_new();
	ck_assert_int_eq(live_options_set(options, "signature_renew_ms", "1", NULL, 0), 0);
	stage = embed_stage_with(options, (const live_definition *[]){&plant, NULL});
	server = embed_stage_server(stage);
	embed_stage_start(stage);
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_mount(ana, "Plant", NULL);
	EMBED_EXPECT("[]", live_state_signature_backups(server, id, live_wait_done, W));
	for (int n = 1; n <= 5; n++) {
		EMBED_EXPECT("null", live_registry_execute(server, id, "grow", live_int(n), NULL, live_wait_done, W));
		embed_client_wait(ana, "type", "STATE_SIGNATURE");
	}
	const live_value *list = EMBED_ANSWER(live_state_signature_backups(server, id, live_wait_done, W));
	ck_assert_uint_eq(live_len(list), 3);
	EMBED_EXPECT("{'n':5}",
		     live_state_signature_extract(server, live_value_ref(live_at(list, 0)), live_wait_done, W));
	EMBED_EXPECT("{'n':3}",
		     live_state_signature_extract(server, live_value_ref(live_at(list, 2)), live_wait_done, W));
	live_value_unref(list);
	embed_stage_free(stage);
}
END_TEST

CORE_TESTS("security", providers, unanswered, checks, signatures, backups)
