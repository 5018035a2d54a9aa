/*
 * The connection manager and the rate limiter, asked by the program.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "unit/core/core_test.h"
#include "unit/server/embed/embed_stage.h"

static const live_definition thing = {.name = "Thing", .default_state = "{}"};

static struct embed_stage *stage;
static live_server *server;

static void begin(void)
{
	stage = embed_stage_new((const live_definition *[]){&thing, NULL});
	server = embed_stage_server(stage);
	embed_stage_start(stage);
}

static void finish(void)
{
	embed_stage_free(stage);
}

START_TEST(metrics)
{
	begin();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_id(ana);
	embed_client_mount(ana, "Thing", NULL);
	embed_client_send(ana, "{");
	embed_client_wait(ana, "error", "Invalid JSON");
	const live_value *about = EMBED_ANSWER(live_connections_get(server, id, live_wait_done, W));
	ck_assert_str_eq(live_as_string(live_get(about, "id")), id);
	ck_assert_int_eq(live_as_int(live_get(about, "messagesReceived"), 0), 2);
	ck_assert_int_ge(live_as_int(live_get(about, "messagesSent"), 0), 3);
	ck_assert_int_eq(live_as_int(live_get(about, "errorCount"), 0), 1);
	ck_assert_int_eq(live_as_int(live_get(about, "components"), 0), 1);
	ck_assert_str_eq(live_as_string(live_get(about, "status")), "connected");
	ck_assert_str_eq(live_as_string(live_get(about, "address")), "192.0.2.7");
	ck_assert_str_eq(live_as_string(live_get(about, "transport")), "socket");
	ck_assert_int_gt(live_as_int(live_get(about, "connectedAt"), 0), 1500000000000);
	ck_assert_int_ge(live_as_int(live_get(about, "lastActivity"), 0) + 1000,
			 live_as_int(live_get(about, "connectedAt"), 0));
	live_value_unref(about);
	ck_assert_str_eq(EMBED_ERROR(live_connections_get(server, "x", live_wait_done, W)), "Connection not found");
	finish();
}
END_TEST

START_TEST(pools)
{
	begin();
	struct embed_client *clients[4];
	for (int i = 0; i < 4; i++)
		clients[i] = embed_client_new(stage, NULL, NULL);
	for (int i = 0; i < 3; i++)
		EMBED_EXPECT("null", live_connections_set_pool(server, embed_client_id(clients[i]),
							       i == 2 ? "blue" : "red", live_wait_done, W));
	const live_value *reds = EMBED_ANSWER(live_connections_list(server, "red", live_wait_done, W));
	ck_assert_uint_eq(live_len(reds), 2);
	ck_assert_str_eq(live_as_string(live_path(reds, "0.pool")), "red");
	live_value_unref(reds);
	EMBED_EXPECT("2", live_connections_broadcast(server, "red", "NOTICE", live_string("to the reds"),
						     live_wait_done, W));
	embed_client_wait(clients[0], "payload", "to the reds");
	embed_client_wait(clients[1], "payload", "to the reds");
	EMBED_EXPECT("4", live_connections_broadcast(server, NULL, "NOTICE", NULL, live_wait_done, W));
	embed_client_wait(clients[3], "type", "NOTICE");
	const live_value *stats = EMBED_ANSWER(live_connections_stats(server, live_wait_done, W));
	ck_assert_int_eq(live_as_int(live_get(stats, "totalConnections"), 0), 4);
	ck_assert_int_eq(live_as_int(live_get(stats, "activeConnections"), 0), 4);
	ck_assert_int_eq(live_as_int(live_get(stats, "totalPools"), 0), 2);
	ck_assert_int_eq(live_as_int(live_get(stats, "totalQueuedMessages"), -1), 0);
	ck_assert_int_eq(live_as_int(live_get(stats, "maxConnections"), 0), 10000);
	ck_assert_double_eq_tol(live_as_double(live_get(stats, "connectionUtilization"), 0), 0.04, 1e-9);
	live_value_unref(stats);
	EMBED_EXPECT("null", live_connections_set_pool(server, embed_client_id(clients[2]), NULL, live_wait_done, W));
	EMBED_EXPECT("{'red':2}", live_connections_pools(server, live_wait_done, W));
	/* Those that are gone are in no pool. */
	embed_client_close(clients[0]);
	const live_value *left;
	size_t count;
	do {
		left = EMBED_ANSWER(live_connections_list(server, NULL, live_wait_done, W));
		count = live_len(left);
		live_value_unref(left);
	} while (count == 4);
	EMBED_EXPECT("{'red':1}", live_connections_pools(server, live_wait_done, W));
	finish();
}
END_TEST

START_TEST(closing_one)
{
	begin();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL), *bob = embed_client_new(stage, NULL, NULL);
	EMBED_EXPECT("null", live_connections_close(server, embed_client_id(ana), 4001, "enough", live_wait_done, W));
	ck_assert_uint_eq(embed_client_wait_closed(ana), 4001);
	ck_assert_str_eq(EMBED_ERROR(live_connections_close(server, embed_client_id(bob), 1005, "", live_wait_done, W)),
			 "Invalid close code");
	embed_client_ask(bob, "'type':'COMPONENT_PING'");
	finish();
}
END_TEST

static _Atomic(live_auth_request *) waiting;

static void think(void *argument, const live_value *credentials, live_auth_request *request)
{
	(void)argument, (void)credentials;
	waiting = request;
}

/* The status of the only connection; and how many are active. */
static void expect_status(const char *status, int64_t active)
{
	const live_value *list = EMBED_ANSWER(live_connections_list(server, NULL, live_wait_done, W));
	const live_value *stats = EMBED_ANSWER(live_connections_stats(server, live_wait_done, W));

	ck_assert_uint_eq(live_len(list), 1);
	ck_assert_str_eq(live_as_string(live_path(list, "0.status")), status);
	ck_assert_int_eq(live_as_int(live_path(list, "0.reconnectCount"), -1), 0);
	ck_assert_int_eq(live_as_int(live_get(stats, "activeConnections"), -1), active);
	live_value_unref(list);
	live_value_unref(stats);
}

START_TEST(statuses)
{
	stage = embed_stage_new((const live_definition *[]){&thing, NULL});
	server = embed_stage_server(stage);
	waiting = NULL;
	ck_assert_int_eq(live_server_use_auth(server, &(live_auth_provider){.name = "slow", .authenticate = think}), 0);
	embed_stage_start(stage);
	struct embed_client *ana = embed_client_new(stage, "token", "https://good.example");
	while (!waiting)
		live_value_unref(EMBED_ANSWER(live_connections_stats(server, live_wait_done, W)));
	expect_status("connecting", 0);
	live_auth_deny(waiting, NULL);
	const char *id =
		live_as_string(live_get(embed_client_wait(ana, "type", "CONNECTION_ESTABLISHED"), "connectionId"));
	expect_status("connected", 1);
	EMBED_EXPECT("null", live_connections_close(server, id, 4001, "enough", live_wait_done, W));
	ck_assert_uint_eq(embed_client_wait_closed(ana), 4001);
	expect_status("disconnecting", 0);
	finish();
}
END_TEST

START_TEST(rate_limiter)
{
	begin();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_id(ana);
	EMBED_EXPECT("{'tokens':100,'maxTokens':100,'refillRate':50}",
		     live_rate_limiter_get(server, id, live_wait_done, W));
	EMBED_EXPECT("true", live_rate_limiter_consume(server, id, 100, live_wait_done, W));
	EMBED_EXPECT("false", live_rate_limiter_consume(server, id, 100, live_wait_done, W));
	for (int i = 0; i < 300; i++)
		embed_client_send(ana, "{'type':'COMPONENT_PING'}");
	embed_client_wait(ana, "error", "Rate limit exceeded");
	EMBED_EXPECT("null", live_rate_limiter_reset(server, NULL, live_wait_done, W));
	EMBED_EXPECT("null", live_rate_limiter_reset(server, id, live_wait_done, W));
	const live_value *stats = EMBED_ANSWER(live_rate_limiter_stats(server, live_wait_done, W));
	ck_assert_int_ge(live_as_int(live_get(stats, "limited"), 0), 1);
	ck_assert_int_eq(live_as_int(live_get(stats, "connections"), 0), 1);
	ck_assert_int_eq(live_as_int(live_get(stats, "maxTokens"), 0), 100);
	live_value_unref(stats);
	ck_assert_str_eq(EMBED_ERROR(live_rate_limiter_reset(server, "x", live_wait_done, W)), "Connection not found");
	finish();
}
END_TEST

CORE_TESTS("connections", metrics, pools, closing_one, statuses, rate_limiter)
