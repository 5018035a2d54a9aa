/*
 * How many connections each address has on this shard, so that one host cannot take them all.
 *
 * An IPv6 host has a network of 64 bits to itself, and any address in it (RFC 4291 section 2.5.4), so that is what is
 * counted. A proxy that is trusted is not: those are whom it names.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/net/connection_private.h"

enum { IPV6_NETWORK_BYTES = 8 };

int hosts_add(struct connection *conn)
{
	struct net_shard *net = conn->net;
	if (net->options.per_address == 0 || conn->peer.family < ADDRESS_IPV4 ||
	    address_set_has(conn->options->proxies, &conn->peer))
		return 0;
	uint8_t key[sizeof(((struct host *)0)->key)] = {conn->peer.family};
	memcpy(key + 1, conn->peer.bytes, conn->peer.family == ADDRESS_IPV6 ? IPV6_NETWORK_BYTES : 4);
	struct map_entry *entry = map_find(&net->hosts, (struct str){(const char *)key, sizeof key});
	struct host *host = entry ? MAP_OF(entry, struct host, by_address) : NULL;
	if (!host) {
		host = mem_alloc(sizeof *host);
		memcpy(host->key, key, sizeof key);
		int rc = map_add(&net->hosts, &host->by_address, (struct str){(const char *)host->key, sizeof key});
		assert_always(rc == 0);
	}
	if (host->count >= net->options.per_address)
		return -EUSERS;
	host->count++;
	conn->host = host;
	return 0;
}

void hosts_remove(struct connection *conn)
{
	struct host *host = conn->host;
	if (!host)
		return;
	conn->host = NULL;
	if (--host->count == 0) {
		map_remove(&conn->net->hosts, &host->by_address);
		free(host);
	}
}
