#include "server/auth/tokens.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/buf.h"
#include "unit/core/core_test.h"

/* SHA-256 of "abc" (FIPS 180-2), of "saltabc" and of the empty text are other implementations' words. */
#define HASH_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

struct file {
	char path[64];
};

static void write_text(const struct file *file, const char *text)
{
	FILE *stream = fopen(file->path, "w");
	ck_assert_ptr_nonnull(stream);
	ck_assert_int_ge(fputs(text, stream), 0);
	ck_assert_int_eq(fclose(stream), 0);
}

static struct file file_of(const char *text)
{
	struct file file = {"/tmp/live-tokens-XXXXXX"};
	int fd = mkstemp(file.path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	write_text(&file, text);
	return file;
}

START_TEST(hashing)
{
	char hex[65];
	tokens_hash(STR(""), STR("abc"), hex);
	ck_assert_str_eq(hex, HASH_ABC);
	tokens_hash(STR("a"), STR("bc"), hex);
	ck_assert_str_eq(hex, HASH_ABC);
	tokens_hash(STR(""), STR(""), hex);
	ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(found)
{
	struct file file =
		file_of("{\"salt\":\"a\",\"tokens\":[{\"sha256\":\"BA7816BF8F01CFEA414140DE5DAE2223B00361A396"
			"177A9CB410FF61F20015AD\",\"id\":\"u1\",\"roles\":[\"admin\"],\"name\":\"Ann\"}]}");
	struct tokens *tokens;
	char error[TOKENS_ERROR_SIZE];
	ck_assert_int_eq(tokens_new(&tokens, file.path, error), 0);
	ck_assert_uint_eq(tokens_count(tokens), 1);
	const live_auth *auth = tokens_find(tokens, STR("bc"));
	ck_assert_str_eq(live_auth_user_id(auth), "u1");
	ck_assert(live_auth_has_role(auth, "admin"));
	ck_assert_str_eq(live_auth_token(auth), "bc");
	ck_assert_ptr_null(live_get(live_auth_user(auth), "sha256"));
	ck_assert_str_eq(live_as_string(live_get(live_auth_user(auth), "name")), "Ann");
	live_auth_unref(auth);
	const char *const others[] = {"", "b", "bcd", "abc", "BC", HASH_ABC};
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		ck_assert_ptr_null(tokens_find(tokens, str_of(others[i])));
	tokens_free(tokens);
	tokens_free(NULL);
	unlink(file.path);
}
END_TEST

START_TEST(a_thousand)
{
	enum { COUNT = 1000 };
	struct buf text;
	char hex[65], token[32], error[TOKENS_ERROR_SIZE];
	struct tokens *tokens;
	buf_init(&text, SIZE_MAX);
	buf_append_str(&text, STR("{\"tokens\":["));
	for (int i = 0; i < COUNT; i++) {
		snprintf(token, sizeof token, "token-%d", i);
		tokens_hash(STR(""), str_of(token), hex);
		buf_printf(&text, "%s{\"sha256\":\"%s\",\"id\":\"user-%d\"}", i ? "," : "", hex, i);
	}
	buf_printf(&text, "]}%c", 0);
	struct file file = file_of(text.ptr);
	ck_assert_int_eq(tokens_new(&tokens, file.path, error), 0);
	ck_assert_uint_eq(tokens_count(tokens), COUNT);
	for (int i = 0; i < 2 * COUNT; i++) {
		snprintf(token, sizeof token, "token-%d", i);
		const live_auth *auth = tokens_find(tokens, str_of(token));
		ck_assert_int_eq(auth != NULL, i < COUNT);
		snprintf(token, sizeof token, "user-%d", i);
		if (auth)
			ck_assert_str_eq(live_auth_user_id(auth), token);
		live_auth_unref(auth);
	}
	tokens_free(tokens);
	buf_deinit(&text);
	unlink(file.path);
}
END_TEST

#define GOOD_ENTRY "{\"sha256\":\"" HASH_ABC "\",\"id\":\"u1\"}"

static const struct {
	const char *text, *problem;
} bad[] = {
	{"", "1:1: unexpected end of the text"},
	{"{\n  \"tokens\": [,]\n}", "2:14: expected a value"},
	{"[]", "must be an object with \"tokens\""},
	{"{}", "tokens: must be an array"},
	{"{\"tokens\":{}}", "tokens: must be an array"},
	{"{\"tokens\":[],\"token\":[]}", "\"token\" is unknown; there are \"salt\" and \"tokens\""},
	{"{\"tokens\":[],\"salt\":7}", "salt: must be a string"},
	{"{\"tokens\":[7]}", "tokens[0]: must be an object"},
	{"{\"tokens\":[{\"id\":\"u\"}]}", "tokens[0].sha256: must be 64 hex digits"},
	{"{\"tokens\":[{\"sha256\":\"abc\",\"id\":\"u\"}]}", "tokens[0].sha256: must be 64 hex digits"},
	{"{\"tokens\":[{\"sha256\":\"za7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}]}",
	 "tokens[0].sha256: must be 64 hex digits"},
	{"{\"tokens\":[" GOOD_ENTRY ",{\"sha256\":\"" HASH_ABC "\"}]}",
	 "tokens[1].id: must be a string that is not empty"},
	{"{\"tokens\":[{\"sha256\":\"" HASH_ABC "\",\"id\":\"\"}]}",
	 "tokens[0].id: must be a string that is not empty"},
	{"{\"tokens\":[{\"sha256\":\"" HASH_ABC "\",\"id\":\"u\",\"roles\":\"admin\"}]}",
	 "tokens[0].roles: must be an array"},
	{"{\"tokens\":[{\"sha256\":\"" HASH_ABC "\",\"id\":\"u\",\"permissions\":[\"a\",1]}]}",
	 "tokens[0].permissions: must hold strings that are not empty"},
	{"{\"tokens\":[" GOOD_ENTRY "," GOOD_ENTRY "]}", "tokens[1].sha256: is that of tokens[0], too"},
};

START_TEST(bad_files)
{
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct file file = file_of(bad[i].text);
		struct tokens *tokens;
		char error[TOKENS_ERROR_SIZE], expected[TOKENS_ERROR_SIZE];
		ck_assert_int_eq(tokens_new(&tokens, file.path, error), -EINVAL);
		ck_assert_ptr_null(tokens);
		snprintf(expected, sizeof expected, "%s: %s", file.path, bad[i].problem);
		ck_assert_str_eq(error, expected);
		unlink(file.path);
	}
}
END_TEST

START_TEST(no_file)
{
	struct tokens *tokens;
	char error[TOKENS_ERROR_SIZE];
	ck_assert_int_eq(tokens_new(&tokens, "/nowhere/tokens.json", error), -ENOENT);
	ck_assert_str_eq(error, "/nowhere/tokens.json: No such file or directory");
	ck_assert_int_eq(tokens_new(&tokens, "/tmp", error), -EISDIR);
	ck_assert_str_eq(error, "/tmp: Is a directory");
}
END_TEST

struct reader {
	struct tokens *tokens;
	_Atomic bool stop;
	unsigned found;
};

static void *read_on(void *argument)
{
	struct reader *reader = argument;
	while (!atomic_load(&reader->stop)) {
		const live_auth *auth = tokens_find(reader->tokens, STR("abc"));
		ck_assert(auth && live_auth_is_authenticated(auth));
		live_auth_unref(auth);
		reader->found++;
	}
	return NULL;
}

/* The file changes while it is in use; a bad one changes nothing. */
START_TEST(reload)
{
	struct file file = file_of("{\"tokens\":[" GOOD_ENTRY "]}");
	struct reader reader = {.stop = false};
	pthread_t thread;
	char error[TOKENS_ERROR_SIZE];
	ck_assert_int_eq(tokens_new(&reader.tokens, file.path, error), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, read_on, &reader), 0);
	for (int i = 0; i < 50; i++) {
		write_text(&file, "{\"salt\":\"ab\",\"tokens\":[]");
		ck_assert_int_eq(tokens_reload(reader.tokens, error), -EINVAL);
		ck_assert_uint_eq(tokens_count(reader.tokens), 1);
		write_text(&file, "{\"tokens\":[{\"sha256\":\"" HASH_ABC "\",\"id\":\"u2\"}]}");
		ck_assert_int_eq(tokens_reload(reader.tokens, error), 0);
	}
	atomic_store(&reader.stop, true);
	pthread_join(thread, NULL);
	const live_auth *auth = tokens_find(reader.tokens, STR("abc"));
	ck_assert_str_eq(live_auth_user_id(auth), "u2");
	live_auth_unref(auth);
	tokens_free(reader.tokens);
	unlink(file.path);
}
END_TEST

CORE_TESTS("tokens", hashing, found, a_thousand, bad_files, no_file, reload)
