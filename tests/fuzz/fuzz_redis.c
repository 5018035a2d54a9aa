/*
 * What Redis answers, in any shape, to a link with rooms and a port of the cluster behind it: nothing of it may break
 * the shard, and when all is over nothing is left that was counted.
 *
 * The first byte: 1 messages are signed, 2 as MessagePack, 4 the room is the cluster's, 8 subscriptions are not
 * confirmed by themselves. The rest are steps, each ended by a NUL, by their first letter: "g" answers the oldest
 * command well, "c" by what follows; "m" sends what follows on the connection for messages; "C" and "M" close the two;
 * "t" lets time go by, "s" sets a state, "e" emits, "u" updates, "j" joins or leaves, "a" asks the store of singletons,
 * "d" hears their deltas or no longer.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/frame.h"
#include "core/log.h"
#include "core/mem.h"
#include "pubsub/rooms.h"
#include "redis/cluster_adapter.h"
#include "redis/link.h"
#include "redis/room_adapter.h"
#include "redis/room_scripts.h"
#include "shard/shard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	PEERS = 2,
	DUE_MAX = 64,
	TURNS = 4,
	TURN_MS = 5,
	PATIENCE = 20,
	MAX_SIZE = 4096,
	STEP_MS = 700,
	RECONNECT_MS = 6000
};

struct peer {   /* our end of one of the connections */
	int fd; /* -1: none */
	bool is_signed_on;
	const struct str *due[DUE_MAX]; /* good answers to what was asked, oldest first */
	unsigned due_count;
	char bytes[65536]; /* a command's beginning */
	size_t len;
};

static struct shard_group *group;
static struct shard *shard;
static int listener;
static char folder[] = "/tmp/fuzz-redis-XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static char url[128];
static int64_t ahead_ms; /* of the real clock */

static struct peer peers[PEERS];
static bool confirms;
static struct redis_node *node;
static struct redis_link *link_here;
static struct room_adapter *rooms_adapter;
static struct cluster_adapter *cluster;
static struct cluster_port port;
static struct rooms *rooms;
static struct room_member member;
static unsigned asked, answered, written;
static bool hears_deltas;

/* ---- what is behind the link ---- */

static struct frame *encode(const struct room_event *event)
{
	return frame_new(event->data);
}

static void deliver(struct rooms *here, struct room_view *view, struct room_event *event)
{
	(void)here;
	(void)view;
	(void)event;
}

static void joined(struct rooms *here, struct room_member *who, const char *error)
{
	(void)here;
	(void)who;
	(void)error;
}

static void heard(struct cluster_port *self, struct str message)
{
	(void)self;
	assert_always(message.ptr);
}

static void restored(struct cluster_port *self)
{
	(void)self;
}

static void on_answer(struct cluster_ask *ask, const struct cluster_answer *answer)
{
	for (size_t i = 0; i < answer->handled_count; i++)
		assert_always(answer->handled[i].ptr);
	answered++;
	free(ask);
}

static void ask_store(char verb)
{
	static const struct str words[] = {STR("one"), STR("two")};
	struct cluster_ask *ask = mem_alloc(sizeof *ask);

	*ask = (struct cluster_ask){
		.verb = (enum cluster_verb)((unsigned char)verb % (CLUSTER_RELEASE + 1)),
		.name = STR("Board"),
		.component_id = STR("cmp00001"),
		.fence = 3,
		.state = STR("{\"n\":1}"),
		.messages = words,
		.message_count = 2,
		.handled = words,
		.handled_count = 2,
		.answered = on_answer,
	};
	asked++;
	cluster->ops->ask(cluster, &port, ask);
}

static const live_value *count(const live_value *state, const live_value *argument, const live_value **reply)
{
	(void)argument;
	*reply = live_null();
	return live_with(state, "n", live_int(live_as_int(live_get(state, "n"), 0) % 1000 + 1));
}

static void emit(struct str text)
{
	struct room_emit what = {
		.type = STR("room"), .room_id = STR("lobby"), .event = text.len ? text : STR("e"), .data = STR("1")};
	int rc = rooms_emit(rooms, &what);

	assert_always(rc == 0);
}

static void join_or_leave(void)
{
	if (member.state != ROOM_MEMBER_OUT) {
		rooms_leave(rooms, &member);
		return;
	}
	int rc = rooms_join(rooms, &member, STR("lobby"), NULL);
	assert_always(rc == 0);
}

static void set_state(void)
{
	const live_value *updates = live_object("n", live_int(++written), NULL);

	rooms_set_state(rooms, STR("lobby"), updates, (struct room_origin){0}, NULL, NULL);
	live_value_unref(updates);
}

/* ---- Redis ---- */

static void hang_up(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	peer->fd = -1;
	peer->is_signed_on = false;
	peer->len = 0;
	peer->due_count = 0;
}

/* The length of the command at the beginning of text, or 0 while it is not whole. Ours are well formed. */
static size_t command_size(const char *text, size_t len)
{
	const char *at = memchr(text, '\n', len);
	long parts = strtol(text + 1, NULL, 10);

	for (; at && parts > 0; parts--) {
		const char *head = at + 1;
		at = memchr(head, '\n', len - (size_t)(head - text));
		if (!at)
			return 0;
		long size = strtol(head + 1, NULL, 10);
		if (len - (size_t)(at + 1 - text) < (size_t)size + 2)
			return 0;
		at += size + 2;
	}
	return at ? (size_t)(at + 1 - text) : 0;
}

static void say(struct peer *peer, struct str bytes)
{
	if (peer->fd >= 0 && bytes.len)
		(void)!send(peer->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
}

static const struct str *good_answer(const char *text, size_t len)
{
	static const struct {
		const struct redis_script *script;
		struct str answer;
	} all[] = {
		{&room_script_read, STR("*5\r\n$1\r\n4\r\n$8\r\nlineage1\r\n$7\r\n{\"n\":1}\r\n$0\r\n\r\n*0\r\n")},
		{&room_script_commit, STR("*1\r\n$2\r\nok\r\n")},
		{&room_script_members, STR("*2\r\n*2\r\n$8\r\nnodeB_01\r\n:2\r\n*0\r\n")},
		{&room_script_beat, STR("*2\r\n:0\r\n*1\r\n$8\r\nnodeB_01\r\n")},
	};
	static const struct str other = STR("*1\r\n$4\r\nmine\r\n");

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (memmem(text, len, all[i].script->sha, REDIS_SHA_HEX))
			return &all[i].answer;
	return &other;
}

/* Each channel that is named in the command, as Redis does it. */
static void confirm(struct peer *peer, const char *text, size_t len, struct str verb)
{
	const char *at = memchr(text, '$', len);
	char line[512];

	for (unsigned part = 0; at; part++) {
		size_t size = strtoul(at + 1, NULL, 10);
		const char *name = (const char *)memchr(at, '\n', len - (size_t)(at - text)) + 1;
		int wrote = snprintf(line, sizeof line, "*3\r\n$%zu\r\n%s\r\n$%zu\r\n%.*s\r\n:1\r\n", verb.len,
				     verb.ptr, size, (int)size, name);
		if (part)
			say(peer, (struct str){line, (size_t)wrote});
		const char *next = name + size + 2;
		at = next < text + len ? next : NULL;
	}
}

static void take_question(struct peer *peer, const char *text, size_t len)
{
	bool ends = memmem(text, len, "\nUNSUBSCRIBE\r", 13);

	if (ends || memmem(text, len, "\nSUBSCRIBE\r", 11)) {
		if (confirms)
			confirm(peer, text, len, ends ? STR("unsubscribe") : STR("subscribe"));
	} else if (peer->due_count < DUE_MAX) {
		peer->due[peer->due_count++] = good_answer(text, len);
	}
}

/* Answers the oldest command; text NULL: well. */
static void answer(struct peer *peer, const struct str *text)
{
	if (text)
		say(peer, *text);
	else if (peer->due_count)
		say(peer, *peer->due[0]);
	if (peer->due_count)
		memmove(peer->due, peer->due + 1, --peer->due_count * sizeof peer->due[0]);
}

/* Signing on is answered by itself: the link would not come up else. */
static void take_command(struct peer *peer, const char *text, size_t len)
{
	if (peer->is_signed_on) {
		take_question(peer, text, len);
		return;
	}
	peer->is_signed_on = memmem(text, len, "\nEXISTS\r", 8);
	say(peer, peer->is_signed_on ? STR(":0\r\n") : STR("+OK\r\n"));
}

static void listen_to(struct peer *peer)
{
	size_t size;
	ssize_t got;

	while (peer->fd >= 0 &&
	       (got = recv(peer->fd, peer->bytes + peer->len, sizeof peer->bytes - peer->len, 0)) != -1) {
		if (got == 0) {
			hang_up(peer);
			return;
		}
		peer->len += (size_t)got;
		while ((size = command_size(peer->bytes, peer->len))) {
			take_command(peer, peer->bytes, size);
			memmove(peer->bytes, peer->bytes + size, peer->len - size);
			peer->len -= size;
		}
		if (peer->len == sizeof peer->bytes)
			peer->len = 0; /* it is not signing on any more: nobody needs to know what it says */
	}
}

/* The link dials for commands first, then for messages. */
static void take_calls(void)
{
	for (unsigned i = 0; i < PEERS; i++) {
		int fd = peers[i].fd < 0 ? accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) : -1;
		if (fd >= 0)
			peers[i].fd = fd;
	}
}

static void set_time(void)
{
	shard_set_time(shard, clock_now_wall_ms() + ahead_ms, clock_now_mono_ms() + ahead_ms);
}

static void turn(void)
{
	for (unsigned i = 0; i < TURNS; i++) {
		ahead_ms += TURN_MS;
		set_time();
		shard_step(shard);
		take_calls();
		listen_to(&peers[0]);
		listen_to(&peers[1]);
	}
}

/* ---- a run ---- */

static void clean(void)
{
	unlink(address.sun_path);
	rmdir(folder);
}

static void prepare(void)
{
	const struct shard_options options = {.count = 1, .mailbox_depth = 1024, .mail_budget = 1024, .manual = true};

	log_setup(LOG_ERROR, STDERR_FILENO); /* each run connects, and loses its connection */
	assert_always(shard_group_new(&group, &options) == 0);
	shard = shard_group_at(group, 0);
	assert_always(mkdtemp(folder) && atexit(clean) == 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
	snprintf(url, sizeof url, "unix://%s", address.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_always(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 8) == 0);
}

static void begin(unsigned char flags)
{
	static const struct rooms_hooks hooks = {.encode = encode, .deliver = deliver, .joined = joined};
	static const struct str all = STR("*");
	const struct redis_options links = {.url = url, .shards = 1, .retry_min_ms = 5, .retry_max_ms = 50};
	const struct redis_room_options options = {
		.ttl = 60,
		.msgpack = flags & 2,
		.secret = flags & 1 ? "fuzz" : NULL,
		.cluster_rooms = &all,
		.cluster_room_count = flags & 4 ? 1 : 0,
	};
	char error[REDIS_ERROR_SIZE];

	set_time();
	assert_always(redis_node_new(&node, &links, error) == 0);
	cluster = redis_cluster_adapter_new(node, &(struct redis_cluster_options){.lease_ms = 1000});
	rooms_adapter = redis_room_adapter_new(node, &options);
	link_here = redis_link_new(shard, NULL, node);
	redis_cluster_adapter_start(cluster, link_here);
	redis_room_adapter_start(rooms_adapter, link_here);
	rooms = rooms_new(shard, &(struct rooms_options){.adapter = rooms_adapter, .hooks = &hooks});
	port = (struct cluster_port){.id = "port0001", .heard = heard, .restored = restored};
	cluster->ops->open(cluster, shard, &port);
	member = (struct room_member){.id = STR("cmp00002")};
	asked = answered = 0;
	written = 1; /* what is stored at first */
	hears_deltas = false;
	confirms = !(flags & 8);
	for (unsigned i = 0; i < PATIENCE && !redis_link_is_up(link_here); i++)
		turn();
	assert_always(redis_link_is_up(link_here));
	join_or_leave();
	turn();
}

static void check_figures(void)
{
	const struct redis_figures *figures = &node->figures[0];
	const struct redis_rooms_figures *shared = redis_room_adapter_figures(rooms_adapter, 0);

	assert_always(asked == answered);
	assert_always(!counter_read(&figures->queued) && !counter_read(&figures->queued_bytes));
	assert_always(!counter_read(&figures->channels) && !counter_read(&figures->channels_live));
	assert_always(!counter_read(&shared->rooms) && !counter_read(&shared->waiting));
}

static void end(void)
{
	rooms_leave(rooms, &member);
	cluster->ops->close(cluster, &port);
	rooms_free(rooms);
	redis_room_adapter_stop(rooms_adapter, shard);
	redis_cluster_adapter_stop(cluster, link_here);
	redis_link_free(link_here);
	turn(); /* what was buried goes */
	check_figures();
	redis_cluster_adapter_free(cluster);
	redis_room_adapter_free(rooms_adapter);
	redis_node_free(node);
	for (unsigned i = 0; i < PEERS; i++)
		hang_up(&peers[i]);
	take_calls();
	for (unsigned i = 0; i < PEERS; i++)
		hang_up(&peers[i]);
}

static void do_step(struct str step)
{
	struct str rest = {step.ptr + 1, step.len - 1};

	switch (step.ptr[0]) {
	case 'g': answer(&peers[0], NULL); break;
	case 'c': answer(&peers[0], &rest); break;
	case 'm': say(&peers[1], rest); break;
	case 'C': hang_up(&peers[0]); break;
	case 'M': hang_up(&peers[1]); break;
	case 't': ahead_ms += rest.len ? RECONNECT_MS : STEP_MS; break;
	case 's': set_state(); break;
	case 'e': emit(rest); break;
	case 'u': rooms_update(rooms, STR("lobby"), count, NULL, (struct room_origin){0}, NULL, NULL); break;
	case 'j': join_or_leave(); break;
	case 'a': ask_store(rest.len ? rest.ptr[0] : 0); break;
	case 'd':
		hears_deltas = !hears_deltas;
		cluster->ops->hear_deltas(cluster, &port, hears_deltas);
		break;
	default: break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!group) {
		prepare();
		for (unsigned i = 0; i < PEERS; i++)
			peers[i].fd = -1;
	}
	if (!size || size > MAX_SIZE)
		return 0;
	shard_enter(shard);
	begin(data[0]);
	for (const char *at = (const char *)data + 1, *last = (const char *)data + size; at < last;) {
		const char *stop = memchr(at, 0, (size_t)(last - at));
		struct str step = {at, (size_t)((stop ? stop : last) - at)};
		if (step.len)
			do_step(step);
		turn();
		at += step.len + 1;
	}
	end();
	shard_enter(NULL);
	return 0;
}
