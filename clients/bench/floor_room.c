#include "clients/bench/floor_room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "clients/bench/frame.h"

#define PIECES_MAX 256 /* of one send; a member with more frames of its own in one turn gets several */

struct log_entry {
	size_t start;
	size_t end;
	uint32_t next_own; /* the same sender's next entry, or FLOOR_NOWHERE */
};

struct room {
	struct floor_conn **members;
	uint32_t member_count;
	uint32_t member_capacity;
	bool is_dirty;
	struct buffer log;     /* frames of this turn */
	struct buffer entries; /* struct log_entry, where they lie */
};

struct floor_rooms {
	enum floor_mode mode;
	struct room **rooms; /* by number; NULL where nobody ever joined */
	uint32_t capacity;
	struct buffer dirty; /* struct room *, those with something in their log */
	struct buffer frame; /* the frame being sent, in FLOOR_EACH */
};

struct floor_rooms *floor_rooms_new(enum floor_mode mode)
{
	struct floor_rooms *rooms = bench_alloc(1, sizeof *rooms);

	rooms->mode = mode;
	return rooms;
}

void floor_rooms_free(struct floor_rooms *rooms)
{
	for (uint32_t i = 0; i < rooms->capacity; i++) {
		struct room *room = rooms->rooms[i];

		if (!room)
			continue;
		free(room->members);
		buffer_deinit(&room->log);
		buffer_deinit(&room->entries);
		free(room);
	}
	free(rooms->rooms);
	buffer_deinit(&rooms->dirty);
	buffer_deinit(&rooms->frame);
	free(rooms);
}

static void write_watch(struct floor_conn *conn, bool wanted)
{
	struct epoll_event event = {.events = EPOLLIN | (wanted ? (uint32_t)EPOLLOUT : 0), .data.ptr = conn};

	if (conn->wants_write == wanted)
		return;
	conn->wants_write = wanted;
	epoll_ctl(conn->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event);
}

/* Bytes taken, or -1 when the connection is broken. One piece goes by send, which costs less than sendmsg. */
static ssize_t pieces_send(const struct floor_conn *conn, const struct iovec *pieces, unsigned count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = count};
	ssize_t sent = count == 1 ? send(conn->fd, pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL)
				  : sendmsg(conn->fd, &message, MSG_NOSIGNAL);

	return sent < 0 && errno == EAGAIN ? 0 : sent;
}

bool floor_conn_send(struct floor_conn *conn, const struct iovec *pieces, unsigned count)
{
	ssize_t sent = conn->out.length ? 0 : pieces_send(conn, pieces, count);
	size_t skip;

	if (sent < 0)
		return false;
	skip = (size_t)sent;
	for (unsigned i = 0; i < count; i++) {
		size_t length = pieces[i].iov_len;
		size_t taken = skip < length ? skip : length;

		buffer_append(&conn->out, (const uint8_t *)pieces[i].iov_base + taken, length - taken);
		skip -= taken;
	}
	write_watch(conn, conn->out.length > 0);
	return true;
}

bool floor_conn_flush(struct floor_conn *conn)
{
	struct iovec piece = {conn->out.bytes, conn->out.length};
	ssize_t sent = conn->out.length ? pieces_send(conn, &piece, 1) : 0;

	if (sent < 0)
		return false;
	buffer_consume(&conn->out, (size_t)sent);
	if (!conn->out.length)
		buffer_deinit(&conn->out);
	write_watch(conn, conn->out.length > 0);
	return true;
}

static struct room *room_get(struct floor_rooms *rooms, uint32_t number)
{
	if (number >= rooms->capacity) {
		uint32_t capacity = rooms->capacity ? rooms->capacity : 64;
		struct room **grown;

		while (capacity <= number)
			capacity *= 2;
		grown = bench_alloc(capacity, sizeof(struct room *));
		if (rooms->capacity)
			memcpy(grown, rooms->rooms, rooms->capacity * sizeof(struct room *));
		free(rooms->rooms);
		rooms->rooms = grown;
		rooms->capacity = capacity;
	}
	if (!rooms->rooms[number])
		rooms->rooms[number] = bench_alloc(1, sizeof(struct room));
	return rooms->rooms[number];
}

/* Puts a frame into the log, as one of `conn`'s own. */
static void log_append(struct floor_rooms *rooms, struct room *room, struct floor_conn *conn, const void *text,
		       size_t length)
{
	struct log_entry entry = {.start = room->log.length, .next_own = FLOOR_NOWHERE};
	uint32_t number = (uint32_t)(room->entries.length / sizeof entry);
	struct log_entry *entries;

	frame_append_plain(&room->log, FRAME_TEXT, text, length);
	entry.end = room->log.length;
	buffer_append(&room->entries, &entry, sizeof entry);
	entries = (struct log_entry *)(void *)room->entries.bytes;
	if (conn->own_first == FLOOR_NOWHERE)
		conn->own_first = number;
	else
		entries[conn->own_last].next_own = number;
	conn->own_last = number;
	if (!room->is_dirty) {
		room->is_dirty = true;
		buffer_append(&rooms->dirty, &room, sizeof(struct room *));
	}
}

static void each_send(struct floor_rooms *rooms, const struct room *room, const struct floor_conn *from,
		      const void *text, size_t length)
{
	struct iovec piece;

	rooms->frame.length = 0;
	frame_append_plain(&rooms->frame, FRAME_TEXT, text, length);
	piece = (struct iovec){rooms->frame.bytes, rooms->frame.length};
	for (uint32_t i = 0; i < room->member_count; i++)
		/* A broken connection shows in its own events, too; there it is closed. */
		if (room->members[i] != from)
			floor_conn_send(room->members[i], &piece, 1);
}

static void fan_out(struct floor_rooms *rooms, struct room *room, struct floor_conn *from, const void *text,
		    size_t length)
{
	if (rooms->mode == FLOOR_EACH)
		each_send(rooms, room, from, text, length);
	else
		log_append(rooms, room, from, text, length);
}

void floor_rooms_join(struct floor_rooms *rooms, struct floor_conn *conn, uint32_t number, const void *notice,
		      size_t length)
{
	struct room *room = room_get(rooms, number);

	floor_rooms_leave(rooms, conn);
	conn->own_first = FLOOR_NOWHERE;
	if (length)
		fan_out(rooms, room, conn, notice, length);
	if (room->member_count == room->member_capacity) {
		uint32_t capacity = room->member_capacity ? room->member_capacity * 2 : 16;
		struct floor_conn **grown = bench_alloc(capacity, sizeof(struct floor_conn *));

		if (room->member_count)
			memcpy(grown, room->members, room->member_count * sizeof(struct floor_conn *));
		free(room->members);
		room->members = grown;
		room->member_capacity = capacity;
	}
	conn->room = number;
	conn->place = room->member_count;
	conn->own_first = FLOOR_NOWHERE;
	conn->log_from = room->log.length;
	room->members[room->member_count++] = conn;
}

void floor_rooms_leave(struct floor_rooms *rooms, struct floor_conn *conn)
{
	struct room *room;

	if (conn->room == FLOOR_NOWHERE)
		return;
	room = rooms->rooms[conn->room];
	room->members[conn->place] = room->members[--room->member_count];
	room->members[conn->place]->place = conn->place;
	conn->room = FLOOR_NOWHERE;
}

void floor_rooms_emit(struct floor_rooms *rooms, struct floor_conn *conn, const void *text, size_t length)
{
	fan_out(rooms, rooms->rooms[conn->room], conn, text, length);
}

/* Sends one member the log from where it joined, around its own frames. */
static void log_send(const struct room *room, struct floor_conn *conn)
{
	const struct log_entry *entries = (const struct log_entry *)(void *)room->entries.bytes;
	struct iovec pieces[PIECES_MAX];
	size_t at = conn->log_from;
	unsigned count = 0;
	uint32_t own = conn->own_first;

	while (at < room->log.length) {
		size_t stop = own == FLOOR_NOWHERE ? room->log.length : entries[own].start;

		if (stop > at)
			pieces[count++] = (struct iovec){room->log.bytes + at, stop - at};
		at = own == FLOOR_NOWHERE ? stop : entries[own].end;
		own = own == FLOOR_NOWHERE ? own : entries[own].next_own;
		if (count && (count == PIECES_MAX || at >= room->log.length)) {
			if (!floor_conn_send(conn, pieces, count))
				break;
			count = 0;
		}
	}
	conn->own_first = FLOOR_NOWHERE;
	conn->log_from = 0;
}

void floor_rooms_flush(struct floor_rooms *rooms)
{
	struct room **dirty = (struct room **)(void *)rooms->dirty.bytes;
	size_t count = rooms->dirty.length / sizeof *dirty;

	for (size_t i = 0; i < count; i++) {
		struct room *room = dirty[i];

		for (uint32_t n = 0; n < room->member_count; n++)
			log_send(room, room->members[n]);
		room->log.length = 0;
		room->entries.length = 0;
		room->is_dirty = false;
	}
	rooms->dirty.length = 0;
}
