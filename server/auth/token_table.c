#include "server/auth/token_table.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/hex.h"
#include "core/json.h"
#include "core/mem.h"

enum { MAX_DEPTH = 32 };

struct token_entry {
	unsigned char hash[TOKEN_HASH_BYTES];
	const live_value *user; /* NULL: a free slot */
	unsigned number;        /* in the file, for error texts */
};

/* Open addressing on the hash's first bytes: SHA-256 spreads them, and nobody chooses them. */
struct token_table {
	const live_value *salt; /* a string, or NULL */
	struct token_entry *slots;
	size_t mask; /* slots - 1, a power of two minus 1, at least half of them free */
	unsigned count;
};

struct problem { /* where error texts go */
	char *text;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct problem problem, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(problem.text, problem.size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

void token_table_hash(struct str salt, struct str token, unsigned char out[TOKEN_HASH_BYTES])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	assert_always(ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) && EVP_DigestUpdate(ctx, salt.ptr, salt.len) &&
		      EVP_DigestUpdate(ctx, token.ptr, token.len) && EVP_DigestFinal_ex(ctx, out, NULL));
	EVP_MD_CTX_free(ctx);
}

/* The slot that holds hash, or the free one where it belongs. */
static struct token_entry *find_slot(const struct token_table *table, const unsigned char hash[TOKEN_HASH_BYTES])
{
	size_t at;

	memcpy(&at, hash, sizeof at);
	for (;; at++) {
		struct token_entry *slot = &table->slots[at & table->mask];
		if (!slot->user || CRYPTO_memcmp(slot->hash, hash, TOKEN_HASH_BYTES) == 0)
			return slot;
	}
}

static bool read_hash(const live_value *value, unsigned char out[TOKEN_HASH_BYTES])
{
	const char *text = live_as_string(value);

	if (!text || live_len(value) != 2 * TOKEN_HASH_BYTES)
		return false;
	for (size_t i = 0; i < TOKEN_HASH_BYTES; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static int check_names(const live_value *entry, const char *key, unsigned number, struct problem problem)
{
	const live_value *names = live_get(entry, key);
	live_iter it = {0};

	if (!names)
		return 0;
	if (live_value_type(names) != LIVE_ARRAY)
		return refuse(problem, "tokens[%u].%s: must be an array", number, key);
	while (live_next(names, &it))
		if (!live_len(it.value) || !live_as_string(it.value))
			return refuse(problem, "tokens[%u].%s: must hold strings that are not empty", number, key);
	return 0;
}

static int add_entry(struct token_table *table, const live_value *entry, unsigned number, struct problem problem)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	const live_value *id = live_get(entry, "id");

	if (live_value_type(entry) != LIVE_OBJECT)
		return refuse(problem, "tokens[%u]: must be an object", number);
	if (!read_hash(live_get(entry, "sha256"), hash))
		return refuse(problem, "tokens[%u].sha256: must be 64 hex digits", number);
	if (!live_as_string(id) || !live_len(id))
		return refuse(problem, "tokens[%u].id: must be a string that is not empty", number);
	int rc = check_names(entry, "roles", number, problem);
	if (rc == 0)
		rc = check_names(entry, "permissions", number, problem);
	if (rc < 0)
		return rc;
	struct token_entry *slot = find_slot(table, hash);
	if (slot->user)
		return refuse(problem, "tokens[%u].sha256: is that of tokens[%u], too", number, slot->number);
	memcpy(slot->hash, hash, sizeof hash);
	slot->user = live_without(entry, "sha256");
	slot->number = number;
	table->count++;
	return 0;
}

static int check_members(const live_value *file, struct problem problem)
{
	const live_value *salt = live_get(file, "salt");
	live_iter it = {0};

	if (live_value_type(file) != LIVE_OBJECT)
		return refuse(problem, "must be an object with \"tokens\"");
	while (live_next(file, &it)) {
		struct str key = {it.key, it.key_len};
		if (!str_equal(key, STR("tokens")) && !str_equal(key, STR("salt")))
			return refuse(problem, "\"%.*s\" is unknown; there are \"salt\" and \"tokens\"",
				      it.key_len > 64 ? 64 : (int)it.key_len, it.key);
	}
	if (salt && !live_as_string(salt))
		return refuse(problem, "salt: must be a string");
	if (live_value_type(live_get(file, "tokens")) != LIVE_ARRAY)
		return refuse(problem, "tokens: must be an array");
	return 0;
}

/* Where in the text an offset is, as editors count. */
static int refuse_syntax(struct str text, const struct json_error *error, struct problem problem)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < error->offset && i < text.len; i++) {
		column++;
		if (text.ptr[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return refuse(problem, "%zu:%zu: %s", line, column, error->message);
}

static int fill(struct token_table *table, const live_value *file, struct problem problem)
{
	const live_value *tokens = live_get(file, "tokens");
	size_t slots = 4;
	live_iter it = {0};
	int rc = 0;

	while (slots < 2 * live_len(tokens) + 1)
		slots *= 2;
	table->salt = live_value_ref(live_get(file, "salt"));
	table->slots = mem_alloc(slots * sizeof *table->slots);
	table->mask = slots - 1;
	for (unsigned number = 0; rc == 0 && live_next(tokens, &it); number++)
		rc = add_entry(table, it.value, number, problem);
	return rc;
}

int token_table_new(struct token_table **out, struct str text, char *error, size_t error_size)
{
	const struct json_limits limits = {.max_depth = MAX_DEPTH};
	struct problem problem = {error, error_size};
	struct json_error where;
	const live_value *file;

	*out = NULL;
	if (json_parse(&file, text, &limits, &where) < 0)
		return refuse_syntax(text, &where, problem);
	int rc = check_members(file, problem);
	if (rc == 0) {
		struct token_table *table = mem_alloc(sizeof *table);
		rc = fill(table, file, problem);
		if (rc < 0)
			token_table_free(table);
		else
			*out = table;
	}
	live_value_unref(file);
	return rc;
}

void token_table_free(struct token_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i <= table->mask; i++)
		live_value_unref(table->slots[i].user);
	free(table->slots);
	live_value_unref(table->salt);
	free(table);
}

unsigned token_table_count(const struct token_table *table)
{
	return table->count;
}

const live_value *token_table_find(const struct token_table *table, struct str token)
{
	unsigned char hash[TOKEN_HASH_BYTES];
	struct str salt = {live_as_string(table->salt), live_len(table->salt)};

	token_table_hash(salt, token, hash);
	return find_slot(table, hash)->user;
}
