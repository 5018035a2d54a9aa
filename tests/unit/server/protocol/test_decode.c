/* A frame taken apart, and each text of protocol section 4.1 for one that is in bad shape. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "server/protocol/message.h"
#include "unit/core/core_test.h"

static struct arena *arena;
static char copy[1 << 16];
static char *heap;

/* From a heap block that ends where the text does, so that a byte too many is noticed. */
static enum message_result decode(struct message *out, const char *json)
{
	size_t len = strlen(json);

	ck_assert_uint_lt(len, sizeof copy);
	for (size_t i = 0; i < len; i++)
		copy[i] = json[i] == '\'' ? '"' : json[i];
	free(heap);
	heap = malloc(len ? len : 1);
	memcpy(heap, copy, len);
	return message_decode(out, (struct str){heap, len}, arena, 32);
}

static void setup(void)
{
	arena = arena_new(4096);
}

static void teardown(void)
{
	arena_free(arena);
	free(heap);
	heap = NULL;
}

static void expect_str(struct str got, const char *wanted)
{
	ck_assert_msg(wanted ? got.ptr && str_equal(got, str_of(wanted)) : !got.ptr, "got '%.*s'", STR_ARG(got));
}

static void expect_invalid(const char *json, const char *text)
{
	struct message message;

	ck_assert_msg(decode(&message, json) == MESSAGE_OK, "%s", json);
	ck_assert_msg(text ? message.invalid && !strcmp(message.invalid, text) : !message.invalid, "%s: %s", json,
		      message.invalid ? message.invalid : "well formed");
	message_deinit(&message);
}

#define SIGNED                                                                                        \
	"{'data':'x','signature':'y','timestamp':1,'version':1,'componentId':'c','compressed':false," \
	"'encrypted':false}"

static const struct {
	const char *json;
	const char *invalid;
} shapes[] = {
	{"{}", "missing type"},
	{"{'type':5}", "missing type"},
	{"{'type':null}", "missing type"},
	{"{'type':'X','type':1}", "missing type"},
	{"{'type':'PING','componentId':1,'requestId':{}}", NULL}, /* passed over before its shape is looked at */
	{"{'type':'COMPONENT_PING','componentId':1}", "componentId must be a string"},
	{"{'type':'COMPONENT_PING','componentId':null}", "componentId must be a string"},
	{"{'type':'COMPONENT_PING','requestId':{}}", "requestId must be a string"},
	{"{'type':'COMPONENT_PING','responseId':[]}", "responseId must be a string"},
	{"{'type':'COMPONENT_PING','expectResponse':'true'}", "expectResponse must be a boolean"},
	{"{'type':'COMPONENT_PING','timestamp':'1'}", "timestamp must be a number"},
	{"{'type':'COMPONENT_PING','timestamp':1.5e3}", NULL},
	{"{'type':'COMPONENT_PING','userId':1}", "userId must be a string"},
	{"{'type':'COMPONENT_PING','room':false}", "room must be a string"},
	{"{'type':'NOBODY','room':1}", "room must be a string"},
	{"{'type':'NOBODY'}", NULL},
	{"{'type':'COMPONENT_MOUNT'}", "COMPONENT_MOUNT requires payload"},
	{"{'type':'COMPONENT_MOUNT','payload':[]}", "COMPONENT_MOUNT requires payload"},
	{"{'type':'COMPONENT_MOUNT','payload':{}}", "payload.component must be a string"},
	{"{'type':'COMPONENT_MOUNT','payload':{'component':'C','props':[]}}", "payload.props must be an object"},
	{"{'type':'COMPONENT_MOUNT','payload':{'component':'C','props':null}}", "payload.props must be an object"},
	{"{'type':'COMPONENT_MOUNT','payload':{'component':'C','room':1}}", "payload.room must be a string"},
	{"{'type':'COMPONENT_MOUNT','payload':{'component':'C','userId':1}}", "payload.userId must be a string"},
	{"{'type':'COMPONENT_MOUNT','payload':{'component':'C','debugLabel':1}}",
	 "payload.debugLabel must be a string"},
	{"{'type':'COMPONENT_MOUNT','payload':{'component':'C','other':1}}", NULL},
	{"{'type':'COMPONENT_UNMOUNT'}", "componentId is required"},
	{"{'type':'COMPONENT_UNMOUNT','componentId':''}", NULL},
	{"{'type':'COMPONENT_REHYDRATE'}", "componentId is required"},
	{"{'type':'COMPONENT_REHYDRATE','componentId':'c'}", "COMPONENT_REHYDRATE requires payload"},
	{"{'type':'COMPONENT_REHYDRATE','componentId':'c','payload':{}}", "payload.component must be a string"},
	{"{'type':'COMPONENT_REHYDRATE','componentId':'c','payload':{'component':'C'}}",
	 "payload.signedState is malformed"},
	{"{'type':'COMPONENT_REHYDRATE','componentId':'c','payload':{'component':'C','signedState':{}}}",
	 "payload.signedState is malformed"},
	{"{'type':'COMPONENT_REHYDRATE','componentId':'c','payload':{'component':'C','signedState':" SIGNED "}}", NULL},
	{"{'type':'COMPONENT_REHYDRATE','componentId':'c','payload':{'componentName':'C','signedState':" SIGNED "}}",
	 NULL},
	{"{'type':'COMPONENT_REHYDRATE','componentId':'c','payload':{'component':'C','room':1,'signedState':" SIGNED
	 "}}",
	 "payload.room must be a string"},
	{"{'type':'COMPONENT_REHYDRATE','componentId':'c','payload':{'component':'C','signedState':{'data':'x',"
	 "'signature':'y','timestamp':'1','version':1,'componentId':'c'}}}",
	 "payload.signedState is malformed"},
	{"{'type':'COMPONENT_REHYDRATE','componentId':'c','payload':{'component':'C','signedState':{'data':'x',"
	 "'signature':'y','timestamp':1,'version':1,'componentId':'c'}}}",
	 NULL},
	{"{'type':'COMPONENT_REHYDRATE','componentId':'c','payload':{'component':'C','signedState':{'data':'x',"
	 "'signature':'y','timestamp':1,'version':1,'componentId':'c','nonce':1}}}",
	 "payload.signedState is malformed"},
	{"{'type':'COMPONENT_REHYDRATE','componentId':'c','payload':{'component':'C','signedState':{'data':'x',"
	 "'signature':'y','timestamp':1,'version':1,'componentId':'c','compressed':0}}}",
	 "payload.signedState is malformed"},
	{"{'type':'CALL_ACTION','action':'a'}", "componentId is required"},
	{"{'type':'CALL_ACTION','componentId':'c'}", "action must be a string"},
	{"{'type':'CALL_ACTION','componentId':'c','action':1}", "action must be a string"},
	{"{'type':'CALL_ACTION','componentId':'c','action':''}", NULL},
	{"{'type':'CALL_ACTION','componentId':'c','action':'a','payload':5}", NULL},
	{"{'type':'PROPERTY_UPDATE'}", "componentId is required"},
	{"{'type':'PROPERTY_UPDATE','componentId':'c'}", "property must be a string"},
	{"{'type':'PROPERTY_UPDATE','componentId':'c','property':'p'}", "PROPERTY_UPDATE requires payload.value"},
	{"{'type':'PROPERTY_UPDATE','componentId':'c','property':'p','payload':1}",
	 "PROPERTY_UPDATE requires payload.value"},
	{"{'type':'PROPERTY_UPDATE','componentId':'c','property':'p','payload':{}}", NULL},
	{"{'type':'AUTH'}", NULL},
	{"{'type':'AUTH','payload':'x'}", "AUTH payload must be an object"},
	{"{'type':'ROOM_JOIN','roomId':'r'}", "componentId is required"},
	{"{'type':'ROOM_JOIN','componentId':'c'}", "roomId must be a non-empty string"},
	{"{'type':'ROOM_JOIN','componentId':'c','roomId':''}", "roomId must be a non-empty string"},
	{"{'type':'ROOM_JOIN','componentId':'c','roomId':5}", "roomId must be a non-empty string"},
	{"{'type':'ROOM_JOIN','componentId':'c','payload':{'roomId':5}}", "payload.roomId must be a string"},
	{"{'type':'ROOM_JOIN','componentId':'c','roomId':'r','payload':{'roomId':5}}",
	 "payload.roomId must be a string"},
	{"{'type':'ROOM_JOIN','componentId':'c','roomId':'r','payload':1}", "room payload must be an object"},
	{"{'type':'ROOM_JOIN','componentId':'c','roomId':'r','payload':null}", "room payload must be an object"},
	{"{'type':'ROOM_JOIN','componentId':'c','payload':{'roomId':'r'}}", NULL},
	{"{'type':'ROOM_LEAVE','componentId':'c','roomId':'r'}", NULL},
	{"{'type':'ROOM_EMIT','componentId':'c','roomId':'r'}", "payload.event must be a string"},
	{"{'type':'ROOM_EMIT','componentId':'c','roomId':'r','payload':{'event':1}}", "payload.event must be a string"},
	{"{'type':'ROOM_EMIT','componentId':'c','roomId':'r','payload':[]}", "room payload must be an object"},
	{"{'type':'ROOM_EMIT','componentId':'c','roomId':'r','payload':{'event':'e','roomId':1}}",
	 "payload.roomId must be a string"},
	{"{'type':'ROOM_EMIT','componentId':'c','roomId':'r','event':1}", "payload.event must be a string"},
	{"{'type':'ROOM_EMIT','componentId':'c','roomId':'r','event':'e'}", NULL},
	{"{'type':'ROOM_STATE_SET','componentId':'c','roomId':'r'}", "payload.state must be an object"},
	{"{'type':'ROOM_STATE_SET','componentId':'c','roomId':'r','payload':{'state':[]}}",
	 "payload.state must be an object"},
	{"{'type':'ROOM_STATE_SET','componentId':'c','roomId':'r','data':{'a':1}}", NULL},
	{"{'type':'ROOM_STATE_SET','componentId':'c','roomId':'r','data':[1]}", "payload.state must be an object"},
	{"{'type':'ROOM_STATE_GET','componentId':'c','roomId':'r'}", NULL},
};

START_TEST(test_shape)
{
	expect_invalid(shapes[_i].json, shapes[_i].invalid);
}
END_TEST

static const struct {
	const char *json;
	enum message_result result;
} results[] = {
	{"", MESSAGE_NOT_JSON},
	{" ", MESSAGE_NOT_JSON},
	{"{", MESSAGE_NOT_JSON},
	{"{'type'", MESSAGE_NOT_JSON},
	{"{'type':}", MESSAGE_NOT_JSON},
	{"{'type':'PING'}}", MESSAGE_NOT_JSON},
	{"{'type':'PING',}", MESSAGE_NOT_JSON},
	{"{'type':'PING','payload':{]}", MESSAGE_NOT_JSON},
	{"{'payload':{'a':tru},'type':'AUTH'}", MESSAGE_NOT_JSON},
	{"{'type':'ROOM_EMIT','payload':{'event':'e','data':{x}}}", MESSAGE_NOT_JSON},
	{"{'type':'\xff'}", MESSAGE_NOT_JSON},
	{"{'type':'a\nb'}", MESSAGE_NOT_JSON},
	{"nul", MESSAGE_NOT_JSON},
	{"null", MESSAGE_NOT_OBJECT},
	{" [] ", MESSAGE_NOT_OBJECT},
	{"'text'", MESSAGE_NOT_OBJECT},
	{"-1.5e9", MESSAGE_NOT_OBJECT},
	{"[{'type':'PING'}]", MESSAGE_NOT_OBJECT},
	{" {'type':'PING'} ", MESSAGE_OK},
};

START_TEST(test_result)
{
	struct message message;
	ck_assert_int_eq(decode(&message, results[_i].json), results[_i].result);
	message_deinit(&message);
}
END_TEST

/* The message itself is the first level, wherever in it the nesting is, and whether it is used or not. */
START_TEST(test_depth)
{
	static const char *const places[] = {
		"{'type':'PING','x':%s}",
		"{'type':'CALL_ACTION','componentId':'c','action':'a','payload':%s}",
		"{'payload':%s,'type':'CALL_ACTION'}",
		"{'type':'ROOM_EMIT','event':'e','data':%s}",
		"{'data':%s,'type':'ROOM_STATE_SET'}",
		"{'requestId':%s}",
	};
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		for (int depth = 31; depth <= 32; depth++) {
			char nested[80], json[256];
			memset(nested, '[', (size_t)depth);
			memset(nested + depth, ']', (size_t)depth);
			nested[2 * depth] = 0;
			snprintf(json, sizeof json, places[i], nested);
			struct message message;
			ck_assert_msg(decode(&message, json) == (depth == 31 ? MESSAGE_OK : MESSAGE_TOO_DEEP), "%s",
				      json);
			message_deinit(&message);
		}
	}
	struct message message;
	ck_assert_int_eq(decode(&message, "{'type':'PING','x':'[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[['}"),
			 MESSAGE_OK);
	message_deinit(&message);
}
END_TEST

START_TEST(test_fields)
{
	struct message m;
	ck_assert_int_eq(
		decode(&m, "{'type':'CALL_ACTION','componentId':'Ab3dEf9_','action':'in\\u0063','payload':{'by':2},"
			   "'requestId':'d81-Zz0q','expectResponse':true,'unknown':[1,{}],'timestamp':17}"),
		MESSAGE_OK);
	ck_assert_int_eq(m.type, MESSAGE_ACTION);
	expect_str(m.component_id, "Ab3dEf9_");
	expect_str(m.action, "inc");
	expect_str(m.request_id, "d81-Zz0q");
	ck_assert(m.expect_response && !m.is_legacy && !m.invalid);
	ck_assert_int_eq(live_as_int(live_get(m.payload, "by"), 0), 2);
	message_deinit(&m);

	/* The payload before its type, and the request id last. */
	ck_assert_int_eq(decode(&m, "{'payload':{'by':3},'action':'x','componentId':'c','type':'CALL_ACTION'}"),
			 MESSAGE_OK);
	ck_assert_int_eq(live_as_int(live_get(m.payload, "by"), 0), 3);
	ck_assert(!m.expect_response);
	expect_str(m.request_id, NULL);
	message_deinit(&m);

	/* Of duplicates the last wins, also of payloads. */
	ck_assert_int_eq(
		decode(&m, "{'type':'CALL_ACTION','componentId':'a','componentId':'b','action':'x','payload':{'n':1},"
			   "'payload':{'n':2},'expectResponse':true,'expectResponse':false}"),
		MESSAGE_OK);
	expect_str(m.component_id, "b");
	ck_assert_int_eq(live_as_int(live_get(m.payload, "n"), 0), 2);
	ck_assert(!m.expect_response);
	message_deinit(&m);
	ck_assert_int_eq(
		decode(&m, "{'payload':{'n':1},'type':'CALL_ACTION','payload':{'n':2},'componentId':'c','action':'x'}"),
		MESSAGE_OK);
	message_deinit(&m);
	ck_assert_int_eq(decode(&m,
				"{'type':'COMPONENT_MOUNT','payload':{'component':'C'},'type':'ROOM_EMIT','roomId':'r',"
				"'componentId':'c'}"),
			 MESSAGE_OK);
	ck_assert_ptr_nonnull(m.invalid);
	message_deinit(&m);
}
END_TEST

START_TEST(test_room_forms)
{
	struct message m;
	ck_assert_int_eq(decode(&m, "{'type':'ROOM_EMIT','componentId':'c','roomId':'r','payload':{'event':'e','data': "
				    "{'a' : 1} }}"),
			 MESSAGE_OK);
	expect_str(m.event, "e");
	expect_str(m.data, "{\"a\" : 1}");
	expect_str(m.room_id, "r");
	message_deinit(&m);
	ck_assert_int_eq(decode(&m, "{'roomId':'r','data':[1,2],'event':'e','componentId':'c','type':'ROOM_EMIT'}"),
			 MESSAGE_OK);
	expect_str(m.event, "e");
	expect_str(m.data, "[1,2]");
	ck_assert_ptr_null(m.invalid);
	message_deinit(&m);
	/* The payload's event brings the payload's data with it. */
	ck_assert_int_eq(
		decode(&m, "{'type':'ROOM_EMIT','componentId':'c','event':'old','data':'old','payload':{'roomId':'p',"
			   "'event':'new'}}"),
		MESSAGE_OK);
	expect_str(m.event, "new");
	ck_assert_uint_eq(m.data.len, 0);
	expect_str(m.room_id, "p");
	message_deinit(&m);
	ck_assert_int_eq(
		decode(&m,
		       "{'type':'ROOM_EMIT','componentId':'c','payload':{'roomId':'p','event':'e'},'roomId':'top'}"),
		MESSAGE_OK);
	expect_str(m.room_id, "top");
	message_deinit(&m);
	ck_assert_int_eq(decode(&m, "{'type':'ROOM_STATE_SET','componentId':'c','roomId':'r','data':{'a':1}}"),
			 MESSAGE_OK);
	ck_assert_int_eq(live_as_int(live_path(m.payload, "state.a"), 0), 1);
	message_deinit(&m);
	ck_assert_int_eq(decode(&m, "{'type':'ROOM_STATE_SET','componentId':'c','roomId':'r','data':{'a':1},'payload':{"
				    "'state':{'a':2}}}"),
			 MESSAGE_OK);
	ck_assert_int_eq(live_as_int(live_path(m.payload, "state.a"), 0), 2);
	message_deinit(&m);
	ck_assert_int_eq(
		decode(&m, "{'type':'ROOM_JOIN','componentId':'c','roomId':'r','data':{'initialState':{'a':1}}}"),
		MESSAGE_OK);
	ck_assert_int_eq(live_as_int(live_path(m.payload, "initialState.a"), 0), 1);
	message_deinit(&m);
	ck_assert_int_eq(
		decode(&m,
		       "{'type':'ROOM_JOIN','componentId':'c','roomId':'r','data':{'initialState':{'a':1}},'payload':"
		       "{'initialState':{'a':2}}}"),
		MESSAGE_OK);
	ck_assert_int_eq(live_as_int(live_path(m.payload, "initialState.a"), 0), 2);
	message_deinit(&m);
}
END_TEST

START_TEST(test_prototype_names)
{
	static const char *const names[] = {"__proto__", "constructor", "prototype", "__pro\\u0074o__",
					    "\\u005f_proto__"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char json[400];
		struct message m;
		snprintf(json, sizeof json,
			 "{'type':'CALL_ACTION','componentId':'c','action':'a','payload':{'%s':1,'ok':[{'%s':{},"
			 "'in':1}]}}",
			 names[i], names[i]);
		ck_assert_int_eq(decode(&m, json), MESSAGE_OK);
		char *text = live_to_json(m.payload, NULL);
		ck_assert_str_eq(text, "{\"ok\":[{\"in\":1}]}");
		free(text);
		message_deinit(&m);
		static const char *const forms[] = {"'payload':{'event':'e','data':%s}", "'event':'e','data':%s"};
		for (size_t f = 0; f < 2; f++) {
			char data[120], rest[200];
			snprintf(data, sizeof data, "{'%s':1,'ok':[{'%s':{},'in':1}]}", names[i], names[i]);
			snprintf(rest, sizeof rest, forms[f], data);
			snprintf(json, sizeof json, "{'type':'ROOM_EMIT','componentId':'c','roomId':'r',%s}", rest);
			ck_assert_int_eq(decode(&m, json), MESSAGE_OK);
			expect_str(m.data, "{\"ok\":[{\"in\":1}]}");
			message_deinit(&m);
		}
	}
	/* As a value they are text like any other. */
	struct message m;
	ck_assert_int_eq(decode(&m, "{'type':'ROOM_EMIT','componentId':'c','roomId':'r','payload':{'event':'__proto__',"
				    "'data':'constructor'}}"),
			 MESSAGE_OK);
	expect_str(m.event, "__proto__");
	expect_str(m.data, "\"constructor\"");
	message_deinit(&m);
}
END_TEST

START_TEST(test_surrogates_and_nul)
{
	struct message m;
	ck_assert_int_eq(decode(&m, "{'type':'CALL_ACTION','componentId':'\\ud800','action':'a\\u0000b','requestId':'"
				    "\\udfff\\ud83d\\ude00',"
				    "'payload':{'\\udc00':'\\ud800'}}"),
			 MESSAGE_OK);
	ck_assert_ptr_null(m.invalid);
	ck_assert_uint_eq(m.action.len, 3);
	ck_assert_uint_eq(m.component_id.len, 3);
	char *text = live_to_json(m.payload, NULL);
	ck_assert_str_eq(text, "{\"\\udc00\":\"\\ud800\"}");
	free(text);
	message_deinit(&m);
}
END_TEST

START_TEST(test_generation)
{
	static const struct {
		const char *json;
		bool is_legacy;
	} all[] = {
		{"{'type':'AUTH','timestamp':1,'requestId':'req-1-abc'}", true},
		{"{'requestId':'req-','timestamp':1.5,'type':'AUTH'}", true},
		{"{'type':'AUTH','timestamp':1,'requestId':'inspect-1'}", false},
		{"{'type':'AUTH','requestId':'req-1-abc'}", false},
		{"{'type':'AUTH','timestamp':1}", false},
		{"{'type':'AUTH','timestamp':1,'requestId':'re'}", false},
	};
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct message m;
		ck_assert_int_eq(decode(&m, all[i].json), MESSAGE_OK);
		ck_assert_msg(m.is_legacy == all[i].is_legacy, "%s", all[i].json);
		message_deinit(&m);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("decode");
	TCase *all = tcase_create("decode");
	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_loop_test(all, test_shape, 0, sizeof shapes / sizeof shapes[0]);
	tcase_add_loop_test(all, test_result, 0, sizeof results / sizeof results[0]);
	const TTest *const tests[] = {
		test_depth,     test_fields, test_room_forms, test_prototype_names, test_surrogates_and_nul,
		test_generation};
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		tcase_add_test(all, tests[i]);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
