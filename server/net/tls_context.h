/*
 * tls_context - a certificate with its key and our rules of TLS: what a handshake needs to know.
 *
 * Built off the shards from files, then immutable; shared by all shards and kept alive by every connection that began
 * with it, so a reload puts a new one in its place and old connections keep theirs. The rules: TLS 1.2 or newer,
 * forward secrecy and authenticated ciphers only, groups that cost us little, http/1.1 by ALPN, no renegotiation, no
 * compression, no early data. Threads: [any].
 */
#ifndef SERVER_NET_TLS_CONTEXT_H
#define SERVER_NET_TLS_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

struct tls_context;
struct tls_wire;

struct tls_files {
	const char *cert;    /* PEM: the certificate, then those that vouch for it */
	const char *key;     /* PEM, without a passphrase */
	const char *ciphers; /* of TLS 1.2, in OpenSSL's words; NULL or empty: our choice */
};

/* Reads and checks the files. 0, or -errno with one line (without newline) in error, which has size bytes: -ENOENT and
 * the like: a file cannot be read; -EINVAL: what is in it is wrong, or the two do not belong together. */
int tls_context_new(struct tls_context **out, const struct tls_files *files, char *error, size_t size)
	__attribute__((warn_unused_result));
struct tls_context *tls_context_ref(struct tls_context *context);
/* NULL is fine. */
void tls_context_unref(struct tls_context *context);

/* When the first of its certificates ends, in seconds since 1970. */
int64_t tls_context_expires_s(const struct tls_context *context);

/* For tls.c: a new SSL (SSL_free it) whose bytes travel by read and write of wire, or NULL without memory. */
struct ssl_st *tls_context_open(struct tls_context *context, struct tls_wire *wire);

/* tls.c's, called by the SSL of wire: what recv and send would return; -errno instead of -1. */
long tls_wire_receive(struct tls_wire *wire, char *to, size_t room);
long tls_wire_send(struct tls_wire *wire, const char *bytes, size_t len);

#endif
