#include "server/net/tls_tickets.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/mem.h"

struct tls_seed {
	uint8_t secret[TLS_SECRET_BYTES];
	int64_t born_ms;
	_Atomic unsigned takers; /* that have not taken it; who is the last (acquire-release) wipes it */
};

struct tls_seed *tls_seed_new(unsigned takers, int64_t now_ms)
{
	struct tls_seed *seed = mem_alloc(sizeof *seed);
	int rc = RAND_bytes(seed->secret, sizeof seed->secret);
	assert_always(rc == 1); /* without random numbers there is no TLS at all */
	seed->born_ms = now_ms;
	atomic_init(&seed->takers, takers);
	return seed;
}

void tls_seed_free(struct tls_seed *seed)
{
	if (!seed)
		return;
	OPENSSL_cleanse(seed->secret, sizeof seed->secret);
	free(seed);
}

/* ---- the chain ---- */

static void derive(const uint8_t from[TLS_SECRET_BYTES], const char *label, uint8_t out[TLS_SECRET_BYTES])
{
	unsigned len = 0;
	const unsigned char *done =
		HMAC(EVP_sha256(), from, TLS_SECRET_BYTES, (const unsigned char *)label, strlen(label), out, &len);
	assert_always(done && len == TLS_SECRET_BYTES);
}

/* The next period: its keys, and the chain beyond them. */
static void step(struct tls_tickets *tickets)
{
	uint8_t name[TLS_SECRET_BYTES];
	struct tls_ticket_key *key = &tickets->keys[0];

	tickets->keys[1] = *key;
	derive(tickets->chain, "name", name);
	memcpy(key->name, name, sizeof key->name);
	derive(tickets->chain, "cipher", key->cipher);
	derive(tickets->chain, "mac", key->mac);
	derive(tickets->chain, "next", tickets->chain);
	tickets->next_ms += TLS_TICKET_LIFE_MS;
}

void tls_tickets_init(struct tls_tickets *tickets, struct tls_seed *seed)
{
	/* One period earlier, so that the first one has a key before it, too. */
	*tickets = (struct tls_tickets){.next_ms = seed->born_ms - TLS_TICKET_LIFE_MS};
	memcpy(tickets->chain, seed->secret, sizeof tickets->chain);
	tls_tickets_set_time(tickets, seed->born_ms);
	if (atomic_fetch_sub_explicit(&seed->takers, 1, memory_order_acq_rel) == 1)
		OPENSSL_cleanse(seed->secret, sizeof seed->secret);
}

void tls_tickets_set_time(struct tls_tickets *tickets, int64_t now_ms)
{
	while (now_ms >= tickets->next_ms)
		step(tickets);
}

void tls_tickets_deinit(struct tls_tickets *tickets)
{
	OPENSSL_cleanse(tickets, sizeof *tickets);
}

/* ---- sealing and opening ---- */

static int use_key(const struct tls_ticket_key *key, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
		   int sealing)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->mac, sizeof key->mac),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
		OSSL_PARAM_construct_end(),
	};
	return EVP_MAC_CTX_set_params(mac, params) == 1 &&
	       EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, sealing) == 1;
}

int tls_tickets_on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
			  int sealing)
{
	enum { FAILED = -1, UNKNOWN = 0, GOOD = 1, GOOD_RENEW = 2 };
	const struct tls_tickets *tickets = SSL_get_app_data(ssl);

	if (sealing) {
		memcpy(name, tickets->keys[0].name, sizeof tickets->keys[0].name);
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			return FAILED;
		return use_key(&tickets->keys[0], iv, cipher, mac, sealing) ? GOOD : FAILED;
	}
	for (int i = 0; i < 2; i++) {
		if (memcmp(name, tickets->keys[i].name, sizeof tickets->keys[i].name) != 0)
			continue;
		if (!use_key(&tickets->keys[i], iv, cipher, mac, sealing))
			return FAILED;
		return i == 0 ? GOOD : GOOD_RENEW;
	}
	return UNKNOWN;
}
