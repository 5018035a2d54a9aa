/* What stands on the wire, byte by byte, with a plain Redis client in the part of a node of the reference. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/msgpack.h"
#include "redis/room_message.h"
#include "unit/redis/nodes.h"

static struct cluster *cluster;
static struct room_node *node;
static redisContext *reference; /* subscribed to the room's channel */
static char text[4096];

static void begin_with(const struct redis_room_options *options)
{
	cluster = cluster_new("");
	if (options)
		cluster->rooms = *options;
	reference = redis_server_client(cluster->server);
	freeReplyObject(redisCommand(reference, "SUBSCRIBE fluxstack:room:ch:lobby"));
	node = room_node_new(cluster, NULL, 1);
}

static void begin(void)
{
	begin_with(NULL);
}

static void end(void)
{
	room_node_free(node);
	redisFree(reference);
	cluster_free(cluster);
}

/* The next message, with our origin as ORIGIN and the lineage as LINEAGE: those are new in each run. */
static const char *next_message(void)
{
	redisReply *reply = NULL;
	const char *end_of_lineage;

	cluster_run(cluster, 20);
	ck_assert_int_eq(redisGetReply(reference, (void **)&reply), REDIS_OK);
	ck_assert_uint_eq(reply->elements, 3);
	snprintf(text, sizeof text, "%s", reply->element[2]->str);
	freeReplyObject(reply);
	char *origin = strstr(text, node->base->node->origin);
	ck_assert_ptr_nonnull(origin);
	memcpy(origin, "==ORIGIN", 8);
	char *lineage = strstr(text, "\"e\":\"");
	if (lineage) {
		end_of_lineage = strchr(lineage + 5, '"');
		ck_assert_int_eq(end_of_lineage - lineage, 5 + 8);
		memcpy(lineage + 5, "=LINEAGE", 8);
	}
	return text;
}

static void publish(const char *message)
{
	freeReplyObject(redisCommand(cluster->server->client, "PUBLISH fluxstack:room:ch:lobby %s", message));
}

/* What the reference's script does: decodes, merges the top level, encodes, publishes. */
static void reference_changes(const char *key, const char *value, const char *message)
{
	freeReplyObject(redis_server_ask(cluster->server, "EVAL %s 1 fluxstack:room:state:lobby %s %s",
					 "local s = redis.call('GET', KEYS[1]) "
					 "local t = s and cjson.decode(s) or {} "
					 "t[ARGV[1]] = cjson.decode(ARGV[2]) "
					 "redis.call('SET', KEYS[1], cjson.encode(t), 'EX', 86400)",
					 key, value));
	publish(message);
}

START_TEST(what_we_write_is_what_the_reference_writes)
{
	begin();
	struct guest *ann = guest_new(node, 0, "Ab3dEf9_", "lobby", NULL);

	ck_assert_str_eq(next_message(), "{\"type\":\"membership\",\"roomId\":\"lobby\",\"action\":\"join\","
					 "\"componentId\":\"Ab3dEf9_\",\"origin\":\"==ORIGIN\",\"members\":1}");
	guest_emit(ann, "msg:new", "{\"text\":\"yo\"}");
	ck_assert_str_eq(next_message(), "{\"type\":\"event\",\"roomId\":\"lobby\",\"event\":\"msg:new\","
					 "\"data\":{\"text\":\"yo\"},\"origin\":\"==ORIGIN\"}");
	guest_set(ann, "{\"topic\":\"new\"}");
	ck_assert_str_eq(next_message(), "{\"type\":\"state\",\"roomId\":\"lobby\",\"updates\":{\"topic\":\"new\"},"
					 "\"origin\":\"==ORIGIN\",\"v\":1,\"e\":\"=LINEAGE\",\"c\":1}");
	ck_assert_str_eq(redis_server_ask_text(cluster->server, "GET fluxstack:room:state:lobby"),
			 "{\"topic\":\"new\"}");
	ck_assert_int_gt(redis_server_ask_number(cluster->server, "TTL fluxstack:room:state:lobby"), 86390);
	guest_free(ann);
	ck_assert_str_eq(next_message(), "{\"type\":\"membership\",\"roomId\":\"lobby\",\"action\":\"leave\","
					 "\"componentId\":\"Ab3dEf9_\",\"origin\":\"==ORIGIN\",\"members\":0}");
	end();
}
END_TEST

START_TEST(what_the_reference_writes_is_understood)
{
	begin();
	freeReplyObject(redis_server_ask(cluster->server, "SET fluxstack:room:state:lobby {\"topic\":\"stored\"}"));
	struct guest *ann = guest_new(node, 0, "ann", "lobby", "{\"topic\":\"mine\"}");

	guest_expect(ann, "JOINED {\"topic\":\"stored\"}\n");
	publish("{\"type\":\"event\",\"roomId\":\"lobby\",\"event\":\"msg:new\",\"data\":{\"text\":\"yo\"},"
		"\"origin\":\"nodeA_01\"}");
	guest_expect(ann, "msg:new {\"text\":\"yo\"}\n");
	publish("{\"type\":\"membership\",\"roomId\":\"lobby\",\"action\":\"join\",\"componentId\":\"Ab3dEf9_\","
		"\"origin\":\"nodeA_01\"}");
	guest_expect(ann, "$sub:join {\"subscriberId\":\"Ab3dEf9_\"}\n");
	publish("{\"type\":\"membership\",\"roomId\":\"lobby\",\"action\":\"leave\",\"componentId\":\"Ab3dEf9_\","
		"\"origin\":\"nodeA_01\"}");
	guest_expect(ann, "$sub:leave {\"subscriberId\":\"Ab3dEf9_\"}\n");
	reference_changes(
		"topic", "\"new\"",
		"{\"type\":\"state\",\"roomId\":\"lobby\",\"updates\":{\"topic\":\"new\"},\"origin\":\"nodeA_01\"}");
	guest_expect(ann, "$state:update {\"state\":{\"topic\":\"new\"}}\n");
	guest_free(ann);
	end();
}
END_TEST

START_TEST(what_is_no_message_is_ignored)
{
	static const char *const noise[] = {
		"",
		"x",
		"{}",
		"[]",
		"{\"type\":\"event\"}",
		"{\"type\":\"other\",\"roomId\":\"lobby\",\"origin\":\"nodeA_01\"}",
		"{\"type\":\"state\",\"roomId\":\"lobby\",\"updates\":3,\"origin\":\"nodeA_01\"}",
		"{\"type\":\"state\",\"roomId\":\"lobby\",\"updates\":{},\"origin\":\"nodeA_01\",\"v\":-1,\"e\":"
		"\"lineage1\",\"c\":1}",
		"{\"type\":\"state\",\"roomId\":\"lobby\",\"updates\":{},\"origin\":\"nodeA_01\",\"v\":1,\"e\":"
		"\"lineage1\",\"c\":-1}",
		"{\"type\":\"event\",\"roomId\":\"other\",\"event\":\"e\",\"origin\":\"nodeA_01\"}",
		"\x93\x01"};

	begin();
	struct guest *ann = guest_new(node, 0, "ann", "lobby", NULL);

	guest_expect(ann, "JOINED {}\n");
	for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++)
		publish(noise[i]);
	publish("{\"type\":\"event\",\"roomId\":\"lobby\",\"event\":\"last\",\"data\":1,\"origin\":\"nodeA_01\"}");
	guest_expect(ann, "last 1\n");
	ck_assert_uint_eq(FIGURE(node, refused_misplaced), 2);
	ck_assert_uint_eq(FIGURE(node, refused_malformed), sizeof noise / sizeof noise[0] - 2);
	guest_free(ann);
	end();
}
END_TEST

START_TEST(what_we_said_ourselves_is_not_heard_again)
{
	begin();
	struct guest *ann = guest_new(node, 0, "ann", "lobby", NULL);
	struct guest *bob = guest_new(node, 0, "bob", "lobby", NULL);

	guest_emit(ann, "e", "1");
	guest_set(ann, "{\"n\":1}");
	cluster_run(cluster, 50);
	guest_expect(bob, "JOINED {}\ne 1\n$state:update {\"state\":{\"n\":1}}\n");
	guest_free(ann);
	guest_free(bob);
	end();
}
END_TEST

/* The reference merges in Redis, which mangles what it does not name; and its changes have no version. */
START_TEST(both_kinds_of_node_end_up_the_same)
{
	begin();
	struct guest *ann = guest_new(node, 0, "ann", "lobby", "{\"list\":[1],\"n\":0}");

	reference_changes(
		"m", "{\"x\":1}",
		"{\"type\":\"state\",\"roomId\":\"lobby\",\"updates\":{\"m\":{\"x\":1}},\"origin\":\"nodeA_01\"}");
	guest_await_state(ann, "{\"list\":[1],\"n\":0,\"m\":{\"x\":1}}");
	guest_set(ann, "{\"n\":1}");
	reference_changes(
		"m", "{\"y\":2}",
		"{\"type\":\"state\",\"roomId\":\"lobby\",\"updates\":{\"m\":{\"y\":2}},\"origin\":\"nodeA_01\"}");
	guest_set(ann, "{\"k\":2}");
	/* The reference replaced m as a whole. */
	guest_await_state(ann, "{\"list\":[1],\"n\":1,\"m\":{\"y\":2},\"k\":2}");
	cluster_run(cluster, 50);
	const char *stored = redis_server_ask_text(cluster->server, "GET fluxstack:room:state:lobby");
	const live_value *value = value_of(stored);
	ck_assert_msg(live_equal(value, ann->state), "%s", stored);
	live_value_unref(value);
	guest_free(ann);
	end();
}
END_TEST

/* ---- MessagePack ---- */

START_TEST(messagepack_is_read_by_all)
{
	begin();
	cluster->rooms.msgpack = true;
	struct room_node *packer = room_node_new(cluster, NULL, 1);
	struct guest *ann = guest_new(packer, 0, "ann", "lobby", NULL);
	struct guest *bob = guest_new(node, 0, "bob", "lobby", NULL);

	guest_expect(bob, "JOINED {}\n");
	guest_emit(ann, "e", "{\"a\":[1,null,\"x\"]}");
	guest_expect(bob, "e {\"a\":[1,null,\"x\"]}\n");
	guest_set(ann, "{\"big\":1152921504606846977,\"o\":{\"e\":[]}}");
	guest_expect(bob, "$state:update {\"state\":{\"big\":1152921504606846977,\"o\":{\"e\":[]}}}\n");
	guest_set(bob, "{\"n\":1}");
	guest_await_state(ann, "{\"big\":1152921504606846977,\"o\":{\"e\":[]},\"n\":1}");
	guest_set(ann, "{\"n\":2}");
	guest_await_state(bob, "{\"big\":1152921504606846977,\"o\":{\"e\":[]},\"n\":2}");
	/* What is stored is what the last one wrote, and read by the other kind, too. */
	const char *stored = redis_server_ask_text(cluster->server, "GET fluxstack:room:state:lobby");
	ck_assert_int_eq((unsigned char)stored[0], 0x83);
	guest_free(ann);
	guest_free(bob);
	room_node_free(packer);
	end();
}
END_TEST

/* ---- signatures ---- */

static void with_secret(bool msgpack)
{
	begin_with(&(struct redis_room_options){.ttl = 100, .secret = "secret", .msgpack = msgpack});
}

START_TEST(signed_nodes_refuse_what_is_not_signed)
{
	with_secret(_i);
	struct room_node *other = room_node_new(cluster, NULL, 1);
	struct guest *ann = guest_new(node, 0, "ann", "lobby", "{\"n\":0}");
	struct guest *bob = guest_new(other, 0, "bob", "lobby", NULL);

	guest_expect(bob, "JOINED {\"n\":0}\n");
	publish("{\"type\":\"event\",\"roomId\":\"lobby\",\"event\":\"forged\",\"data\":1,\"origin\":\"nodeA_01\"}");
	publish("{\"type\":\"state\",\"roomId\":\"lobby\",\"updates\":{\"n\":9},\"origin\":\"nodeA_01\"}");
	guest_emit(ann, "true", "1");
	guest_expect(bob, "true 1\n");
	ck_assert_uint_eq(FIGURE(other, refused_unsigned), 2);
	guest_set(ann, "{\"n\":1}");
	guest_expect(bob, "$state:update {\"state\":{\"n\":1}}\n");
	/* A state that is changed behind our backs is set right at the next change. */
	freeReplyObject(redis_server_ask(cluster->server, "SET fluxstack:room:state:lobby {\"n\":666}"));
	guest_set(ann, "{\"k\":1}");
	guest_await_state(bob, "{\"n\":1,\"k\":1}");
	guest_await_state(ann, "{\"n\":1,\"k\":1}");
	guest_free(ann);
	guest_free(bob);
	room_node_free(other);
	end();
}
END_TEST

START_TEST(a_signature_is_of_every_byte)
{
	struct buf scratch, out, read;
	struct room_message m = {.type = ROOM_MESSAGE_EVENT,
				 .room_id = STR("lobby"),
				 .event = STR("e"),
				 .data = STR("{\"a\":1}"),
				 .origin = STR("nodeA_01"),
				 .members = -1};
	struct room_message back;

	buf_init(&scratch, 1 << 20);
	buf_init(&out, 1 << 20);
	buf_init(&read, 1 << 20);
	struct room_format format = {.msgpack = _i, .secret = STR("s"), .scratch = &scratch, .max_depth = 32};
	room_message_encode(&out, &m, &format);
	ck_assert_int_eq(room_message_decode(&back, buf_str(&out), &format, &read), 0);
	ck_assert(str_equal(back.data, m.data) && str_equal(back.event, m.event) && str_equal(back.origin, m.origin));
	for (size_t i = 0; i < out.len; i++) {
		out.ptr[i] ^= 1;
		ck_assert_int_lt(room_message_decode(&back, buf_str(&out), &format, &read), 0);
		out.ptr[i] ^= 1;
	}
	for (size_t len = 0; len < out.len; len++)
		ck_assert_int_lt(room_message_decode(&back, (struct str){out.ptr, len}, &format, &read), 0);
	/* Who has no secret reads it all the same. */
	format.secret = (struct str){0};
	ck_assert_int_eq(room_message_decode(&back, buf_str(&out), &format, &read), 0);
	ck_assert(str_equal(back.data, m.data));
	buf_deinit(&scratch);
	buf_deinit(&out);
	buf_deinit(&read);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rooms on the wire");
	TCase *cases = tcase_create("all");

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, what_we_write_is_what_the_reference_writes);
	tcase_add_test(cases, what_the_reference_writes_is_understood);
	tcase_add_test(cases, what_is_no_message_is_ignored);
	tcase_add_test(cases, what_we_said_ourselves_is_not_heard_again);
	tcase_add_test(cases, both_kinds_of_node_end_up_the_same);
	tcase_add_test(cases, messagepack_is_read_by_all);
	tcase_add_loop_test(cases, signed_nodes_refuse_what_is_not_signed, 0, 2);
	tcase_add_loop_test(cases, a_signature_is_of_every_byte, 0, 2);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
