#include "server/net/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

static const unsigned char v2_signature[12] = {'\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

enum {
	V1_SHORTEST = 15, /* "PROXY UNKNOWN\r\n" */
	V1_LONGEST = 107, /* with two full IPv6 addresses, as the specification counts */
	V2_HEAD = 16,
	V2_TYPE_SSL = 0x20,
};

static unsigned v2_body_len(const struct proxy_reader *reader)
{
	return (unsigned)reader->bytes[14] << 8 | reader->bytes[15];
}

size_t proxy_wants(const struct proxy_reader *reader)
{
	if (reader->len < sizeof v2_signature)
		return sizeof v2_signature - reader->len;
	if (memcmp(reader->bytes, v2_signature, sizeof v2_signature) == 0)
		return reader->len < V2_HEAD ? (size_t)(V2_HEAD - reader->len)
					     : V2_HEAD + v2_body_len(reader) - reader->len;
	if (reader->len < V1_SHORTEST - 1)
		return (size_t)(V1_SHORTEST - 1 - reader->len);
	/* The line ends with CR LF: when the last byte is the CR, one is missing; else at least two. */
	return reader->bytes[reader->len - 1] == '\r' ? 1 : 2;
}

/* The next word of a version 1 line: up to a space or the end. */
static struct str v1_word(struct str *line)
{
	const char *space = line->len ? memchr(line->ptr, ' ', line->len) : NULL;
	struct str word = {line->ptr, space ? (size_t)(space - line->ptr) : line->len};
	size_t used = word.len + (space ? 1 : 0);
	line->ptr += used;
	line->len -= used;
	return word;
}

/* A port as the specification writes it: digits, no leading zero. */
static int v1_port(struct str word, uint16_t *port)
{
	unsigned value = 0;
	if (word.len == 0 || word.len > 5 || (word.len > 1 && word.ptr[0] == '0'))
		return -EPROTO;
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] < '0' || word.ptr[i] > '9')
			return -EPROTO;
		value = value * 10 + (unsigned)(word.ptr[i] - '0');
	}
	*port = (uint16_t)value;
	return value <= 65535 ? 0 : -EPROTO;
}

static int v1_address(struct address *out, struct str word, bool is_v6)
{
	bool has_colon = word.len && memchr(word.ptr, ':', word.len);
	if (has_colon != is_v6 || word.len == 0 || word.ptr[0] == '[' || address_parse(out, word) < 0)
		return -EPROTO;
	return 0;
}

static int parse_v1(struct str line, struct proxy_header *header)
{
	struct address destination;
	uint16_t port;

	if (!str_equal(v1_word(&line), STR("PROXY")))
		return -EPROTO;
	struct str family = v1_word(&line);
	if (str_equal(family, STR("UNKNOWN")))
		return 1;
	bool is_v6 = str_equal(family, STR("TCP6"));
	if (!is_v6 && !str_equal(family, STR("TCP4")))
		return -EPROTO;
	if (v1_address(&header->source, v1_word(&line), is_v6) < 0 ||
	    v1_address(&destination, v1_word(&line), is_v6) < 0)
		return -EPROTO;
	if (v1_port(v1_word(&line), &header->source.port) < 0 || v1_port(v1_word(&line), &port) < 0 || line.len)
		return -EPROTO;
	return 1;
}

static int feed_v1(const struct proxy_reader *reader, struct proxy_header *header)
{
	const unsigned char *bytes = reader->bytes;
	size_t len = reader->len;
	if (memcmp(bytes, "PROXY ", 6) != 0 || memchr(bytes, '\0', len))
		return -EPROTO;
	const unsigned char *cr = memchr(bytes, '\r', len);
	if (!cr)
		return len > V1_LONGEST - 2 || memchr(bytes, '\n', len) ? -EPROTO : 0;
	if (cr == bytes + len - 1)
		return memchr(bytes, '\n', len) ? -EPROTO : 0;
	if (cr != bytes + len - 2 || cr[1] != '\n')
		return -EPROTO;
	return parse_v1((struct str){(const char *)bytes, len - 2}, header);
}

/* Looks through the extensions for the one that says how the client came to the proxy. */
static int read_extensions(const unsigned char *at, size_t len, struct proxy_header *header)
{
	while (len) {
		if (len < 3)
			return -EPROTO;
		size_t size = (size_t)at[1] << 8 | at[2];
		if (size > len - 3)
			return -EPROTO;
		if (at[0] == V2_TYPE_SSL && size >= 5 && (at[3] & 1))
			header->is_secure = true;
		at += 3 + size;
		len -= 3 + size;
	}
	return 1;
}

static int parse_v2(const struct proxy_reader *reader, struct proxy_header *header)
{
	const unsigned char *body = reader->bytes + V2_HEAD;
	size_t len = v2_body_len(reader);
	unsigned command = reader->bytes[12] & 0x0f;
	unsigned family = reader->bytes[13] >> 4;
	size_t addresses = family == 1 ? 12 : family == 2 ? 36 : family == 3 ? 216 : 0;

	if (command == 0) /* LOCAL: the proxy itself, as for a health check */
		return 1;
	if (command != 1 || family > 3 || (reader->bytes[13] & 0x0f) > 2 || len < addresses)
		return -EPROTO;
	if (family == 1) {
		struct sockaddr_in in = {.sin_family = AF_INET};
		memcpy(&in.sin_addr, body, 4);
		memcpy(&in.sin_port, body + 8, 2);
		header->source = address_of((const struct sockaddr *)&in, sizeof in);
	} else if (family == 2) {
		struct sockaddr_in6 in = {.sin6_family = AF_INET6};
		memcpy(&in.sin6_addr, body, 16);
		memcpy(&in.sin6_port, body + 32, 2);
		header->source = address_of((const struct sockaddr *)&in, sizeof in);
	} else if (family == 3) {
		header->source.family = ADDRESS_UNIX;
	}
	return read_extensions(body + addresses, len - addresses, header);
}

static int feed_v2(const struct proxy_reader *reader, struct proxy_header *header)
{
	if (reader->len < V2_HEAD)
		return 0;
	if (reader->bytes[12] >> 4 != 2 || V2_HEAD + v2_body_len(reader) > PROXY_HEADER_MAX)
		return -EPROTO;
	return reader->len < V2_HEAD + v2_body_len(reader) ? 0 : parse_v2(reader, header);
}

int proxy_feed(struct proxy_reader *reader, size_t count, struct proxy_header *header)
{
	memset(header, 0, sizeof *header);
	reader->len = (uint16_t)(reader->len + count);
	size_t seen = reader->len < sizeof v2_signature ? reader->len : sizeof v2_signature;
	if (memcmp(reader->bytes, v2_signature, seen) == 0)
		return seen < sizeof v2_signature ? 0 : feed_v2(reader, header);
	if (reader->len < 6)
		return memcmp(reader->bytes, "PROXY ", reader->len) == 0 ? 0 : -EPROTO;
	return feed_v1(reader, header);
}
