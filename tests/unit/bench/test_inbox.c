#include "clients/bench/inbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench_test.h"

/* What came out, as text: "opcode:payload;" for short payloads, "opcode:*length;" for long ones. */
struct log {
	char text[4096];
	size_t length;
	int stop_at; /* the message after which the receiver has had enough, from 1 */
	int count;
};

static int log_message(void *owner, uint8_t opcode, uint8_t *payload, size_t length)
{
	struct log *log = owner;
	size_t left = sizeof log->text - log->length;
	int written = length < 100 ? snprintf(log->text + log->length, left, "%u:%.*s;", opcode, (int)length, payload)
				   : snprintf(log->text + log->length, left, "%u:*%zu;", opcode, length);

	log->length += (size_t)written;
	return ++log->count == log->stop_at ? -ECANCELED : 0;
}

/* A stream with everything in it: lengths of all three forms, empty payloads, fragments with a ping between them. */
static void stream_build(struct buffer *stream)
{
	static char long_text[70000];

	memset(long_text, 'y', sizeof long_text);
	frame_append_plain(stream, FRAME_TEXT, "one", 3);
	frame_append_plain(stream, FRAME_TEXT, "", 0);
	frame_append_plain(stream, FRAME_BINARY, long_text, 200);
	buffer_append(stream,
		      "\x01\x03"
		      "fra"
		      "\x89\x01"
		      "p"
		      "\x00\x02"
		      "gm"
		      "\x80\x03"
		      "ent",
		      2 + 3 + 2 + 1 + 2 + 2 + 2 + 3);
	frame_append_plain(stream, FRAME_TEXT, long_text, sizeof long_text);
	frame_append_plain(stream, FRAME_CLOSE, "\x03\xe8", 2);
}

#define STREAM_MESSAGES "1:one;1:;2:*200;9:p;1:fragment;1:*70000;8:\x03\xe8;"

/* Feeds the stream in pieces of `piece` bytes; each is copied, so that reading beyond it would show. */
static void feed(const struct buffer *stream, size_t piece)
{
	struct inbox inbox = {0};
	struct log log = {0};

	for (size_t at = 0; at < stream->length; at += piece) {
		size_t length = stream->length - at < piece ? stream->length - at : piece;
		uint8_t *copy = malloc(length);

		memcpy(copy, stream->bytes + at, length);
		ck_assert_int_eq(inbox_feed(&inbox, copy, length, log_message, &log), 0);
		free(copy);
	}
	ck_assert_str_eq(log.text, STREAM_MESSAGES);
	ck_assert_uint_eq(inbox.tail.capacity + inbox.message.capacity, 0);
	inbox_deinit(&inbox);
}

START_TEST(pieces_of_any_size_give_the_same)
{
	static const size_t pieces[] = {1, 2, 3, 7, 64, 1000, 65536, 1 << 20};
	struct buffer stream = {0};

	stream_build(&stream);
	for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
		feed(&stream, pieces[i]);
	buffer_deinit(&stream);
}
END_TEST

START_TEST(receiver_can_stop)
{
	struct inbox inbox = {0};
	struct log log = {.stop_at = 2};
	struct buffer stream = {0};

	stream_build(&stream);
	ck_assert_int_eq(inbox_feed(&inbox, stream.bytes, stream.length, log_message, &log), -ECANCELED);
	ck_assert_str_eq(log.text, "1:one;1:;");
	buffer_deinit(&stream);
	inbox_deinit(&inbox);
}
END_TEST

static void assert_refused(const char *bytes, size_t length)
{
	struct inbox inbox = {0};
	struct log log = {0};
	uint8_t copy[16];

	memcpy(copy, bytes, length);
	ck_assert_int_eq(inbox_feed(&inbox, copy, length, log_message, &log), -EPROTO);
	inbox_deinit(&inbox);
}

START_TEST(fragments_must_fit_together)
{
	assert_refused("\x80\x01"
		       "a",
		       3); /* goes on with nothing */
	assert_refused("\x01\x01"
		       "a"
		       "\x81\x01"
		       "b",
		       6); /* starts anew before the end */
	assert_refused("\x81\x81"
		       "abcd"
		       "e",
		       7); /* masked */
}
END_TEST

BENCH_TEST_MAIN("inbox", pieces_of_any_size_give_the_same, receiver_can_stop, fragments_must_fit_together)
