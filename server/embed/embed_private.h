/*
 * embed_private - what a live_server is made of, for the files of this folder. Threads: read-only once the shards run,
 * [any] to read, but for what says otherwise.
 */
#ifndef SERVER_EMBED_EMBED_PRIVATE_H
#define SERVER_EMBED_EMBED_PRIVATE_H

#include <stdatomic.h>

#include <live/server.h>
#include <live/transport.h>

#include "core/str.h"
#include "server/config/config.h"
#include "server/server_private.h"

struct live_options {
	struct config config;
	live_transport transport; /* without a name: our own */
	live_id_fn *make_id;      /* NULL: ours */
	void *make_id_argument;
	void *user_data;
};

struct live_server {
	struct live_options *options; /* ours */
	struct server *server;
	bool was_started;
	/* Whether questions may be asked: written by the thread that starts and ends it, read by all. What is posted
	 * after the end is discarded, and so answered. */
	_Atomic bool is_running;
};

/* Prints one line to error, if it is wanted. Returns rc. */
int embed_fail(int rc, char *error, size_t error_size, const char *line);

#endif
