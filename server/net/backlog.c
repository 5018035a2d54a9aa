/*
 * backlog - output that the kernel did not take: a list of chunks, in order, with the time since which each waits.
 *
 * It exists only while a peer is slower than we are. Its marks by bytes are checked where it grows (here and in
 * writer.c), those by age by a timer of its own.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/net/connection_private.h"

enum {
	CHUNK_MIN_BYTES = 4096,
	CHUNK_MAX_BYTES = 1 << 20,
	CHUNK_SPAN_MS = 250, /* a chunk takes more only while it is younger, so that its age is its oldest byte's */
};

static void on_age(struct timer *timer)
{
	struct backlog *backlog = (struct backlog *)((char *)timer - offsetof(struct backlog, timer));
	writer_check_age(backlog->conn);
}

static void on_writable(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	writer_on_writable(argument);
}

struct backlog *backlog_require(struct connection *conn)
{
	if (conn->backlog)
		return conn->backlog;
	struct backlog *backlog = mem_alloc(sizeof *backlog);
	backlog->conn = conn;
	timer_init(&backlog->timer, on_age);
	event_assign(&backlog->event, shard_base(conn->net->shard), conn->fd, EV_WRITE | EV_PERSIST, on_writable, conn);
	conn->backlog = backlog;
	return backlog;
}

static void drop_first(struct backlog *backlog)
{
	struct chunk *chunk = backlog->first;
	backlog->first = chunk->next;
	if (!backlog->first)
		backlog->last = NULL;
	free(chunk);
}

void backlog_free(struct connection *conn)
{
	struct backlog *backlog = conn->backlog;
	if (!backlog)
		return;
	conn->backlog = NULL;
	counter_sub(&conn->net->counters.backlog_bytes, backlog->bytes);
	event_del(&backlog->event);
	timer_disarm(&backlog->timer);
	while (backlog->first)
		drop_first(backlog);
	free(backlog);
}

static struct chunk *add_chunk(struct backlog *backlog, size_t want, int64_t now_ms)
{
	size_t cap = want < CHUNK_MIN_BYTES ? CHUNK_MIN_BYTES : want > CHUNK_MAX_BYTES ? CHUNK_MAX_BYTES : want;
	struct chunk *chunk = mem_try_alloc(sizeof *chunk + cap);
	if (!chunk)
		return NULL;
	*chunk = (struct chunk){.born_ms = now_ms, .cap = (uint32_t)cap};
	if (backlog->last)
		backlog->last->next = chunk;
	else
		backlog->first = chunk;
	backlog->last = chunk;
	return chunk;
}

int backlog_append(struct connection *conn, const char *bytes, size_t len)
{
	struct backlog *backlog = backlog_require(conn);
	int64_t now_ms = shard_clock(conn->net->shard)->mono_ms;
	struct chunk *chunk = backlog->last;

	if (len > conn->options->hard_bytes || backlog->bytes > conn->options->hard_bytes - len)
		return -ENOBUFS;
	if (chunk && now_ms - chunk->born_ms > CHUNK_SPAN_MS)
		chunk = NULL;
	while (len) {
		if (!chunk || chunk->end == chunk->cap) {
			chunk = add_chunk(backlog, len, now_ms);
			if (!chunk)
				return -ENOMEM;
		}
		size_t part = chunk->cap - chunk->end < len ? chunk->cap - chunk->end : len;
		memcpy(chunk->bytes + chunk->end, bytes, part);
		chunk->end += (uint32_t)part;
		backlog->bytes += part;
		counter_add(&conn->net->counters.backlog_bytes, part);
		bytes += part;
		len -= part;
	}
	return 0;
}

void backlog_seal(struct connection *conn)
{
	if (conn->backlog)
		conn->backlog->begun = conn->backlog->bytes;
}

/* ---- pieces ---- */

/* The length of the piece that begins at byte number at, counted from the front. */
static size_t piece_at(const struct connection *conn, size_t at)
{
	char copy[CONNECTION_PIECE_PEEK];
	size_t len = 0;
	const struct chunk *chunk = conn->backlog->first;

	for (; at >= (size_t)(chunk->end - chunk->start); chunk = chunk->next)
		at -= chunk->end - chunk->start;
	const char *bytes = chunk->bytes + chunk->start + at;
	size_t here = chunk->end - chunk->start - at;
	if (here >= sizeof copy || !chunk->next)
		return conn->ops->piece_len(conn->owner, bytes, here);
	for (; chunk && len < sizeof copy; chunk = chunk->next, at = 0) {
		here = chunk->end - chunk->start - at;
		size_t part = here < sizeof copy - len ? here : sizeof copy - len;
		memcpy(copy + len, chunk->bytes + chunk->start + at, part);
		len += part;
	}
	return conn->ops->piece_len(conn->owner, copy, len);
}

/* len bytes are about to leave the front: where is the next piece then? */
static void pass_pieces(const struct connection *conn, size_t len)
{
	struct backlog *backlog = conn->backlog;
	if (conn->ops->piece_len)
		while (backlog->begun < len)
			backlog->begun += piece_at(conn, backlog->begun);
	backlog->begun = backlog->begun > len ? backlog->begun - len : 0;
}

static void truncate_to(struct backlog *backlog, size_t len)
{
	struct chunk **link = &backlog->first, *last = NULL;
	for (; len; link = &last->next) {
		last = *link;
		if (len < (size_t)(last->end - last->start))
			last->end = last->start + (uint32_t)len;
		len -= last->end - last->start;
	}
	while (*link) {
		struct chunk *chunk = *link;
		*link = chunk->next;
		free(chunk);
	}
	backlog->last = last;
}

bool backlog_cut(struct connection *conn)
{
	struct backlog *backlog = conn->backlog;
	struct net_counters *counters = &conn->net->counters;
	size_t held = wire_held(conn);
	size_t keep = backlog->begun;

	while (keep < held && keep < backlog->bytes)
		keep += piece_at(conn, keep);
	if (keep < held || keep > backlog->bytes)
		return false;
	counter_add(&counters->dropped_bytes, backlog->bytes - keep);
	counter_sub(&counters->backlog_bytes, backlog->bytes - keep);
	backlog->bytes = keep;
	truncate_to(backlog, keep);
	return true;
}

/* ---- taking ---- */

struct str backlog_front(const struct backlog *backlog)
{
	const struct chunk *chunk = backlog->first;
	return (struct str){chunk->bytes + chunk->start, chunk->end - chunk->start};
}

void backlog_consume(struct connection *conn, size_t len)
{
	struct backlog *backlog = conn->backlog;
	pass_pieces(conn, len);
	backlog->first->start += (uint32_t)len;
	backlog->bytes -= len;
	counter_sub(&conn->net->counters.backlog_bytes, len);
	if (backlog->first->start == backlog->first->end)
		drop_first(backlog);
}

int64_t backlog_age_ms(const struct backlog *backlog)
{
	const struct tick_clock *clock = shard_clock(backlog->conn->net->shard);
	return backlog->first ? clock->mono_ms - backlog->first->born_ms : 0;
}
