#include "server/net/proxy.h"

#include "unit/server/net/net_stage.h"

/* Feeds as a connection does, at most piece bytes at a time. Returns proxy_feed's last word; *taken: bytes it asked
 * for. */
static int feed(const char *bytes, size_t len, size_t piece, struct proxy_header *header, size_t *taken)
{
	struct proxy_reader reader = {0};
	size_t at = 0;
	int rc = 0;
	while (rc == 0 && at < len) {
		size_t part = proxy_wants(&reader);
		ck_assert_uint_ge(part, 1);
		part = part < piece ? part : piece;
		part = part < len - at ? part : len - at;
		memcpy(reader.bytes + reader.len, bytes + at, part);
		at += part;
		rc = proxy_feed(&reader, part, header);
	}
	*taken = at;
	return rc;
}

START_TEST(takes_nothing_of_what_follows)
{
	static const char v2[] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\1\2\3\4\5\6\7\x08\x10\0\0\x50";
	static const struct {
		const char *bytes;
		size_t len;
		const char *host;
	} headers[] = {
		{"PROXY UNKNOWN\r\n", 15, "unknown"},
		{"PROXY TCP4 1.2.3.4 5.6.7.8 4096 80\r\n", 36, "1.2.3.4"},
		{"PROXY TCP6 ::1 ::2 1 2\r\n", 24, "::1"},
		{v2, sizeof v2 - 1, "1.2.3.4"},
	};
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		for (size_t piece = 1; piece < 40; piece++) {
			char stream[128] = {0};
			char text[ADDRESS_TEXT_MAX];
			struct proxy_header header;
			size_t taken;
			memcpy(stream, headers[i].bytes, headers[i].len);
			memcpy(stream + headers[i].len, "\x16\x03\x01GET", 6);
			ck_assert_int_eq(feed(stream, headers[i].len + 6, piece, &header, &taken), 1);
			ck_assert_uint_eq(taken, headers[i].len);
			ck_assert_str_eq(address_text(&header.source, text).ptr, headers[i].host);
		}
	}
}
END_TEST

START_TEST(the_port_is_the_clients)
{
	static const char line[] = "PROXY TCP4 1.2.3.4 5.6.7.8 4096 80\r\n";
	struct proxy_header header;
	size_t taken;
	ck_assert_int_eq(feed(line, sizeof line - 1, SIZE_MAX, &header, &taken), 1);
	ck_assert_uint_eq(header.source.port, 4096);
	ck_assert(!header.is_secure);
}
END_TEST

START_TEST(noise_is_refused_early)
{
	struct proxy_header header;
	size_t taken;
	ck_assert_int_eq(feed("GET / HTTP/1.1\r\n", 16, SIZE_MAX, &header, &taken), -EPROTO);
	ck_assert_uint_le(taken, 12);
	ck_assert_int_eq(feed("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x00", 12, 1, &header, &taken), -EPROTO);
	ck_assert_uint_eq(taken, 1);
}
END_TEST

static void add(TCase *tests)
{
	tcase_add_test(tests, takes_nothing_of_what_follows);
	tcase_add_test(tests, the_port_is_the_clients);
	tcase_add_test(tests, noise_is_refused_early);
}

int main(void)
{
	return run_tests("proxy", add);
}
