#include "core/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/str.h"
#include "core/utf8.h"

enum {
	BUFFER_SIZE = 16384,
	LINE_MAX_BYTES = 1024, /* of one event, before its newline */
	THREAD_NAME_MAX = 15,
	REPEAT_MS = 5000,
	/* What a pipe takes whole or not at all (PIPE_BUF), so that lines of two shards never mix. */
	WRITE_MAX_BYTES = 4096,
	WRITE_PATIENCE_MS = 5,
};

/* Set before the threads start, atomic so that a test may change them. */
static _Atomic int minimum = LOG_INFO;
static _Atomic int descriptor = 2;

static _Thread_local struct {
	char name[THREAD_NAME_MAX + 1];
	size_t len; /* bytes in buffer, whole lines only */
	size_t last_len;
	unsigned repeats;          /* of last that were not printed */
	int64_t last_ms;           /* when last was printed, or its repeats were told */
	uint64_t dropped;          /* lines lost since the last that was written */
	char last[LINE_MAX_BYTES]; /* level and text of the last event, without time */
	char buffer[BUFFER_SIZE];
} here;

/* A line being made: text that does not fit is cut. */
struct line {
	size_t len;
	char text[LINE_MAX_BYTES];
};

void log_setup(enum log_level level, int fd)
{
	atomic_store_explicit(&minimum, (int)level, memory_order_relaxed);
	atomic_store_explicit(&descriptor, fd, memory_order_relaxed);
}

void log_thread(const char *name)
{
	snprintf(here.name, sizeof here.name, "%.*s", THREAD_NAME_MAX, name);
}

bool log_enabled(enum log_level level)
{
	return (int)level >= atomic_load_explicit(&minimum, memory_order_relaxed);
}

static void line_add(struct line *line, const char *bytes, size_t len)
{
	size_t room = sizeof line->text - line->len;
	if (len > room)
		len = room;
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
}

/* Whether text begins with a control character of Unicode's second row (U+0080 to U+009F): terminals obey those too. */
static bool is_c1_control(struct str text)
{
	return text.len >= 2 && text.ptr[0] == '\xc2' && (unsigned char)text.ptr[1] < 0xa0;
}

/* Adds text with everything that could forge a line or drive a terminal written out. */
static void line_add_escaped(struct line *line, struct str text)
{
	while (text.len) {
		unsigned char byte = (unsigned char)*text.ptr;
		size_t len = utf8_sequence(text);
		if (len && byte >= 0x20 && byte != 0x7f && !is_c1_control(text)) {
			if (len <= sizeof line->text - line->len)
				line_add(line, text.ptr, len);
		} else {
			char escape[5];
			const char *known = byte == '\n' ? "\\n" : byte == '\r' ? "\\r" : byte == '\t' ? "\\t" : NULL;
			snprintf(escape, sizeof escape, "\\x%02x", byte);
			line_add(line, known ? known : escape, strlen(known ? known : escape));
			len = 1;
		}
		text.ptr += len;
		text.len -= len;
	}
}

/* Waits briefly for room, then writes once. */
static bool write_once(int fd, const char *bytes, size_t len)
{
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	int ready = poll(&wait, 1, WRITE_PATIENCE_MS);
	if (ready <= 0 || !(wait.revents & POLLOUT))
		return false;
	ssize_t written;
	do
		written = write(fd, bytes, len);
	while (written < 0 && errno == EINTR);
	return written == (ssize_t)len;
}

/* The longest run of whole lines at the start of bytes that one write may carry. */
static size_t whole_lines(const char *bytes, size_t len)
{
	if (len <= WRITE_MAX_BYTES)
		return len;
	const char *newline = memrchr(bytes, '\n', WRITE_MAX_BYTES);
	return newline ? (size_t)(newline - bytes) + 1 : len;
}

static uint64_t count_lines(const char *bytes, size_t len)
{
	uint64_t lines = 0;
	for (size_t i = 0; i < len; i++)
		lines += bytes[i] == '\n';
	return lines;
}

static void write_buffer(void)
{
	int fd = atomic_load_explicit(&descriptor, memory_order_relaxed);
	const char *at = here.buffer;
	size_t left = here.len;

	here.len = 0;
	while (left) {
		size_t len = whole_lines(at, left);
		if (!write_once(fd, at, len)) {
			here.dropped += count_lines(at, left);
			return;
		}
		at += len;
		left -= len;
	}
}

static void put(int64_t now_ms, const char *text, size_t len)
{
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm utc;
	char stamp[40];

	gmtime_r(&seconds, &utc);
	size_t stamp_len = strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
	stamp_len += (size_t)snprintf(stamp + stamp_len, sizeof stamp - stamp_len, ".%03dZ ", (int)(now_ms % 1000));
	if (here.len + stamp_len + len + 1 > sizeof here.buffer)
		write_buffer();
	char *to = here.buffer + here.len;
	memcpy(to, stamp, stamp_len);
	memcpy(to + stamp_len, text, len);
	to[stamp_len + len] = '\n';
	here.len += stamp_len + len + 1;
}

static void put_note(int64_t now_ms, const char *what, uint64_t count)
{
	char note[100];
	int len = snprintf(note, sizeof note, "warn  %s%slog: %s %llu", here.name, *here.name ? " " : "", what,
			   (unsigned long long)count);
	put(now_ms, note, (size_t)len);
}

static void tell_repeats(int64_t now_ms)
{
	if (here.repeats)
		put_note(now_ms, "times the last line was repeated:", here.repeats);
	here.repeats = 0;
	here.last_ms = now_ms;
}

void log_line(enum log_level level, const char *subject, const char *format, ...)
{
	static const char *const names[] = {"debug ", "info  ", "warn  ", "error "};
	if (!log_enabled(level))
		return;
	char text[LINE_MAX_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);

	struct line line = {0};
	line_add(&line, names[level], strlen(names[level]));
	if (*here.name) {
		line_add_escaped(&line, str_of(here.name));
		line_add(&line, " ", 1);
	}
	if (subject) {
		line_add_escaped(&line, str_of(subject));
		line_add(&line, ": ", 2);
	}
	line_add_escaped(&line, str_of(text));

	int64_t now_ms = clock_now_wall_ms();
	if (line.len == here.last_len && memcmp(line.text, here.last, line.len) == 0) {
		here.repeats++;
	} else {
		tell_repeats(now_ms);
		memcpy(here.last, line.text, line.len);
		here.last_len = line.len;
		put(now_ms, line.text, line.len);
	}
	if (level == LOG_ERROR)
		log_flush();
}

void log_flush(void)
{
	if (here.repeats && clock_now_wall_ms() - here.last_ms >= REPEAT_MS)
		tell_repeats(clock_now_wall_ms());
	if (here.dropped && here.len < sizeof here.buffer / 2) {
		uint64_t dropped = here.dropped;
		here.dropped = 0;
		put_note(clock_now_wall_ms(), "lines lost because nobody read them:", dropped);
	}
	if (here.len)
		write_buffer();
}
