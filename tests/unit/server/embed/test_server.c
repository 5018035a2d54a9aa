/*
 * A server's life inside a program: options, mistakes, start, end, answers that are waited for.
 */
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/core/core_test.h"
#include "unit/server/embed/embed_stage.h"

static live_server *seen_server;

static int look(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	seen_server = live_server_of(self);
	return 0;
}

static const live_definition looker = {.name = "Looker", .actions = LIVE_ACTIONS({"look", look})};

START_TEST(options_and_mistakes)
{
	char error[128];
	live_options *options = live_options_new();
	live_server *server;
	ck_assert_int_eq(live_options_set(options, "no-such", "1", error, sizeof error), -EINVAL);
	ck_assert_str_eq(error, "there is no setting named 'no-such'");
	ck_assert_int_eq(live_options_set(options, "port", "x", NULL, 0), -EINVAL);
	ck_assert_int_lt(live_options_read_file(options, "/nonexistent/settings", error, sizeof error), 0);
	char *wish[] = {"program", "--version", NULL};
	ck_assert_int_eq(live_options_read_arguments(options, 2, wish, error, sizeof error), -EINVAL);
	char *words[] = {"program", "--shards", "1", "--port=0", NULL};
	ck_assert_int_eq(live_options_read_arguments(options, 4, words, error, sizeof error), 0);
	ck_assert_int_eq(live_options_read_environment(options, error, sizeof error), 0);
	ck_assert_int_eq(live_options_set(options, "components", "/nonexistent", error, sizeof error), 0);
	ck_assert_int_lt(live_server_new(&server, options, error, sizeof error), 0);
	ck_assert_ptr_nonnull(strstr(error, "/nonexistent"));
	live_options_free(live_options_new());
	live_options_free(NULL);
	live_server_free(NULL);
}
END_TEST

START_TEST(registering)
{
	char error[128];
	struct embed_stage *stage = embed_stage_new((const live_definition *[]){&looker, NULL});
	live_server *server = embed_stage_server(stage);
	ck_assert_int_eq(live_server_register(server, &looker, error, sizeof error), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "defined twice"));
	ck_assert_int_lt(live_server_load(server, "/nonexistent", error, sizeof error), 0);
	ck_assert_int_lt(live_server_load(server, "/proc/self/exe", error, sizeof error), 0);
	ck_assert_int_eq(live_server_use_auth(server, &(live_auth_provider){.name = "x"}), -EINVAL);
	ck_assert(!live_server_is_running(server));
	ck_assert_uint_eq(live_server_shard_count(server), 2);
	ck_assert_ptr_eq(live_server_user_data(server), stage);
	ck_assert_str_eq(EMBED_ERROR(live_registry_stats(server, live_wait_done, W)), "The server does not run");
	ck_assert_str_eq(EMBED_ERROR(live_server_stats(server, live_wait_done, W)), "The server does not run");
	embed_stage_start(stage);
	ck_assert_int_eq(live_server_start(server, error, sizeof error), -EALREADY);
	ck_assert(live_server_is_running(server));
	ck_assert_uint_eq(live_server_port(server), 0); /* it is our transport that is listened on */
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	const char *id = embed_client_mount(ana, "Looker", NULL);
	embed_client_ask(ana, "'type':'CALL_ACTION','componentId':'%s','action':'look','payload':{}", id);
	ck_assert_ptr_eq(seen_server, server);
	embed_stage_free(stage);
}
END_TEST

/* Our own transport: a port that is free, and one that is not. */
START_TEST(listening)
{
	char error[256], port[16];
	live_server *first, *second;
	live_options *options = live_options_new();
	ck_assert_int_eq(live_options_set(options, "port", "0", error, sizeof error), 0);
	ck_assert_int_eq(live_options_set(options, "host", "127.0.0.1", error, sizeof error), 0);
	ck_assert_int_eq(live_server_new(&first, options, error, sizeof error), 0);
	ck_assert_int_eq(live_server_start(first, error, sizeof error), 0);
	ck_assert_uint_ne(live_server_port(first), 0);
	snprintf(port, sizeof port, "%u", live_server_port(first));
	options = live_options_new();
	ck_assert_int_eq(live_options_set(options, "port", port, error, sizeof error), 0);
	ck_assert_int_eq(live_options_set(options, "host", "127.0.0.1", error, sizeof error), 0);
	ck_assert_int_eq(live_server_new(&second, options, error, sizeof error), 0);
	ck_assert_int_lt(live_server_start(second, error, sizeof error), 0);
	ck_assert_ptr_nonnull(strstr(error, "cannot listen on"));
	ck_assert(!live_server_is_running(second));
	live_server_free(second);
	live_server_shutdown(first, 1000);
	live_server_shutdown(first, 1000);
	live_server_free(first);
}
END_TEST

/* ---- routes, over HTTP ---- */

static _Atomic(live_request *) kept;

static void keep(live_request *request, void *argument)
{
	(void)argument;
	atomic_store(&kept, request);
}

static void echo(live_request *request, void *argument)
{
	size_t len;
	const char *body = live_request_body(request, &len);

	(void)argument;
	live_request_add_header(request, "X-Item", live_request_param(request, "item"));
	live_request_add_header(request, "X-Query", live_request_query(request, "q"));
	live_request_reply(request, 200, "text/plain", body, len);
}

static int http_send(unsigned port, const char *text)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

/* All that comes until the server closes. */
static const char *http_read(int fd)
{
	static char text[4096];
	size_t len = 0;
	ssize_t got;

	while (len < sizeof text - 1 && (got = read(fd, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = 0;
	close(fd);
	return text;
}

static live_request *wait_for_kept(void)
{
	live_request *request;

	while (!(request = atomic_exchange(&kept, NULL)))
		sched_yield();
	return request;
}

/* A route answers at once, or later from this thread, also when its client has gone, or the server ends. */
START_TEST(routes)
{
	char error[256];
	live_server *server;
	live_options *options = live_options_new();
	ck_assert_int_eq(live_options_set(options, "port", "0", error, sizeof error), 0);
	ck_assert_int_eq(live_options_set(options, "host", "127.0.0.1", error, sizeof error), 0);
	ck_assert_int_eq(live_options_set(options, "shards", "2", error, sizeof error), 0);
	ck_assert_int_eq(live_server_new(&server, options, error, sizeof error), 0);
	const live_route at_once = {.method = "POST", .path = "/items/:item", .handler = echo, .max_body_bytes = 8};
	const live_route later = {.method = "GET", .path = "/later", .handler = keep};
	ck_assert_int_eq(live_server_add_route(server, &at_once), 0);
	ck_assert_int_eq(live_server_add_route(server, &later), 0);
	ck_assert_int_eq(live_server_start(server, error, sizeof error), 0);
	unsigned port = live_server_port(server);

	const char *reply = http_read(http_send(port, "POST /items/a%20b?q=x+y HTTP/1.1\r\nHost: t\r\n"
						      "Connection: close\r\nContent-Length: 4\r\n\r\nbody"));
	ck_assert(!strncmp(reply, "HTTP/1.1 200 ", 13));
	ck_assert(strstr(reply, "X-Item: a b\r\n") && strstr(reply, "X-Query: x y\r\n"));
	ck_assert_str_eq(strstr(reply, "\r\n\r\n"), "\r\n\r\nbody");
	reply = http_read(http_send(port, "POST /items/a HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n"));
	ck_assert(!strncmp(reply, "HTTP/1.1 413 ", 13));

	static const char get[] = "GET /later HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
	int fd = http_send(port, get);
	live_request_reply_json(wait_for_kept(), 202, "{\"late\":true}");
	reply = http_read(fd);
	ck_assert(!strncmp(reply, "HTTP/1.1 202 ", 13) && strstr(reply, "{\"late\":true}"));

	fd = http_send(port, get);
	live_request *request = wait_for_kept();
	close(fd);
	ck_assert_str_eq(live_request_path(request), "/later");
	live_request_reply_json(request, 200, "{}");

	http_send(port, get);
	request = wait_for_kept();
	live_server_shutdown(server, 0);
	live_request_reply_json(request, 200, "{}");
	live_server_free(server);
}
END_TEST

static _Atomic unsigned next_id;

static void make_id(void *argument, char *id)
{
	snprintf(id, LIVE_ID_SIZE, "%s-%u", (const char *)argument, atomic_fetch_add(&next_id, 1));
}

START_TEST(own_ids)
{
	char error[128], prefix[] = "a-rather-long-prefix.of-ids";
	live_options *options = live_options_new();
	live_options_set_id_generator(options, make_id, prefix);
	struct embed_stage *stage = embed_stage_with(options, (const live_definition *[]){&looker, NULL});
	embed_stage_start(stage);
	struct embed_client *ana = embed_client_new(stage, NULL, NULL);
	ck_assert_int_eq(strncmp(embed_client_id(ana), prefix, strlen(prefix)), 0);
	const char *id = embed_client_mount(ana, "Looker", NULL);
	ck_assert_int_eq(strncmp(id, prefix, strlen(prefix)), 0);
	ck_assert_str_ne(id, embed_client_id(ana));
	live_value_unref(
		EMBED_ANSWER(live_connections_get(embed_stage_server(stage), embed_client_id(ana), live_wait_done, W)));
	live_value_unref(EMBED_ANSWER(live_registry_get(embed_stage_server(stage), id, live_wait_done, W)));
	ck_assert_int_eq(live_server_start(embed_stage_server(stage), error, sizeof error), -EALREADY);
	embed_stage_free(stage);
}
END_TEST

/* ---- waiting ---- */

static live_done_fn *kept_done;
static void *kept_argument;

START_TEST(waiting)
{
	char error[64];
	const live_value *result;
	live_wait *wait = live_wait_new();
	kept_done = live_wait_done;
	kept_argument = wait;
	ck_assert_int_eq(live_wait_for(wait, 1, &result, error, sizeof error), -ETIMEDOUT);
	ck_assert_str_eq(error, "no answer within 1 ms");
	ck_assert_ptr_null(result);
	const live_value *one = live_int(1);
	kept_done(kept_argument, NULL, one); /* nobody learns of it */
	wait = live_wait_new();
	live_wait_done(wait, NULL, one);
	live_value_unref(one);
	ck_assert_int_eq(live_wait_for(wait, 0, &result, NULL, 0), 0);
	ck_assert_int_eq(live_as_int(result, 0), 1);
	live_value_unref(result);
	wait = live_wait_new();
	live_wait_done(wait, "no", NULL);
	ck_assert_int_eq(live_wait_for(wait, 0, NULL, error, sizeof error), -EREMOTEIO);
	ck_assert_str_eq(error, "no");
}
END_TEST

static const live_value *wait_here(live_component *self, const live_value *question)
{
	(void)question;
	live_wait *wait = live_wait_new();
	live_registry_stats(live_server_of(self), live_wait_done, wait);
	live_wait_for(wait, 1000, NULL, NULL, 0);
	return NULL;
}

/* To wait on a shard is to wait for oneself: that ends the program instead of hanging it. */
START_TEST(waiting_on_a_shard)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (!freopen("/dev/null", "w", stderr)) /* it says why it ends */
			_exit(1);
		struct embed_stage *stage = embed_stage_new((const live_definition *[]){&looker, NULL});
		embed_stage_start(stage);
		const char *id = embed_client_mount(embed_client_new(stage, NULL, NULL), "Looker", NULL);
		EMBED_ANSWER(live_registry_visit(embed_stage_server(stage), id, wait_here, NULL, live_wait_done, W));
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
END_TEST

/* ---- from many threads, until the server ends under them ---- */

static _Atomic unsigned asked, answered;

static void count_answer(void *argument, const char *error, const live_value *result)
{
	(void)argument;
	(void)error;
	(void)result;
	atomic_fetch_add(&answered, 1);
}

struct asker {
	live_server *server;
	_Atomic bool stop;
};

static void *ask_on(void *argument)
{
	struct asker *asker = argument;

	while (!atomic_load(&asker->stop)) {
		atomic_fetch_add(&asked, 3);
		live_registry_stats(asker->server, count_answer, NULL);
		live_room_states_get(asker->server, "lobby", count_answer, NULL);
		live_connections_list(asker->server, NULL, count_answer, NULL);
		live_events_emit(asker->server, "bus", "lobby", "tick", live_int(1));
		while (atomic_load(&asked) - atomic_load(&answered) > 300 && !atomic_load(&asker->stop))
			sched_yield();
	}
	return NULL;
}

START_TEST(many_threads)
{
	struct embed_stage *stage = embed_stage_new((const live_definition *[]){&looker, NULL});
	struct asker asker = {.server = embed_stage_server(stage)};
	pthread_t threads[3];
	embed_stage_start(stage);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_on, &asker), 0);
	while (atomic_load(&answered) < 3000)
		sched_yield();
	live_server_shutdown(asker.server, 100);
	atomic_store(&asker.stop, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	embed_stage_free(stage);
	ck_assert_uint_eq(atomic_load(&answered), atomic_load(&asked));
}
END_TEST

CORE_TESTS("server", options_and_mistakes, registering, listening, routes, own_ids, waiting, waiting_on_a_shard,
	   many_threads)
