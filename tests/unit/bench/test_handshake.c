#include "clients/bench/handshake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench_test.h"

#define SEED 42

static struct buffer request, answer;

static void shake(void)
{
	request.length = answer.length = 0;
	handshake_ask(&request, "127.0.0.1:9", "/api/live/ws", SEED);
	ck_assert_int_eq(handshake_answer(request.bytes, request.length, &answer), request.length);
}

static void clean(void)
{
	buffer_deinit(&request);
	buffer_deinit(&answer);
}

/* The example of RFC 6455, section 1.3. */
START_TEST(accept_is_the_standards)
{
	char accept[HANDSHAKE_ACCEPT_SIZE + 1];

	handshake_make_accept("dGhlIHNhbXBsZSBub25jZQ==", 24, accept);
	ck_assert_str_eq(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}
END_TEST

START_TEST(both_sides_agree)
{
	shake();
	ck_assert_int_eq(handshake_check(answer.bytes, answer.length, SEED), answer.length);
	buffer_append(&answer, "\x81\x00", 2);
	ck_assert_int_eq(handshake_check(answer.bytes, answer.length, SEED), answer.length - 2);
	clean();
}
END_TEST

START_TEST(any_part_needs_more)
{
	shake();
	for (size_t length = 0; length < answer.length; length++)
		ck_assert_int_eq(handshake_check(answer.bytes, length, SEED), 0);
	for (size_t length = 0; length < request.length; length++)
		ck_assert_int_eq(handshake_answer(request.bytes, length, &answer), 0);
	clean();
}
END_TEST

static ssize_t check(const char *text)
{
	return handshake_check((const uint8_t *)text, strlen(text), SEED);
}

START_TEST(wrong_answers_are_refused)
{
	shake();
	ck_assert_int_eq(handshake_check(answer.bytes, answer.length, SEED + 1), -EPROTO);
	ck_assert_int_eq(check("HTTP/1.1 403 Forbidden\r\n\r\n"), -ECONNREFUSED);
	ck_assert_int_eq(check("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"), -EPROTO);
	clean();
}
END_TEST

START_TEST(names_and_spaces_are_free)
{
	char text[512];
	const char *accept;

	shake();
	buffer_append(&answer, "", 1);
	accept = strstr((const char *)answer.bytes, "Sec-WebSocket-Accept: ");
	ck_assert_ptr_nonnull(accept);
	snprintf(text, sizeof text, "HTTP/1.1 101 x\r\nUPGRADE:WebSocket \r\nsec-websocket-accept: \t%.28s  \r\n\r\n",
		 accept + strlen("Sec-WebSocket-Accept: "));
	ck_assert_int_eq(check(text), strlen(text));
	clean();
}
END_TEST

START_TEST(a_request_without_key_is_refused)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

	ck_assert_int_eq(handshake_answer((const uint8_t *)text, sizeof text - 1, &answer), -EPROTO);
	clean();
}
END_TEST

START_TEST(an_endless_head_is_refused)
{
	static uint8_t bytes[HANDSHAKE_MAX + 1];

	memset(bytes, 'x', sizeof bytes);
	ck_assert_int_eq(handshake_check(bytes, sizeof bytes, SEED), -EMSGSIZE);
	ck_assert_int_eq(handshake_answer(bytes, sizeof bytes, &answer), -EMSGSIZE);
	clean();
}
END_TEST

BENCH_TEST_MAIN("handshake", accept_is_the_standards, both_sides_agree, any_part_needs_more, wrong_answers_are_refused,
		names_and_spaces_are_free, a_request_without_key_is_refused, an_endless_head_is_refused)
