#include "unit/server/embed/embed_stage.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/assert.h"
#include "core/mem.h"

enum { WAIT_MS = 20000, CLIENTS_MAX = 32 };

struct embed_client {
	struct embed_stage *stage;
	live_socket *socket; /* NULL: closed by the test */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under lock. */
	const live_value **messages;
	size_t count, taken;
	unsigned close_code; /* 0: the server did not close it */
	unsigned pauses;
	bool is_released;
	unsigned requests;
	char id[LIVE_ID_SIZE];
};

struct embed_stage {
	live_server *server;
	live_server *told; /* to the transport */
	char path[64];
	const live_route *routes;
	size_t route_count;
	bool was_started, was_shut_down;
	struct embed_client *clients[CLIENTS_MAX];
	unsigned client_count;
};

/* ---- the transport ---- */

static int register_endpoint(void *argument, live_server *server, const char *path)
{
	struct embed_stage *stage = argument;

	stage->told = server;
	snprintf(stage->path, sizeof stage->path, "%s", path);
	return 0;
}

static int register_routes(void *argument, const live_route *routes, size_t count)
{
	struct embed_stage *stage = argument;

	stage->routes = routes;
	stage->route_count = count;
	return 0;
}

static int start(void *argument, char *error, size_t error_size)
{
	struct embed_stage *stage = argument;

	(void)error;
	(void)error_size;
	stage->was_started = true;
	return 0;
}

static void shut_down(void *argument)
{
	struct embed_stage *stage = argument;

	stage->was_shut_down = true;
}

struct embed_stage *embed_stage_new(const live_definition *const *definitions)
{
	return embed_stage_with(live_options_new(), definitions);
}

struct embed_stage *embed_stage_with(live_options *options, const live_definition *const *definitions)
{
	struct embed_stage *stage = mem_alloc(sizeof *stage);
	char error[512];

	int rc = live_options_set(options, "shards", "2", error, sizeof error);
	assert_always(rc == 0);
	rc = live_options_set(options, "log-level", "error", error, sizeof error);
	assert_always(rc == 0);
	rc = live_options_set(options, "allowed_origin", "https://good.example", error, sizeof error);
	assert_always(rc == 0);
	live_options_set_user_data(options, stage);
	live_options_set_transport(options, &(live_transport){.name = "memory",
							      .argument = stage,
							      .register_endpoint = register_endpoint,
							      .register_routes = register_routes,
							      .start = start,
							      .shutdown = shut_down});
	rc = live_server_new(&stage->server, options, error, sizeof error);
	assert_always(rc == 0);
	for (; definitions && *definitions; definitions++) {
		rc = live_server_register(stage->server, *definitions, error, sizeof error);
		assert_always(rc == 0);
	}
	return stage;
}

live_server *embed_stage_server(struct embed_stage *stage)
{
	return stage->server;
}

void embed_stage_start(struct embed_stage *stage)
{
	char error[512];
	int rc = live_server_start(stage->server, error, sizeof error);

	assert_always(rc == 0 && stage->was_started && stage->told == stage->server);
	assert_always(!strcmp(stage->path, "/api/live/ws"));
}

const live_route *embed_stage_routes(const struct embed_stage *stage, size_t *count)
{
	*count = stage->route_count;
	return stage->routes;
}

static void free_client(struct embed_client *client)
{
	assert_always(client->is_released);
	for (size_t i = 0; i < client->count; i++)
		live_value_unref(client->messages[i]);
	free(client->messages);
	pthread_mutex_destroy(&client->lock);
	pthread_cond_destroy(&client->changed);
	free(client);
}

void embed_stage_free(struct embed_stage *stage)
{
	for (unsigned i = 0; i < stage->client_count; i++)
		embed_client_close(stage->clients[i]);
	bool ran = live_server_is_running(stage->server);
	live_server_free(stage->server);
	assert_always(!ran || stage->was_shut_down);
	for (unsigned i = 0; i < stage->client_count; i++)
		free_client(stage->clients[i]);
	free(stage);
}

/* ---- what the server tells a client's transport ---- */

static void keep(struct embed_client *client, const live_value *message)
{
	client->messages = mem_realloc(client->messages, (client->count + 1) * sizeof *client->messages);
	client->messages[client->count++] = live_value_ref(message);
}

static void on_send(void *owner, const void *bytes, size_t len, bool is_binary)
{
	struct embed_client *client = owner;
	const live_value *whole = live_from_json(bytes, len, NULL, 0);

	assert_always(whole && !is_binary);
	pthread_mutex_lock(&client->lock);
	if (live_value_type(whole) == LIVE_ARRAY)
		for (live_iter it = {0}; live_next(whole, &it);)
			keep(client, it.value);
	else
		keep(client, whole);
	pthread_cond_broadcast(&client->changed);
	pthread_mutex_unlock(&client->lock);
	live_value_unref(whole);
}

static void on_close(void *owner, unsigned code, const char *reason)
{
	struct embed_client *client = owner;

	assert_always(reason);
	pthread_mutex_lock(&client->lock);
	client->close_code = code;
	pthread_cond_broadcast(&client->changed);
	pthread_mutex_unlock(&client->lock);
}

static void on_pause(void *owner)
{
	struct embed_client *client = owner;

	pthread_mutex_lock(&client->lock);
	client->pauses++;
	pthread_mutex_unlock(&client->lock);
}

static void on_resume(void *owner)
{
	(void)owner;
}

static void on_released(void *owner)
{
	struct embed_client *client = owner;

	pthread_mutex_lock(&client->lock);
	client->is_released = true;
	pthread_mutex_unlock(&client->lock);
}

static const live_socket_ops ops = {
	.send = on_send, .close = on_close, .pause = on_pause, .resume = on_resume, .released = on_released};

/* ---- clients ---- */

struct embed_client *embed_client_new(struct embed_stage *stage, const char *token, const char *origin)
{
	struct embed_client *client = mem_alloc(sizeof *client);

	assert_always(stage->client_count < CLIENTS_MAX);
	stage->clients[stage->client_count++] = client;
	client->stage = stage;
	pthread_mutex_init(&client->lock, NULL);
	pthread_cond_init(&client->changed, NULL);
	client->socket = live_socket_open(stage->server, &ops, client,
					  &(live_socket_info){.token = token,
							      .origin = origin ? origin : "https://good.example",
							      .address = "192.0.2.7"});
	assert_always(client->socket);
	if (!origin) {
		const live_value *hello = embed_client_wait(client, "type", "CONNECTION_ESTABLISHED");
		snprintf(client->id, sizeof client->id, "%s", live_as_string(live_get(hello, "connectionId")));
	}
	return client;
}

live_socket *embed_client_socket(struct embed_client *client)
{
	return client->socket;
}

const char *embed_client_id(struct embed_client *client)
{
	return client->id;
}

unsigned embed_client_pauses(struct embed_client *client)
{
	pthread_mutex_lock(&client->lock);
	unsigned pauses = client->pauses;
	pthread_mutex_unlock(&client->lock);
	return pauses;
}

void embed_client_send_bytes(struct embed_client *client, const void *bytes, size_t len, bool is_binary)
{
	live_socket_message(client->socket, bytes, len, is_binary);
}

static void send_json(struct embed_client *client, char *text)
{
	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	embed_client_send_bytes(client, text, strlen(text), false);
}

void embed_client_send(struct embed_client *client, const char *format, ...)
{
	char text[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	send_json(client, text);
}

static struct timespec deadline(void)
{
	struct timespec at;

	clock_gettime(CLOCK_REALTIME, &at);
	at.tv_sec += WAIT_MS / 1000;
	return at;
}

const live_value *embed_client_wait(struct embed_client *client, const char *path, const char *wanted)
{
	const live_value *found = NULL;
	struct timespec until = deadline();
	int rc = 0;

	pthread_mutex_lock(&client->lock);
	while (!found && rc == 0) {
		while (!found && client->taken < client->count) {
			const live_value *message = client->messages[client->taken++];
			const char *text = live_as_string(live_path(message, path));
			if (text && !strcmp(text, wanted))
				found = message;
		}
		if (!found)
			rc = pthread_cond_timedwait(&client->changed, &client->lock, &until);
	}
	pthread_mutex_unlock(&client->lock);
	if (!found)
		fprintf(stderr, "no message with %s %s came\n", path, wanted);
	assert_always(found);
	return found;
}

const live_value *embed_client_ask(struct embed_client *client, const char *fields, ...)
{
	char text[4096], id[16];
	va_list arguments;

	snprintf(id, sizeof id, "r%u", ++client->requests);
	int head = snprintf(text, sizeof text, "{'requestId':'%s','expectResponse':true,", id);
	va_start(arguments, fields);
	int len = vsnprintf(text + head, sizeof text - (size_t)head - 2, fields, arguments) + head;
	va_end(arguments);
	text[len++] = '}';
	text[len] = 0;
	send_json(client, text);
	return embed_client_wait(client, "requestId", id);
}

const char *embed_client_mount(struct embed_client *client, const char *name, const char *room)
{
	const live_value *reply =
		room ? embed_client_ask(client, "'type':'COMPONENT_MOUNT','payload':{'component':'%s','room':'%s'}",
					name, room)
		     : embed_client_ask(client, "'type':'COMPONENT_MOUNT','payload':{'component':'%s'}", name);
	const char *id = live_as_string(live_path(reply, "result.componentId"));

	assert_always(id);
	return id;
}

unsigned embed_client_wait_closed(struct embed_client *client)
{
	struct timespec until = deadline();
	int rc = 0;

	pthread_mutex_lock(&client->lock);
	while (!client->close_code && rc == 0)
		rc = pthread_cond_timedwait(&client->changed, &client->lock, &until);
	unsigned code = client->close_code;
	pthread_mutex_unlock(&client->lock);
	assert_always(code);
	return code;
}

void embed_client_close(struct embed_client *client)
{
	if (client->socket)
		live_socket_close(client->socket);
	client->socket = NULL;
}

/* ---- answers ---- */

const live_value *embed_answer(live_wait *wait)
{
	const live_value *answer;
	char error[256] = "";
	int rc = live_wait_for(wait, WAIT_MS, &answer, error, sizeof error);

	if (rc < 0)
		fprintf(stderr, "no answer but: %s\n", error);
	assert_always(rc == 0);
	return answer;
}

const char *embed_error(live_wait *wait)
{
	static char error[256];
	int rc = live_wait_for(wait, WAIT_MS, NULL, error, sizeof error);

	assert_always(rc < 0);
	return error;
}

void embed_expect(live_wait *wait, const char *expected)
{
	const live_value *answer = embed_answer(wait);
	char *text = live_to_json(answer, NULL);

	for (char *at = text; *at; at++)
		*at = *at == '"' ? '\'' : *at;
	if (strcmp(text, expected) != 0)
		fprintf(stderr, "answered %s\nexpected %s\n", text, expected);
	assert_always(!strcmp(text, expected));
	free(text);
	live_value_unref(answer);
}
