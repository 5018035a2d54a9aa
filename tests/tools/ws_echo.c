/*
 * ws-echo - our connection and WebSocket layers with an echo handler and no live protocol, for outside conformance
 * suites.
 *
 *     ws-echo --port 9001 [--host ADDRESS] [--shards N] [--deflate] [--takeover] [--max-message BYTES]
 *             [--tls-cert FILE --tls-key FILE]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "edge_base.h"
#include "server/ws/ws.h"

static struct ws_options ws_options;

static void on_message(void *owner, struct ws *ws, enum ws_opcode opcode, char *bytes, size_t len)
{
	(void)owner;
	ws_send(ws, opcode, bytes, len);
}

static void on_close(void *owner, struct ws *ws, unsigned code, struct str reason)
{
	(void)owner;
	(void)ws;
	(void)code;
	(void)reason;
}

static const struct ws_ops echo_ops = {.on_message = on_message, .on_close = on_close};

static void on_upgrade(struct http_request *request, void *argument)
{
	struct ws *ws;
	(void)argument;
	int rc = ws_accept(&ws, request, &ws_options, &echo_ops, NULL);
	(void)rc; /* it is replied to either way */
}

static int usage(const char *program)
{
	fprintf(stderr,
		"usage: %s [--host ADDRESS] [--port N] [--shards N] [--deflate] [--takeover] [--max-message BYTES] "
		"[--tls-cert FILE --tls-key FILE]\n",
		program);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option known[] = {
		{"host", required_argument, NULL, 'h'},
		{"port", required_argument, NULL, 'p'},
		{"shards", required_argument, NULL, 's'},
		{"deflate", no_argument, NULL, 'd'},
		{"takeover", no_argument, NULL, 't'},
		{"max-message", required_argument, NULL, 'm'},
		{"tls-cert", required_argument, NULL, 'c'},
		{"tls-key", required_argument, NULL, 'k'},
		{NULL, 0, NULL, 0},
	};
	struct edge_options options = {.port = 9001, .shards = 1};
	/* Suites send and expect messages of 16 MiB and more. */
	ws_options.max_message_bytes = 64 << 20;
	ws_options.max_fragments = 1 << 20;
	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (c) {
		case 'h': options.host = optarg; break;
		case 'p': options.port = (unsigned)strtoul(optarg, NULL, 10); break;
		case 's': options.shards = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'd': ws_options.deflate = true; break;
		case 't': ws_options.deflate = ws_options.deflate_takeover = true; break;
		case 'm': ws_options.max_message_bytes = strtoull(optarg, NULL, 10); break;
		case 'c': options.tls_files.cert = optarg; break;
		case 'k': options.tls_files.key = optarg; break;
		default: return usage(argv[0]);
		}
	}
	if (!options.tls_files.cert != !options.tls_files.key)
		return usage(argv[0]);
	struct connection_options connection = {.soft_bytes = 64 << 20, .hard_bytes = 512 << 20};
	struct http_service *service = http_service_new(&(struct http_options){.connection = &connection});
	http_service_add_upgrade(service, "/", on_upgrade, NULL);
	int status = edge_serve(&options, service, false);
	http_service_free(service);
	return status;
}
