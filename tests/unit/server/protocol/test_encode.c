/* Every message that the server writes, byte by byte. */
#include <check.h>
#include <string.h>

#include "core/json.h"
#include "pubsub/room_event.h"
#include "server/protocol/encode.h"
#include "unit/core/core_test.h"

static const struct str none = {NULL, 0};

/* What out holds is text, in which ' stands for "; out is emptied. */
static void expect(struct buf *out, const char *text)
{
	char wanted[2048];
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		wanted[i] = text[i] == '\'' ? '"' : text[i];
	ck_assert_msg(str_equal(buf_str(out), (struct str){wanted, len}), "%.*s", STR_ARG(buf_str(out)));
	buf_reset(out, SIZE_MAX);
}

START_TEST(test_replies)
{
	struct buf out;
	const live_value *result = live_object("count", live_int(5), NULL);
	buf_init(&out, SIZE_MAX);
	encode_reply(&out, &(struct reply){.type = "ACTION_RESPONSE",
					   .component_id = STR("Ab3dEf9_"),
					   .success = true,
					   .result = result,
					   .request_id = STR("d81-Zz0q")});
	expect(&out, "{'type':'ACTION_RESPONSE','componentId':'Ab3dEf9_','success':true,'result':{'count':5},"
		     "'requestId':'d81-Zz0q'}");
	encode_reply(&out, &(struct reply){.type = "ACTION_RESPONSE",
					   .component_id = STR("Ab3dEf9_"),
					   .error = STR("Action 'wipe' is not callable"),
					   .request_id = STR("d81-Zz0q")});
	ck_assert_ptr_nonnull(memmem(out.ptr, out.len, "\"error\":\"Action 'wipe' is not callable\"", 38));
	buf_reset(&out, SIZE_MAX);
	encode_reply(&out, &(struct reply){.type = "MESSAGE_RESPONSE", .success = true, .request_id = STR("")});
	expect(&out, "{'type':'MESSAGE_RESPONSE','success':true,'requestId':''}");
	encode_reply(&out, &(struct reply){.type = "MESSAGE_RESPONSE", .component_id = STR("\"\\\n\xed\xa0\x80")});
	expect(&out, "{'type':'MESSAGE_RESPONSE','componentId':'\\\"\\\\\\n\\ud800','success':false}");
	encode_error(&out, STR("Ab3dEf9_"), STR("Component not found"), STR("aa_11-bb"));
	expect(&out, "{'type':'ERROR','componentId':'Ab3dEf9_','success':false,'error':'Component not found',"
		     "'requestId':'aa_11-bb'}");
	encode_error(&out, none, STR("Invalid JSON"), none);
	expect(&out, "{'type':'ERROR','success':false,'error':'Invalid JSON'}");
	live_value_unref(result);
	buf_deinit(&out);
}
END_TEST

START_TEST(test_lifecycle)
{
	struct buf out;
	const live_value *state = live_object("count", live_int(3), NULL);
	buf_init(&out, SIZE_MAX);
	encode_connection_established(&out, STR("q7Zt_0Lm"), false);
	expect(&out, "{'type':'CONNECTION_ESTABLISHED','connectionId':'q7Zt_0Lm','authenticated':false}");
	encode_mount_result(&out, STR("Ab3dEf9_"), state, STR("{\"data\":\"x\"}"));
	expect(&out, "{'componentId':'Ab3dEf9_','initialState':{'count':3},'signedState':{'data':'x'}}");
	encode_mount_result(&out, STR("Ab3dEf9_"), state, none);
	expect(&out, "{'componentId':'Ab3dEf9_','initialState':{'count':3},'signedState':null}");
	encode_pong(&out, STR("Ab3dEf9_"), none, 1700000000123);
	expect(&out, "{'type':'COMPONENT_PONG','componentId':'Ab3dEf9_','success':true,'timestamp':1700000000123}");
	live_value_unref(state);
	buf_deinit(&out);
}
END_TEST

START_TEST(test_pushes)
{
	struct buf out;
	const struct sender plain = {.id = STR("Ab3dEf9_")};
	const struct sender full = {.id = STR("Ab3dEf9_"), .user_id = STR("u1"), .room = STR("lobby")};
	const live_value *state = live_object("count", live_int(4), NULL);
	buf_init(&out, SIZE_MAX);
	encode_state_update(&out, &full, state, STR("{}"));
	expect(&out, "{'type':'STATE_UPDATE','componentId':'Ab3dEf9_','payload':{'state':{'count':4},'signedState':{}},"
		     "'userId':'u1','room':'lobby'}");
	encode_state_update(&out, &plain, state, none);
	expect(&out, "{'type':'STATE_UPDATE','componentId':'Ab3dEf9_','payload':{'state':{'count':4}}}");
	encode_state_delta(&out, &plain, state);
	expect(&out, "{'type':'STATE_DELTA','componentId':'Ab3dEf9_','payload':{'delta':{'count':4}}}");
	encode_state_signature(&out, &plain, STR("{}"));
	expect(&out, "{'type':'STATE_SIGNATURE','componentId':'Ab3dEf9_','payload':{'signedState':{}}}");
	encode_state_rehydrated(&out, &(struct sender){.id = STR("Nw_77aB2")}, state, STR("{}"), STR("Ab3dEf9_"));
	expect(&out,
	       "{'type':'STATE_REHYDRATED','componentId':'Nw_77aB2','payload':{'state':{'count':4},'signedState':{},"
	       "'oldComponentId':'Ab3dEf9_','newComponentId':'Nw_77aB2'}}");
	encode_emit(&out, &plain, STR("MY \"TYPE\""), NULL);
	expect(&out, "{'type':'MY \\\"TYPE\\\"','componentId':'Ab3dEf9_'}");
	encode_error_push(&out, &plain, STR("save"), STR("disk full"));
	expect(&out, "{'type':'ERROR','componentId':'Ab3dEf9_','error':'disk full','payload':{'action':'save',"
		     "'error':'disk full'}}");
	live_value_unref(state);
	buf_deinit(&out);
}
END_TEST

START_TEST(test_rooms)
{
	struct buf out;
	const live_value *changes = live_object("topic", live_string("new"), NULL);
	const live_value *state = live_with(changes, "left", live_int(2));
	struct room_event event = {.kind = ROOM_EVENT_CUSTOM,
				   .room_id = STR("lobby"),
				   .name = STR("msg:new"),
				   .data = STR("{\"text\":\"yo\"}"),
				   .wall_ms = 1700000000000};
	buf_init(&out, SIZE_MAX);
	struct frame *frame = encode_room_event(&event);
	encode_room_frame(&out, STR("Zz12_-Qx"), frame_bytes(frame));
	expect(&out,
	       "{'componentId':'Zz12_-Qx','type':'ROOM_EVENT','roomId':'lobby','event':'msg:new','data':{'text':'yo'},"
	       "'timestamp':1700000000000}");
	frame_unref(frame);
	event.data = none;
	event.kind = ROOM_EVENT_SYSTEM;
	frame = encode_room_event(&event);
	encode_room_frame(&out, STR("Zz12_-Qx"), frame_bytes(frame));
	expect(&out, "{'componentId':'Zz12_-Qx','type':'ROOM_SYSTEM','roomId':'lobby','event':'msg:new','timestamp':"
		     "1700000000000}");
	frame_unref(frame);
	event = (struct room_event){.kind = ROOM_EVENT_STATE,
				    .room_id = STR("lobby"),
				    .name = STR("$state:update"),
				    .data = STR("{\"state\":{\"topic\":\"new\"}}"),
				    .changes = changes,
				    .state = state,
				    .wall_ms = 1700000000000};
	frame = encode_room_event(&event);
	encode_room_frame(&out, STR("Zz12_-Qx"), frame_bytes(frame));
	expect(&out,
	       "{'componentId':'Zz12_-Qx','type':'ROOM_STATE','roomId':'lobby','event':'$state:update','data':{'state':"
	       "{'topic':'new'}},'timestamp':1700000000000}");
	frame_unref(frame);
	frame = encode_room_event_legacy(&event);
	encode_room_frame(&out, STR("Zz12_-Qx"), frame_bytes(frame));
	expect(&out, "{'componentId':'Zz12_-Qx','type':'ROOM_STATE','roomId':'lobby','event':'$state:update','data':{'"
		     "topic':'new',"
		     "'state':{'topic':'new'}},'timestamp':1700000000000}");
	frame_unref(frame);
	encode_room_joined(&out, STR("Ab3dEf9_"), STR("lobby"), changes, STR("aa_11-bb"));
	expect(&out,
	       "{'type':'ROOM_JOINED','componentId':'Ab3dEf9_','success':true,'roomId':'lobby','state':{'topic':'new'},"
	       "'payload':{'roomId':'lobby','state':{'topic':'new'}},'requestId':'aa_11-bb'}");
	encode_room_left(&out, STR("Ab3dEf9_"), STR("lobby"), none);
	expect(&out, "{'type':'ROOM_LEFT','componentId':'Ab3dEf9_','success':true,'roomId':'lobby','payload':{'roomId':"
		     "'lobby'}}");
	encode_room_state(&out, STR("Ab3dEf9_"), STR("lobby"), changes, STR("e"));
	expect(&out, "{'type':'ROOM_STATE','componentId':'Ab3dEf9_','success':true,'roomId':'lobby','payload':{'roomId'"
		     ":'lobby',"
		     "'state':{'topic':'new'}},'requestId':'e'}");
	live_value_unref(changes);
	live_value_unref(state);
	buf_deinit(&out);
}
END_TEST

CORE_TESTS("encode", test_replies, test_lifecycle, test_pushes, test_rooms)
