#include "server/net/tls_context.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/mem.h"
#include "server/net/tls_tickets.h"

/* The key exchange is the dearest part of a handshake, and the client chooses it: the large groups are left out. */
static const char groups[] = "X25519:P-256:P-384";
static const char tls12_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct tls_context {
	SSL_CTX *ssl;
	BIO_METHOD *method;
	_Atomic unsigned references; /* any thread adds; who takes the last one away (acquire-release) frees */
};

/* ---- the way to the socket ---- */

static int bio_read(BIO *bio, char *to, int room)
{
	BIO_clear_retry_flags(bio);
	long got = tls_wire_receive(BIO_get_data(bio), to, (size_t)room);
	if (got == -EAGAIN)
		BIO_set_retry_read(bio);
	return got < 0 ? -1 : (int)got;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
	BIO_clear_retry_flags(bio);
	long sent = tls_wire_send(BIO_get_data(bio), bytes, (size_t)len);
	if (sent == -EAGAIN)
		BIO_set_retry_write(bio);
	return sent < 0 ? -1 : (int)sent;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH; /* nothing is held back, so there is nothing to do */
}

struct ssl_st *tls_context_open(struct tls_context *context, struct tls_wire *wire)
{
	SSL *ssl = SSL_new(context->ssl);
	BIO *bio = BIO_new(context->method);
	if (!ssl || !bio) {
		SSL_free(ssl);
		BIO_free(bio);
		return NULL;
	}
	BIO_set_data(bio, wire);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
	SSL_set_accept_state(ssl);
	return ssl;
}

/* ---- the rules ---- */

/* A client that offers protocols, but not ours, would speak another one to us: RFC 7301, section 3.2. */
static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *offered,
			   unsigned offered_len, void *argument)
{
	static const unsigned char ours[] = "http/1.1";
	(void)ssl;
	(void)argument;
	for (unsigned i = 0; i < offered_len; i += 1u + offered[i]) {
		if (offered[i] != sizeof ours - 1 || memcmp(offered + i + 1, ours, sizeof ours - 1) != 0)
			continue;
		*out = offered + i + 1;
		*out_len = sizeof ours - 1;
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void set_rules(SSL_CTX *ssl)
{
	SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_PRIORITIZE_CHACHA);
	/* An idle connection keeps no buffer. Without AUTO_RETRY a peer that sends nothing but key updates comes to an
	 * end of its turn. */
	SSL_CTX_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
	/* A record's head and body by one recv; tls.c knows what stays in the buffer. */
	SSL_CTX_set_read_ahead(ssl, 1);
	SSL_CTX_set_alpn_select_cb(ssl, select_protocol, NULL);
	/* Sessions live in tickets alone, so that any shard can go on with them. One per handshake: a client has one
	 * connection. */
	SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(ssl, (const unsigned char *)"liveshard", 9);
	SSL_CTX_set_timeout(ssl, TLS_TICKET_LIFE_MS / 1000);
	SSL_CTX_set_num_tickets(ssl, 1);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, tls_tickets_on_ticket);
}

/* ---- the files ---- */

__attribute__((format(printf, 4, 5))) static int refuse(int rc, char *error, size_t size, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error, size, format, arguments);
	va_end(arguments);
	ERR_clear_error();
	return rc;
}

/* What OpenSSL says is wrong, for people. */
static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());
	return text ? text : "it cannot be used";
}

static int check_readable(const char *name, const char *path, char *error, size_t size)
{
	FILE *file = fopen(path, "re");
	/* A folder can be opened, but not read. */
	if (file && (fgetc(file) != EOF || !ferror(file))) {
		fclose(file);
		return 0;
	}
	int rc = -errno;
	if (file)
		fclose(file);
	return refuse(rc, error, size, "cannot read %s %s: %s", name, path, strerror(-rc));
}

/* Nobody is there to be asked. */
static int no_passphrase(char *to, int room, int writing, void *argument)
{
	(void)to;
	(void)room;
	(void)writing;
	(void)argument;
	return -1;
}

static EVP_PKEY *read_key(const char *path)
{
	BIO *bio = BIO_new_file(path, "r");
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	BIO_free(bio);
	return key;
}

static int use_files(SSL_CTX *ssl, const struct tls_files *files, char *error, size_t size)
{
	int rc = check_readable("tls_cert", files->cert, error, size);
	if (rc == 0)
		rc = check_readable("tls_key", files->key, error, size);
	if (rc < 0)
		return rc;
	if (SSL_CTX_use_certificate_chain_file(ssl, files->cert) != 1)
		return refuse(-EINVAL, error, size, "tls_cert %s is no certificate in PEM form: %s", files->cert,
			      reason());
	EVP_PKEY *key = read_key(files->key);
	if (!key)
		return refuse(-EINVAL, error, size, "tls_key %s is no private key in PEM form without a passphrase",
			      files->key);
	if (X509_check_private_key(SSL_CTX_get0_certificate(ssl), key) != 1)
		rc = refuse(-EINVAL, error, size, "tls_key %s does not belong to tls_cert %s", files->key, files->cert);
	else if (SSL_CTX_use_PrivateKey(ssl, key) != 1)
		rc = refuse(-EINVAL, error, size, "tls_key %s: %s", files->key, reason());
	EVP_PKEY_free(key);
	return rc;
}

int tls_context_new(struct tls_context **out, const struct tls_files *files, char *error, size_t size)
{
	struct tls_context *context = mem_alloc(sizeof *context);
	int rc = -ENOMEM;

	atomic_init(&context->references, 1);
	ERR_clear_error();
	context->ssl = SSL_CTX_new(TLS_server_method());
	context->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "connection");
	if (!context->ssl || !context->method) {
		refuse(rc, error, size, "TLS: out of memory");
		goto fail;
	}
	BIO_meth_set_read(context->method, bio_read);
	BIO_meth_set_write(context->method, bio_write);
	BIO_meth_set_ctrl(context->method, bio_control);
	set_rules(context->ssl);
	const char *ciphers = files->ciphers && *files->ciphers ? files->ciphers : tls12_ciphers;
	if (SSL_CTX_set_cipher_list(context->ssl, ciphers) != 1 || SSL_CTX_set1_groups_list(context->ssl, groups) != 1)
		rc = refuse(-EINVAL, error, size, "tls_ciphers '%s': %s", ciphers, reason());
	else
		rc = use_files(context->ssl, files, error, size);
	if (rc < 0)
		goto fail;
	*out = context;
	return 0;

fail:
	tls_context_unref(context);
	return rc;
}

static int64_t expiry_of(const X509 *certificate)
{
	struct tm at;

	/* Without a readable date it is no certificate, and OpenSSL would not have taken it. */
	return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &at) == 1 ? (int64_t)timegm(&at) : 0;
}

int64_t tls_context_expires_s(const struct tls_context *context)
{
	int64_t first_s = expiry_of(SSL_CTX_get0_certificate(context->ssl));
	STACK_OF(X509) *chain = NULL;

	SSL_CTX_get0_chain_certs(context->ssl, &chain);
	for (int i = 0; i < sk_X509_num(chain); i++) { /* none: -1 */
		int64_t at_s = expiry_of(sk_X509_value(chain, i));
		first_s = at_s < first_s ? at_s : first_s;
	}
	return first_s;
}

struct tls_context *tls_context_ref(struct tls_context *context)
{
	atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
	return context;
}

void tls_context_unref(struct tls_context *context)
{
	if (!context || atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) > 1)
		return;
	SSL_CTX_free(context->ssl);
	BIO_meth_free(context->method);
	free(context);
}
