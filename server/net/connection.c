#include "server/net/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "server/net/connection_private.h"

void connection_options_fill(struct connection_options *options)
{
	if (options->soft_bytes == 0)
		options->soft_bytes = 256 << 10;
	if (options->hard_bytes == 0)
		options->hard_bytes = 16 << 20;
	if (options->soft_age_ms == 0)
		options->soft_age_ms = 5000;
	if (options->hard_age_ms == 0)
		options->hard_age_ms = 30000;
	if (options->linger_ms == 0)
		options->linger_ms = 5000;
	if (options->write_budget == 0)
		options->write_budget = 256 << 10;
	if (options->proxy_ms == 0)
		options->proxy_ms = 5000;
}

static const struct connection_options default_options = {
	.soft_bytes = 256 << 10,
	.hard_bytes = 16 << 20,
	.soft_age_ms = 5000,
	.hard_age_ms = 30000,
	.linger_ms = 5000,
	.write_budget = 256 << 10,
	.proxy_ms = 5000,
};

/* ---- states ---- */

static bool edge_exists(enum connection_state from, enum connection_state to)
{
	static const uint8_t edges[CONN_DEAD] = {
		[CONN_OPENING] = 1 << CONN_OPEN | 1 << CONN_DYING,
		[CONN_OPEN] = 1 << CONN_OPENING | 1 << CONN_PRESSED | 1 << CONN_DRAINING | 1 << CONN_DYING,
		[CONN_PRESSED] = 1 << CONN_OPEN | 1 << CONN_DRAINING | 1 << CONN_DYING,
		[CONN_DRAINING] = 1 << CONN_LINGERING | 1 << CONN_DYING,
		[CONN_LINGERING] = 1 << CONN_DYING,
		[CONN_DYING] = 1 << CONN_DEAD,
	};
	return from < CONN_DEAD && (edges[from] >> to & 1);
}

void connection_move(struct connection *conn, enum connection_state state)
{
	assert_always(edge_exists(conn->state, state));
	list_remove(&conn->link);
	conn->state = (uint8_t)state;
	list_append(&conn->net->lists[state], &conn->link);
}

void connection_fail(struct connection *conn, int error, counter *cause)
{
	struct net_shard *net = conn->net;
	if (connection_is_over(conn))
		return;
	if (!conn->condemned) {
		counter_add(cause, 1);
		conn->error = error;
	}
	if (conn->backlog)
		counter_add(&net->counters.dropped_bytes, conn->backlog->bytes);
	backlog_free(conn);
	opening_free(conn);
	timer_disarm(&conn->deadline);
	connection_move(conn, CONN_DYING);
	connection_update_reading(conn);
	shard_at_tick_end(net->shard, TICK_FLUSH, &net->funeral);
}

/* ---- beginning and end ---- */

static void on_deadline(struct timer *timer)
{
	struct connection *conn = (struct connection *)((char *)timer - offsetof(struct connection, deadline));
	struct net_counters *counters = &conn->net->counters;
	if (!connection_is_open(conn))
		connection_fail(conn, conn->state == CONN_LINGERING ? 0 : -ETIMEDOUT, &counters->closes_linger);
	else if (conn->ops->on_deadline)
		conn->ops->on_deadline(conn->owner, conn);
	else
		connection_fail(conn, -ETIMEDOUT, &counters->closes_deadline);
}

int connection_new(struct connection **out, struct net_shard *net, int fd, const struct address *peer,
		   const struct connection_options *options, const struct connection_ops *ops, void *owner)
{
	shard_assert_here(net->shard);
	if (net->ending) {
		close(fd);
		return -ESHUTDOWN;
	}
	struct connection *conn = mem_alloc(sizeof *conn);
	conn->net = net;
	conn->ops = ops;
	conn->owner = owner;
	conn->wire = &wire_plain;
	conn->options = options ? options : &default_options;
	conn->fd = fd;
	conn->peer = *peer;
	conn->state = CONN_OPEN;
	timer_init(&conn->deadline, on_deadline);
	list_init(&conn->link);
	list_init(&conn->dirty);
	if (!conn->options->proxy_protocol && hosts_add(conn) < 0) {
		counter_add(&net->counters.refused_address, 1);
		close(fd);
		free(conn);
		return -EUSERS;
	}
	if (peer->family != ADDRESS_UNIX) {
		/* Nagle would hold the last frame of a burst until the peer acknowledges the one before. */
		int on = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	}
	list_append(&net->lists[CONN_OPEN], &conn->link);
	net->count++;
	counter_add(&net->counters.opened, 1);
	counter_add(&shard_counters(net->shard)->load, 1);
	event_assign(&conn->event, shard_base(net->shard), fd, EV_READ | EV_PERSIST, reader_on_event, conn);
	if (conn->options->proxy_protocol) {
		opening_require(conn)->awaits_proxy = true;
		opening_arm(conn);
	}
	connection_update_reading(conn);
	conn->look_again = false; /* nothing is left of a read that was not */
	*out = conn;
	return 0;
}

static void free_connection(struct grave *grave)
{
	free((char *)grave - offsetof(struct connection, grave));
}

/* The descriptor's number may be another connection's as soon as it is closed, here or on another thread. */
static void close_and_bury(struct connection *conn)
{
	list_remove(&conn->link);
	timer_disarm(&conn->deadline);
	if (!conn->orderly) {
		/* A reset: or the kernel would keep for minutes what a peer does not read. */
		struct linger at_once = {.l_onoff = 1};
		setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	}
	close(conn->fd);
	counter_add(&conn->net->counters.closed, 1);
	counter_sub(&shard_counters(conn->net->shard)->load, 1);
	conn->grave.free = free_connection;
	shard_bury(conn->net->shard, &conn->grave);
}

static void on_forgotten(struct timer *timer)
{
	close_and_bury((struct connection *)((char *)timer - offsetof(struct connection, deadline)));
}

static void end(struct connection *conn)
{
	struct net_shard *net = conn->net;
	connection_move(conn, CONN_DEAD);
	list_remove(&conn->dirty);
	conn->ops->on_closed(conn->owner, conn, conn->error);
	if (conn->wire->free)
		conn->wire->free(conn->wire_state);
	free(conn->tail);
	conn->tail = NULL;
	hosts_remove(conn);
	net->count--;
	/* libevent tells the kernel to forget the descriptor when the loop turns; it must be ours until then. */
	timer_init(&conn->deadline, on_forgotten);
	shard_timer_after(net->shard, &conn->deadline, 0);
}

void connection_end_all(struct tick_task *task, struct shard *here)
{
	struct net_shard *net = (struct net_shard *)((char *)task - offsetof(struct net_shard, funeral));
	(void)here;
	while (!list_is_empty(&net->lists[CONN_DYING]))
		end(LIST_OF(net->lists[CONN_DYING].next, struct connection, link));
}

void connection_bury_all(struct net_shard *net)
{
	while (!list_is_empty(&net->lists[CONN_DEAD]))
		close_and_bury(LIST_OF(net->lists[CONN_DEAD].next, struct connection, link));
}

void connection_close(struct connection *conn, enum connection_close how)
{
	struct net_counters *counters = &conn->net->counters;
	if (connection_is_over(conn))
		return;
	if (how == CONNECTION_AT_ONCE || conn->state == CONN_OPENING) {
		connection_fail(conn, 0, conn->ended ? &counters->closes_peer : &counters->closes_ours);
		return;
	}
	if (!connection_is_open(conn))
		return;
	connection_move(conn, CONN_DRAINING);
	shard_timer_after(conn->net->shard, &conn->deadline, conn->options->linger_ms);
	connection_update_reading(conn);
	if (list_is_empty(&conn->dirty))
		list_append(&conn->net->dirty, &conn->dirty);
	shard_at_tick_end(conn->net->shard, TICK_FLUSH, &conn->net->flush);
}

bool connection_is_closing(const struct connection *conn)
{
	return conn->state >= CONN_DRAINING;
}

void connection_heed_end(struct connection *conn)
{
	if (conn->net->ending)
		shard_at_tick_end(conn->net->shard, TICK_CLOSE, &conn->net->goodbye);
}

void connection_set_ops(struct connection *conn, const struct connection_ops *ops, void *owner)
{
	backlog_seal(conn);
	conn->ops = ops;
	conn->owner = owner;
	if (!connection_is_open(conn))
		return;
	connection_heed_end(conn);
	timer_disarm(&conn->deadline);
	conn->look_again = true;
	connection_set_pause(conn, CONNECTION_PAUSE_OWNER, false);
	if (conn->tail && conn->reading)
		event_active(&conn->event, EV_READ, 0);
}

void connection_tell_end(struct connection *conn)
{
	conn->ended = true;
	connection_update_reading(conn);
	if (conn->ops->on_end)
		conn->ops->on_end(conn->owner, conn);
	else
		connection_close(conn, CONNECTION_AFTER_FLUSH);
}

/* ---- flow ---- */

void connection_flush_soon(struct connection *conn)
{
	if (connection_is_over(conn) || conn->state == CONN_LINGERING)
		return;
	conn->flush_wanted = true;
	if (!list_is_empty(&conn->dirty))
		return;
	list_append(&conn->net->dirty, &conn->dirty);
	shard_at_tick_end(conn->net->shard, TICK_FLUSH, &conn->net->flush);
}

static bool should_read(const struct connection *conn)
{
	switch ((enum connection_state)conn->state) {
	case CONN_OPENING: return !conn->opening || !conn->opening->is_held;
	case CONN_OPEN:
	case CONN_PRESSED: return conn->pauses == 0 && !conn->ended;
	case CONN_DRAINING:
	case CONN_LINGERING: return !conn->ended;
	default: return false;
	}
}

void connection_update_reading(struct connection *conn)
{
	bool should = should_read(conn);
	if (should == conn->reading)
		return;
	conn->reading = should;
	if (!should) {
		event_del(&conn->event);
		return;
	}
	event_add(&conn->event, NULL);
	conn->look_again = true;
	if (conn->tail || (conn->wire->has_pending && conn->wire->has_pending(conn, conn->wire_state)))
		event_active(&conn->event, EV_READ, 0);
}

void connection_set_pause(struct connection *conn, enum connection_pause cause, bool on)
{
	conn->pauses = (uint8_t)(on ? conn->pauses | cause : conn->pauses & ~cause);
	connection_update_reading(conn);
}

void connection_pause_read(struct connection *conn)
{
	if (!(conn->pauses & CONNECTION_PAUSE_OWNER))
		counter_add(&conn->net->counters.pauses_owner, 1);
	connection_set_pause(conn, CONNECTION_PAUSE_OWNER, true);
}

void connection_resume_read(struct connection *conn)
{
	connection_set_pause(conn, CONNECTION_PAUSE_OWNER, false);
}

bool connection_is_reading(const struct connection *conn)
{
	return connection_is_open(conn) && conn->reading;
}

void connection_relieve_all(struct relief *relief, struct shard *here)
{
	struct net_shard *net = (struct net_shard *)((char *)relief - offsetof(struct net_shard, relief));
	(void)here;
	list_for_each_safe (link, &net->lists[CONN_PRESSED]) {
		struct connection *conn = LIST_OF(link, struct connection, link);
		connection_move(conn, CONN_OPEN);
		connection_set_pause(conn, CONNECTION_PAUSE_PRESSED, false);
	}
}

void connection_set_deadline(struct connection *conn, int64_t delay_ms)
{
	if (connection_is_closing(conn))
		return;
	if (delay_ms < 0)
		timer_disarm(&conn->deadline);
	else
		shard_timer_after(conn->net->shard, &conn->deadline, delay_ms);
}

/* ---- what it is ---- */

size_t connection_backlog_bytes(const struct connection *conn)
{
	return conn->backlog ? conn->backlog->bytes : 0;
}

const struct address *connection_peer(const struct connection *conn)
{
	return &conn->peer;
}

int connection_set_peer(struct connection *conn, const struct address *peer)
{
	struct address old_peer = conn->peer;
	struct host *old_host = conn->host;
	bool is_same = address_same_host(peer, &old_peer);

	conn->peer = *peer;
	if (is_same)
		return 0;
	conn->host = NULL;
	int rc = hosts_add(conn);
	if (rc < 0) {
		counter_add(&conn->net->counters.refused_address, 1);
		conn->peer = old_peer;
		conn->host = old_host;
		return rc;
	}
	struct host *new_host = conn->host;
	conn->host = old_host;
	hosts_remove(conn);
	conn->host = new_host;
	return 0;
}

bool connection_is_secure(const struct connection *conn)
{
	return conn->wire->is_secure || conn->secure_proxy;
}

struct shard *connection_shard(const struct connection *conn)
{
	return conn->net->shard;
}

struct net_shard *connection_net(const struct connection *conn)
{
	return conn->net;
}
