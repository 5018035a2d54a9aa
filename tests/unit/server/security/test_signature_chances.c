/*
 * Signed states by chance: whatever state, whichever way it is signed, comes back as it was, from a client that may
 * write the object's members in another order; and with one bit of it turned it never does. TEST_SEED repeats a run.
 */
#include "core/mem.h"
#include "server/security/signature.h"
#include "unit/core/core_test.h"

#define NOW INT64_C(1700000000000)
#define MAX_AGE (INT64_C(3600000) / 2)

enum { ROUNDS = 600, FLIPS = 24 };

struct trial { /* one state, signed in one way */
	uint64_t chances;
	struct signing_options options;
	struct signing_keys *keys, *other_keys; /* of two nodes with one secret, or of two starts */
	struct signer *signer, *other;
	int64_t signed_ms;
	uint64_t version;
	char id[16], name[16];
	const live_value *state, *object;
};

#define below(trial, bound) ((unsigned)chance_below(&(trial)->chances, (bound)))

static const live_value *any_state(struct trial *trial)
{
	char *filler = mem_alloc(4000);
	const live_value *state =
		live_object("a", chance_value(&trial->chances, 6, 5), "b", chance_value(&trial->chances, 3, 3), NULL);

	memset(filler, 'a' + (char)below(trial, 26), 3999);
	if (below(trial, 3) == 0) { /* worth packing */
		const live_value *more = live_with(state, "long", live_string(filler));
		live_value_unref(state);
		state = more;
	}
	free(filler);
	return state;
}

static void trial_init(struct trial *trial, uint64_t seed)
{
	*trial = (struct trial){.chances = seed};
	trial->options = (struct signing_options){
		.secret = below(trial, 2) ? STR("demo-secret")
					  : STR("\xc3\xa9 longer than one block of SHA-256, so that "
						"it is hashed before it becomes a key"),
		.max_age_ms = MAX_AGE,
		.max_state_bytes = 1 << 20,
		.compress = below(trial, 2),
		.encrypt = below(trial, 2),
		.nonce_ttl_ms = below(trial, 2) ? 300000 : 0,
		.rotation_ms = below(trial, 2) ? 1000 + (int64_t)below(trial, 4000000) : 0,
	};
	trial->keys = signing_keys_new(&trial->options);
	trial->other_keys = signing_keys_new(&trial->options);
	trial->signer = signer_new(trial->keys);
	trial->other = signer_new(trial->other_keys);
	trial->signed_ms = NOW + (int64_t)below(trial, 1u << 31);
	trial->version = 1 + (chance(&trial->chances) >> (12 + below(trial, 50)));
	snprintf(trial->id, sizeof trial->id, "id-%u_.", below(trial, 1000000));
	snprintf(trial->name, sizeof trial->name, "Name%u", below(trial, 100));
	trial->state = any_state(trial);
}

static void trial_deinit(struct trial *trial)
{
	signer_free(trial->signer);
	signer_free(trial->other);
	signing_keys_free(trial->keys);
	signing_keys_free(trial->other_keys);
	live_value_unref(trial->state);
	live_value_unref(trial->object);
}

/* The object as a client gives it back: parsed, perhaps put together anew, and printed. */
static const live_value *from_client(struct trial *trial, struct str text)
{
	const live_value *parsed_value = live_from_json(text.ptr, text.len, NULL, 0), *shuffled = NULL;
	unsigned from = below(trial, (unsigned)live_len(parsed_value)), index = 0;

	ck_assert_ptr_nonnull(parsed_value);
	for (unsigned round = 0; round < 2; round++, index = 0) {
		for (live_iter it = {0}; live_next(parsed_value, &it); index++) {
			if ((index >= from) != (round == 0))
				continue;
			const live_value *more = live_with_len(shuffled, it.key, it.key_len, live_value_ref(it.value));
			live_value_unref(shuffled);
			shuffled = more;
		}
	}
	char *again = live_to_json(shuffled, NULL);
	live_value_unref(parsed_value);
	live_value_unref(shuffled);
	const live_value *result = live_from_json(again, strlen(again), NULL, 0);
	free(again);
	return result;
}

static void sign(struct trial *trial)
{
	struct buf out;
	struct signing signing = {str_of(trial->id), str_of(trial->name), trial->state, trial->version,
				  trial->signed_ms};

	buf_init(&out, SIZE_MAX);
	signer_sign(trial->signer, &signing, &out);
	ck_assert_uint_gt(out.len, 0);
	trial->object = from_client(trial, buf_str(&out));
	buf_deinit(&out);
}

static void assert_same(const live_value *a, const live_value *b)
{
	char *is = live_to_json(a, NULL), *should = live_to_json(b, NULL);

	ck_assert_str_eq(is, should);
	free(is);
	free(should);
}

/* The moment of a visit at which the state is still good: not too old, and its key among the last ones. */
static int64_t good_moment(struct trial *trial)
{
	int64_t late = MAX_AGE, rotation = trial->options.rotation_ms;

	if (rotation && late > 3 * rotation)
		late = 3 * rotation;
	return trial->signed_ms + (int64_t)(chance(&trial->chances) % (uint64_t)(late + 1));
}

static void assert_opens(struct trial *trial, bool once)
{
	struct signed_state opened = {0};
	struct signer *signer = below(trial, 2) ? trial->signer : trial->other;
	int64_t now = good_moment(trial);
	const char *error = once ? signer_open_once(signer, trial->object, trial->signed_ms, &opened)
				 : signer_open(signer, trial->object, now, &opened);

	ck_assert_msg(!error, "%s, %lld ms later", error, (long long)(now - trial->signed_ms));
	assert_same(opened.state, trial->state);
	ck_assert(str_equal(opened.component_name, str_of(trial->name)));
	ck_assert_uint_eq(opened.version, trial->version);
	live_value_unref(opened.state);
	live_value_unref(opened.source);
	if (!once || !live_get(trial->object, "nonce"))
		return;
	error = signer_open_once(signer, trial->object, trial->signed_ms, &opened);
	ck_assert_str_eq(error, "Nonce already used");
}

/* ---- one bit ---- */

/* What is wrong with a time: the same words at any place where it is looked at. */
static const char *time_error(const struct trial *trial, int64_t ms)
{
	if (ms < 0 || ms - trial->signed_ms > SIGNATURE_SKEW_MS)
		return "Invalid state signature";
	return trial->signed_ms - ms > MAX_AGE ? "State expired" : "Invalid signature";
}

/* The text with one bit turned, so that it is still a text. */
static const live_value *turned_text(struct trial *trial, const live_value *text)
{
	size_t len = live_len(text);
	char *copy = mem_strndup(live_as_string(text), len);
	size_t at = chance_below(&trial->chances, len);

	while ((unsigned char)copy[at] >= 0x80) /* inside a letter: its bits are not free */
		at = (at + 1) % len;
	copy[at] ^= (char)(1 << below(trial, 7));
	const live_value *turned = live_string_len(copy, len);
	free(copy);
	return turned;
}

/* The object with one bit of a field turned, and the error that is due. */
static const live_value *turn_bit(struct trial *trial, const char **error)
{
	static const char *const fields[] = {"data",    "signature", "componentId", "nonce",
					     "version", "timestamp", "compressed",  "encrypted"};
	const char *field = fields[below(trial, sizeof fields / sizeof *fields)];
	const live_value *old = live_get(trial->object, field), *turned;

	*error = "Invalid signature";
	if (!old) {
		turned = live_string("1700000000000:00112233aabbccdd:10c1c3dc2d4ba221");
	} else if (live_value_type(old) == LIVE_STRING) {
		turned = turned_text(trial, old);
		if (!strcmp(field, "componentId") && memchr(live_as_string(turned), ':', live_len(turned)))
			*error = "Invalid state signature";
	} else if (live_value_type(old) == LIVE_BOOL) {
		turned = live_bool(!live_as_bool(old));
		*error = "Invalid state signature";
	} else {
		int64_t number = live_as_int(old, 0) ^ (INT64_C(1) << below(trial, 53));
		turned = live_int(number);
		if (!strcmp(field, "timestamp"))
			*error = time_error(trial, number);
	}
	return live_with(trial->object, field, turned);
}

static void assert_refused(struct trial *trial)
{
	struct signed_state opened = {0};
	const char *error;
	const live_value *turned = turn_bit(trial, &error);
	const char *verdict = signer_open(trial->other, turned, trial->signed_ms, &opened);
	char *text = live_to_json(turned, NULL);

	ck_assert_msg(verdict && !strcmp(verdict, error), "%s, not %s: %s", verdict ? verdict : "good", error, text);
	free(text);
	live_value_unref(turned);
}

START_TEST(there_and_back)
{
	uint64_t seed = test_seed();
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct trial trial;
		trial_init(&trial, seed + round);
		sign(&trial);
		for (unsigned i = 0; i < 3; i++)
			assert_opens(&trial, false);
		assert_opens(&trial, true);
		trial_deinit(&trial);
	}
}
END_TEST

START_TEST(one_bit_turned)
{
	uint64_t seed = test_seed();
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct trial trial;
		trial_init(&trial, seed + round);
		sign(&trial);
		for (unsigned i = 0; i < FLIPS; i++)
			assert_refused(&trial);
		trial_deinit(&trial);
	}
}
END_TEST

CORE_TESTS("signature chances", there_and_back, one_bit_turned)
