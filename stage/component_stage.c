#include "stage/component_stage.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/mem.h"
#include "pubsub/memory_adapter.h"
#include "pubsub/rooms.h"
#include "server/auth/manager.h"
#include "server/component/definition.h"
#include "server/session/session_private.h"
#include "shard/pool.h"

enum {
	SHARDS_MAX = 8,
	FIND_MS = 10000, /* in which a message must come */
};

/* Stages that there are, and that were made since there was none: those of one cluster have the same seed, but must not
 * make the same ids. */
static unsigned stage_count, stage_number;

struct component_stage {
	uint64_t ids;               /* the generator of ids: a run that is repeated has the same ones */
	void (*run)(void *context); /* runs the cluster that it is part of; NULL: it is alone */
	void *context;
	struct stage *stage;
	unsigned shards;
	struct registry *registry;
	struct signing_keys *keys;
	struct pool *pool;
	struct auth_manager *auth;
	struct component_settings settings;
	struct session_settings session_settings;
	struct rooms_options rooms;
	struct component_shard *components[SHARDS_MAX];
	struct session_shard sessions[SHARDS_MAX];
	struct list clients;
};

struct sent { /* a message on its way to the session */
	struct list link;
	size_t len;
	char text[];
};

struct stage_client {
	struct transport transport;
	struct list link;
	struct component_stage *stage;
	unsigned shard;
	struct session *session; /* NULL: gone */
	struct tick_task flush;
	struct mail arrival; /* in flight while is_arriving */
	bool is_arriving;
	bool is_paused;
	struct list inbox; /* of struct sent */
	const live_value **messages;
	size_t count, taken;
	unsigned requests;
};

/* What a test cannot go on without. */
__attribute__((format(printf, 2, 3))) static void require(bool holds, const char *format, ...)
{
	va_list arguments;

	if (holds)
		return;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}

/* ---- the transport ---- */

static struct stage_client *client_of(struct transport *transport)
{
	return LIST_OF(transport, struct stage_client, transport);
}

static struct shard *shard_of(const struct stage_client *client)
{
	return client->stage->components[client->shard]->shard;
}

static void keep(struct stage_client *client, const live_value *message)
{
	assert_always(live_value_type(message) == LIVE_OBJECT);
	client->messages = mem_realloc(client->messages, (client->count + 1) * sizeof *client->messages);
	client->messages[client->count++] = live_value_ref(message);
}

static void receive(struct stage_client *client, struct str text)
{
	const live_value *whole;
	int rc = json_parse(&whole, text, &(struct json_limits){.max_depth = 512}, NULL);

	require(rc == 0, "not JSON: %.*s", STR_ARG(text));
	if (live_value_type(whole) == LIVE_OBJECT)
		keep(client, whole);
	for (live_iter it = {0}; live_value_type(whole) == LIVE_ARRAY && live_next(whole, &it);) {
		require(!live_get(it.value, "requestId"), "a reply in a batch: %.*s", STR_ARG(text));
		keep(client, it.value);
	}
	live_value_unref(whole);
}

static void run_flush(struct tick_task *task, struct shard *here)
{
	struct stage_client *client = LIST_OF(task, struct stage_client, flush);
	struct buf out;

	(void)here;
	if (!client->session)
		return;
	buf_init(&out, SIZE_MAX);
	session_compose(client->session, &out);
	buf_deinit(&out);
}

static bool flush_soon(struct transport *transport)
{
	struct stage_client *client = client_of(transport);
	shard_at_tick_end(shard_of(client), TICK_FLUSH, &client->flush);
	return true;
}

static size_t begin(struct transport *transport, struct buf *out)
{
	(void)transport;
	return out->len;
}

static void end(struct transport *transport, struct buf *out, size_t start)
{
	receive(client_of(transport), (struct str){out->ptr + start, out->len - start});
}

static void spill(struct transport *transport, struct buf *out)
{
	(void)transport;
	buf_reset(out, SIZE_MAX);
}

static void deliver_arrival(struct mail *mail, struct shard *shard)
{
	struct stage_client *client = LIST_OF(mail, struct stage_client, arrival);

	(void)shard;
	client->is_arriving = false;
	while (client->session && !client->is_paused && !list_is_empty(&client->inbox)) {
		struct sent *sent = LIST_OF(client->inbox.next, struct sent, link);
		list_remove(&sent->link);
		session_message(client->session, (struct str){sent->text, sent->len});
		free(sent);
	}
}

static void discard_arrival(struct mail *mail)
{
	(void)mail;
}

static void arrive_soon(struct stage_client *client)
{
	if (client->is_arriving)
		return;
	client->is_arriving = true;
	client->arrival.deliver = deliver_arrival;
	client->arrival.discard = discard_arrival;
	if (shard_here())
		shard_post(shard_here(), client->shard, &client->arrival);
	else
		shard_post_outside(shard_of(client), &client->arrival);
}

static void pause_reading(struct transport *transport)
{
	struct stage_client *client = client_of(transport);
	require(!client->is_paused, "paused twice");
	client->is_paused = true;
}

static void resume_reading(struct transport *transport)
{
	struct stage_client *client = client_of(transport);
	require(client->is_paused, "resumed but not paused");
	client->is_paused = false;
	arrive_soon(client);
}

static void close_transport(struct transport *transport, unsigned code, struct str reason)
{
	(void)transport;
	(void)code;
	(void)reason;
}

static const struct transport_ops ops = {
	.name = "stage",
	.flush_soon = flush_soon,
	.begin = begin,
	.end = end,
	.spill = spill,
	.pause = pause_reading,
	.resume = resume_reading,
	.close = close_transport,
};

/* ---- the stage ---- */

static void add_definitions(struct component_stage *stage, const live_definition *const *definitions)
{
	char error[256];

	stage->registry = registry_new();
	for (; *definitions; definitions++) {
		int rc = registry_add(stage->registry, *definitions, "test", error, sizeof error);
		require(rc == 0, "%s", error);
	}
}

static void add_shard(struct component_stage *stage, unsigned index)
{
	struct shard *shard = stage_enter(stage->stage, index);

	stage->components[index] =
		component_shard_new(shard, stage->registry, &stage->settings, stage->keys, &stage->rooms);
	session_shard_init(&stage->sessions[index], shard, stage->components[index], &stage->session_settings);
}

static void make_id(void *argument, char *out)
{
	static const char letters[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	for (unsigned i = 0; i < ID_LEN; i++)
		out[i] = letters[stage_random_below(argument, 64)];
	out[ID_LEN] = 0;
}

static struct component_stage *new_stage(unsigned shards, uint64_t seed, const live_definition *const *definitions,
					 unsigned threads, const struct cluster_settings *cluster)
{
	struct component_stage *stage = mem_alloc(sizeof *stage);

	assert_always(shards <= SHARDS_MAX);
	stage->stage = stage_new(shards, seed);
	stage_number = stage_count++ ? stage_number + 1 : 1;
	stage->ids = stage_seed(seed) + UINT64_C(0x100000001) * stage_number;
	stage->shards = shards;
	add_definitions(stage, definitions);
	stage->keys = signing_keys_new(&(struct signing_options){
		.secret = STR("stage"), .max_age_ms = 1800 * 1000, .max_state_bytes = 1 << 24});
	int rc = pool_new(&stage->pool, threads, 64);
	assert_always(rc == 0);
	stage->auth = auth_manager_new(1000);
	stage->settings = (struct component_settings){
		.auth = stage->auth,
		.diff_depth = 3,
		.signature_renew_ms = 1000,
		.components_per_client = 64,
		.rooms_per_client = 8,
		.action_slow_ms = 10000,
		.action_timeout_ms = 10000,
		.node = "stage",
		.pool = stage->pool,
		.cluster = cluster,
		.ids = {make_id, &stage->ids},
	};
	stage->session_settings =
		(struct session_settings){.max_depth = 32, .max_message_bytes = 1 << 22, .ids = {make_id, &stage->ids}};
	stage->rooms.adapter = memory_adapter();
	list_init(&stage->clients);
	for (unsigned i = 0; i < shards; i++)
		add_shard(stage, i);
	shard_enter(NULL);
	return stage;
}

struct component_stage *component_stage_new(unsigned shards, uint64_t seed, const live_definition *const *definitions)
{
	return new_stage(shards, seed, definitions, 2, NULL);
}

struct component_stage *component_stage_new_alone(unsigned shards, uint64_t seed,
						  const live_definition *const *definitions)
{
	return new_stage(shards, seed, definitions, 0, NULL);
}

struct component_stage *component_stage_new_clustered(unsigned shards, uint64_t seed,
						      const live_definition *const *definitions,
						      const struct component_stage_cluster *cluster)
{
	struct component_stage *stage = new_stage(shards, seed, definitions, 0, cluster->settings);

	stage->run = cluster->run;
	stage->context = cluster->context;
	return stage;
}

static void free_client(struct stage_client *client)
{
	while (!list_is_empty(&client->inbox)) {
		struct sent *sent = LIST_OF(client->inbox.next, struct sent, link);
		list_remove(&sent->link);
		free(sent);
	}
	for (size_t i = 0; i < client->count; i++)
		live_value_unref(client->messages[i]);
	free(client->messages);
	free(client);
}

void component_stage_vanish_all(struct component_stage *stage)
{
	list_for_each (link, &stage->clients)
		stage_client_vanish(LIST_OF(link, struct stage_client, link));
}

void component_stage_free(struct component_stage *stage)
{
	component_stage_vanish_all(stage);
	component_stage_run(stage);
	pool_free(stage->pool); /* its threads have rung for all they have posted */
	component_stage_run(stage);
	require(component_stage_count(stage) == 0, "%u components remained", component_stage_count(stage));
	for (unsigned i = 0; i < stage->shards; i++) {
		require(list_is_empty(&stage->sessions[i].sessions), "a session remained on shard %u", i);
		require(!map_first(&stage->components[i]->singletons), "a singleton remained on shard %u", i);
		require(!map_first(&stage->components[i]->proxies), "a proxy remained on shard %u", i);
	}
	for (unsigned i = 0; i < stage->shards; i++) {
		stage_enter(stage->stage, i);
		component_shard_free(stage->components[i]);
	}
	auth_manager_free(stage->auth);
	stage_free(stage->stage);
	list_for_each_safe (link, &stage->clients)
		free_client(LIST_OF(link, struct stage_client, link));
	signing_keys_free(stage->keys);
	registry_free(stage->registry);
	stage_count--;
	free(stage);
}

int component_stage_add_provider(struct component_stage *stage, const live_auth_provider *provider)
{
	return auth_manager_register(stage->auth, provider);
}

struct stage *component_stage_steps(const struct component_stage *stage)
{
	return stage->stage;
}

void component_stage_run(struct component_stage *stage)
{
	if (stage->run)
		stage->run(stage->context);
	else
		stage_run(stage->stage);
}

bool component_stage_work(struct component_stage *stage)
{
	return pool_work(stage->pool);
}

unsigned component_stage_count(const struct component_stage *stage)
{
	unsigned count = 0;

	for (unsigned i = 0; i < stage->shards; i++)
		count += (unsigned)counter_read(&stage->components[i]->counters.components);
	return count;
}

struct component_shard *component_stage_shard(const struct component_stage *stage, unsigned index)
{
	return index < stage->shards ? stage->components[index] : NULL;
}

/* ---- clients ---- */

struct stage_client *stage_client_new(struct component_stage *stage, unsigned shard)
{
	struct stage_client *client = mem_alloc(sizeof *client);

	client->transport.ops = &ops;
	client->stage = stage;
	client->shard = shard;
	client->flush.run = run_flush;
	list_init(&client->inbox);
	list_append(&stage->clients, &client->link);
	stage_enter(stage->stage, shard);
	client->session = session_open(&stage->sessions[shard], &client->transport, (struct str){NULL, 0});
	shard_enter(NULL);
	stage_client_wait(client, "CONNECTION_ESTABLISHED");
	return client;
}

/* Makes " of ' in what was printed. */
static size_t print_json(char *to, size_t size, const char *format, va_list arguments)
{
	int len = vsnprintf(to, size, format, arguments);

	assert_always(len >= 0 && (size_t)len < size);
	for (char *at = to; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	return (size_t)len;
}

static void put_in(struct stage_client *client, const char *text, size_t len)
{
	struct sent *sent = mem_alloc(sizeof *sent + len + 1);

	sent->len = len;
	memcpy(sent->text, text, len);
	list_append(&client->inbox, &sent->link);
	if (!client->is_paused)
		arrive_soon(client);
}

void stage_client_send(struct stage_client *client, const char *format, ...)
{
	static char text[1 << 20];
	va_list arguments;

	va_start(arguments, format);
	size_t len = print_json(text, sizeof text, format, arguments);
	va_end(arguments);
	put_in(client, text, len);
}

void stage_client_send_text(struct stage_client *client, struct str text)
{
	put_in(client, text.ptr, text.len);
}

void stage_client_sign_on(struct stage_client *client, const live_auth *auth)
{
	live_auth_unref(client->session->client.auth);
	client->session->client.auth = auth;
}

void stage_client_vanish(struct stage_client *client)
{
	struct session *session = client->session;

	if (!session)
		return;
	stage_enter(client->stage->stage, client->shard);
	session_close(session);
	client->session = NULL;
	shard_enter(NULL);
}

void stage_client_set_behind(struct stage_client *client, bool behind)
{
	stage_enter(client->stage->stage, client->shard);
	if (behind)
		session_fell_behind(client->session);
	else
		session_caught_up(client->session);
	shard_enter(NULL);
}

const live_value *stage_client_take(struct stage_client *client)
{
	return client->taken < client->count ? client->messages[client->taken++] : NULL;
}

const live_value *stage_client_at(const struct stage_client *client, size_t index)
{
	return index < client->count ? client->messages[index] : NULL;
}

unsigned stage_client_count(const struct stage_client *client, const char *type)
{
	unsigned count = 0;

	for (size_t i = 0; i < client->count; i++)
		count += !strcmp(stage_text(client->messages[i], "type"), type);
	return count;
}

const live_value *stage_client_state(const struct stage_client *client, const char *id)
{
	const live_value *state = NULL;

	for (size_t i = 0; i < client->count; i++) {
		const live_value *message = client->messages[i];
		const live_value *full = live_path(message, "payload.state");
		const live_value *delta = live_path(message, "payload.delta");
		if (strcmp(stage_text(message, "componentId"), id) ||
		    strncmp(stage_text(message, "type"), "STATE_", 6) || (!full && !delta))
			continue;
		const live_value *next = full ? live_value_ref(full) : live_merge(state, delta);
		live_value_unref(state);
		state = next;
	}
	return state;
}

/* ---- with the stage running ---- */

const char *stage_text(const live_value *value, const char *path)
{
	const char *text = live_as_string(live_path(value, path));
	return text ? text : "";
}

static void print_messages(const struct stage_client *client)
{
	for (size_t i = client->count > 8 ? client->count - 8 : 0; i < client->count; i++) {
		char *text = live_to_json(client->messages[i], NULL);
		fprintf(stderr, "  %s\n", text);
		free(text);
	}
}

static const live_value *find(struct stage_client *client, const char *member, const char *wanted)
{
	const live_value *message;

	/* A thread of the pool may be about to ring for a mailbox that others have put mail into, relying on its ring.
	 */
	for (int64_t deadline_ms = clock_now_mono_ms() + FIND_MS; clock_now_mono_ms() < deadline_ms; poll(NULL, 0, 1)) {
		component_stage_run(client->stage);
		while ((message = stage_client_take(client)))
			if (!strcmp(stage_text(message, member), wanted))
				return message;
	}
	print_messages(client);
	require(false, "no message with %s %s came", member, wanted);
	return NULL;
}

const live_value *stage_client_wait(struct stage_client *client, const char *type)
{
	return find(client, "type", type);
}

const live_value *stage_client_ask(struct stage_client *client, const char *fields, ...)
{
	static char text[1 << 20];
	char id[16];
	va_list arguments;

	snprintf(id, sizeof id, "r%u", ++client->requests);
	int head = snprintf(text, sizeof text, "{\"requestId\":\"%s\",\"expectResponse\":true,", id);
	va_start(arguments, fields);
	size_t len = print_json(text + head, sizeof text - (size_t)head - 2, fields, arguments) + (size_t)head;
	va_end(arguments);
	text[len++] = '}';
	put_in(client, text, len);
	return find(client, "requestId", id);
}

const char *stage_client_mount(struct stage_client *client, const char *name, const char *props)
{
	char room[80] = "";
	const live_value *reply;

	if (!strncmp(name, "room=", 5)) {
		const char *space = strchr(name, ' ');
		snprintf(room, sizeof room, ",'room':'%.*s'", (int)(space - name) - 5, name + 5);
		name = space + 1;
	}
	reply = stage_client_ask(client, "'type':'COMPONENT_MOUNT','payload':{'component':'%s','props':%s%s}", name,
				 props, room);
	return live_as_string(live_path(reply, "result.componentId"));
}

bool stage_client_act(struct stage_client *client, const char *id, const char *action, const char *payload)
{
	const live_value *reply = stage_client_ask(
		client, "'type':'CALL_ACTION','componentId':'%s','action':'%s','payload':%s", id, action, payload);
	return live_as_bool(live_get(reply, "success"));
}

void stage_client_check(struct stage_client *client)
{
	const live_value *pong = stage_client_ask(client, "'type':'COMPONENT_PING'");

	require(!strcmp(stage_text(pong, "type"), "COMPONENT_PONG"), "no pong but a %s", stage_text(pong, "type"));
	require(!client->is_paused, "the client is still held");
}
