/* Requests of one client, sent at once, that are answered by this shard, by rooms and by singletons elsewhere: the
 * answers come in the order of the requests, whatever the order of the mail. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "stage/component_stage.h"
#include "unit/core/core_test.h"

static int go(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_set(self, "n", live_int(live_get_int(self, "n") + 1));
	return 0;
}

static const live_definition own = {.name = "Own", .default_state = "{\"n\":0}", .actions = LIVE_ACTIONS({"go", go})};
static const live_definition shared = {
	.name = "Shared", .default_state = "{\"n\":0}", .singleton = true, .actions = LIVE_ACTIONS({"go", go})};

static void send_one(struct stage_client *client, const char *own_id, const char *shared_id, unsigned kind, unsigned n)
{
	static const char *const forms[] = {
		"'type':'CALL_ACTION','componentId':'%s','action':'go','expectResponse':true",
		"'type':'COMPONENT_PING','componentId':'%s'",
		"'type':'ROOM_JOIN','componentId':'%s','roomId':'lobby'",
		"'type':'ROOM_STATE_GET','componentId':'%s','roomId':'lobby'",
		"'type':'PROPERTY_UPDATE','componentId':'%s','property':'n','payload':{'value':1}",
		"'type':'STATE_UPDATE','componentId':'%s','payload':{'state':{'n':1}}",
		"'type':'CALL_ACTION','componentId':'%s','action':'none','expectResponse':true",
		"'type':'COMPONENT_MOUNT','componentId':'%s','payload':{'component':'Shared','room':'tea'}",
		"'type':'NONSENSE','componentId':'%s'",
	};
	char text[256], whole[320];
	const char *id = n % 2 ? own_id : shared_id;

	snprintf(text, sizeof text, forms[kind % (sizeof forms / sizeof forms[0])], id);
	snprintf(whole, sizeof whole, "{%s,'requestId':'q%u'}", text, n);
	stage_client_send(client, "%s", whole);
}

START_TEST(test_order)
{
	uint64_t chances = test_seed();
	for (unsigned round = 0; round < 30; round++) {
		struct component_stage *stage =
			component_stage_new(4, chance(&chances), (const live_definition *[]){&own, &shared, NULL});
		struct stage_client *client = stage_client_new(stage, round % 4);
		const char *own_id = stage_client_mount(client, "Own", "{}");
		const char *shared_id = stage_client_mount(client, "Shared", "{}");
		stage_client_ask(client, "'type':'ROOM_JOIN','componentId':'%s','roomId':'lobby'", own_id);
		for (unsigned n = 0; n < 40; n++)
			send_one(client, own_id, shared_id, (unsigned)chance_below(&chances, 9), n);
		component_stage_run(stage);
		unsigned next = 0;
		const live_value *message;
		while ((message = stage_client_take(client))) {
			const char *id = stage_text(message, "requestId");
			if (*id != 'q')
				continue;
			char wanted[16];
			snprintf(wanted, sizeof wanted, "q%u", next++);
			ck_assert_str_eq(id, wanted);
		}
		ck_assert_uint_eq(next, 40);
		component_stage_free(stage);
	}
}
END_TEST

CORE_TESTS("order", test_order)
