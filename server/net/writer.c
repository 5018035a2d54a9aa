/*
 * writer - from the owner to the socket: composed once a tick in the shard's staging buffer, written by one call.
 *
 * What the kernel does not take waits in the backlog, in order: while there is one, everything goes behind it.
 */
#include <errno.h>

#include "server/net/connection_private.h"

static void mark_soft(struct connection *conn)
{
	conn->backlog->soft = true;
	counter_add(&conn->net->counters.soft_marks, 1);
	if (!connection_is_open(conn))
		return;
	counter_add(&conn->net->counters.pauses_backlog, 1);
	connection_set_pause(conn, CONNECTION_PAUSE_BACKLOG, true);
	if (conn->ops->on_backlog)
		conn->ops->on_backlog(conn->owner, conn, CONNECTION_SOFT);
}

void writer_check_age(struct connection *conn)
{
	struct backlog *backlog = conn->backlog;
	int64_t age_ms = backlog_age_ms(backlog);
	if (age_ms >= conn->options->hard_age_ms) {
		connection_fail(conn, -ENOBUFS, &conn->net->counters.closes_backlog_age);
		return;
	}
	if (age_ms >= conn->options->soft_age_ms && !backlog->soft)
		mark_soft(conn);
	if (connection_is_over(conn))
		return;
	int64_t next_ms = backlog->soft ? conn->options->hard_age_ms : conn->options->soft_age_ms;
	shard_timer_after(conn->net->shard, &backlog->timer, next_ms - age_ms);
}

/* Many slow clients together may not take all memory: above the total, those go that are behind. */
static bool is_over_total(const struct connection *conn)
{
	const struct net_shard *net = conn->net;
	return conn->backlog->soft && counter_read(&net->counters.backlog_bytes) > net->options.backlog_total_bytes;
}

static void keep(struct connection *conn, const char *bytes, size_t len)
{
	int rc = backlog_append(conn, bytes, len);
	if (rc < 0) {
		struct net_counters *counters = &conn->net->counters;
		counter_add(&counters->dropped_bytes, len);
		connection_fail(conn, rc, rc == -ENOBUFS ? &counters->closes_backlog_bytes : &counters->closes_error);
		return;
	}
	struct backlog *backlog = conn->backlog;
	event_add(&backlog->event, NULL);
	if (!timer_is_armed(&backlog->timer))
		writer_check_age(conn);
	if (!backlog->soft && backlog->bytes > conn->options->soft_bytes)
		mark_soft(conn);
	if (!connection_is_over(conn) && is_over_total(conn))
		connection_fail(conn, -ENOBUFS, &conn->net->counters.closes_backlog_total);
}

/* How many bytes went: 0 when the kernel takes none, or when the connection failed. */
static size_t write_some(struct connection *conn, const char *bytes, size_t len)
{
	struct net_counters *counters = &conn->net->counters;
	ssize_t sent = conn->wire->write(conn, conn->wire_state, bytes, len);
	counter_add(&counters->sends, 1);
	if (sent < 0) {
		if (sent != -EAGAIN)
			connection_fail(conn, (int)sent, &counters->closes_error);
		return 0;
	}
	counter_add(&counters->bytes_out, (uint64_t)sent);
	return (size_t)sent;
}

void writer_send(struct connection *conn, const char *bytes, size_t len)
{
	if (len == 0 || !(connection_is_open(conn) || conn->state == CONN_DRAINING))
		return;
	if (!conn->backlog || conn->backlog->bytes == 0) {
		size_t sent = write_some(conn, bytes, len);
		if (sent == len || connection_is_over(conn))
			return;
		counter_add(&conn->net->counters.short_sends, 1);
		bytes += sent;
		len -= sent;
	}
	keep(conn, bytes, len);
}

/* Drains up to the budget. True when nothing waits any more. */
static bool drain(struct connection *conn)
{
	size_t budget = conn->options->write_budget;
	while (conn->backlog->bytes) {
		struct str front = backlog_front(conn->backlog);
		size_t len = front.len < budget ? front.len : budget;
		if (len == 0)
			return false;
		size_t sent = write_some(conn, front.ptr, len);
		if (sent == 0 || connection_is_over(conn))
			return false;
		backlog_consume(conn, sent);
		budget -= sent;
		if (conn->state == CONN_DRAINING)
			shard_timer_after(conn->net->shard, &conn->deadline, conn->options->linger_ms);
		if (sent < len)
			return false;
	}
	return true;
}

void writer_on_writable(struct connection *conn)
{
	if (conn->state == CONN_OPENING) {
		event_del(&conn->backlog->event);
		opening_continue(conn);
		return;
	}
	bool had_bytes = conn->backlog->bytes > 0;
	if (had_bytes && !drain(conn))
		return;
	backlog_free(conn);
	if (conn->state == CONN_DRAINING) {
		writer_finish(conn);
		return;
	}
	connection_set_pause(conn, CONNECTION_PAUSE_BACKLOG, false);
	if (!had_bytes) /* it was a read of the wire that had to write first */
		event_active(&conn->event, EV_READ, 0);
	else if (connection_is_open(conn) && conn->ops->on_drained)
		conn->ops->on_drained(conn->owner, conn);
}

void writer_finish(struct connection *conn)
{
	if (conn->state != CONN_DRAINING || (conn->backlog && conn->backlog->bytes))
		return;
	backlog_free(conn);
	conn->wire->end(conn, conn->wire_state);
	connection_move(conn, CONN_LINGERING);
	if (conn->ended) {
		conn->orderly = true;
		connection_fail(conn, 0, &conn->net->counters.closes_peer);
		return;
	}
	shard_timer_after(conn->net->shard, &conn->deadline, conn->options->linger_ms);
	connection_update_reading(conn);
}

static void flush_one(struct connection *conn)
{
	struct net_shard *net = conn->net;
	bool asked = conn->flush_wanted;

	if (conn->state == CONN_OPENING) /* asked for again when it is open */
		return;
	conn->flush_wanted = false;
	if (asked && (connection_is_open(conn) || conn->state == CONN_DRAINING) && conn->ops->on_flush) {
		conn->ops->on_flush(conn->owner, conn, &net->staging);
		if (buf_failed(&net->staging))
			connection_fail(conn, -ENOBUFS, &net->counters.closes_backlog_bytes);
		else
			writer_send(conn, net->staging.ptr, net->staging.len);
		buf_reset(&net->staging, net->options.staging_keep_bytes);
	}
	writer_finish(conn);
}

void writer_flush_all(struct tick_task *task, struct shard *here)
{
	struct net_shard *net = (struct net_shard *)((char *)task - offsetof(struct net_shard, flush));
	struct list *last = net->dirty.prev;
	(void)here;
	/* Those that want to flush again while others do have their turn in the next round. */
	for (bool more = !list_is_empty(&net->dirty); more;) {
		struct list *link = net->dirty.next;
		more = link != last;
		list_remove(link);
		flush_one(LIST_OF(link, struct connection, dirty));
	}
	if (!list_is_empty(&net->dirty))
		shard_at_tick_end(net->shard, TICK_FLUSH, &net->flush);
}

void connection_spill(struct connection *conn, struct buf *out)
{
	if (buf_failed(out))
		return;
	writer_send(conn, out->ptr, out->len);
	buf_reset(out, conn->net->options.staging_keep_bytes);
}

void connection_write(struct connection *conn, struct str bytes)
{
	writer_send(conn, bytes.ptr, bytes.len);
}
