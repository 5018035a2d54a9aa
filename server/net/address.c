#include "server/net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"

struct network {
	struct address address;
	uint8_t prefix; /* bits that count */
};

struct address_set {
	struct network *networks;
	size_t count;
};

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void set_ipv6(struct address *out, const uint8_t bytes[16])
{
	if (memcmp(bytes, mapped_prefix, sizeof mapped_prefix) == 0) {
		out->family = ADDRESS_IPV4;
		memcpy(out->bytes, bytes + 12, 4);
	} else {
		out->family = ADDRESS_IPV6;
		memcpy(out->bytes, bytes, 16);
	}
}

struct address address_of(const struct sockaddr *from, socklen_t len)
{
	struct address out = {0};
	if (len < sizeof from->sa_family)
		return out;
	if (from->sa_family == AF_UNIX) {
		out.family = ADDRESS_UNIX;
	} else if (from->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;
		memcpy(&in, from, sizeof in);
		out.family = ADDRESS_IPV4;
		out.port = ntohs(in.sin_port);
		memcpy(out.bytes, &in.sin_addr, 4);
	} else if (from->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in;
		memcpy(&in, from, sizeof in);
		out.port = ntohs(in.sin6_port);
		set_ipv6(&out, in.sin6_addr.s6_addr);
	}
	return out;
}

static int parse_port(struct str text, uint16_t *port)
{
	unsigned value = 0;
	if (text.len == 0 || text.len > 5)
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(text.ptr[i] - '0');
	}
	if (value > 65535)
		return -EINVAL;
	*port = (uint16_t)value;
	return 0;
}

static int parse_host(struct address *out, struct str text)
{
	char host[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	if (text.len == 0 || text.len >= sizeof host || memchr(text.ptr, '\0', text.len))
		return -EINVAL;
	memcpy(host, text.ptr, text.len);
	host[text.len] = '\0';
	if (inet_pton(AF_INET, host, bytes) == 1) {
		out->family = ADDRESS_IPV4;
		memcpy(out->bytes, bytes, 4);
		return 0;
	}
	if (inet_pton(AF_INET6, host, bytes) != 1)
		return -EINVAL;
	set_ipv6(out, bytes);
	return 0;
}

int address_parse(struct address *out, struct str text)
{
	struct address address = {0};
	struct str host = text;
	const char *colon = text.len ? memrchr(text.ptr, ':', text.len) : NULL;
	const char *port = NULL;

	if (text.len && text.ptr[0] == '[') {
		const char *close = memchr(text.ptr, ']', text.len);
		if (!close)
			return -EINVAL;
		host = (struct str){text.ptr + 1, (size_t)(close - text.ptr) - 1};
		if (close + 1 < text.ptr + text.len) {
			if (close[1] != ':')
				return -EINVAL;
			port = close + 2;
		}
	} else if (colon && memchr(text.ptr, ':', text.len) == colon) {
		host.len = (size_t)(colon - text.ptr);
		port = colon + 1;
	}
	if (port && parse_port((struct str){port, (size_t)(text.ptr + text.len - port)}, &address.port) < 0)
		return -EINVAL;
	if (parse_host(&address, host) < 0)
		return -EINVAL;
	*out = address;
	return 0;
}

struct str address_text(const struct address *address, char out[ADDRESS_TEXT_MAX])
{
	switch (address->family) {
	case ADDRESS_IPV4: inet_ntop(AF_INET, address->bytes, out, ADDRESS_TEXT_MAX); break;
	case ADDRESS_IPV6: inet_ntop(AF_INET6, address->bytes, out, ADDRESS_TEXT_MAX); break;
	case ADDRESS_UNIX: snprintf(out, ADDRESS_TEXT_MAX, "unix"); break;
	default: snprintf(out, ADDRESS_TEXT_MAX, "unknown"); break;
	}
	return str_of(out);
}

bool address_same_host(const struct address *a, const struct address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

struct address_set *address_set_new(void)
{
	return mem_alloc(sizeof(struct address_set));
}

void address_set_free(struct address_set *set)
{
	if (!set)
		return;
	free(set->networks);
	free(set);
}

static int parse_network(struct network *out, struct str text)
{
	const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
	struct str host = text;
	uint16_t prefix;

	memset(out, 0, sizeof *out);
	if (str_equal(text, STR("unix"))) {
		out->address.family = ADDRESS_UNIX;
		return 0;
	}
	if (slash)
		host.len = (size_t)(slash - text.ptr);
	if (parse_host(&out->address, host) < 0)
		return -EINVAL;
	unsigned most = out->address.family == ADDRESS_IPV4 ? 32 : 128;
	out->prefix = (uint8_t)most;
	if (!slash)
		return 0;
	if (parse_port((struct str){slash + 1, (size_t)(text.ptr + text.len - slash) - 1}, &prefix) < 0)
		return -EINVAL;
	/* ::ffff:10.0.0.0/104 is 10.0.0.0/8, since that is how we keep such addresses. */
	if (most == 32 && memchr(host.ptr, ':', host.len)) {
		if (prefix < 96)
			return -EINVAL;
		prefix = (uint16_t)(prefix - 96);
	}
	if (prefix > most)
		return -EINVAL;
	out->prefix = (uint8_t)prefix;
	return 0;
}

int address_set_add(struct address_set *set, struct str network)
{
	struct network parsed;
	if (parse_network(&parsed, network) < 0)
		return -EINVAL;
	set->networks = mem_realloc(set->networks, (set->count + 1) * sizeof parsed);
	set->networks[set->count++] = parsed;
	return 0;
}

static bool network_has(const struct network *network, const struct address *address)
{
	if (network->address.family != address->family)
		return false;
	unsigned whole = network->prefix / 8;
	unsigned rest = network->prefix % 8;
	if (memcmp(network->address.bytes, address->bytes, whole) != 0)
		return false;
	return rest == 0 || ((network->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}

bool address_set_has(const struct address_set *set, const struct address *address)
{
	for (size_t i = 0; set && i < set->count; i++) {
		if (network_has(&set->networks[i], address))
			return true;
	}
	return false;
}
