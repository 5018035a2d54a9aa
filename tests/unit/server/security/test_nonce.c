#include "server/security/nonce.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/mem.h"
#include "unit/core/core_test.h"

#define NOW INT64_C(1700000000000)
#define TTL INT64_C(300000)

static struct mac *demo_mac(void)
{
	return mac_new(STR("demo-secret"));
}

static const char *use_text(struct nonce_store *store, struct mac *mac, struct str text, int64_t wall_ms)
{
	struct nonce nonce;
	const char *error = nonce_parse(text, &nonce);
	return error ? error : nonce_use(store, &nonce, mac, wall_ms);
}

static void assert_verdict(const char *verdict, const char *expected)
{
	ck_assert_msg(!verdict == !expected && (!verdict || !strcmp(verdict, expected)), "%s, not %s",
		      verdict ? verdict : "good", expected ? expected : "good");
}

/* The example of protocol.md, section 11. */
START_TEST(worked_example)
{
	struct mac *mac = demo_mac();
	struct nonce_store *store = nonce_store_new(TTL);
	struct str example = STR("1700000000000:00112233aabbccdd:10c1c3dc2d4ba221");
	assert_verdict(use_text(store, mac, example, NOW), NULL);
	assert_verdict(use_text(store, mac, example, NOW), "Nonce already used");
	nonce_store_free(store);
	nonce_store_free(NULL);
	mac_free(mac);
}
END_TEST

static const struct {
	const char *text;
	const char *error;
} malformed[] = {
	{"", "Malformed nonce"},
	{"00112233aabbccdd00112233aabbccdd", "Malformed nonce"},
	{"1700000000000", "Malformed nonce"},
	{"1700000000000:00112233aabbccdd", "Malformed nonce"},
	{"1700000000000:00112233aabbccdd:10c1c3dc2d4ba22", "Malformed nonce"},
	{"1700000000000:00112233aabbccd:10c1c3dc2d4ba2211", "Malformed nonce"},
	{"1700000000000:00112233aabbccdd:10C1c3dc2d4ba221", "Malformed nonce"},
	{"1700000000000:00112233aabbccdg:10c1c3dc2d4ba221", "Malformed nonce"},
	{"1700000000000:00112233aabbccdd:10c1c3dc2d4ba221:", "Malformed nonce"},
	{":00112233aabbccdd:10c1c3dc2d4ba221", "Malformed nonce timestamp"},
	{"-1:00112233aabbccdd:10c1c3dc2d4ba221", "Malformed nonce timestamp"},
	{"1e9:00112233aabbccdd:10c1c3dc2d4ba221", "Malformed nonce timestamp"},
	{"01:00112233aabbccdd:10c1c3dc2d4ba221", "Malformed nonce timestamp"},
	{"9007199254740993:00112233aabbccdd:10c1c3dc2d4ba221", "Malformed nonce timestamp"},
	{"99999999999999999999999:00112233aabbccdd:10c1c3dc2d4ba221", "Malformed nonce timestamp"},
	{"1700000000000 :00112233aabbccdd:10c1c3dc2d4ba221", "Malformed nonce timestamp"},
	{"1600000000000:00112233aabbccdd:10c1c3dc2d4ba221", "Nonce expired"},
	{"1700000030001:00112233aabbccdd:10c1c3dc2d4ba221", "Nonce timestamp in the future"},
	{"1700000000001:00112233aabbccdd:10c1c3dc2d4ba221", "Invalid nonce signature"},
	{"1700000000000:00112233aabbccde:10c1c3dc2d4ba221", "Invalid nonce signature"},
	{"1700000000000:00112233aabbccdd:10c1c3dc2d4ba222", "Invalid nonce signature"},
};

START_TEST(refused)
{
	struct mac *mac = demo_mac();
	struct nonce_store *store = nonce_store_new(TTL);
	for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
		assert_verdict(use_text(store, mac, str_of(malformed[i].text), NOW), malformed[i].error);
	nonce_store_free(store);
	mac_free(mac);
}
END_TEST

/* Whatever is used comes through once and never again, however the clock moves on, for many lifetimes. */
START_TEST(once_over_time)
{
	enum { KEPT = 4096 };
	struct mac *mac = demo_mac();
	struct nonce_store *store = nonce_store_new(TTL);
	char(*kept)[NONCE_MAX] = mem_alloc(sizeof *kept * KEPT);
	size_t lens[KEPT] = {0};
	int64_t now = NOW;
	for (unsigned i = 0; i < 3 * KEPT; i++, now += 1000) {
		size_t at = i % KEPT;
		lens[at] = nonce_make(mac, now, kept[at]);
		assert_verdict(use_text(store, mac, (struct str){kept[at], lens[at]}, now), NULL);
		/* One from the near past, one from anywhere. */
		size_t near = (i + KEPT - i % 300) % KEPT, far = i * 7919u % KEPT;
		if (lens[near])
			ck_assert_ptr_nonnull(use_text(store, mac, (struct str){kept[near], lens[near]}, now));
		if (lens[far])
			ck_assert_ptr_nonnull(use_text(store, mac, (struct str){kept[far], lens[far]}, now));
		/* The clock may be set back, too: what was used stays used. */
		if (lens[far])
			ck_assert_ptr_nonnull(use_text(store, mac, (struct str){kept[far], lens[far]}, now - TTL));
	}
	free(kept);
	nonce_store_free(store);
	mac_free(mac);
}
END_TEST

START_TEST(lives_as_long_as_it_should)
{
	for (int64_t ttl = 1; ttl < 2 * TTL; ttl = ttl * 7 + 1) {
		struct mac *mac = demo_mac();
		struct nonce_store *store = nonce_store_new(ttl);
		char text[NONCE_MAX];
		struct str nonce = {text, nonce_make(mac, NOW, text)};
		assert_verdict(use_text(store, mac, nonce, NOW + ttl + 1), "Nonce expired");
		assert_verdict(use_text(store, mac, nonce, NOW - NONCE_SKEW_MS - 1), "Nonce timestamp in the future");
		assert_verdict(use_text(store, mac, nonce, NOW + ttl), NULL);
		assert_verdict(use_text(store, mac, nonce, NOW - NONCE_SKEW_MS), "Nonce already used");
		nonce_store_free(store);
		mac_free(mac);
	}
}
END_TEST

/* All at one moment, as when a server comes back. */
START_TEST(holds_its_capacity)
{
	struct mac *mac = demo_mac();
	struct nonce_store *store = nonce_store_new(TTL);
	char first[NONCE_MAX], text[NONCE_MAX];
	size_t len = nonce_make(mac, NOW, first);
	assert_verdict(use_text(store, mac, (struct str){first, len}, NOW), NULL);
	for (int i = 1; i < NONCE_CAPACITY; i++)
		assert_verdict(use_text(store, mac, (struct str){text, nonce_make(mac, NOW, text)}, NOW), NULL);
	assert_verdict(use_text(store, mac, (struct str){first, len}, NOW), "Nonce already used");
	nonce_store_free(store);
	mac_free(mac);
}
END_TEST

/* A table without room refuses what is new, and still knows what is old. */
START_TEST(closed_when_full)
{
	struct nonce_store *store = nonce_store_new(TTL);
	struct mac *mac = mac_new(STR(""));
	char first[NONCE_MAX], text[NONCE_MAX];
	size_t len = nonce_make(mac, NOW, first);
	const char *verdict = use_text(store, mac, (struct str){first, len}, NOW);
	assert_verdict(verdict, NULL);
	int taken = 1;
	for (; !verdict && taken < 1 << 19; taken++)
		verdict = use_text(store, mac, (struct str){text, nonce_make(mac, NOW, text)}, NOW);
	assert_verdict(verdict, "Nonce predates replay-protection window");
	ck_assert_int_gt(taken, 2 * NONCE_CAPACITY);
	assert_verdict(use_text(store, mac, (struct str){first, len}, NOW), "Nonce already used");
	/* The next slice has a table of its own. */
	assert_verdict(use_text(store, mac, (struct str){text, nonce_make(mac, NOW + TTL, text)}, NOW + TTL), NULL);
	nonce_store_free(store);
	mac_free(mac);
}
END_TEST

enum { THREADS = 4, NONCES = 3000 };

struct race {
	struct nonce_store *store;
	char (*nonces)[NONCE_MAX];
	size_t lens[NONCES];
	_Atomic unsigned taken[NONCES]; /* by any thread; read after the join */
	_Atomic unsigned waiting;       /* threads yet to begin */
};

static void *use_all(void *argument)
{
	struct race *race = argument;
	struct mac *mac = demo_mac();
	atomic_fetch_sub(&race->waiting, 1);
	while (atomic_load(&race->waiting))
		;
	for (int i = 0; i < NONCES; i++)
		if (!use_text(race->store, mac, (struct str){race->nonces[i], race->lens[i]}, NOW))
			atomic_fetch_add(&race->taken[i], 1);
	mac_free(mac);
	return NULL;
}

/* The same nonces on all threads at once: each is taken exactly once. */
START_TEST(threads_race)
{
	struct race *race = mem_alloc(sizeof *race);
	struct mac *mac = demo_mac();
	pthread_t threads[THREADS];
	race->store = nonce_store_new(TTL);
	race->nonces = mem_alloc(sizeof *race->nonces * NONCES);
	race->waiting = THREADS;
	for (int i = 0; i < NONCES; i++)
		race->lens[i] = nonce_make(mac, NOW - i, race->nonces[i]);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, use_all, race), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < NONCES; i++)
		ck_assert_uint_eq(race->taken[i], 1);
	nonce_store_free(race->store);
	free(race->nonces);
	free(race);
	mac_free(mac);
}
END_TEST

CORE_TESTS("nonce", worked_example, refused, once_over_time, lives_as_long_as_it_should, holds_its_capacity,
	   closed_when_full, threads_race)
