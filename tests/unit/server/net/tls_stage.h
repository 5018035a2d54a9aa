/*
 * tls_stage - a stage with TLS: certificates made at test time, clients by OpenSSL, servers' ends that echo.
 */
#ifndef TESTS_UNIT_SERVER_NET_TLS_STAGE_H
#define TESTS_UNIT_SERVER_NET_TLS_STAGE_H

#include <openssl/ssl.h>

#include "core/buf.h"
#include "server/net/tls.h"
#include "unit/server/net/net_stage.h"

/* A folder with PEM files; all of it goes with tls_files_remove. */
struct made_files {
	char folder[64];
	char cert[96];
	char key[96];
};

/* A self-signed certificate for name, and its key; passphrase: NULL or what the key is sealed with. */
void tls_files_make(struct made_files *files, const char *name, const char *passphrase);
void tls_files_remove(const struct made_files *files);
struct tls_context *tls_stage_context(const struct made_files *files);

struct peer { /* one connection: the client's end, and what the server's end saw */
	SSL *ssl;
	int fd;
	struct connection *conn;
	struct buf seen;
	struct buf to_send; /* by the next flush; an echo of what came, or what the test puts there */
	bool echoes;
	bool has_ended;
	bool is_closed;
	int error;
	struct net_stage *stage;
};

/* A server's end on stage, and the client's descriptor, without TLS at the client's end. */
void peer_connect_raw(struct peer *peer, struct net_stage *stage);
/* The same with a client of its own SSL_CTX; tweak (may be NULL) sets what the test wants of it. session (may be NULL)
 * is offered for resumption. The handshake has not begun. */
void peer_connect(struct peer *peer, struct net_stage *stage, void (*tweak)(SSL_CTX *), SSL_SESSION *session);
/* Client and server take turns until the handshake is done (true) or has failed. */
bool peer_shake(struct peer *peer);
/* One step of the client's handshake: whether it is done. */
bool peer_step(struct peer *peer);
/* The client writes all of it, taking turns with the server. */
void peer_say(struct peer *peer, const char *bytes, size_t len);
/* The client reads len bytes, taking turns with the server. False when they do not come. */
bool peer_hear(struct peer *peer, char *to, size_t len);
/* Closes both ends, without a word. */
void peer_free(struct peer *peer);

#endif
