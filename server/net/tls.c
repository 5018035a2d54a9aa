#include "server/net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/log.h"
#include "core/mem.h"
#include "server/net/connection_private.h"

enum { HANDSHAKE_MS = 10000, HANDSHAKES_PER_TICK = 16 };

struct tls_shard {
	struct net_attachment attachment;
	struct net_shard *net;
	struct tls_context *context; /* of connections to come */
	struct tls_options options;
	struct tls_tickets tickets;
	struct timer rotation;  /* forgets old keys when nobody comes */
	struct list waiting;    /* handshakes over the ration, first come first */
	struct timer next_turn; /* armed while there are any */
	uint64_t tick;          /* the one that left is of */
	unsigned left;          /* handshakes that this tick still goes on with */
};

struct tls_wire {
	SSL *ssl;
	struct connection *conn;
	struct tls_shard *shard;
	struct tls_context *context; /* of its handshake, which its bytes to the socket need to the end */
	struct list waiting;         /* shard->waiting, or on no list */
	size_t held;                 /* bytes of the last write that OpenSSL keeps, encrypted, for the next */
	int socket_error;            /* what recv or send said last: 0 or -errno */
	int verdict;           /* why nothing is read any more, once the bytes before it are read; 0 is no verdict */
	bool socket_ended : 1; /* the peer's socket says so; without a close_notify anyone may have done it */
	bool has_turn : 1;
	bool is_done : 1;    /* the handshake */
	bool has_failed : 1; /* OpenSSL must not be called again */
	bool has_more : 1;   /* bytes of the socket may wait in ssl */
	bool is_ending : 1;  /* our close_notify is not out yet */
};

enum { ENDED_IN_ORDER = 1 }; /* a verdict, beside the negative errnos */

static struct net_counters *counters_of(const struct tls_wire *wire)
{
	return net_shard_counters(wire->shard->net);
}

/* ---- the socket, for OpenSSL ---- */

static long note_result(struct tls_wire *wire, ssize_t result)
{
	if (result >= 0)
		return result;
	wire->socket_error = errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno;
	return wire->socket_error;
}

long tls_wire_receive(struct tls_wire *wire, char *to, size_t room)
{
	ssize_t got = recv(connection_fd(wire->conn), to, room, 0);
	wire->socket_ended |= got == 0;
	return note_result(wire, got);
}

long tls_wire_send(struct tls_wire *wire, const char *bytes, size_t len)
{
	return note_result(wire, send(connection_fd(wire->conn), bytes, len, MSG_NOSIGNAL));
}

/* ---- what went wrong ---- */

/* Before each call into OpenSSL: what is left of another connection must not be taken for this one's. */
static void begin_call(struct tls_wire *wire)
{
	wire->socket_error = 0;
	ERR_clear_error();
}

/* The counter of a handshake that failed, by what OpenSSL has against it. */
static counter *handshake_cause(const struct tls_wire *wire, unsigned long error)
{
	struct net_counters *counters = counters_of(wire);
	int reason = ERR_GET_REASON(error);

	if (wire->socket_ended || wire->socket_error || error == 0)
		return &counters->tls_failed_ended;
	if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
		return &counters->tls_failed_alert;
	switch (reason) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW: return &counters->tls_failed_version;
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SHARED_GROUPS:
	case SSL_R_NO_SUITABLE_KEY_SHARE:
	case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM: return &counters->tls_failed_cipher;
	case SSL_R_NO_APPLICATION_PROTOCOL: return &counters->tls_failed_protocol;
	default: return &counters->tls_failed_bytes;
	}
}

/* The counter of a stream that failed, or NULL: after our close_notify nobody owes us one. */
static counter *stream_cause(const struct tls_wire *wire)
{
	struct net_counters *counters = counters_of(wire);

	if (!wire->socket_ended && !wire->socket_error)
		return &counters->tls_broken;
	return SSL_get_shutdown(wire->ssl) & SSL_SENT_SHUTDOWN ? NULL : &counters->tls_truncated;
}

/* The call failed for good: counts it, and returns what the connection is told. */
static int fail(struct tls_wire *wire)
{
	unsigned long error = ERR_peek_error();
	const char *reason = ERR_reason_error_string(error);
	counter *cause = wire->is_done ? stream_cause(wire) : handshake_cause(wire, error);

	wire->has_failed = true;
	if (cause)
		counter_add(cause, 1);
	log_debug("tls", "%s failed: %s", wire->is_done ? "a connection" : "a handshake",
		  reason ? reason : "the peer has gone");
	ERR_clear_error();
	if (wire->socket_error)
		return wire->socket_error;
	return wire->socket_ended ? -ECONNRESET : -EPROTO;
}

/* What a call that did not succeed means: -EAGAIN, ENDED_IN_ORDER, or -errno for good. */
static int judge(struct tls_wire *wire, int result)
{
	switch (SSL_get_error(wire->ssl, result)) {
	case SSL_ERROR_WANT_WRITE: connection_watch_write(wire->conn); return -EAGAIN;
	case SSL_ERROR_WANT_READ: return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN: return ENDED_IN_ORDER;
	default: return fail(wire);
	}
}

/* ---- the ration of handshakes ---- */

static void renew_ration(struct tls_shard *shard)
{
	uint64_t tick = counter_read(&shard_counters(net_shard_shard(shard->net))->ticks);
	if (tick == shard->tick)
		return;
	shard->tick = tick;
	shard->left = shard->options.handshakes_per_tick;
}

static void wait_for_turn(struct tls_wire *wire)
{
	struct tls_shard *shard = wire->shard;
	counter_add(&counters_of(wire)->tls_waits, 1);
	list_append(&shard->waiting, &wire->waiting);
	connection_hold_handshake(wire->conn);
	if (!timer_is_armed(&shard->next_turn))
		shard_timer_after(net_shard_shard(shard->net), &shard->next_turn, 0);
}

static void on_next_turn(struct timer *timer)
{
	struct tls_shard *shard = LIST_OF(timer, struct tls_shard, next_turn);
	renew_ration(shard);
	while (shard->left > 0 && !list_is_empty(&shard->waiting)) {
		struct tls_wire *wire = LIST_OF(shard->waiting.next, struct tls_wire, waiting);
		list_remove(&wire->waiting);
		wire->has_turn = true;
		connection_resume_handshake(wire->conn);
	}
	if (!list_is_empty(&shard->waiting))
		shard_timer_after(net_shard_shard(shard->net), &shard->next_turn, 0);
}

/* Whether wire may go on now; else it waits. */
static bool take_turn(struct tls_wire *wire)
{
	struct tls_shard *shard = wire->shard;
	renew_ration(shard);
	if (!wire->has_turn && (shard->left == 0 || !list_is_empty(&shard->waiting))) {
		wait_for_turn(wire);
		return false;
	}
	wire->has_turn = false;
	return true;
}

/* ---- the wire ---- */

static void finish_handshake(struct tls_wire *wire)
{
	struct net_counters *counters = counters_of(wire);
	wire->is_done = true;
	/* The first request may have come with the last of the handshake. */
	wire->has_more = SSL_has_pending(wire->ssl);
	counter_add(&counters->tls_handshakes, 1);
	if (SSL_session_reused(wire->ssl))
		counter_add(&counters->tls_resumed, 1);
}

static int tls_handshake(struct connection *conn, void *state)
{
	struct tls_wire *wire = state;
	(void)conn;
	if (!list_is_empty(&wire->waiting) || !take_turn(wire))
		return -EAGAIN;
	tls_tickets_set_time(&wire->shard->tickets, shard_clock(net_shard_shard(wire->shard->net))->mono_ms);
	OSSL_HANDSHAKE_STATE before = SSL_get_state(wire->ssl);
	begin_call(wire);
	int result = SSL_do_handshake(wire->ssl);
	/* To find that there is nothing yet is no work: whoever drips his bytes does not use up the ration. */
	if (SSL_get_state(wire->ssl) != before && wire->shard->left > 0)
		wire->shard->left--;
	if (result == 1) {
		finish_handshake(wire);
		return 0;
	}
	int rc = judge(wire, result);
	return rc == ENDED_IN_ORDER ? fail(wire) : rc;
}

static void send_close_notify(struct tls_wire *wire)
{
	begin_call(wire);
	int result = SSL_shutdown(wire->ssl);
	wire->is_ending = result < 0 && judge(wire, result) == -EAGAIN;
	if (!wire->is_ending)
		shutdown(connection_fd(wire->conn), SHUT_WR);
}

static ssize_t tls_read(struct connection *conn, void *state, char *to, size_t room)
{
	struct tls_wire *wire = state;
	size_t got = 0;
	(void)conn;

	if (wire->is_ending)
		send_close_notify(wire);
	if (wire->has_failed && !wire->verdict)
		wire->verdict = -EPIPE;
	wire->has_more = false;
	while (!wire->verdict && got < room) {
		size_t part = 0;
		begin_call(wire);
		int result = SSL_read_ex(wire->ssl, to + got, room - got, &part);
		got += part;
		if (result != 1) {
			int rc = judge(wire, result);
			if (rc == -EAGAIN)
				break;
			wire->verdict = rc;
		} else if (!SSL_has_pending(wire->ssl)) {
			break; /* the socket tells when there is more */
		}
	}
	/* When room ran out there may be more; a verdict waits until the bytes before it were presented. */
	wire->has_more = got == room || (got && wire->verdict);
	if (got)
		return (ssize_t)got;
	return wire->verdict == ENDED_IN_ORDER ? 0 : wire->verdict ? wire->verdict : -EAGAIN;
}

static ssize_t tls_write(struct connection *conn, void *state, const char *bytes, size_t len)
{
	struct tls_wire *wire = state;
	size_t sent = 0;
	(void)conn;

	if (wire->has_failed)
		return -EPIPE;
	/* One record per call. What the kernel did not take of one, OpenSSL keeps, encrypted, until the same bytes come
	 * again: as they do, since the backlog puts them in one piece. */
	wire->held = 0;
	while (sent < len) {
		size_t part = 0;
		begin_call(wire);
		int result = SSL_write_ex(wire->ssl, bytes + sent, len - sent, &part);
		if (result != 1) {
			int rc = judge(wire, result);
			if (rc != -EAGAIN)
				return rc == ENDED_IN_ORDER ? -EPIPE : rc;
			wire->held = len - sent < SSL3_RT_MAX_PLAIN_LENGTH ? len - sent : SSL3_RT_MAX_PLAIN_LENGTH;
			break;
		}
		sent += part;
	}
	return sent ? (ssize_t)sent : -EAGAIN;
}

static size_t tls_held(const void *state)
{
	return ((const struct tls_wire *)state)->held;
}

static bool tls_has_pending(struct connection *conn, void *state)
{
	(void)conn;
	return ((struct tls_wire *)state)->has_more;
}

static void tls_end(struct connection *conn, void *state)
{
	struct tls_wire *wire = state;
	if (wire->has_failed)
		shutdown(connection_fd(conn), SHUT_WR);
	else
		send_close_notify(wire);
}

static void tls_free(void *state)
{
	struct tls_wire *wire = state;
	if (!wire->is_done && !wire->has_failed)
		counter_add(&counters_of(wire)->tls_failed_late, 1);
	list_remove(&wire->waiting);
	SSL_free(wire->ssl);
	tls_context_unref(wire->context);
	free(wire);
}

static const struct wire wire_tls = {
	.handshake = tls_handshake,
	.read = tls_read,
	.write = tls_write,
	.held = tls_held,
	.has_pending = tls_has_pending,
	.end = tls_end,
	.free = tls_free,
	.is_secure = true,
};

/* ---- the shard ---- */

static void on_rotation(struct timer *timer)
{
	struct tls_shard *shard = LIST_OF(timer, struct tls_shard, rotation);
	struct shard *here = net_shard_shard(shard->net);
	int64_t now_ms = shard_clock(here)->mono_ms;
	tls_tickets_set_time(&shard->tickets, now_ms);
	shard_timer_after(here, timer, shard->tickets.next_ms - now_ms);
}

static void free_shard(struct net_attachment *attachment)
{
	struct tls_shard *shard = LIST_OF(attachment, struct tls_shard, attachment);
	timer_disarm(&shard->rotation);
	timer_disarm(&shard->next_turn);
	tls_tickets_deinit(&shard->tickets);
	tls_context_unref(shard->context);
	free(shard);
}

static struct tls_shard *shard_of(struct net_shard *net)
{
	struct net_attachment *attachment = net_shard_attachment(net, NET_SLOT_TLS);
	assert_always(attachment);
	return LIST_OF(attachment, struct tls_shard, attachment);
}

void tls_shard_new(struct net_shard *net, struct tls_context *context, struct tls_seed *seed,
		   const struct tls_options *options)
{
	struct tls_shard *shard = mem_alloc(sizeof *shard);
	shard->attachment.free = free_shard;
	shard->net = net;
	shard->context = tls_context_ref(context);
	if (options)
		shard->options = *options;
	if (shard->options.handshake_ms == 0)
		shard->options.handshake_ms = HANDSHAKE_MS;
	if (shard->options.handshakes_per_tick == 0)
		shard->options.handshakes_per_tick = HANDSHAKES_PER_TICK;
	shard->tick = UINT64_MAX;
	list_init(&shard->waiting);
	timer_init(&shard->next_turn, on_next_turn);
	timer_init(&shard->rotation, on_rotation);
	tls_tickets_init(&shard->tickets, seed);
	net_shard_attach(net, NET_SLOT_TLS, &shard->attachment);
	on_rotation(&shard->rotation);
}

void tls_shard_set_context(struct net_shard *net, struct tls_context *context)
{
	struct tls_shard *shard = shard_of(net);
	struct tls_context *old = shard->context;
	shard->context = tls_context_ref(context);
	tls_context_unref(old);
}

void tls_connection_start(struct connection *conn)
{
	struct tls_shard *shard = shard_of(connection_net(conn));
	struct tls_wire *wire = mem_alloc(sizeof *wire);
	wire->ssl = tls_context_open(shard->context, wire);
	if (!wire->ssl) {
		free(wire);
		connection_fail(conn, -ENOMEM, &net_shard_counters(shard->net)->closes_error);
		return;
	}
	wire->conn = conn;
	wire->shard = shard;
	wire->context = tls_context_ref(shard->context);
	list_init(&wire->waiting);
	SSL_set_app_data(wire->ssl, &shard->tickets);
	connection_set_wire(conn, &wire_tls, wire, shard->options.handshake_ms);
}
