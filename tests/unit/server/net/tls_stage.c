#include "unit/server/net/tls_stage.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { TURNS = 20000 };

/* ---- files ---- */

static void write_pem(const char *path, EVP_PKEY *key, X509 *cert, const char *passphrase)
{
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	if (cert)
		ck_assert_int_eq(PEM_write_X509(file, cert), 1);
	else
		ck_assert_int_eq(PEM_write_PrivateKey(file, key, passphrase ? EVP_aes_128_cbc() : NULL,
						      (const unsigned char *)passphrase,
						      passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
				 1);
	fclose(file);
}

void tls_files_make(struct made_files *files, const char *name, const char *passphrase)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	ck_assert(key && cert);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME *subject = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, subject);
	ck_assert_int_gt(X509_sign(cert, key, EVP_sha256()), 0);

	snprintf(files->folder, sizeof files->folder, "/tmp/test_tls.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(files->folder));
	snprintf(files->cert, sizeof files->cert, "%s/cert.pem", files->folder);
	snprintf(files->key, sizeof files->key, "%s/key.pem", files->folder);
	write_pem(files->cert, NULL, cert, NULL);
	write_pem(files->key, key, NULL, passphrase);
	X509_free(cert);
	EVP_PKEY_free(key);
}

void tls_files_remove(const struct made_files *files)
{
	unlink(files->cert);
	unlink(files->key);
	ck_assert_int_eq(rmdir(files->folder), 0);
}

struct tls_context *tls_stage_context(const struct made_files *files)
{
	char error[256] = "";
	struct tls_context *context = NULL;
	int rc = tls_context_new(&context, &(struct tls_files){.cert = files->cert, .key = files->key}, error,
				 sizeof error);
	ck_assert_msg(rc == 0, "%s", error);
	return context;
}

/* ---- the server's end ---- */

static size_t on_read(void *owner, struct connection *conn, char *bytes, size_t len)
{
	struct peer *peer = owner;
	buf_append(&peer->seen, bytes, len);
	if (peer->echoes) {
		buf_append(&peer->to_send, bytes, len);
		connection_flush_soon(conn);
	}
	return len;
}

static void on_flush(void *owner, struct connection *conn, struct buf *out)
{
	struct peer *peer = owner;
	(void)conn;
	buf_append(out, peer->to_send.ptr, peer->to_send.len);
	buf_reset(&peer->to_send, SIZE_MAX);
}

static void on_end(void *owner, struct connection *conn)
{
	((struct peer *)owner)->has_ended = true;
	connection_close(conn, CONNECTION_AFTER_FLUSH);
}

static void on_closed(void *owner, struct connection *conn, int error)
{
	struct peer *peer = owner;
	(void)conn;
	peer->is_closed = true;
	peer->error = error;
}

static const struct connection_ops peer_ops = {
	.on_read = on_read, .on_flush = on_flush, .on_end = on_end, .on_closed = on_closed};

void peer_connect_raw(struct peer *peer, struct net_stage *stage)
{
	struct address address = {.family = ADDRESS_UNIX};
	int ours;
	*peer = (struct peer){.stage = stage, .echoes = true};
	buf_init(&peer->seen, SIZE_MAX);
	buf_init(&peer->to_send, SIZE_MAX);
	net_stage_pair(&ours, &peer->fd);
	int small = 1;
	setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	ck_assert_int_eq(connection_new(&peer->conn, stage->net, ours, &address, NULL, &peer_ops, peer), 0);
	tls_connection_start(peer->conn);
}

/* ---- the client's end ---- */

void peer_connect(struct peer *peer, struct net_stage *stage, void (*tweak)(SSL_CTX *), SSL_SESSION *session)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (tweak)
		tweak(ctx);
	peer_connect_raw(peer, stage);
	peer->ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(peer->ssl, peer->fd);
	SSL_set_connect_state(peer->ssl);
	if (session)
		SSL_set_session(peer->ssl, session);
}

bool peer_step(struct peer *peer)
{
	ERR_clear_error();
	return SSL_do_handshake(peer->ssl) == 1;
}

static bool wants_more(const struct peer *peer, int result)
{
	int error = SSL_get_error(peer->ssl, result);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

bool peer_shake(struct peer *peer)
{
	for (int i = 0; i < TURNS; i++) {
		ERR_clear_error();
		int result = SSL_do_handshake(peer->ssl);
		net_stage_run(peer->stage);
		if (result == 1)
			return true;
		if (!wants_more(peer, result))
			return false;
	}
	return false;
}

void peer_say(struct peer *peer, const char *bytes, size_t len)
{
	for (int i = 0; len && i < TURNS; i++) {
		size_t part = 0;
		ERR_clear_error();
		int result = SSL_write_ex(peer->ssl, bytes, len, &part);
		ck_assert(result == 1 || wants_more(peer, result));
		bytes += part;
		len -= part;
		net_stage_run(peer->stage);
	}
	ck_assert_uint_eq(len, 0);
}

bool peer_hear(struct peer *peer, char *to, size_t len)
{
	for (int i = 0; len && i < TURNS; i++) {
		size_t part = 0;
		ERR_clear_error();
		int result = SSL_read_ex(peer->ssl, to, len, &part);
		if (result != 1 && !wants_more(peer, result))
			return false;
		to += part;
		len -= part;
		if (result != 1)
			net_stage_run(peer->stage);
	}
	return len == 0;
}

void peer_free(struct peer *peer)
{
	if (!peer->is_closed)
		connection_close(peer->conn, CONNECTION_AT_ONCE);
	net_stage_run(peer->stage);
	ck_assert(peer->is_closed);
	SSL_free(peer->ssl);
	if (peer->fd >= 0)
		close(peer->fd);
	buf_deinit(&peer->seen);
	buf_deinit(&peer->to_send);
}
