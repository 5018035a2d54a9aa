#include "server/security/signature.h"

#include "core/json.h"
#include "core/mem.h"
#include "unit/core/core_test.h"

#define NOW INT64_C(1700000000000)
#define HOUR INT64_C(3600000)
#define MAX_AGE (HOUR / 2)
#define ROTATED "0c31f3eaf669f17248401aa2d0d94a3b523e793b55c713be5e18270c4042dbed"

static struct signing_options plain_options(void)
{
	return (struct signing_options){
		.secret = STR("demo-secret"), .max_age_ms = MAX_AGE, .max_state_bytes = 1 << 20, .compress = true};
}

struct desk { /* keys with one signer */
	struct signing_keys *keys;
	struct signer *signer;
};

static struct desk desk_new(struct signing_options options)
{
	struct desk desk = {.keys = signing_keys_new(&options)};
	desk.signer = signer_new(desk.keys);
	return desk;
}

static void desk_free(struct desk *desk)
{
	signer_free(desk->signer);
	signing_keys_free(desk->keys);
}

static const live_value *json(const char *text)
{
	char error[128] = "";
	const live_value *value = live_from_json(text, strlen(text), error, sizeof error);
	ck_assert_msg(value != NULL, "%s: %s", error, text);
	return value;
}

/* Signs state (given away) as the client would hold it; NULL when it was not signed. */
static const live_value *sign_at(struct desk *desk, const live_value *state, int64_t wall_ms)
{
	struct signing signing = {STR("Ab3dEf9_"), STR("Counter"), state, 1, wall_ms};
	const live_value *object = NULL;
	struct buf out;
	buf_init(&out, SIZE_MAX);
	signer_sign(desk->signer, &signing, &out);
	if (out.len)
		object = live_from_json(out.ptr, out.len, NULL, 0);
	buf_deinit(&out);
	live_value_unref(state);
	return object;
}

/* Opens it, and checks for the error or (NULL) for the state, which is given as JSON. Borrows object. */
static void assert_opens(struct desk *desk, const live_value *object, int64_t wall_ms, const char *error,
			 const char *state)
{
	struct signed_state opened = {0};
	const char *verdict = signer_open(desk->signer, object, wall_ms, &opened);
	ck_assert_msg(!verdict == !error && (!error || !strcmp(verdict, error)), "%s, not %s",
		      verdict ? verdict : "good", error ? error : "good");
	if (error)
		return;
	const live_value *expected = json(state);
	ck_assert(live_equal(opened.state, expected));
	ck_assert(str_equal(opened.component_name, STR("Counter")));
	ck_assert_uint_eq(opened.version, 1);
	live_value_unref(expected);
	live_value_unref(opened.state);
	live_value_unref(opened.source);
}

static const char *text_at(const live_value *object, const char *key)
{
	return live_as_string(live_get(object, key));
}

/* The example of protocol.md, section 11. */
START_TEST(worked_example)
{
	struct desk desk = desk_new(plain_options());
	const live_value *object = sign_at(&desk, json("{\"count\":3}"), NOW);
	char *text = live_to_json(object, NULL);
	ck_assert_str_eq(text, "{\"data\":\"{\\\"count\\\":3,\\\"__componentName\\\":\\\"Counter\\\"}\",\"signature\":"
			       "\"9ef8cdb657401f117b99b4ffa49fbd938671698fa404fc242501155b4bde200a\",\"timestamp\":"
			       "1700000000000,\"version\":1,\"componentId\":\"Ab3dEf9_\",\"compressed\":false,"
			       "\"encrypted\":false}");
	free(text);
	assert_opens(&desk, object, NOW, NULL, "{\"count\":3}");
	live_value_unref(object);
	/* And the one with a nonce, which counts for the signature though it is not looked at. */
	object = json("{\"data\":\"{\\\"count\\\":3,\\\"__componentName\\\":\\\"Counter\\\"}\",\"signature\":"
		      "\"ab9f155d69dea98dfb7beaf536a546a5fbcc6857c5277a32680235a4c6e87f39\",\"timestamp\":"
		      "1700000000000,\"version\":1,\"componentId\":\"Ab3dEf9_\",\"nonce\":"
		      "\"1700000000000:00112233aabbccdd:10c1c3dc2d4ba221\"}");
	assert_opens(&desk, object, NOW, NULL, "{\"count\":3}");
	live_value_unref(object);
	desk_free(&desk);
}
END_TEST

/* Every way to transform a state brings it back as it was, here, on the next node and after the next start. */
START_TEST(all_combinations)
{
	char *long_text = mem_alloc(5000);
	memset(long_text, 'z', 4000);
	const live_value *states[] = {json("{}"),
				      json("{\"count\":3,\"list\":[1,2.5,null,{\"a\":\"\\u00e9\\ud83d\\ude00\"}]}"),
				      live_object("text", live_string(long_text), "n", live_int(-1), NULL)};
	for (unsigned i = 0; i < 16; i++) {
		struct signing_options options = plain_options();
		options.compress = i & 1;
		options.encrypt = i & 2;
		options.nonce_ttl_ms = i & 4 ? 300000 : 0;
		options.rotation_ms = i & 8 ? HOUR : 0;
		struct desk desk = desk_new(options), next = desk_new(options);
		for (size_t s = 0; s < sizeof states / sizeof states[0]; s++) {
			const live_value *object = sign_at(&desk, live_value_ref(states[s]), NOW);
			char *expected = live_to_json(states[s], NULL);
			ck_assert_int_eq(live_as_bool(live_get(object, "compressed")), options.compress && s == 2);
			ck_assert_int_eq(live_as_bool(live_get(object, "encrypted")), options.encrypt);
			ck_assert_int_eq(live_get(object, "nonce") != NULL, options.nonce_ttl_ms > 0);
			ck_assert_int_eq(strstr(text_at(object, "data"), "Counter") != NULL,
					 !options.encrypt && !(options.compress && s == 2));
			assert_opens(&desk, object, NOW, NULL, expected);
			assert_opens(&next, object, NOW + MAX_AGE, NULL, expected);
			assert_opens(&desk, object, NOW + MAX_AGE + 1, "State expired", NULL);
			assert_opens(&desk, object, NOW - SIGNATURE_SKEW_MS, NULL, expected);
			assert_opens(&desk, object, NOW - SIGNATURE_SKEW_MS - 1, "Invalid state signature", NULL);
			free(expected);
			live_value_unref(object);
		}
		desk_free(&desk);
		desk_free(&next);
	}
	for (size_t s = 0; s < sizeof states / sizeof states[0]; s++)
		live_value_unref(states[s]);
	free(long_text);
}
END_TEST

/* A field, a JSON text in its place ("" takes it out), and the verdict. */
static const struct {
	const char *key, *value, *error;
} changes[] = {
	{"data", "", "Invalid state signature"},
	{"data", "null", "Invalid state signature"},
	{"data", "7", "Invalid state signature"},
	{"data", "{}", "Invalid state signature"},
	{"data", "\"\"", "Invalid signature"},
	{"data", "\"{\\\"count\\\":4,\\\"__componentName\\\":\\\"Counter\\\"}\"", "Invalid signature"},
	{"signature", "", "Invalid state signature"},
	{"signature", "7", "Invalid state signature"},
	{"signature", "\"\"", "Invalid signature"},
	{"signature", "\"9ef8\"", "Invalid signature"},
	{"signature", "\"9EF8CDB657401F117B99B4FFA49FBD938671698FA404FC242501155B4BDE200A\"", "Invalid signature"},
	{"signature", "\"0ef8cdb657401f117b99b4ffa49fbd938671698fa404fc242501155b4bde200a\"", "Invalid signature"},
	{"timestamp", "", "Invalid state signature"},
	{"timestamp", "\"1700000000000\"", "Invalid state signature"},
	{"timestamp", "1700000000000.5", "Invalid state signature"},
	{"timestamp", "-1", "Invalid state signature"},
	{"timestamp", "1e300", "Invalid state signature"},
	{"timestamp", "null", "Invalid state signature"},
	{"timestamp", "0", "State expired"},
	{"timestamp", "1600000000000", "State expired"},
	{"timestamp", "1700000000001", "Invalid signature"},
	{"timestamp", "1800000000000", "Invalid state signature"},
	{"version", "", "Invalid state signature"},
	{"version", "\"1\"", "Invalid state signature"},
	{"version", "true", "Invalid state signature"},
	{"version", "-1", "Invalid state signature"},
	{"version", "1.5", "Invalid state signature"},
	{"version", "2", "Invalid signature"},
	{"version", "1.0", NULL},
	{"componentId", "", "Invalid state signature"},
	{"componentId", "3", "Invalid state signature"},
	{"componentId", "\"\"", "Invalid signature"},
	{"componentId", "\"Ab3dEf9-\"", "Invalid signature"},
	{"componentId", "\"Ab3dEf9_:1\"", "Invalid state signature"},
	{"nonce", "null", "Invalid state signature"},
	{"nonce", "5", "Invalid state signature"},
	{"nonce", "\"\"", "Invalid signature"},
	{"nonce", "\"1700000000000:00112233aabbccdd:10c1c3dc2d4ba221\"", "Invalid signature"},
	{"compressed", "", NULL},
	{"compressed", "null", "Invalid state signature"},
	{"compressed", "1", "Invalid state signature"},
	{"compressed", "\"false\"", "Invalid state signature"},
	{"compressed", "true", "Invalid state signature"},
	{"encrypted", "", NULL},
	{"encrypted", "0", "Invalid state signature"},
	{"encrypted", "[]", "Invalid state signature"},
	{"encrypted", "true", "Invalid state signature"},
	{"more", "[1]", NULL},
};

static const live_value *with_change(const live_value *object, const char *key, const char *value)
{
	return *value ? live_with(object, key, json(value)) : live_without(object, key);
}

START_TEST(every_field_checked)
{
	struct desk desk = desk_new(plain_options());
	const live_value *object = sign_at(&desk, json("{\"count\":3}"), NOW);
	for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
		const live_value *changed = with_change(object, changes[i].key, changes[i].value);
		assert_opens(&desk, changed, NOW, changes[i].error, "{\"count\":3}");
		live_value_unref(changed);
	}
	live_value_unref(object);
	const char *const no_objects[] = {"null", "[]", "7", "\"text\"", "{}"};
	for (size_t i = 0; i < sizeof no_objects / sizeof no_objects[0]; i++) {
		object = json(no_objects[i]);
		assert_opens(&desk, object, NOW, "Invalid state signature", NULL);
		live_value_unref(object);
	}
	assert_opens(&desk, NULL, NOW, "Invalid state signature", NULL);
	desk_free(&desk);
}
END_TEST

/* The flags are not signed: turning any of them must end in a refusal, in each combination. */
START_TEST(flags_distrusted)
{
	char *long_text = mem_alloc(5000);
	memset(long_text, 'z', 4000);
	for (unsigned how = 0; how < 4; how++) {
		struct signing_options options = plain_options();
		options.encrypt = how & 1;
		struct desk desk = desk_new(options);
		const live_value *state =
			how & 2 ? live_object("text", live_string(long_text), NULL) : json("{\"count\":3}");
		const live_value *object = sign_at(&desk, state, NOW);
		for (unsigned turned = 1; turned < 4; turned++) {
			bool compressed = live_as_bool(live_get(object, "compressed")) != ((turned & 1) != 0);
			bool encrypted = live_as_bool(live_get(object, "encrypted")) != ((turned & 2) != 0);
			const live_value *half = live_with(object, "compressed", live_bool(compressed));
			const live_value *changed = live_with(half, "encrypted", live_bool(encrypted));
			assert_opens(&desk, changed, NOW, "Invalid state signature", NULL);
			live_value_unref(half);
			live_value_unref(changed);
		}
		live_value_unref(object);
		desk_free(&desk);
	}
	free(long_text);
}
END_TEST

START_TEST(another_secret)
{
	struct signing_options options = plain_options();
	struct desk desk = desk_new(options);
	options.secret = STR("demo-Secret");
	struct desk other = desk_new(options);
	options.secret = STR("");
	struct desk random = desk_new(options), random_too = desk_new(options);
	const live_value *object = sign_at(&desk, json("{\"count\":3}"), NOW);
	assert_opens(&other, object, NOW, "Invalid signature", NULL);
	live_value_unref(object);
	object = sign_at(&random, json("{\"count\":3}"), NOW);
	assert_opens(&random, object, NOW, NULL, "{\"count\":3}");
	assert_opens(&random_too, object, NOW, "Invalid signature", NULL);
	live_value_unref(object);
	desk_free(&desk);
	desk_free(&other);
	desk_free(&random);
	desk_free(&random_too);
}
END_TEST

/* Period 472222 of an hour: HKDF and HMAC as another implementation computes them. */
START_TEST(rotated_example)
{
	struct signing_options options = plain_options();
	options.rotation_ms = HOUR;
	struct desk desk = desk_new(options);
	const live_value *object = sign_at(&desk, json("{\"count\":3}"), NOW);
	ck_assert_str_eq(text_at(object, "signature"), ROTATED);
	live_value_unref(object);
	desk_free(&desk);
}
END_TEST

/* The current key, the three before it, and the next for a clock that is ahead. */
START_TEST(rotation_window)
{
	struct signing_options options = plain_options();
	options.rotation_ms = HOUR;
	options.max_age_ms = 100 * HOUR;
	options.encrypt = true;
	struct desk desk = desk_new(options), other = desk_new(options);
	const int64_t start = NOW / HOUR * HOUR;
	for (int64_t ago = 0; ago < 10; ago++) {
		const live_value *object = sign_at(&other, json("{\"count\":3}"), start);
		assert_opens(&desk, object, start + ago * HOUR, ago <= 3 ? NULL : "Invalid signature", "{\"count\":3}");
		assert_opens(&desk, object, start + ago * HOUR + HOUR - 1, ago <= 3 ? NULL : "Invalid signature",
			     "{\"count\":3}");
		live_value_unref(object);
	}
	const live_value *ahead = sign_at(&other, json("{\"count\":3}"), start);
	assert_opens(&desk, ahead, start - 1, NULL, "{\"count\":3}");
	assert_opens(&desk, ahead, start - SIGNATURE_SKEW_MS, NULL, "{\"count\":3}");
	live_value_unref(ahead);
	desk_free(&desk);
	desk_free(&other);
}
END_TEST

START_TEST(good_once)
{
	struct signing_options options = plain_options();
	options.nonce_ttl_ms = 60000;
	struct desk desk = desk_new(options);
	struct signer *elsewhere = signer_new(desk.keys); /* another shard */
	struct signed_state opened;
	const live_value *object = sign_at(&desk, json("{\"count\":3}"), NOW);
	assert_opens(&desk, object, NOW, NULL, "{\"count\":3}");
	assert_opens(&desk, object, NOW, NULL, "{\"count\":3}");
	ck_assert_str_eq(signer_open_once(elsewhere, object, NOW + 60001, &opened), "Nonce expired");
	ck_assert_ptr_null(signer_open_once(elsewhere, object, NOW + 60000, &opened));
	live_value_unref(opened.state);
	live_value_unref(opened.source);
	ck_assert_str_eq(signer_open_once(desk.signer, object, NOW, &opened), "Nonce already used");
	assert_opens(&desk, object, NOW, NULL, "{\"count\":3}");
	/* A nonce cannot be taken away or exchanged. */
	const live_value *without = live_without(object, "nonce");
	ck_assert_str_eq(signer_open_once(desk.signer, without, NOW, &opened), "Invalid signature");
	live_value_unref(without);
	const live_value *fresh = sign_at(&desk, json("{\"count\":4}"), NOW);
	const live_value *mixed = live_with(object, "nonce", live_value_ref(live_get(fresh, "nonce")));
	ck_assert_str_eq(signer_open_once(desk.signer, mixed, NOW, &opened), "Invalid signature");
	live_value_unref(mixed);
	live_value_unref(fresh);
	live_value_unref(object);
	signer_free(elsewhere);
	desk_free(&desk);
}
END_TEST

START_TEST(limits)
{
	struct signing_options options = plain_options();
	options.max_state_bytes = 100000;
	struct desk desk = desk_new(options);
	options.max_state_bytes = 50000;
	struct desk small = desk_new(options);
	char *text = mem_alloc(100001);
	memset(text, 'z', 100000);
	ck_assert_ptr_null(sign_at(&desk, live_object("text", live_string(text), NULL), NOW));
	/* Small as sent, large when unpacked: stopped at the reader's limit. */
	text[60000] = 0;
	const live_value *object = sign_at(&desk, live_object("text", live_string(text), NULL), NOW);
	ck_assert_uint_lt(live_len(live_get(object, "data")), 1000);
	assert_opens(&small, object, NOW, "Invalid state signature", NULL);
	live_value_unref(object);
	/* A state that nests as deep as the parser bears comes back, whatever the depth of messages. */
	for (int i = 0; i < 500; i++)
		memcpy(text + 5 * i, "{\"a\":", 5);
	memset(text + 2500, '1', 1);
	memset(text + 2501, '}', 500);
	text[3001] = 0;
	const struct json_limits deep = {.max_depth = 512};
	const live_value *state;
	ck_assert_int_eq(json_parse(&state, str_of(text), &deep, NULL), 0);
	object = sign_at(&desk, live_value_ref(state), NOW);
	struct signed_state opened;
	ck_assert_ptr_null(signer_open(desk.signer, object, NOW, &opened));
	ck_assert(live_equal(opened.state, state));
	live_value_unref(opened.state);
	live_value_unref(opened.source);
	live_value_unref(object);
	live_value_unref(state);
	free(text);
	desk_free(&desk);
	desk_free(&small);
}
END_TEST

CORE_TESTS("signature", worked_example, all_combinations, every_field_checked, flags_distrusted, another_secret,
	   rotated_example, rotation_window, good_once, limits)
