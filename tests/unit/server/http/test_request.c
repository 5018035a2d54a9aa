#include "server/http/http_private.h"
#include "unit/server/net/net_stage.h"

static struct net_stage stage;
static struct http_service *service;
static int peer;
static struct handle kept;
static unsigned handled;

static void on_later(struct http_request *request, void *argument)
{
	(void)argument;
	handled++;
	kept = http_request_handle(request);
}

static void on_headers(struct http_request *request, void *argument)
{
	(void)argument;
	handled++;
	http_reply_header(request, "X-Good", STR("fine"));
	http_reply_header(request, "X-Split", STR("a\r\nSet-Cookie: evil"));
	http_reply_header(request, "X Bad", STR("name"));
	http_reply(request, 200, NULL, STR(""));
}

static void setup(void)
{
	struct accepted accepted = {.peer_len = sizeof(sa_family_t)};
	accepted.peer.ss_family = AF_UNIX;
	net_stage_start(&stage, NULL);
	service = http_service_new(
		&(struct http_options){.max_requests = 5, .idle_ms = 1000, .header_ms = 500, .body_ms = 300});
	http_service_add(service, "GET", "/later", on_later, NULL);
	http_service_add(service, "POST", "/later", on_later, NULL);
	http_service_add(service, "GET", "/headers", on_headers, NULL);
	handled = 0;
	net_stage_pair(&peer, &accepted.fd);
	struct connection *conn;
	ck_assert_int_eq(http_connection_open(&conn, service, stage.net, &accepted), 0);
}

static void teardown(void)
{
	close(peer);
	net_stage_end(&stage);
	http_service_free(service);
}

static void say(const char *text)
{
	ck_assert_int_eq(send(peer, text, strlen(text), 0), (ssize_t)strlen(text));
	net_stage_run(&stage);
}

static const char *answer(void)
{
	static char got[65536];
	got[net_stage_receive(peer, got, sizeof got - 1)] = '\0';
	return got;
}

START_TEST(a_deferred_reply_finds_its_request)
{
	say("GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /headers HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_uint_eq(handled, 1); /* the second must wait for the first */
	ck_assert_str_eq(answer(), "");
	http_reply(http_request_find(stage.shard, kept), 200, NULL, STR("now"));
	ck_assert_ptr_null(http_request_find(stage.shard, kept));
	net_stage_run(&stage);
	ck_assert_uint_eq(handled, 2);
	const char *got = answer();
	ck_assert_ptr_nonnull(strstr(got, "now"));
	ck_assert(strstr(got, "now") < strstr(got, "X-Good"));
}
END_TEST

START_TEST(a_lost_client_takes_its_request_along)
{
	say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_ptr_nonnull(http_request_find(stage.shard, kept));
	close(peer);
	peer = -1;
	net_stage_run(&stage); /* a half-closed peer may still read: the reply is tried, and then it is over */
	http_reply(http_request_find(stage.shard, kept), 200, NULL, STR("too late"));
	net_stage_run(&stage);
	ck_assert_ptr_null(http_request_find(stage.shard, kept));
	ck_assert_uint_eq(net_shard_count(stage.net), 0);
}
END_TEST

START_TEST(no_header_is_split)
{
	say("GET /headers HTTP/1.1\r\nHost: x\r\n\r\n");
	const char *got = answer();
	ck_assert_ptr_nonnull(strstr(got, "X-Good: fine\r\n"));
	ck_assert_ptr_null(strstr(got, "X-Split"));
	ck_assert_ptr_null(strstr(got, "Set-Cookie"));
	ck_assert_ptr_null(strstr(got, "X Bad"));
}
END_TEST

START_TEST(an_idle_connection_holds_no_request)
{
	say("GET /headers HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_uint_eq(net_shard_count(stage.net), 1);
	net_stage_pass(&stage, 1000);
	(void)answer();
	ck_assert(net_stage_ended(peer));
	ck_assert_uint_eq(counter_read(&stage.counters->http_timeouts), 1);
}
END_TEST

START_TEST(dripping_does_not_extend_the_header)
{
	static const char request[] = "GET /headers HTTP/1.1\r\nHost: x\r\nA: aaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	for (size_t i = 0; i < sizeof request - 1 && stage.now_ms < 600; i++) {
		send(peer, request + i, 1, MSG_NOSIGNAL);
		net_stage_pass(&stage, 20);
	}
	ck_assert_ptr_nonnull(strstr(answer(), "HTTP/1.1 408 "));
}
END_TEST

START_TEST(a_waiting_handler_has_no_deadline)
{
	say("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab");
	net_stage_pass(&stage, 100000);
	struct http_request *request = http_request_find(stage.shard, kept);
	ck_assert_ptr_nonnull(request);
	ck_assert(str_equal(http_request_body(request), STR("ab")));
	http_reply_error(request, 503, "busy");
	net_stage_run(&stage);
	ck_assert_ptr_nonnull(strstr(answer(), "503 Service Unavailable"));
}
END_TEST

START_TEST(shutdown_lets_the_owed_reply_out)
{
	say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	net_shard_shutdown(stage.net);
	net_stage_run(&stage);
	ck_assert_uint_eq(net_shard_count(stage.net), 1);
	http_reply(http_request_find(stage.shard, kept), 200, NULL, STR("late"));
	net_stage_run(&stage);
	ck_assert_ptr_nonnull(strstr(answer(), "Connection: close"));
	ck_assert(net_stage_ended(peer));
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, a_deferred_reply_finds_its_request);
	tcase_add_test(tests, a_lost_client_takes_its_request_along);
	tcase_add_test(tests, no_header_is_split);
	tcase_add_test(tests, an_idle_connection_holds_no_request);
	tcase_add_test(tests, dripping_does_not_extend_the_header);
	tcase_add_test(tests, a_waiting_handler_has_no_deadline);
	tcase_add_test(tests, shutdown_lets_the_owed_reply_out);
}

int main(void)
{
	return run_tests("request", add);
}
