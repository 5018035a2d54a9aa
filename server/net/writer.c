/*
 * writer - from the owner to the socket: composed once a tick in the shard's staging buffer, written by one call.
 *
 * What the kernel does not take waits in the backlog, in order: while there is one, everything goes behind it.
 */
#include <errno.h>

#include "server/net/connection_private.h"

enum { LAST_WORDS_MAX_BYTES = 1024 };

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

/* There is too much to send: what waits is dropped, the owner has its last words, and the peer has linger_ms to take
 * them. */
static void condemn(struct connection *conn, enum connection_level level, counter *cause)
{
	struct buf words;
	(void)backlog_require(conn);
	if (!connection_is_open(conn) || !conn->ops->piece_len || !conn->ops->on_last_words || !backlog_cut(conn)) {
		connection_fail(conn, -ENOBUFS, cause);
		return;
	}
	counter_add(cause, 1);
	conn->condemned = true;
	conn->error = -ENOBUFS;
	buf_init(&words, LAST_WORDS_MAX_BYTES);
	conn->ops->on_last_words(conn->owner, conn, level, &words);
	int rc = backlog_append(conn, words.ptr, words.len);
	buf_deinit(&words);
	if (rc < 0) {
		connection_fail(conn, rc, cause);
		return;
	}
	timer_disarm(&conn->backlog->timer);
	event_add(&conn->backlog->event, NULL);
	connection_close(conn, CONNECTION_AFTER_FLUSH);
}

void writer_check_age(struct connection *conn)
{
	struct backlog *backlog = conn->backlog;
	int64_t age_ms = backlog_age_ms(backlog);
	if (age_ms >= conn->options->hard_age_ms) {
		condemn(conn, CONNECTION_HARD, &conn->net->counters.closes_backlog_age);
		return;
	}
	if (age_ms >= conn->options->soft_age_ms && !backlog->soft)
		mark_soft(conn);
	if (connection_is_over(conn))
		return;
	int64_t next_ms = backlog->soft ? conn->options->hard_age_ms : conn->options->soft_age_ms;
	shard_timer_after(conn->net->shard, &backlog->timer, next_ms - age_ms);
}

static bool may_send(const struct connection *conn)
{
	return connection_is_open(conn) || (conn->state == CONN_DRAINING && !conn->condemned);
}

/* Many slow clients together may not take all memory: above the total, those go that are behind. */
static bool is_over_total(const struct connection *conn)
{
	const struct net_shard *net = conn->net;
	return conn->backlog->soft && counter_read(&net->counters.backlog_bytes) > net->options.backlog_total_bytes;
}

/* What is left of the piece in which sent bytes end, of bytes that begin with a piece. */
static size_t rest_of_piece(const struct connection *conn, const char *bytes, size_t len, size_t sent)
{
	size_t end = 0;
	while (conn->ops->piece_len && end < sent)
		end += conn->ops->piece_len(conn->owner, bytes + end, len - end);
	return end > sent ? end - sent : 0;
}

/* len bytes are too many, or there is no memory for them. */
static void overflow(struct connection *conn, const char *bytes, size_t len, int error)
{
	struct net_counters *counters = &conn->net->counters;
	size_t most = conn->options->hard_bytes;
	counter_add(&counters->dropped_bytes, len);
	if (error != -ENOBUFS) {
		connection_fail(conn, error, &counters->closes_error);
		return;
	}
	if (conn->backlog->bytes == 0) { /* the piece that is partly sent is among these bytes */
		error = backlog_append(conn, bytes, len < most ? len : most);
		if (error == 0)
			counter_sub(&counters->dropped_bytes, conn->backlog->bytes);
	}
	condemn(conn, CONNECTION_HARD, &counters->closes_backlog_bytes);
}

/* Keeps what did not go of the len bytes, which begin with a piece, after sent of them. */
static void keep(struct connection *conn, const char *bytes, size_t len, size_t sent)
{
	struct backlog *backlog = backlog_require(conn);
	if (backlog->bytes == 0)
		backlog->begun = rest_of_piece(conn, bytes, len, sent);
	int rc = backlog_append(conn, bytes + sent, len - sent);
	if (rc < 0) {
		overflow(conn, bytes + sent, len - sent, rc);
		return;
	}
	event_add(&backlog->event, NULL);
	if (!timer_is_armed(&backlog->timer))
		writer_check_age(conn);
	if (!backlog->soft && backlog->bytes > conn->options->soft_bytes)
		mark_soft(conn);
	if (may_send(conn) && is_over_total(conn))
		condemn(conn, CONNECTION_TOTAL, &conn->net->counters.closes_backlog_total);
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
	size_t sent = 0;
	if (conn->condemned)
		counter_add(&conn->net->counters.dropped_bytes, len);
	if (len == 0 || !may_send(conn))
		return;
	if (!conn->backlog || conn->backlog->bytes == 0) {
		sent = write_some(conn, bytes, len);
		if (sent == len || connection_is_over(conn))
			return;
		counter_add(&conn->net->counters.short_sends, 1);
	}
	keep(conn, bytes, len, sent);
}

/* Drains up to the budget. True when nothing waits any more. */
static bool drain(struct connection *conn)
{
	size_t budget = conn->options->write_budget;
	while (conn->backlog->bytes) {
		struct str front = backlog_front(conn->backlog);
		size_t len = front.len < budget ? front.len : budget;
		size_t held = wire_held(conn);
		if (len == 0)
			return false;
		if (len < held)
			len = held < front.len ? held : front.len;
		size_t sent = write_some(conn, front.ptr, len);
		if (sent == 0 || connection_is_over(conn))
			return false;
		backlog_consume(conn, sent);
		budget -= sent < budget ? sent : budget;
		if (conn->state == CONN_DRAINING && !conn->condemned)
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
	if (asked && may_send(conn) && conn->ops->on_flush) {
		conn->ops->on_flush(conn->owner, conn, &net->staging);
		if (buf_failed(&net->staging))
			condemn(conn, CONNECTION_UNFIT, &net->counters.closes_backlog_bytes);
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
