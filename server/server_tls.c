/*
 * The server's certificate: built from its files at start and again on reload, handed to the shards by mail.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "server/auth/tokens.h"
#include "server/net/tls.h"
#include "server/server_private.h"

/* *out is NULL when config wants no TLS. */
static int build_context(struct tls_context **out, const struct config *config, char error[CONFIG_ERROR_SIZE])
{
	const struct tls_files files = {
		.cert = config->tls_cert, .key = config->tls_key, .ciphers = config->tls_ciphers};

	*out = NULL;
	if (!*config->tls_cert != !*config->tls_key) {
		snprintf(error, CONFIG_ERROR_SIZE, "tls_cert and tls_key are both needed, and there is only tls_%s",
			 *config->tls_cert ? "cert" : "key");
		return -EINVAL;
	}
	if (!*config->tls_cert && config->tls_port >= 0) {
		snprintf(error, CONFIG_ERROR_SIZE, "tls_port needs tls_cert and tls_key");
		return -EINVAL;
	}
	return *config->tls_cert ? tls_context_new(out, &files, error, CONFIG_ERROR_SIZE) : 0;
}

static void note_expiry(struct server *server, const struct tls_context *context)
{
	atomic_store_explicit(&server->tls_expires_s, tls_context_expires_s(context), memory_order_relaxed);
}

int server_build_tls(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	int rc = build_context(&server->tls, server->config, error);

	if (server->tls) {
		server->seed = tls_seed_new(shard_group_count(server->group), clock_now_mono_ms());
		note_expiry(server, server->tls);
	}
	return rc;
}

void server_shard_ready_tls(struct server *server, struct net_shard *net)
{
	const struct tls_options options = {
		.handshake_ms = (unsigned)server->config->tls_handshake_ms,
		.handshakes_per_tick = (unsigned)server->config->tls_handshakes_per_tick,
	};

	if (server->tls)
		tls_shard_new(net, server->tls, server->seed, &options);
}

void server_free_tls(struct server *server)
{
	tls_context_unref(server->tls);
	tls_seed_free(server->seed);
}

/* ---- another one, while the server runs ---- */

struct renewal {
	struct mail mail;
	struct tls_context *context; /* a reference of its own */
};

static void free_renewal(struct mail *mail)
{
	struct renewal *renewal = LIST_OF(mail, struct renewal, mail);

	tls_context_unref(renewal->context);
	free(renewal);
}

static void take_over(struct mail *mail, struct shard *here)
{
	tls_shard_set_context(server_shard_of(here)->net, LIST_OF(mail, struct renewal, mail)->context);
	free_renewal(mail);
}

int server_reload(struct server *server, const struct config *config, char error[CONFIG_ERROR_SIZE])
{
	struct tls_context *context;
	int rc = build_context(&context, config, error);

	if (rc < 0)
		return rc;
	if (!context != !server->tls) {
		snprintf(error, CONFIG_ERROR_SIZE, "TLS can be neither begun nor ended by a reload");
		rc = -EINVAL;
	} else if (server->tokens) {
		rc = tokens_reload(server->tokens, error);
	}
	if (rc < 0) {
		tls_context_unref(context);
		return rc;
	}
	if (context)
		note_expiry(server, context);
	for (unsigned i = 0; context && i < shard_group_count(server->group); i++) {
		struct renewal *renewal = mem_alloc(sizeof *renewal);
		renewal->mail.deliver = take_over;
		renewal->mail.discard = free_renewal;
		renewal->context = tls_context_ref(context);
		shard_post_outside(shard_group_at(server->group, i), &renewal->mail);
	}
	tls_context_unref(context);
	reloader_ask(server->reloader);
	return 0;
}
