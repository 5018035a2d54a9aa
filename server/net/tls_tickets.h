/*
 * tls_tickets - the keys of session tickets: the same on all shards at the same time, new every two hours, old ones
 * forgotten.
 *
 * All shards begin with the same secret, and each steps its own copy forward by a one-way function as time goes by: no
 * shard has to ask another, and from what is in memory nobody can compute the keys of tickets that are no longer good,
 * so their traffic stays secret. A seed is wiped once the last shard has taken it. Tickets end with the process.
 * Threads: a seed [any]; tickets [shard].
 */
#ifndef SERVER_NET_TLS_TICKETS_H
#define SERVER_NET_TLS_TICKETS_H

#include <openssl/types.h>
#include <stdint.h>

enum {
	TLS_TICKET_LIFE_MS = 2 * 3600 * 1000, /* of a ticket, and of the key that seals new ones */
	TLS_SECRET_BYTES = 32,
};

struct tls_seed;

/* A random one, which takers shards will take; now_ms: of the monotonic clock, when its first period begins. [start] */
struct tls_seed *tls_seed_new(unsigned takers, int64_t now_ms);
/* When nobody takes it any more. NULL is fine. */
void tls_seed_free(struct tls_seed *seed);

struct tls_ticket_key {
	uint8_t name[16]; /* tells whose ticket it is */
	uint8_t cipher[TLS_SECRET_BYTES];
	uint8_t mac[TLS_SECRET_BYTES];
};

struct tls_tickets {
	uint8_t chain[TLS_SECRET_BYTES]; /* from which the next ones come */
	int64_t next_ms;                 /* when the period of keys[0] ends */
	struct tls_ticket_key keys[2];   /* now's, and the one before, which opens only */
};

/* Takes the seed: once per taker. */
void tls_tickets_init(struct tls_tickets *tickets, struct tls_seed *seed);
/* Steps on to now_ms (monotonic). */
void tls_tickets_set_time(struct tls_tickets *tickets, int64_t now_ms);
/* Wipes the secrets. */
void tls_tickets_deinit(struct tls_tickets *tickets);

/* For OpenSSL: seals and opens the tickets of ssl, whose app data is its shard's struct tls_tickets. */
int tls_tickets_on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
			  int sealing);

#endif
