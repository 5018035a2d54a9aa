#include "clients/bench/handshake.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAGIC "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define KEY_SIZE 24
#define KEY_LONGEST 64 /* longer ones are cut: nobody sends them */

void handshake_make_accept(const char *key, size_t length, char accept[HANDSHAKE_ACCEPT_SIZE + 1])
{
	char joined[KEY_LONGEST + sizeof MAGIC];
	unsigned char digest[SHA_DIGEST_LENGTH];
	int size =
		snprintf(joined, sizeof joined, "%.*s" MAGIC, (int)(length < KEY_LONGEST ? length : KEY_LONGEST), key);

	SHA1((const unsigned char *)joined, (size_t)size, digest);
	EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
}

/* Sixteen bytes from the seed, in base64. The key proves nothing, so that nobody needs to guess it is no risk. */
static void key_make(uint64_t seed, char key[KEY_SIZE + 1])
{
	uint64_t words[2] = {seed * 0x9e3779b97f4a7c15, ~seed * 0xbf58476d1ce4e5b9};

	EVP_EncodeBlock((unsigned char *)key, (const unsigned char *)words, sizeof words);
}

void handshake_ask(struct buffer *out, const char *host, const char *path, uint64_t seed)
{
	char key[KEY_SIZE + 1];
	uint8_t *at = buffer_reserve(out, HANDSHAKE_MAX);
	int length;

	key_make(seed, key);
	length = snprintf((char *)at, HANDSHAKE_MAX,
			  "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			  "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n",
			  path, host, key);
	out->length += (size_t)(length < HANDSHAKE_MAX ? length : HANDSHAKE_MAX - 1);
}

/* The size of the head that ends with an empty line; 0 if the end has not come. */
static ssize_t head_size(const uint8_t *bytes, size_t length)
{
	const uint8_t *end = memmem(bytes, length, "\r\n\r\n", 4);

	if (end)
		return end - bytes + 4;
	return length > HANDSHAKE_MAX ? -EMSGSIZE : 0;
}

/* The value of header `name` (compared without case) within a head, or NULL. */
static const char *header_find(const char *head, size_t length, const char *name, size_t *value_length)
{
	const char *end = head + length;
	const char *line = memmem(head, length, "\r\n", 2);
	size_t name_length = strlen(name);

	for (; line && line + 2 + name_length < end; line = memmem(line + 2, (size_t)(end - line - 2), "\r\n", 2)) {
		const char *at = line + 2;
		const char *stop;

		if (strncasecmp(at, name, name_length) != 0 || at[name_length] != ':')
			continue;
		at += name_length + 1;
		while (*at == ' ' || *at == '\t')
			at++;
		stop = memmem(at, (size_t)(end - at), "\r\n", 2);
		while (stop > at && (stop[-1] == ' ' || stop[-1] == '\t'))
			stop--;
		*value_length = (size_t)(stop - at);
		return at;
	}
	return NULL;
}

ssize_t handshake_check(const uint8_t *bytes, size_t length, uint64_t seed)
{
	const char *head = (const char *)bytes;
	ssize_t size = head_size(bytes, length);
	char key[KEY_SIZE + 1], wanted[HANDSHAKE_ACCEPT_SIZE + 1];
	const char *accept, *upgrade;
	size_t accept_length, upgrade_length;

	if (size <= 0)
		return size;
	if (strncmp(head, "HTTP/1.1 101", 12) != 0)
		return -ECONNREFUSED;
	key_make(seed, key);
	handshake_make_accept(key, KEY_SIZE, wanted);
	accept = header_find(head, (size_t)size, "Sec-WebSocket-Accept", &accept_length);
	upgrade = header_find(head, (size_t)size, "Upgrade", &upgrade_length);
	if (!accept || accept_length != HANDSHAKE_ACCEPT_SIZE || memcmp(accept, wanted, HANDSHAKE_ACCEPT_SIZE) != 0)
		return -EPROTO;
	if (!upgrade || upgrade_length != 9 || strncasecmp(upgrade, "websocket", 9) != 0)
		return -EPROTO;
	return size;
}

ssize_t handshake_answer(const uint8_t *bytes, size_t length, struct buffer *out)
{
	static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
				     "Sec-WebSocket-Accept: ";
	ssize_t size = head_size(bytes, length);
	char accept[HANDSHAKE_ACCEPT_SIZE + 1];
	const char *key;
	size_t key_length;

	if (size <= 0)
		return size;
	key = header_find((const char *)bytes, (size_t)size, "Sec-WebSocket-Key", &key_length);
	if (!key)
		return -EPROTO;
	handshake_make_accept(key, key_length, accept);
	buffer_append(out, answer, sizeof answer - 1);
	buffer_append(out, accept, HANDSHAKE_ACCEPT_SIZE);
	buffer_append(out, "\r\n\r\n", 4);
	return size;
}
