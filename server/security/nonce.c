#include "server/security/nonce.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/id.h"
#include "core/mem.h"

enum {
	HEX_PART = 16,
	/* Tables in turn: the slice of now, the ones that have not expired, and one between that no living nonce needs.
	 */
	TABLES = 4,
	SLOT_BITS = 18, /* 2 MiB a table, of which the system gives only what is touched */
	PROBES = 512,   /* longer runs are not to be expected before a table is nine tenths full */
	MARK_BITS = 40, /* of a slot: which nonce; the rest is the slice, which lasts for decades */
};

#define SLICE_MASK ((UINT64_C(1) << (64 - MARK_BITS)) - 1)
#define MARK_MASK ((UINT64_C(1) << MARK_BITS) - 1)

/* A slot: slice << MARK_BITS | mark; any thread takes it by compare-and-swap. Relaxed order is enough, since a slot
 * says all there is to say and changes once in a slice. 0 is slice 0, in 1970. */
struct nonce_store {
	int64_t ttl_ms;
	int64_t slice_ms;
	_Atomic uint64_t *tables[TABLES];
};

struct nonce_store *nonce_store_new(int64_t ttl_ms)
{
	struct nonce_store *store = mem_alloc(sizeof *store);

	store->ttl_ms = ttl_ms;
	/* Nonces that may be used at one moment are made in a span of ttl + skew, and threads read the clock a little
	 * apart (the grace): the tables but one must cover it. */
	store->slice_ms = (ttl_ms + NONCE_SKEW_MS + NONCE_GRACE_MS) / (TABLES - 2) + 1;
	for (int i = 0; i < TABLES; i++)
		store->tables[i] = mem_alloc(sizeof(*store->tables[i]) << SLOT_BITS);
	return store;
}

void nonce_store_free(struct nonce_store *store)
{
	if (!store)
		return;
	for (int i = 0; i < TABLES; i++)
		free(store->tables[i]);
	free(store);
}

size_t nonce_make(struct mac *mac, int64_t wall_ms, char out[NONCE_MAX])
{
	unsigned char random[HEX_PART / 2];
	char hex[MAC_HEX], text[NONCE_MAX + 1];

	id_random(random, sizeof random);
	mac_to_hex(random, sizeof random, hex);
	size_t len = (size_t)snprintf(text, sizeof text, "%lld:%.16s", (long long)wall_ms, hex);
	mac_begin(mac);
	mac_add(mac, (struct str){text, len});
	mac_end_hex(mac, hex);
	memcpy(out, text, len);
	out[len++] = ':';
	memcpy(out + len, hex, HEX_PART);
	return len + HEX_PART;
}

static bool is_hex(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
			return false;
	return s.len == HEX_PART;
}

/* Decimal digits of at most 2^53, in the one way to write them. -1 for anything else. */
static int64_t read_ms(struct str s)
{
	int64_t ms = 0;

	if (s.len == 0 || s.len > 16 || (s.len > 1 && *s.ptr == '0'))
		return -1;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return -1;
		ms = ms * 10 + (s.ptr[i] - '0');
	}
	return ms <= INT64_C(1) << 53 ? ms : -1;
}

const char *nonce_parse(struct str text, struct nonce *out)
{
	const size_t tail = 2 * (HEX_PART + 1); /* :<16 hex>:<16 hex> */

	if (text.len < tail || text.ptr[text.len - tail] != ':' || text.ptr[text.len - tail / 2] != ':')
		return "Malformed nonce";
	out->text = (struct str){text.ptr, text.len - tail / 2};
	out->mac_hex = (struct str){text.ptr + text.len - HEX_PART, HEX_PART};
	if (!is_hex(out->mac_hex) || !is_hex((struct str){out->text.ptr + out->text.len - HEX_PART, HEX_PART}))
		return "Malformed nonce";
	out->made_ms = read_ms((struct str){text.ptr, text.len - tail});
	return out->made_ms < 0 ? "Malformed nonce timestamp" : NULL;
}

static uint64_t hex_number(struct str hex)
{
	uint64_t number = 0;

	for (size_t i = 0; i < hex.len; i++)
		number = number << 4 | (uint64_t)(hex.ptr[i] <= '9' ? hex.ptr[i] - '0' : hex.ptr[i] - 'a' + 10);
	return number;
}

/* Takes the slot of a nonce. */
static const char *take_slot(struct nonce_store *store, const struct nonce *nonce)
{
	const uint64_t number = hex_number(nonce->mac_hex);
	const uint64_t slice = (uint64_t)(nonce->made_ms / store->slice_ms) & SLICE_MASK;
	const uint64_t mine = slice << MARK_BITS | number >> (64 - MARK_BITS);
	_Atomic uint64_t *table = store->tables[slice % TABLES];

	for (uint64_t probe = 0; probe < PROBES; probe++) {
		_Atomic uint64_t *slot = &table[(number + probe) & ((UINT64_C(1) << SLOT_BITS) - 1)];
		uint64_t held = atomic_load_explicit(slot, memory_order_relaxed);
		/* Lost to another thread, which may have taken it for the same nonce: look again. */
		while (held >> MARK_BITS < slice)
			if (atomic_compare_exchange_weak_explicit(slot, &held, mine, memory_order_relaxed,
								  memory_order_relaxed))
				return NULL;
		if (held == mine)
			return "Nonce already used";
		if (held >> MARK_BITS > slice)
			break; /* the table has gone on: an expired nonce, by a clock that was set back */
	}
	return "Nonce predates replay-protection window";
}

const char *nonce_use(struct nonce_store *store, const struct nonce *nonce, struct mac *mac, int64_t wall_ms)
{
	char hex[MAC_HEX];

	if (wall_ms - nonce->made_ms > store->ttl_ms)
		return "Nonce expired";
	if (nonce->made_ms - wall_ms > NONCE_SKEW_MS)
		return "Nonce timestamp in the future";
	mac_begin(mac);
	mac_add(mac, nonce->text);
	mac_end_hex(mac, hex);
	if (!mac_is_equal(nonce->mac_hex, (struct str){hex, HEX_PART}))
		return "Invalid nonce signature";
	return take_slot(store, nonce);
}
