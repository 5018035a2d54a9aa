/* What is looked at before somebody is asked, and what after, when a provider has the last word on rooms. */
#include <check.h>
#include <string.h>

#include "server/auth/manager.h"
#include "stage/component_stage.h"
#include "unit/core/core_test.h"

enum { ROOMS_PER_CLIENT = 8 }; /* of the stage */

static const live_definition plain = {.name = "Plain", .default_state = "{\"n\":0}"};

static unsigned asked;

static void nobody(void *argument, const live_value *credentials, live_auth_request *request)
{
	(void)argument, (void)credentials;
	live_auth_grant(request, NULL);
}

static void open_rooms(void *argument, const live_auth *auth, const char *room, live_auth_request *request)
{
	(void)argument, (void)auth;
	asked++;
	if (!strncmp(room, "open", 4))
		live_auth_allow(request);
	else
		live_auth_deny(request, NULL);
}

static struct component_stage *guarded_stage(void)
{
	const live_auth_provider provider = {.name = "guard", .authenticate = nobody, .authorize_room = open_rooms};
	struct component_stage *stage = component_stage_new(2, 1, (const live_definition *[]){&plain, NULL});

	ck_assert_int_eq(component_stage_add_provider(stage, &provider), 0);
	asked = 0;
	return stage;
}

/* The error that a join of id to room ends with, "" for none; the guard is asked so many times. */
static void expect_join(struct stage_client *client, const char *id, const char *room, const char *error,
			unsigned questions)
{
	unsigned before = asked;
	const live_value *reply =
		stage_client_ask(client, "'type':'ROOM_JOIN','componentId':'%s','roomId':'%s'", id, room);

	ck_assert_str_eq(stage_text(reply, "type"), *error ? "ERROR" : "ROOM_JOINED");
	ck_assert_str_eq(stage_text(reply, "error"), error);
	ck_assert_uint_eq(asked - before, questions);
}

#define DENIED(room) "Access to room '" room "' denied by auth provider 'guard'"

/* The order of protocol.md 14.1. */
START_TEST(test_joins)
{
	struct component_stage *stage = guarded_stage();
	struct stage_client *client = stage_client_new(stage, 0);
	const char *id = stage_client_mount(client, "Plain", "{}");

	expect_join(client, "nobody", "closed", "Component not found", 0);
	expect_join(client, id, "closed", DENIED("closed"), 1);
	expect_join(client, id, "no spaces", DENIED("no spaces"), 1);
	for (unsigned n = 0; n < ROOMS_PER_CLIENT; n++) {
		char room[16];
		snprintf(room, sizeof room, "open%u", n);
		expect_join(client, id, room, "", 1);
	}
	expect_join(client, id, "closed", "Room limit exceeded", 0);
	expect_join(client, id, "no spaces", "Room limit exceeded", 0);
	expect_join(client, id, "open0", "", 1); /* it is there already */
	component_stage_free(stage);
}
END_TEST

/* The room that a mount names is guarded as well; a component that is not there asks for nothing. */
START_TEST(test_mounts)
{
	struct component_stage *stage = guarded_stage();
	struct stage_client *client = stage_client_new(stage, 0);
	const char *form = "'type':'COMPONENT_MOUNT','payload':{'component':'%s','room':'%s'}";

	ck_assert_str_eq(stage_text(stage_client_ask(client, form, "Nothing", "closed"), "error"),
			 "Component 'Nothing' not found");
	ck_assert_uint_eq(asked, 0);
	ck_assert_str_eq(stage_text(stage_client_ask(client, form, "Plain", "closed"), "error"), DENIED("closed"));
	ck_assert_str_eq(stage_text(stage_client_ask(client, form, "Plain", "open"), "error"), "");
	ck_assert_uint_eq(asked, 2);
	component_stage_free(stage);
}
END_TEST

CORE_TESTS("gate", test_joins, test_mounts)
