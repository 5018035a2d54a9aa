#include "server/auth/tokens.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/buf.h"
#include "core/mem.h"
#include "server/auth/token_table.h"

enum { FILE_BYTES = 64 * 1024 * 1024 };

struct retired {
	struct token_table *table;
	struct retired *next;
};

struct tokens {
	char *path;
	/* Written by the thread that reloads (release), read by any shard (acquire). */
	struct token_table *_Atomic table;
	struct retired *retired; /* tables that were; a shard may still read the last one */
};

static int refuse(int rc, const char *path, const char *text, char error[TOKENS_ERROR_SIZE])
{
	snprintf(error, TOKENS_ERROR_SIZE, "%s: %s", path, text);
	return rc;
}

static int read_file(FILE *file, struct buf *out)
{
	struct stat status;

	if (fstat(fileno(file), &status) < 0)
		return -errno;
	if (S_ISDIR(status.st_mode))
		return -EISDIR;
	for (;;) {
		char *room = buf_room(out, 16 * 1024);
		if (!room)
			return -EFBIG;
		size_t len = fread(room, 1, 16 * 1024, file);
		out->len += len;
		if (len == 0)
			return ferror(file) ? -EIO : 0;
	}
}

static int read_table(struct token_table **out, const char *path, char error[TOKENS_ERROR_SIZE])
{
	char problem[TOKENS_ERROR_SIZE / 2];
	struct buf text;
	FILE *file = fopen(path, "re");

	if (!file)
		return refuse(-errno, path, strerror(errno), error);
	buf_init(&text, FILE_BYTES);
	int rc = read_file(file, &text);
	fclose(file);
	if (rc < 0) {
		refuse(rc, path, strerror(-rc), error);
	} else {
		rc = token_table_new(out, buf_str(&text), problem, sizeof problem);
		if (rc < 0)
			refuse(rc, path, problem, error);
	}
	buf_deinit(&text);
	return rc;
}

int tokens_new(struct tokens **out, const char *path, char error[TOKENS_ERROR_SIZE])
{
	struct token_table *table = NULL;
	int rc = read_table(&table, path, error);

	*out = NULL;
	if (rc < 0)
		return rc;
	struct tokens *tokens = mem_alloc(sizeof *tokens);
	tokens->path = mem_strndup(path, strlen(path));
	atomic_init(&tokens->table, table);
	*out = tokens;
	return 0;
}

void tokens_free(struct tokens *tokens)
{
	if (!tokens)
		return;
	while (tokens->retired) {
		struct retired *oldest = tokens->retired;
		tokens->retired = oldest->next;
		token_table_free(oldest->table);
		free(oldest);
	}
	token_table_free(atomic_load_explicit(&tokens->table, memory_order_acquire));
	free(tokens->path);
	free(tokens);
}

int tokens_reload(struct tokens *tokens, char error[TOKENS_ERROR_SIZE])
{
	struct token_table *table = NULL;
	int rc = read_table(&table, tokens->path, error);

	if (rc < 0)
		return rc;
	struct retired *retired = mem_alloc(sizeof *retired);
	retired->table = atomic_exchange_explicit(&tokens->table, table, memory_order_acq_rel);
	retired->next = tokens->retired;
	tokens->retired = retired;
	return 0;
}

unsigned tokens_count(const struct tokens *tokens)
{
	return token_table_count(atomic_load_explicit(&tokens->table, memory_order_acquire));
}

const live_auth *tokens_find(const struct tokens *tokens, struct str token)
{
	const struct token_table *table = atomic_load_explicit(&tokens->table, memory_order_acquire);
	const live_value *user = token_table_find(table, token);

	return user ? live_auth_new(live_value_ref(user), token.ptr) : NULL;
}

static void authenticate(void *argument, const live_value *credentials, live_auth_request *request)
{
	const live_value *token = live_get(credentials, "token");
	struct str text = {live_as_string(token), live_len(token)};

	live_auth_grant(request, text.len ? tokens_find(argument, text) : NULL);
}

static void free_argument(void *argument)
{
	tokens_free(argument);
}

live_auth_provider tokens_provider(struct tokens *tokens)
{
	return (live_auth_provider){
		.name = "tokens", .argument = tokens, .authenticate = authenticate, .free = free_argument};
}

void tokens_hash(struct str salt, struct str token, char hex[64 + 1])
{
	unsigned char hash[TOKEN_HASH_BYTES];

	token_table_hash(salt, token, hash);
	for (size_t i = 0; i < sizeof hash; i++)
		snprintf(hex + 2 * i, 3, "%02x", hash[i]);
}
