#include "server/security/keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/id.h"
#include "core/mem.h"

enum {
	RING = KEYS_PREVIOUS + 2, /* the current period, those before it, and the next */
	SECRET_BYTES = 32,        /* of a secret made here */
};

struct key_set {
	char *secret;
	size_t secret_len;
	int64_t interval_ms;
};

struct ring_entry {
	struct key key; /* mac NULL: not made yet */
	int64_t period;
};

struct key_ring {
	const struct key_set *set;
	struct ring_entry entries[RING]; /* period n at n % RING */
};

struct key_set *key_set_new(struct str secret, int64_t interval_ms)
{
	struct key_set *set = mem_alloc(sizeof *set);
	unsigned char random[SECRET_BYTES];

	set->interval_ms = interval_ms;
	if (secret.len) {
		set->secret = mem_strndup(secret.ptr, secret.len);
		set->secret_len = secret.len;
		return set;
	}
	id_random(random, sizeof random);
	set->secret_len = 2 * sizeof random;
	set->secret = mem_alloc(set->secret_len + 1);
	mac_to_hex(random, sizeof random, set->secret);
	OPENSSL_cleanse(random, sizeof random);
	return set;
}

void key_set_free(struct key_set *set)
{
	if (!set)
		return;
	OPENSSL_cleanse(set->secret, set->secret_len);
	free(set->secret);
	free(set);
}

static void derive(const struct key_set *set, const char *info, unsigned char out[CIPHER_KEY_BYTES])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	char digest[] = "SHA256";
	const OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, set->secret, set->secret_len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, strlen(info)),
		OSSL_PARAM_construct_end(),
	};

	assert_always(ctx && EVP_KDF_derive(ctx, out, CIPHER_KEY_BYTES, parameters) > 0);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

static void make_key(const struct key_set *set, int64_t period, struct key *out)
{
	unsigned char bytes[CIPHER_KEY_BYTES];
	char info[64];

	if (set->interval_ms) {
		snprintf(info, sizeof info, "liveshard state signing %lld", (long long)period);
		derive(set, info, bytes);
		out->mac = mac_new((struct str){(const char *)bytes, sizeof bytes});
		snprintf(info, sizeof info, "liveshard state sealing %lld", (long long)period);
	} else {
		out->mac = mac_new((struct str){set->secret, set->secret_len});
		snprintf(info, sizeof info, "liveshard state sealing");
	}
	derive(set, info, bytes);
	out->cipher = cipher_new(bytes);
	OPENSSL_cleanse(bytes, sizeof bytes);
}

static void drop_key(struct key *key)
{
	mac_free(key->mac);
	cipher_free(key->cipher);
	*key = (struct key){NULL, NULL};
}

struct key_ring *key_ring_new(const struct key_set *set)
{
	struct key_ring *ring = mem_alloc(sizeof *ring);

	ring->set = set;
	return ring;
}

void key_ring_free(struct key_ring *ring)
{
	if (!ring)
		return;
	for (int i = 0; i < RING; i++)
		drop_key(&ring->entries[i].key);
	free(ring);
}

static int64_t period_of(const struct key_ring *ring, int64_t ms)
{
	return ring->set->interval_ms && ms > 0 ? ms / ring->set->interval_ms : 0;
}

const struct key *key_ring_at(struct key_ring *ring, int64_t made_ms)
{
	int64_t period = period_of(ring, made_ms);
	struct ring_entry *entry = &ring->entries[period % RING];

	if (entry->key.mac && entry->period == period)
		return &entry->key;
	drop_key(&entry->key);
	make_key(ring->set, period, &entry->key);
	entry->period = period;
	return &entry->key;
}

bool key_ring_is_good(const struct key_ring *ring, int64_t made_ms, int64_t wall_ms)
{
	int64_t made = period_of(ring, made_ms), now = period_of(ring, wall_ms);

	return made >= now - KEYS_PREVIOUS && made <= now + 1;
}
