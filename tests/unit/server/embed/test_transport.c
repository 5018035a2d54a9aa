/*
 * A transport that is not ours: clients without a socket, requests without HTTP.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "unit/core/core_test.h"
#include "unit/server/embed/embed_stage.h"

static int increment(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_set(self, "count", live_int(live_get_int(self, "count") + 1));
	live_reply_value(reply, live_int(live_get_int(self, "count")));
	return 0;
}

static live_deferred *waiting;

static int wait_long(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	waiting = live_reply_defer(reply);
	return 0;
}

static const live_definition counter = {
	.name = "Counter",
	.default_state = LIVE_JSON({"count" : 0}),
	.actions = LIVE_ACTIONS({"increment", increment}, {"wait", wait_long}),
};

static struct embed_stage *started(void)
{
	struct embed_stage *stage = embed_stage_new((const live_definition *[]){&counter, NULL});

	embed_stage_start(stage);
	return stage;
}

/* A client mounts, acts and hears, as over a socket. */
START_TEST(session)
{
	struct embed_stage *stage = started();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_mount(ana, "Counter", NULL);
	const live_value *reply =
		embed_client_ask(ana, "'type':'CALL_ACTION','componentId':'%s','action':'increment'", id);
	ck_assert(live_as_bool(live_get(reply, "success")));
	ck_assert_int_eq(live_as_int(live_get(reply, "result"), 0), 1);
	reply = embed_client_ask(ana, "'type':'COMPONENT_PING'");
	ck_assert_str_eq(live_as_string(live_get(reply, "type")), "COMPONENT_PONG");
	embed_client_send_bytes(ana, "\x01\x02", 2, true);
	embed_client_wait(ana, "error", "Binary messages are not supported");
	embed_client_send_bytes(ana, "{", 1, false);
	embed_client_wait(ana, "error", "Invalid JSON");
	embed_stage_free(stage);
}
END_TEST

/* A client that is held is told so, and what it says meanwhile waits in order. */
START_TEST(held)
{
	struct embed_stage *stage = started();
	struct embed_client *ana = embed_client_new(stage, "no-such-token", NULL);
	for (int i = 0; i < 20; i++)
		embed_client_send(ana, "{'type':'AUTH','requestId':'a%d','payload':{'token':'x'}}", i);
	embed_client_wait(ana, "requestId", "a19");
	ck_assert_uint_ge(embed_client_pauses(ana), 1);
	embed_stage_free(stage);
}
END_TEST

START_TEST(foreign_page)
{
	struct embed_stage *stage = started();
	struct embed_client *evil = embed_client_new(stage, NULL, "https://evil.example");
	ck_assert_uint_eq(embed_client_wait_closed(evil), 4003);
	embed_client_send(evil, "{'type':'COMPONENT_PING'}");
	embed_stage_free(stage);
}
END_TEST

/* The server ends: clients are sent away, and those whose transport does not react are ended all the same. */
START_TEST(shutdown)
{
	struct embed_stage *stage = started();
	live_server *server = embed_stage_server(stage);
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	embed_client_mount(ana, "Counter", NULL);
	live_server_shutdown(server, 0);
	ck_assert_uint_eq(embed_client_wait_closed(ana), 1001);
	ck_assert(!live_server_is_running(server));
	ck_assert_ptr_null(live_socket_open(server, NULL, NULL, NULL));
	embed_client_send(ana, "{'type':'COMPONENT_PING'}");
	embed_stage_free(stage);
}
END_TEST

/* A client that is behind gets its state in one piece when it has caught up. */
START_TEST(behind)
{
	struct embed_stage *stage = started();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_mount(ana, "Counter", NULL);
	live_socket_set_behind(embed_client_socket(ana), true);
	for (int i = 0; i < 3; i++)
		embed_client_ask(ana, "'type':'CALL_ACTION','componentId':'%s','action':'increment'", id);
	live_socket_set_behind(embed_client_socket(ana), false);
	const live_value *state = embed_client_wait(ana, "type", "STATE_UPDATE");
	ck_assert_int_eq(live_as_int(live_path(state, "payload.state.count"), 0), 3);
	embed_stage_free(stage);
}
END_TEST

/* A deferred reply whose client has gone comes to nothing. */
START_TEST(gone)
{
	struct embed_stage *stage = started();
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_mount(ana, "Counter", NULL);
	waiting = NULL;
	embed_client_send(ana, "{'type':'CALL_ACTION','componentId':'%s','action':'wait','payload':{}}", id);
	embed_client_ask(ana, "'type':'COMPONENT_PING'");
	ck_assert_ptr_nonnull(waiting);
	embed_client_close(ana);
	live_deferred_value(waiting, live_int(1));
	embed_stage_free(stage);
}
END_TEST

/* ---- requests ---- */

struct answered {
	unsigned status;
	char text[4096], headers[256], type[64];
	live_wait *wait; /* told when it is answered */
};

static void on_answer(void *argument, unsigned status, const char *headers, const char *content_type, const void *body,
		      size_t len)
{
	struct answered *answered = argument;

	answered->status = status;
	snprintf(answered->text, sizeof answered->text, "%.*s", (int)len, (const char *)body);
	snprintf(answered->headers, sizeof answered->headers, "%s", headers);
	snprintf(answered->type, sizeof answered->type, "%s", content_type ? content_type : "");
	live_wait_done(answered->wait, NULL, NULL);
}

/* Finds the route and waits for its answer; status 0: there is none. */
static void serve(struct embed_stage *stage, const live_request_info *info, struct answered *answered)
{
	size_t count;
	const live_route *routes = embed_stage_routes(stage, &count);

	*answered = (struct answered){0};
	for (size_t i = 0; i < count; i++) {
		if (!live_route_matches(&routes[i], info->method, info->path))
			continue;
		answered->wait = live_wait_new();
		live_route_serve(&routes[i], info, on_answer, answered);
		ck_assert_int_eq(live_wait_for(answered->wait, 20000, NULL, NULL, 0), 0);
		return;
	}
}

/* The server's own routes work without HTTP. */
START_TEST(own_routes)
{
	struct embed_stage *stage = started();
	struct answered a;
	serve(stage, &(live_request_info){.method = "GET", .path = "/healthz"}, &a);
	ck_assert_uint_eq(a.status, 200);
	ck_assert_str_eq(a.text, "{\"status\":\"ok\"}");
	serve(stage, &(live_request_info){.method = "GET", .path = "/api/live/components"}, &a);
	ck_assert_str_eq(a.text, "{\"names\":[\"Counter\"]}");
	serve(stage, &(live_request_info){.method = "GET", .path = "/api/live/stats"}, &a);
	ck_assert_ptr_nonnull(strstr(a.text, "\"definitions\":1"));
	serve(stage, &(live_request_info){.method = "GET", .path = "/metrics"}, &a);
	ck_assert_uint_eq(a.status, 200);
	static const char body[] = "{\"event\":\"hi\",\"data\":1}";
	serve(stage,
	      &(live_request_info){.method = "POST",
				   .path = "/api/live/rooms/a%2Db/emit",
				   .body = body,
				   .body_len = sizeof body - 1},
	      &a);
	ck_assert_str_eq(a.text, "{\"success\":true,\"roomId\":\"a-b\",\"event\":\"hi\"}");
	serve(stage, &(live_request_info){.method = "GET", .path = "/nothing"}, &a);
	ck_assert_uint_eq(a.status, 0);
	embed_stage_free(stage);
}
END_TEST

static void describe(live_request *request, void *argument)
{
	const char *name, *value;
	size_t len;

	ck_assert_str_eq(argument, "mine");
	ck_assert_str_eq(live_request_method(request), "PUT");
	ck_assert_str_eq(live_request_path(request), "/items/a%20b");
	ck_assert_str_eq(live_request_param(request, "item"), "a b");
	ck_assert_ptr_null(live_request_param(request, "other"));
	ck_assert_str_eq(live_request_query_text(request), "x=1+2&y&z=%zz&x=3");
	ck_assert_str_eq(live_request_query(request, "x"), "1 2");
	ck_assert_str_eq(live_request_query(request, "y"), "");
	ck_assert_str_eq(live_request_query(request, "z"), "%zz");
	ck_assert_ptr_null(live_request_query(request, "w"));
	ck_assert_str_eq(live_request_header(request, "x-tag"), "blue");
	ck_assert_ptr_null(live_request_header(request, "Y"));
	ck_assert(live_request_header_at(request, 0, &name, &value) && !strcmp(name, "X-Tag"));
	ck_assert(!live_request_header_at(request, 1, &name, &value));
	ck_assert_str_eq(live_request_body(request, &len), "body");
	ck_assert_uint_eq(len, 4);
	ck_assert_str_eq(live_request_peer(request), "192.0.2.1");
	ck_assert(live_request_is_secure(request));
	live_request_add_header(request, "X-Good", "yes");
	live_request_add_header(request, "X-Bad", "a\r\nb: c");
	live_request_add_header(request, "no token", "x");
	live_request_reply(request, 201, "text/plain", "made", 4);
}

START_TEST(request_view)
{
	struct embed_stage *stage = embed_stage_new(NULL);
	live_server *server = embed_stage_server(stage);
	char mine[] = "mine", path[] = "/items/:item";
	struct answered a;
	const live_route route = {.method = "PUT", .path = path, .handler = describe, .argument = mine};
	ck_assert_int_eq(live_server_add_route(server, &route), 0);
	path[1] = 'X'; /* it was copied */
	ck_assert_int_lt(
		live_server_add_route(server, &(live_route){.method = "GET", .path = "x", .handler = describe}), 0);
	ck_assert_int_lt(live_server_add_route(server, &(live_route){.method = "GET", .path = "/x"}), 0);
	embed_stage_start(stage);
	serve(stage,
	      &(live_request_info){.method = "PUT",
				   .path = "/items/a%20b",
				   .query = "x=1+2&y&z=%zz&x=3",
				   .headers = (const char *[]){"X-Tag", "blue", NULL},
				   .body = "body",
				   .body_len = 4,
				   .address = "192.0.2.1",
				   .is_secure = true},
	      &a);
	ck_assert_uint_eq(a.status, 201);
	ck_assert_str_eq(a.text, "made");
	ck_assert_str_eq(a.type, "text/plain");
	ck_assert_str_eq(a.headers, "X-Good: yes\r\n");
	embed_stage_free(stage);
}
END_TEST

CORE_TESTS("transport", session, held, foreign_page, shutdown, behind, gone, own_routes, request_view)
