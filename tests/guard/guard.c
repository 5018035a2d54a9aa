/*
 * guard - the hot paths without the network, one at a time, so that their instructions can be counted.
 *
 *	guard PATH COUNT
 *
 * Sessions of one shard, stepped by hand, on a transport that throws away what it gets; flush has a real connection.
 * guard.py runs it under callgrind with two counts and takes the difference, so that what comes before and after is
 * not counted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/assert.h"
#include "pubsub/memory_adapter.h"
#include "pubsub/rooms.h"
#include "server/component/component_shard.h"
#include "server/component/definition.h"
#include "server/net/connection.h"
#include "server/net/net_shard.h"
#include "server/protocol/message.h"
#include "server/session/session.h"
#include "shard/shard.h"

enum { MEMBERS = 100, ID_BYTES = 8 };

struct drain { /* a client whose bytes go nowhere */
	struct transport transport;
	struct tick_task task;
	struct session *session;
	struct buf out;
	char component[ID_BYTES + 1]; /* the id of what it mounted */
};

static struct shard *shard;
static struct session_shard sessions;

/* ---- the transport ---- */

static void compose(struct tick_task *task, struct shard *here)
{
	struct drain *drain = LIST_OF(task, struct drain, task);

	(void)here;
	session_compose(drain->session, &drain->out);
	assert_always(!buf_failed(&drain->out));
}

static bool flush_soon(struct transport *transport)
{
	shard_at_tick_end(shard, TICK_FLUSH, &LIST_OF(transport, struct drain, transport)->task);
	return true;
}

static size_t begin(struct transport *transport, struct buf *out)
{
	(void)transport;
	return out->len;
}

static void end(struct transport *transport, struct buf *out, size_t start)
{
	(void)transport;
	(void)out;
	(void)start;
}

static void spill(struct transport *transport, struct buf *out)
{
	(void)transport;
	buf_reset(out, SIZE_MAX);
}

static void ignore(struct transport *transport)
{
	(void)transport;
}

static void ignore_close(struct transport *transport, unsigned code, struct str reason)
{
	(void)transport;
	(void)code;
	(void)reason;
}

static const struct transport_ops drain_ops = {
	.name = "drain",
	.flush_soon = flush_soon,
	.begin = begin,
	.end = end,
	.spill = spill,
	.pause = ignore,
	.resume = ignore,
	.close = ignore_close,
};

/* ---- the server, without its edge ---- */

static int increment(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_set(self, "count", live_int(live_get_int(self, "count") + 1));
	return 0;
}

static const live_definition counter_definition = {
	.name = "Counter",
	.default_state = LIVE_JSON({"count" : 0}),
	.actions = LIVE_ACTIONS({"increment", increment}),
};

static void step(void)
{
	while (shard_step(shard) > 0)
		;
}

static void send_text(struct drain *drain, const char *text)
{
	session_message(drain->session, str_of(text));
	step();
}

static void start(void)
{
	static const struct component_settings components = {
		.diff_depth = 3, .components_per_client = 10, .rooms_per_client = 10};
	static const struct session_settings settings = {.max_depth = 32, .max_message_bytes = 1 << 20};
	const struct shard_options options = {.count = 1, .mailbox_depth = 65536, .mail_budget = 4096, .manual = true};
	const struct signing_options signing = {.secret = STR("guard"), .max_age_ms = 1000, .max_state_bytes = 1 << 20};
	const struct rooms_options rooms = {.diff_depth = 3, .adapter = memory_adapter()};
	struct registry *registry = registry_new();
	struct shard_group *group;
	char error[128];

	assert_always(registry_add(registry, &counter_definition, "guard", error, sizeof error) == 0);
	assert_always(shard_group_new(&group, &options) == 0);
	shard = shard_group_at(group, 0);
	shard_enter(shard);
	session_shard_init(&sessions, shard,
			   component_shard_new(shard, registry, &components, signing_keys_new(&signing), &rooms),
			   &settings);
}

/* A client with a Counter mounted, in room "bench" if wanted. */
static void open_client(struct drain *drain, bool joins)
{
	char text[256];

	*drain = (struct drain){.transport.ops = &drain_ops, .task.run = compose};
	buf_init(&drain->out, SIZE_MAX);
	drain->session = session_open(&sessions, &drain->transport, STR(""));
	step();
	buf_reset(&drain->out, SIZE_MAX);
	send_text(drain, "{\"type\":\"COMPONENT_MOUNT\",\"payload\":{\"component\":\"Counter\"},\"requestId\":\"m\"}");
	buf_append_char(&drain->out, 0);
	const char *id = strstr(drain->out.ptr, "\"componentId\":\"");
	assert_always(id);
	memcpy(drain->component, id + strlen("\"componentId\":\""), ID_BYTES);
	if (joins) {
		snprintf(text, sizeof text,
			 "{\"type\":\"ROOM_JOIN\",\"componentId\":\"%s\",\"roomId\":\"bench\",\"requestId\":\"j\"}",
			 drain->component);
		send_text(drain, text);
	}
	buf_reset(&drain->out, SIZE_MAX);
}

/* ---- the paths ---- */

static const char padding[] =
	"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";

static void path_decode(unsigned count)
{
	char text[512];
	int len = snprintf(
		text, sizeof text,
		"{\"type\":\"CALL_ACTION\",\"componentId\":\"Ab3dEf9_\",\"action\":\"increment\",\"payload\":{\"by\":2,"
		"\"note\":\"%s\"},\"requestId\":\"d81-Zz0q\",\"expectResponse\":true}",
		padding);

	for (unsigned i = 0; i < count; i++) {
		struct message message;
		enum message_result result =
			message_decode(&message, (struct str){text, (size_t)len}, shard_arena(shard), 32);
		assert_always(result == MESSAGE_OK && !message.invalid);
		message_deinit(&message);
		arena_reset(shard_arena(shard), SIZE_MAX);
	}
}

/* A frame that is decoded, finds its component and is answered, without running any code of it. */
static void path_route(unsigned count)
{
	static struct drain drain;
	char text[256];

	open_client(&drain, false);
	snprintf(text, sizeof text,
		 "{\"type\":\"COMPONENT_PING\",\"componentId\":\"%s\",\"requestId\":\"d81-Zz0q\","
		 "\"timestamp\":1700000000000}",
		 drain.component);
	for (unsigned i = 0; i < count; i++) {
		send_text(&drain, text);
		buf_reset(&drain.out, SIZE_MAX);
	}
}

static void path_action(unsigned count)
{
	static struct drain drain;
	char text[256];

	open_client(&drain, false);
	snprintf(text, sizeof text,
		 "{\"type\":\"CALL_ACTION\",\"componentId\":\"%s\",\"action\":\"increment\",\"payload\":{},"
		 "\"requestId\":\"d81-Zz0q\","
		 "\"expectResponse\":true}",
		 drain.component);
	for (unsigned i = 0; i < count; i++) {
		send_text(&drain, text);
		buf_reset(&drain.out, SIZE_MAX);
	}
}

/* COUNT deliveries: each message reaches 99 members of 100. */
static void path_fanout(unsigned count)
{
	static struct drain drains[MEMBERS];
	char text[512];

	for (unsigned i = 0; i < MEMBERS; i++)
		open_client(&drains[i], true);
	snprintf(text, sizeof text,
		 "{\"type\":\"ROOM_EMIT\",\"componentId\":\"%s\",\"roomId\":\"bench\",\"payload\":{\"event\":\"b\","
		 "\"data\":{\"n\":1,"
		 "\"pad\":\"%s\"}},\"timestamp\":1700000000000}",
		 drains[0].component, padding);
	for (unsigned sent = 0; sent < count; sent += MEMBERS - 1) {
		send_text(&drains[0], text);
		for (unsigned i = 0; i < MEMBERS; i++)
			buf_reset(&drains[i].out, SIZE_MAX);
	}
}

static void path_mount(unsigned count)
{
	static struct drain drain;
	char text[256];

	open_client(&drain, false);
	for (unsigned i = 0; i < count; i++) {
		send_text(&drain,
			  "{\"type\":\"COMPONENT_MOUNT\",\"payload\":{\"component\":\"Counter\"},\"requestId\":\"m\"}");
		buf_append_char(&drain.out, 0);
		const char *id = strstr(drain.out.ptr, "\"componentId\":\"") + strlen("\"componentId\":\"");
		snprintf(text, sizeof text, "{\"type\":\"COMPONENT_UNMOUNT\",\"componentId\":\"%.8s\"}", id);
		send_text(&drain, text);
		buf_reset(&drain.out, SIZE_MAX);
	}
}

static void append_padding(void *owner, struct connection *conn, struct buf *out)
{
	(void)owner;
	(void)conn;
	buf_append(out, padding, sizeof padding);
}

static void ignore_closed(void *owner, struct connection *conn, int error)
{
	(void)owner;
	(void)conn;
	(void)error;
}

/* From the wish to send to the system call, and back: the kernel's part is not counted. */
static void path_flush(unsigned count)
{
	static const struct connection_ops ops = {.on_flush = append_padding, .on_closed = ignore_closed};
	const struct address peer = {0};
	struct net_shard *net = net_shard_new(shard, NULL);
	struct connection *conn;
	char taken[2 * sizeof padding];
	int ends[2];

	assert_always(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
	assert_always(connection_new(&conn, net, ends[0], &peer, NULL, &ops, NULL) == 0);
	step();
	for (unsigned i = 0; i < count; i++) {
		connection_flush_soon(conn);
		step();
		assert_always(read(ends[1], taken, sizeof taken) == sizeof padding);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(unsigned count);
	} paths[] = {{"decode", path_decode}, {"route", path_route}, {"action", path_action},
		     {"fanout", path_fanout}, {"flush", path_flush}, {"mount", path_mount}};

	for (size_t i = 0; argc == 3 && i < sizeof paths / sizeof paths[0]; i++) {
		if (strcmp(argv[1], paths[i].name))
			continue;
		start();
		paths[i].run((unsigned)strtoul(argv[2], NULL, 10));
		return 0;
	}
	fprintf(stderr, "usage: guard decode|route|action|fanout|flush|mount COUNT\n");
	return 2;
}
