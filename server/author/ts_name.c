#include "server/author/ts_name.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/mem.h"

/* Words of the language, names of its types, and what the module that we write refers to. */
static const char *const reserved[] = {
	"any",       "arguments", "as",       "async",   "await",      "bigint",   "boolean", "break",
	"case",      "catch",     "class",    "const",   "continue",   "debugger", "default", "delete",
	"do",        "else",      "enum",     "eval",    "export",     "exports",  "extends", "false",
	"finally",   "for",       "function", "if",      "implements", "import",   "in",      "instanceof",
	"interface", "let",       "never",    "new",     "null",       "number",   "object",  "package",
	"private",   "protected", "public",   "require", "return",     "static",   "string",  "super",
	"switch",    "symbol",    "this",     "throw",   "true",       "try",      "type",    "typeof",
	"undefined", "unknown",   "var",      "void",    "while",      "with",     "yield",   "globalThis",
	"Object",    "Promise",   "Record",
};

struct ts_names {
	char **items;
	size_t count;
};

struct ts_names *ts_names_new(void)
{
	return mem_alloc(sizeof(struct ts_names));
}

void ts_names_free(struct ts_names *names)
{
	if (!names)
		return;
	while (names->count)
		free(names->items[--names->count]);
	free(names->items);
	free(names);
}

/* ASCII only: what else may stand in an identifier takes tables of Unicode. */
static bool may_stand(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

bool ts_name_is_plain(struct str name)
{
	if (name.len == 0 || isdigit((unsigned char)*name.ptr))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!may_stand(name.ptr[i]))
			return false;
	return true;
}

static bool is_reserved(struct str name)
{
	for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
		if (str_equal(name, str_of(reserved[i])))
			return true;
	return false;
}

static void write_identifier(struct buf *out, struct str name)
{
	bool is_plain = ts_name_is_plain(name);
	bool begins_word = !is_plain;

	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		if (may_stand(c)) {
			if (out->len == 0 && isdigit((unsigned char)c))
				buf_append_char(out, '_');
			buf_append_char(out, begins_word ? (char)toupper((unsigned char)c) : c);
		}
		begins_word = !may_stand(c);
	}
	if (out->len == 0)
		buf_append_str(out, STR("Component"));
	if (is_reserved(buf_str(out)))
		buf_append_char(out, '_');
}

static bool is_taken(const struct ts_names *names, struct str base, struct str suffix)
{
	for (size_t i = 0; i < names->count; i++) {
		struct str other = str_of(names->items[i]);
		if (other.len == base.len + suffix.len && str_starts_with(other, base) &&
		    !memcmp(other.ptr + base.len, suffix.ptr, suffix.len))
			return true;
	}
	return false;
}

static const char *take(struct ts_names *names, struct str base, struct str suffix)
{
	struct buf text;

	buf_init(&text, SIZE_MAX);
	buf_printf(&text, "%.*s%.*s", STR_ARG(base), STR_ARG(suffix));
	names->items = mem_realloc(names->items, (names->count + 1) * sizeof *names->items);
	names->items[names->count] = mem_strndup(text.ptr, text.len);
	buf_deinit(&text);
	return names->items[names->count++];
}

const char *ts_names_add(struct ts_names *names, struct str component)
{
	struct buf base;

	buf_init(&base, SIZE_MAX);
	write_identifier(&base, component);
	size_t len = base.len;
	for (unsigned number = 2;
	     is_taken(names, buf_str(&base), STR("")) || is_taken(names, buf_str(&base), STR("State")) ||
	     is_taken(names, buf_str(&base), STR("Actions"));
	     number++) {
		base.len = len;
		buf_printf(&base, "_%u", number);
	}
	take(names, buf_str(&base), STR("State"));
	take(names, buf_str(&base), STR("Actions"));
	const char *name = take(names, buf_str(&base), STR(""));
	buf_deinit(&base);
	return name;
}

const char *ts_names_add_word(struct ts_names *names, struct str words, struct str word)
{
	struct buf all, text;

	buf_init(&all, SIZE_MAX);
	buf_init(&text, SIZE_MAX);
	buf_printf(&all, "%.*s %.*s", STR_ARG(words), STR_ARG(word));
	write_identifier(&text, buf_str(&all));
	size_t len = text.len;
	for (unsigned number = 2; is_taken(names, buf_str(&text), STR("")); number++) {
		text.len = len;
		buf_printf(&text, "_%u", number);
	}
	const char *name = take(names, buf_str(&text), STR(""));
	buf_deinit(&all);
	buf_deinit(&text);
	return name;
}
