#include "redis/wire.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/mem.h"
#include "redis/resp.h"

enum {
	READ_BYTES = 16384,    /* per read */
	READ_TURN = 1 << 20,   /* bytes read before other sockets have their turn */
	OUT_KEEP = 65536,      /* bytes that stay allocated to write from */
	COMMAND_MIN_BYTES = 96 /* what an unanswered command counts besides its text: its record */
};

struct redis_request {
	struct redis_request *next;
	redis_answer *answer; /* NULL: nobody waits any more */
	void *context;
	const struct redis_script *script; /* of an EVALSHA: to be sent whole if Redis has it not */
	unsigned args_count;               /* of the script's arguments */
	struct buf args;                   /* the script's arguments as sent */
	int64_t sent_us;
	size_t bytes;
};

static void read_ready(int fd, short what, void *argument);
static void write_ready(int fd, short what, void *argument);
static void flush_run(struct tick_task *task, struct shard *here);
static void watch_fire(struct timer *timer);

void redis_wire_init(struct redis_wire *wire, struct shard *shard, const struct redis_node *node,
		     struct redis_figures *figures, const struct redis_wire_ops *ops)
{
	*wire = (struct redis_wire){.shard = shard,
				    .node = node,
				    .figures = figures,
				    .ops = ops,
				    .fd = -1,
				    .parted = -1,
				    .last = &wire->first};
	wire->flush.run = flush_run;
	timer_init(&wire->watch, watch_fire);
	buf_init(&wire->out, SIZE_MAX / 2); /* bounded by what may be unanswered */
}

void redis_wire_deinit(struct redis_wire *wire)
{
	for (struct redis_request *request = wire->first; request; request = request->next)
		request->answer = NULL; /* What the last tick wanted to say still goes, if it goes at once. */
	if (wire->is_connected && wire->out.len)
		(void)!send(wire->fd, wire->out.ptr, wire->out.len, MSG_NOSIGNAL);
	redis_wire_close(wire, -ECONNRESET);
	if (wire->parted >= 0)
		close(wire->parted);
	buf_deinit(&wire->out);
}

/* ---- opening and closing ---- */

static int64_t now_ms(const struct redis_wire *wire)
{
	return shard_clock(wire->shard)->mono_ms;
}

int redis_wire_open(struct redis_wire *wire, const struct sockaddr *address, unsigned address_size)
{
	int yes = 1;
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_always(wire->fd < 0);
	if (fd < 0)
		return -errno;
	/* A command waits for nothing to go with it. */
	if (address->sa_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
	if (connect(fd, address, address_size) < 0 && errno != EINPROGRESS) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	wire->fd = fd;
	wire->generation++;
	wire->is_connected = wire->is_pinged = false;
	wire->opened_ms = wire->heard_ms = now_ms(wire);
	wire->reader = redisReaderCreate();
	wire->reading = event_new(shard_base(wire->shard), fd, EV_READ | EV_PERSIST, read_ready, wire);
	wire->writing = event_new(shard_base(wire->shard), fd, EV_WRITE, write_ready, wire);
	assert_always(wire->reader && wire->reading && wire->writing);
	event_add(wire->reading, NULL);
	event_add(wire->writing, NULL);
	return 0;
}

static void request_done(struct redis_wire *wire, struct redis_request *request, int error,
			 const struct redisReply *reply)
{
	wire->request_count--;
	wire->request_bytes -= request->bytes;
	counter_sub(&wire->figures->queued, 1);
	counter_sub(&wire->figures->queued_bytes, request->bytes);
	buf_deinit(&request->args);
	redis_answer *answer = request->answer;
	void *context = request->context;
	free(request);
	if (answer)
		answer(context, error, reply);
}

/*
 * Ends the connection, but keeps its descriptor until the next one ends: the loop tells the kernel of what is no longer
 * watched only before it waits, and by then the number could be another thread's.
 */
static void part(struct redis_wire *wire)
{
	(void)shutdown(wire->fd, SHUT_RDWR);
	if (wire->parted >= 0)
		close(wire->parted);
	wire->parted = wire->fd;
	wire->fd = -1;
}

void redis_wire_close(struct redis_wire *wire, int error)
{
	struct redis_request *request = wire->first;
	struct redis_request *next;

	timer_disarm(&wire->watch);
	if (wire->fd < 0)
		return;
	event_free(wire->reading);
	event_free(wire->writing);
	redisReaderFree(wire->reader);
	part(wire);
	wire->generation++;
	wire->is_connected = false;
	buf_reset(&wire->out, 0);
	wire->first = NULL;
	wire->last = &wire->first;
	counter_add(error == -ETIMEDOUT ? &wire->figures->timeouts : &wire->figures->lost, wire->request_count);
	/* Who is called may ask anew; that is refused, since the wire is closed, or goes to the next connection. */
	for (; request; request = next) {
		next = request->next;
		request_done(wire, request, error, NULL);
	}
}

static void fail(struct redis_wire *wire, int error, const char *why)
{
	uint32_t generation = wire->generation + 1;

	redis_wire_close(wire, error);
	if (wire->generation == generation)
		wire->ops->closed(wire, why);
}

/* ---- silence ---- */

static int64_t now_us(void)
{
	return clock_now_mono_ns() / 1000;
}

/* When something must be done if nothing comes until then. */
static int64_t watch_moment(const struct redis_wire *wire)
{
	const struct redis_options *options = &wire->node->options;
	int64_t ping = wire->heard_ms + options->ping_ms + (wire->is_pinged ? options->timeout_ms : 0);

	if (!wire->first)
		return ping;
	int64_t answer = wire->first->sent_us / 1000 + options->timeout_ms + 1;
	return answer < ping ? answer : ping;
}

static void watch(struct redis_wire *wire)
{
	int64_t moment = watch_moment(wire);

	if (!timer_is_armed(&wire->watch) || moment < wire->watch.due_ms)
		timer_arm(shard_wheel(wire->shard), &wire->watch, moment);
}

static void watch_fire(struct timer *timer)
{
	struct redis_wire *wire = LIST_OF(timer, struct redis_wire, watch);
	const struct redis_options *options = &wire->node->options;
	const struct str ping = STR("PING");
	int64_t now = now_us();

	if (wire->first && now - wire->first->sent_us > options->timeout_ms * 1000) {
		fail(wire, -ETIMEDOUT, "it does not answer");
		return;
	}
	if (wire->is_pinged && now_ms(wire) - wire->heard_ms >= options->ping_ms + options->timeout_ms) {
		fail(wire, -ETIMEDOUT, "it is silent");
		return;
	}
	if (!wire->is_pinged && now_ms(wire) - wire->heard_ms >= options->ping_ms) {
		/* When even that cannot be sent, answers are due, and their deadline does the same. */
		int rc = wire->is_subscriber ? redis_wire_send_quiet(wire, &ping, 1)
					     : redis_wire_send(wire, &ping, 1, NULL, NULL);
		wire->is_pinged = rc == 0;
	}
	watch(wire);
}

/* ---- writing ---- */

static void flush(struct redis_wire *wire)
{
	while (wire->out.len) {
		ssize_t sent = send(wire->fd, wire->out.ptr, wire->out.len, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN) {
			event_add(wire->writing, NULL);
			return;
		}
		if (sent < 0) {
			fail(wire, -ECONNRESET, strerror(errno));
			return;
		}
		counter_add(&wire->figures->bytes_out, (uint64_t)sent);
		buf_consume(&wire->out, (size_t)sent);
	}
	buf_reset(&wire->out, OUT_KEEP);
}

static void flush_run(struct tick_task *task, struct shard *here)
{
	struct redis_wire *wire = LIST_OF(task, struct redis_wire, flush);

	(void)here;
	if (wire->is_connected && !event_pending(wire->writing, EV_WRITE, NULL))
		flush(wire);
}

static void write_ready(int fd, short what, void *argument)
{
	struct redis_wire *wire = argument;
	int error = 0;
	socklen_t size = sizeof error;

	(void)what;
	if (wire->is_connected) {
		flush(wire);
		return;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (error) {
		fail(wire, -ECONNRESET, strerror(error));
		return;
	}
	wire->is_connected = true;
	wire->heard_ms = now_ms(wire);
	watch(wire);
	wire->ops->connected(wire);
}

/* ---- sending ---- */

/* bytes: to be written; held: of them and of what is kept until the answer. */
static int make_room(struct redis_wire *wire, size_t bytes, size_t held)
{
	const struct redis_options *options = &wire->node->options;

	if (!wire->is_connected) {
		counter_add(&wire->figures->refused_down, 1);
		return -ENOTCONN;
	}
	/* A single command may be as large as it likes, or one that is too large could never be sent. */
	if (wire->request_count >= options->queue_commands ||
	    ((wire->request_count || wire->out.len) &&
	     (wire->request_bytes > wire->out.len ? wire->request_bytes : wire->out.len) + held >
		     options->queue_bytes) ||
	    !buf_try_reserve(&wire->out, bytes)) {
		counter_add(&wire->figures->refused_full, 1);
		return -EAGAIN;
	}
	return 0;
}

static struct redis_request *request_add(struct redis_wire *wire, redis_answer *answer, void *context, size_t bytes)
{
	struct redis_request *request = mem_alloc(sizeof *request);

	request->answer = answer;
	request->context = context;
	request->bytes = bytes + COMMAND_MIN_BYTES;
	request->sent_us = now_us();
	buf_init(&request->args, SIZE_MAX / 2);
	*wire->last = request;
	wire->last = &request->next;
	wire->request_count++;
	wire->request_bytes += request->bytes;
	counter_add(&wire->figures->queued, 1);
	counter_add(&wire->figures->queued_bytes, request->bytes);
	return request;
}

static void sent(struct redis_wire *wire)
{
	counter_add(&wire->figures->commands, 1);
	watch(wire);
	shard_at_tick_end(wire->shard, TICK_FLUSH, &wire->flush);
}

int redis_wire_send(struct redis_wire *wire, const struct str *args, unsigned count, redis_answer *answer,
		    void *context)
{
	size_t bytes = resp_size(args, count);
	int rc = make_room(wire, bytes, bytes);

	if (rc < 0)
		return rc;
	resp_write(&wire->out, args, count);
	request_add(wire, answer, context, bytes);
	sent(wire);
	return 0;
}

int redis_wire_send_quiet(struct redis_wire *wire, const struct str *args, unsigned count)
{
	size_t bytes = resp_size(args, count);
	int rc = make_room(wire, bytes, bytes);

	if (rc < 0)
		return rc;
	resp_write(&wire->out, args, count);
	sent(wire);
	return 0;
}

int redis_wire_eval(struct redis_wire *wire, const struct redis_script *script, const struct str *args, unsigned count,
		    redis_answer *answer, void *context)
{
	const struct str head[] = {STR("EVALSHA"), {script->sha, REDIS_SHA_HEX}};
	size_t bytes = resp_size(args, count) + sizeof "$7\r\nEVALSHA\r\n$40\r\n" + REDIS_SHA_HEX + 2;
	/* The arguments are kept until the answer: they count twice. */
	int rc = make_room(wire, bytes, 2 * bytes);

	if (rc < 0)
		return rc;
	struct redis_request *request = request_add(wire, answer, context, 2 * bytes);
	request->script = script;
	request->args_count = count;
	resp_write_args(&request->args, args, count);
	resp_write_count(&wire->out, count + 2);
	resp_write_args(&wire->out, head, 2);
	buf_append_str(&wire->out, buf_str(&request->args));
	sent(wire);
	return 0;
}

/* The same once more with the script's text: Redis has forgotten it. */
static void eval_whole(struct redis_wire *wire, struct redis_request *request)
{
	const struct str head[] = {STR("EVAL"), request->script->text};

	resp_write_count(&wire->out, request->args_count + 2);
	resp_write_args(&wire->out, head, 2);
	buf_append_str(&wire->out, buf_str(&request->args));
	request->script = NULL;
	request->next = NULL;
	request->sent_us = now_us();
	*wire->last = request;
	wire->last = &request->next;
	sent(wire);
}

void redis_wire_forget(struct redis_wire *wire, const void *context)
{
	for (struct redis_request *request = wire->first; request; request = request->next) {
		if (request->context == context)
			request->answer = NULL;
	}
}

/* ---- reading ---- */

static void take_answer(struct redis_wire *wire, const struct redisReply *reply)
{
	struct redis_request *request = wire->first;
	bool is_error = reply->type == REDIS_REPLY_ERROR;

	wire->first = request->next;
	if (!wire->first)
		wire->last = &wire->first;
	if (is_error && request->script && !strncmp(reply->str, "NOSCRIPT", 8)) {
		eval_whole(wire, request);
		return;
	}
	uint32_t generation = wire->generation;
	redis_figures_add_round_trip(wire->figures, (uint64_t)(now_us() - request->sent_us));
	if (is_error)
		counter_add(&wire->figures->errors, 1);
	request_done(wire, request, is_error ? -EREMOTEIO : 0, reply);
	if (is_error && wire->generation == generation)
		wire->ops->refused(wire, reply->str);
}

/* Gives out what has come completely. false: the wire closed meanwhile. */
static bool take_answers(struct redis_wire *wire)
{
	uint32_t generation = wire->generation;
	void *reply = NULL;

	while (redisReaderGetReply(wire->reader, &reply) == REDIS_OK && reply) {
		if (wire->first)
			take_answer(wire, reply);
		else
			wire->ops->pushed(wire, reply);
		freeReplyObject(reply);
		if (wire->generation != generation)
			return false;
		reply = NULL;
	}
	if (!wire->reader->err)
		return true;
	fail(wire, -ECONNRESET, "it does not speak Redis's protocol");
	return false;
}

static void read_ready(int fd, short what, void *argument)
{
	struct redis_wire *wire = argument;
	char bytes[READ_BYTES];

	(void)what;
	for (size_t turn = 0; turn < READ_TURN;) {
		ssize_t got = read(fd, bytes, READ_BYTES);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return;
		if (got <= 0) {
			fail(wire, -ECONNRESET, got < 0 ? strerror(errno) : "it closed the connection");
			return;
		}
		counter_add(&wire->figures->bytes_in, (uint64_t)got);
		wire->heard_ms = now_ms(wire);
		wire->is_pinged = false;
		turn += (size_t)got;
		if (redisReaderFeed(wire->reader, bytes, (size_t)got) != REDIS_OK) {
			fail(wire, -ECONNRESET, "its answer is too large");
			return;
		}
		if (!take_answers(wire))
			return;
		if ((size_t)got < READ_BYTES)
			return;
	}
}
