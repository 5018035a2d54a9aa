/*
 * edge-server - the edge with the handlers that its conformance suites talk to, and every limit on the command line.
 *
 * It prints "listening on PORT" and serves until its standard input ends, so that it never outlives the suite.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "edge_base.h"
#include "server/ws/ws.h"

static struct ws_options ws_options;
static struct http_options http_options;
static struct connection_options connection_options;
static struct edge_options edge_options;
static const char *static_folder;

/* ---- HTTP ---- */

static void on_hello(struct http_request *request, void *argument)
{
	(void)argument;
	http_reply(request, 200, "text/plain; charset=utf-8", STR("hello\n"));
}

static void on_api_hello(struct http_request *request, void *argument)
{
	(void)argument;
	http_reply_json(request, 200, STR("{\"hello\":true}"));
}

static void on_peer(struct http_request *request, void *argument)
{
	char text[ADDRESS_TEXT_MAX];
	char line[ADDRESS_TEXT_MAX + 16];
	(void)argument;
	struct str peer = address_text(http_request_peer(request), text);
	int len =
		snprintf(line, sizeof line, "%.*s%s", STR_ARG(peer), http_request_is_secure(request) ? " secure" : "");
	http_reply(request, 200, "text/plain", (struct str){line, (size_t)len});
}

static void on_items(struct http_request *request, void *argument)
{
	struct buf out;
	(void)argument;
	buf_init(&out, 64 << 10);
	buf_append_str(&out, http_request_param(request, "id"));
	buf_append_char(&out, '|');
	buf_append_str(&out, http_request_param(request, "part"));
	http_reply(request, 200, "text/plain", buf_str(&out));
	buf_deinit(&out);
}

static void on_query(struct http_request *request, void *argument)
{
	struct str value;
	(void)argument;
	if (http_request_query(request, "q", &value))
		http_reply(request, 200, "text/plain", value);
	else
		http_reply_error(request, 400, "q is missing");
}

static void on_body(struct http_request *request, void *argument)
{
	struct str type = http_request_header(request, "Content-Type");
	(void)argument;
	http_reply_header(request, "X-Type", type);
	http_reply(request, 200, "application/octet-stream", http_request_body(request));
}

struct later { /* a reply that comes by mail, from the next shard and back */
	struct mail mail;
	struct handle handle;
	bool returning;
};

static void deliver_later(struct mail *self, struct shard *here)
{
	struct later *later = (struct later *)((char *)self - offsetof(struct later, mail));
	if (!later->returning) {
		later->returning = true;
		shard_post(here, later->handle.shard, self);
		return;
	}
	struct http_request *request = http_request_find(here, later->handle);
	if (request)
		http_reply(request, 200, "text/plain", STR("later\n"));
	free(later);
}

static void discard_later(struct mail *self)
{
	free((char *)self - offsetof(struct later, mail));
}

static void on_later(struct http_request *request, void *argument)
{
	struct later *later = mem_alloc(sizeof *later);
	struct shard *here = http_request_shard(request);
	(void)argument;
	later->mail.deliver = deliver_later;
	later->mail.discard = discard_later;
	later->handle = http_request_handle(request);
	shard_post(here, (shard_index(here) + 1) % edge_shards(), &later->mail);
}

static void on_never(struct http_request *request, void *argument)
{
	(void)argument;
	(void)http_request_handle(request); /* the reply never comes: what if the client goes? */
}

static unsigned long long sum_of(const struct net_counter_row *row)
{
	unsigned long long sum = 0;
	for (unsigned i = 0; i < edge_shards(); i++)
		sum += net_counter_read(net_shard_counters(edge_net(i)), row);
	return sum;
}

static void on_counters(struct http_request *request, void *argument)
{
	struct buf out;
	(void)argument;
	buf_init(&out, 16 << 10);
	for (size_t i = 0; i < net_counter_rows_count; i++)
		buf_printf(&out, "%c\"%s\":%llu", i ? ',' : '{', net_counter_rows[i].name,
			   sum_of(&net_counter_rows[i]));
	buf_append_char(&out, '}');
	http_reply_json(request, 200, buf_str(&out));
	buf_deinit(&out);
}

/* ---- WebSocket ---- */

struct news { /* what all listeners of a shard get; in the tick's memory */
	struct str text;
	enum ws_opcode opcode;
	struct ws_packed *packed;
};

struct client {
	struct timer timer; /* of a held one */
	struct ws *ws;
	struct list link;     /* of the shard's listeners */
	unsigned number;      /* of a listener, in front of what it hears */
	size_t owes_kib;      /* what a flooded one is still to get */
	struct news *pending; /* of this tick */
};

static struct list listeners[64];

static void free_client(void *owner, struct ws *ws, unsigned code, struct str reason)
{
	struct client *client = owner;
	(void)ws;
	(void)code;
	(void)reason;
	timer_disarm(&client->timer);
	list_remove(&client->link);
	free(client);
}

static void echo(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	(void)owner;
	ws_send(ws, opcode, bytes, len);
}

/* "N": N KiB of letters, composed in the staging buffer, one KiB per message. */
static void flood(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	struct client *client = owner;
	char number[16] = {0};
	(void)opcode;
	memcpy(number, bytes, len < sizeof number - 1 ? len : sizeof number - 1);
	client->owes_kib += strtoul(number, NULL, 10);
	ws_flush_soon(ws);
}

static void flood_flush(void *owner, struct ws *ws, struct buf *out)
{
	struct client *client = owner;
	for (; client->owes_kib; client->owes_kib--) {
		size_t start = ws_message_begin(out);
		char *to = buf_room(out, 1024);
		if (to) {
			memset(to, 'x', 1024);
			out->len += 1024;
		}
		ws_message_end(ws, out, start, WS_TEXT);
		if (out->len > 128 << 10)
			ws_spill(ws, out);
	}
}

static void say_hello(void *owner, struct ws *ws)
{
	(void)owner;
	ws_send(ws, WS_TEXT, "hello", 5);
}

static void hold(void *owner, struct ws *ws)
{
	struct client *client = owner;
	ws_send(ws, WS_TEXT, "held", 4);
	ws_pause(ws);
	shard_timer_after(ws_shard(ws), &client->timer, 50);
}

static void release(struct timer *timer)
{
	struct client *client = (struct client *)((char *)timer - offsetof(struct client, timer));
	ws_send(client->ws, WS_TEXT, "released", 8);
	ws_resume(client->ws);
}

static void broadcast_flush(void *owner, struct ws *ws, struct buf *out)
{
	struct client *client = owner;
	struct news *news = client->pending;
	client->pending = NULL;
	if (!news)
		return;
	char number[24];
	int len = snprintf(number, sizeof number, "%u:", client->number);
	size_t start = ws_message_begin(out);
	buf_append(out, number, (size_t)len);
	ws_append_shared(ws, out, start, news->text, &news->packed);
	buf_append_char(out, '.');
	ws_message_end(ws, out, start, news->opcode);
}

static void broadcast(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	struct list *head = &listeners[shard_index(ws_shard(ws))];
	struct arena *arena = shard_arena(ws_shard(ws));
	struct news *news = arena_alloc(arena, sizeof *news);
	(void)owner;
	*news = (struct news){.text = arena_copy(arena, (struct str){bytes, len}), .opcode = opcode};
	list_for_each (link, head) {
		struct client *client = LIST_OF(link, struct client, link);
		client->pending = news;
		ws_flush_soon(client->ws);
	}
}

static void close_for(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	char number[8] = {0};
	(void)owner;
	(void)opcode;
	memcpy(number, bytes, len < 4 ? len : 4);
	ws_close(ws, (unsigned)strtoul(number, NULL, 10), len > 5 ? (struct str){bytes + 5, len - 5} : STR(""));
}

static const struct ws_ops echo_ops = {.on_message = echo, .on_close = free_client};
static const struct ws_ops hello_ops = {.on_open = say_hello, .on_message = echo, .on_close = free_client};
static const struct ws_ops hold_ops = {.on_open = hold, .on_message = echo, .on_close = free_client};
static const struct ws_ops flood_ops = {.on_message = flood, .on_flush = flood_flush, .on_close = free_client};
static const struct ws_ops close_ops = {.on_message = close_for, .on_close = free_client};
static const struct ws_ops broadcast_ops = {
	.on_message = broadcast, .on_flush = broadcast_flush, .on_close = free_client};

static struct client *accept_as(struct http_request *request, const struct ws_ops *ops)
{
	struct client *client = mem_alloc(sizeof *client);
	timer_init(&client->timer, release);
	list_init(&client->link);
	if (ws_accept(&client->ws, request, &ws_options, ops, client) == 0)
		return client;
	free(client);
	return NULL;
}

static void on_upgrade(struct http_request *request, void *argument)
{
	struct client *client = accept_as(request, argument);
	if (!client || argument != &broadcast_ops)
		return;
	struct list *head = &listeners[shard_index(ws_shard(client->ws))];
	client->number = list_is_empty(head) ? 0 : LIST_OF(head->prev, struct client, link)->number + 1;
	list_append(head, &client->link);
}

static void on_refused_upgrade(struct http_request *request, void *argument)
{
	struct client *client = accept_as(request, argument);
	if (client)
		ws_close(client->ws, 4003, STR("Origin not allowed"));
}

/* ---- the program ---- */

struct setting {
	const char *name;
	enum { SIZE, NUMBER, FLAG, LEVEL, TEXT } kind;
	void *place;
};

static const struct setting settings[] = {
	{"port", NUMBER, &edge_options.port},
	{"shards", NUMBER, &edge_options.shards},
	{"receive-bytes", SIZE, &edge_options.net.receive_bytes},
	{"per-address", NUMBER, &edge_options.net.per_address},
	{"max-target", SIZE, &http_options.max_target_bytes},
	{"max-header", SIZE, &http_options.max_header_bytes},
	{"max-headers", NUMBER, &http_options.max_headers},
	{"max-body", SIZE, &http_options.max_body_bytes},
	{"header-ms", NUMBER, &http_options.header_ms},
	{"body-ms", NUMBER, &http_options.body_ms},
	{"idle-ms", NUMBER, &http_options.idle_ms},
	{"max-requests", NUMBER, &http_options.max_requests},
	{"soft-bytes", SIZE, &connection_options.soft_bytes},
	{"hard-bytes", SIZE, &connection_options.hard_bytes},
	{"soft-age-ms", NUMBER, &connection_options.soft_age_ms},
	{"hard-age-ms", NUMBER, &connection_options.hard_age_ms},
	{"write-budget", SIZE, &connection_options.write_budget},
	{"linger-ms", NUMBER, &connection_options.linger_ms},
	{"proxy", FLAG, &connection_options.proxy_protocol},
	{"proxy-ms", NUMBER, &connection_options.proxy_ms},
	{"max-message", SIZE, &ws_options.max_message_bytes},
	{"max-fragments", NUMBER, &ws_options.max_fragments},
	{"ping-ms", NUMBER, &ws_options.ping_ms},
	{"message-ms", NUMBER, &ws_options.message_ms},
	{"close-ms", NUMBER, &ws_options.close_ms},
	{"text-only", FLAG, &ws_options.text_only},
	{"deflate", FLAG, &ws_options.deflate},
	{"takeover", FLAG, &ws_options.deflate_takeover},
	{"deflate-bits", NUMBER, &ws_options.deflate_bits},
	{"deflate-level", LEVEL, &ws_options.deflate_level},
	{"deflate-min", SIZE, &ws_options.deflate_min_bytes},
	{"tls-cert", TEXT, &edge_options.tls_files.cert},
	{"tls-key", TEXT, &edge_options.tls_files.key},
	{"tls-handshake-ms", NUMBER, &edge_options.tls.handshake_ms},
	{"tls-handshakes-per-tick", NUMBER, &edge_options.tls.handshakes_per_tick},
};

static bool apply(const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
		if (strcmp(settings[i].name, name) != 0)
			continue;
		unsigned long long number = strtoull(value, NULL, 10);
		switch (settings[i].kind) {
		case SIZE: *(size_t *)settings[i].place = number; break;
		case NUMBER: *(unsigned *)settings[i].place = (unsigned)number; break;
		case FLAG: *(bool *)settings[i].place = number != 0; break;
		case LEVEL: *(int *)settings[i].place = (int)number; break;
		case TEXT: *(const char **)settings[i].place = value; break;
		}
		return true;
	}
	return false;
}

static void add_routes(struct http_service *service)
{
	http_service_add(service, "GET", "/hello", on_hello, NULL);
	http_service_add(service, "GET", "/api/hello", on_api_hello, NULL);
	http_service_add(service, "GET", "/peer", on_peer, NULL);
	http_service_add(service, "GET", "/items/:id/parts/:part", on_items, NULL);
	http_service_add(service, "GET", "/query", on_query, NULL);
	http_service_add(service, "POST", "/echo", on_body, NULL);
	http_service_add(service, "PUT", "/echo", on_body, NULL);
	http_service_add(service, "POST", "/api/echo", on_body, NULL);
	http_service_add_limited(service, "POST", "/small", 16, on_body, NULL);
	http_service_add(service, "GET", "/later", on_later, NULL);
	http_service_add(service, "GET", "/never", on_never, NULL);
	http_service_add(service, "GET", "/counters", on_counters, NULL);
	http_service_add_upgrade(service, "/ws", on_upgrade, (void *)&echo_ops);
	http_service_add_upgrade(service, "/ws-hello", on_upgrade, (void *)&hello_ops);
	http_service_add_upgrade(service, "/ws-hold", on_upgrade, (void *)&hold_ops);
	http_service_add_upgrade(service, "/ws-flood", on_upgrade, (void *)&flood_ops);
	http_service_add_upgrade(service, "/ws-close", on_upgrade, (void *)&close_ops);
	http_service_add_upgrade(service, "/ws-broadcast", on_upgrade, (void *)&broadcast_ops);
	http_service_add_upgrade(service, "/ws-refused", on_refused_upgrade, (void *)&hello_ops);
}

/* Arguments: name=value, trust=NETWORK, static=FOLDER. With tls-cert and tls-key the port speaks TLS. */
int main(int argc, char **argv)
{
	struct address_set *trusted = NULL;
	for (int i = 1; i < argc; i++) {
		char *equals = strchr(argv[i], '=');
		bool known = equals;
		if (known) {
			*equals = '\0';
			if (strcmp(argv[i], "trust") == 0) {
				trusted = trusted ? trusted : address_set_new();
				known = address_set_add(trusted, str_of(equals + 1)) == 0;
			} else if (strcmp(argv[i], "static") == 0) {
				static_folder = equals + 1;
			} else {
				known = apply(argv[i], equals + 1);
			}
		}
		if (!known) {
			fprintf(stderr, "%s: what is \"%s\"?\n", argv[0], argv[i]);
			return 2;
		}
	}
	for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++)
		list_init(&listeners[i]);
	http_options.proxies = trusted;
	connection_options.proxies = trusted;
	http_options.connection = &connection_options;
	struct http_service *service = http_service_new(&http_options);
	add_routes(service);
	int rc = static_folder ? http_service_add_static(service, "/files", static_folder, "public, max-age=60") : 0;
	int status = 1;
	if (rc < 0)
		fprintf(stderr, "%s: %s: %s\n", argv[0], static_folder, strerror(-rc));
	else
		status = edge_serve(&edge_options, service, true);
	http_service_free(service);
	address_set_free(trusted);
	return status;
}
