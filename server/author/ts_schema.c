#include "server/author/ts_schema.h"

#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"

struct writer {
	struct buf *out;
	const live_value *schema; /* the whole */
	const char *name;         /* of the whole */
	const char **defs;        /* of its $defs, in their order */
};

/* Types that must be in parentheses before something else may be added to them: unions. */
enum shape { SHAPE_ATOM, SHAPE_UNION };

static enum shape write_type(struct writer *writer, const live_value *schema);

void ts_key_write(struct buf *out, struct str key)
{
	/* In a literal, __proto__ without brackets is not a member. */
	bool is_prototype = str_equal(key, STR("__proto__"));

	if (ts_name_is_plain(key) && !is_prototype) {
		buf_append_str(out, key);
		return;
	}
	buf_append_str(out, is_prototype ? STR("[") : STR(""));
	json_write_string(out, key);
	buf_append_str(out, is_prototype ? STR("]") : STR(""));
}

/* The type in parentheses if it is a union. */
static void write_atom(struct writer *writer, const live_value *schema)
{
	struct buf *out = writer->out;
	struct buf type;

	buf_init(&type, SIZE_MAX);
	writer->out = &type;
	bool is_union = write_type(writer, schema) == SHAPE_UNION;
	writer->out = out;
	buf_printf(out, is_union ? "(%.*s)" : "%.*s", STR_ARG(buf_str(&type)));
	buf_deinit(&type);
}

/* ---- objects and arrays ---- */

static bool lists(const live_value *names, struct str name)
{
	for (live_iter it = {0}; live_next(names, &it);)
		if (live_len(it.value) == name.len && !memcmp(live_as_string(it.value), name.ptr, name.len))
			return true;
	return false;
}

static bool is_open(const live_value *schema)
{
	const live_value *additional = live_get(schema, "additionalProperties");

	return live_get(schema, "patternProperties") ||
	       (additional && (live_value_type(additional) != LIVE_BOOL || live_as_bool(additional)));
}

static void write_object(struct writer *writer, const live_value *schema)
{
	const live_value *properties = live_get(schema, "properties");
	const live_value *required = live_get(schema, "required");
	const live_value *additional = live_get(schema, "additionalProperties");
	const char *separator = " ";

	if (!live_len(properties) && !live_len(required)) {
		buf_append_str(writer->out, STR("Record<string, "));
		if (live_get(schema, "patternProperties") || !additional)
			buf_append_str(writer->out, STR("unknown"));
		else
			write_type(writer, additional);
		buf_append_str(writer->out, STR(">"));
		return;
	}
	buf_append_char(writer->out, '{');
	for (live_iter it = {0}; live_next(properties, &it); separator = "; ") {
		struct str key = {it.key, it.key_len};
		bool is_needed = lists(required, key) && !live_get(it.value, "default");
		buf_printf(writer->out, "%s", separator);
		ts_key_write(writer->out, key);
		buf_append_str(writer->out, is_needed ? STR(": ") : STR("?: "));
		write_type(writer, it.value);
	}
	for (live_iter it = {0}; live_next(required, &it);) {
		struct str key = {live_as_string(it.value), live_len(it.value)};
		if (live_get_len(properties, key.ptr, key.len))
			continue;
		buf_printf(writer->out, "%s", separator);
		ts_key_write(writer->out, key);
		buf_append_str(writer->out, STR(": unknown"));
		separator = "; ";
	}
	if (is_open(schema))
		buf_printf(writer->out, "%s[key: string]: unknown", separator);
	buf_append_str(writer->out, STR(" }"));
}

static void write_array(struct writer *writer, const live_value *schema)
{
	const live_value *prefix = live_get(schema, "prefixItems");
	const live_value *items = live_get(schema, "items");
	bool is_closed = live_value_type(items) == LIVE_BOOL && !live_as_bool(items);
	int64_t needed = live_as_int(live_get(schema, "minItems"), 0);
	const char *separator = "";

	if (prefix) {
		buf_append_char(writer->out, '[');
		for (live_iter it = {0}; live_next(prefix, &it); separator = ", ", needed--) {
			buf_printf(writer->out, "%s", separator);
			write_atom(writer, it.value);
			buf_append_str(writer->out, needed > 0 ? STR("") : STR("?"));
		}
		buf_append_str(writer->out, is_closed ? STR("]") : STR(", ..."));
		if (is_closed)
			return;
	}
	if (items)
		write_atom(writer, items);
	else
		buf_append_str(writer->out, STR("unknown"));
	buf_append_str(writer->out, prefix ? STR("[]]") : STR("[]"));
}

/* ---- what a schema says by itself ---- */

static void write_reference(struct writer *writer, const char *ref)
{
	static const struct str prefix = {"#/$defs/", 8};
	size_t number = 0;

	if (strcmp(ref, "#") == 0) {
		buf_printf(writer->out, "%s", writer->name);
		return;
	}
	if (str_starts_with(str_of(ref), prefix))
		for (live_iter it = {0}; live_next(live_get(writer->schema, "$defs"), &it); number++)
			if (str_equal((struct str){it.key, it.key_len}, str_of(ref + prefix.len))) {
				buf_printf(writer->out, "%s", writer->defs[number]);
				return;
			}
	buf_append_str(writer->out, STR("unknown"));
}

static void write_named(struct writer *writer, const live_value *schema, const char *type)
{
	if (strcmp(type, "object") == 0)
		write_object(writer, schema);
	else if (strcmp(type, "array") == 0)
		write_array(writer, schema);
	else
		buf_printf(writer->out, "%s", strcmp(type, "integer") ? type : "number");
}

static enum shape write_choices(struct writer *writer, const live_value *choices)
{
	const char *separator = "";

	for (live_iter it = {0}; live_next(choices, &it); separator = " | ") {
		buf_printf(writer->out, "%s", separator);
		json_write(writer->out, it.value); /* JSON is a type, too */
	}
	return live_len(choices) > 1 ? SHAPE_UNION : SHAPE_ATOM;
}

static enum shape write_types(struct writer *writer, const live_value *schema, const live_value *types)
{
	const char *separator = "";

	for (live_iter it = {0}; live_next(types, &it); separator = " | ") {
		buf_printf(writer->out, "%s", separator);
		write_named(writer, schema, live_as_string(it.value));
	}
	return live_len(types) > 1 ? SHAPE_UNION : SHAPE_ATOM;
}

static bool says_object(const live_value *schema)
{
	return live_get(schema, "properties") || live_get(schema, "required") ||
	       live_get(schema, "additionalProperties") || live_get(schema, "patternProperties");
}

/* Whether the schema itself says a type. */
static bool is_typed(const live_value *schema)
{
	return live_get(schema, "const") || live_get(schema, "enum") || live_get(schema, "type") ||
	       says_object(schema) || live_get(schema, "items") || live_get(schema, "prefixItems");
}

static enum shape write_own(struct writer *writer, const live_value *schema)
{
	const live_value *type = live_get(schema, "type");

	if (live_get(schema, "const")) {
		json_write(writer->out, live_get(schema, "const"));
		return SHAPE_ATOM;
	}
	if (live_get(schema, "enum"))
		return write_choices(writer, live_get(schema, "enum"));
	if (live_value_type(type) == LIVE_ARRAY)
		return write_types(writer, schema, type);
	write_named(writer, schema, type ? live_as_string(type) : says_object(schema) ? "object" : "array");
	return SHAPE_ATOM;
}

/* ---- what several say together ---- */

static void write_union(struct writer *writer, const live_value *list)
{
	const char *separator = "(";

	for (live_iter it = {0}; live_next(list, &it); separator = " | ") {
		buf_printf(writer->out, "%s", separator);
		write_atom(writer, it.value);
	}
	buf_append_char(writer->out, ')');
}

static enum shape write_type(struct writer *writer, const live_value *schema)
{
	const live_value *any = live_get(schema, "anyOf") ? live_get(schema, "anyOf") : live_get(schema, "oneOf");
	const live_value *all = live_get(schema, "allOf");
	const live_value *ref = live_get(schema, "$ref");
	bool is_own = is_typed(schema);
	size_t parts = live_len(all) + (is_own ? 1 : 0) + (ref ? 1 : 0) + (any ? 1 : 0);
	const char *separator = "";

	if (live_value_type(schema) == LIVE_BOOL && !live_as_bool(schema)) {
		buf_append_str(writer->out, STR("never"));
		return SHAPE_ATOM;
	}
	if (parts == 0) {
		buf_append_str(writer->out, STR("unknown"));
		return SHAPE_ATOM;
	}
	if (parts == 1 && is_own)
		return write_own(writer, schema);
	if (is_own) {
		bool is_union = live_get(schema, "enum") || live_value_type(live_get(schema, "type")) == LIVE_ARRAY;
		buf_append_str(writer->out, is_union ? STR("(") : STR(""));
		write_own(writer, schema);
		buf_append_str(writer->out, is_union ? STR(")") : STR(""));
		separator = " & ";
	}
	if (ref) {
		buf_printf(writer->out, "%s", separator);
		write_reference(writer, live_as_string(ref));
		separator = " & ";
	}
	for (live_iter it = {0}; live_next(all, &it); separator = " & ") {
		buf_printf(writer->out, "%s", separator);
		write_atom(writer, it.value);
	}
	if (any) {
		buf_printf(writer->out, "%s", separator);
		write_union(writer, any);
	}
	return parts > 1 ? SHAPE_UNION : SHAPE_ATOM; /* an intersection wants parentheses as well */
}

/* ---- aliases ---- */

const char *ts_schema_write(struct buf *out, struct ts_names *names, struct str base, const live_value *schema)
{
	const live_value *defs = live_get(schema, "$defs");
	struct writer writer = {.out = out, .schema = schema};
	size_t count = 0;

	writer.name = ts_names_add_word(names, base, STR("Payload"));
	writer.defs = mem_alloc((live_len(defs) + 1) * sizeof *writer.defs);
	for (live_iter it = {0}; live_next(defs, &it); count++)
		writer.defs[count] = ts_names_add_word(names, str_of(writer.name), (struct str){it.key, it.key_len});
	buf_printf(out, "\nexport type %s = ", writer.name);
	write_type(&writer, schema);
	buf_append_str(out, STR(";\n"));
	count = 0;
	for (live_iter it = {0}; live_next(defs, &it); count++) {
		buf_printf(out, "\nexport type %s = ", writer.defs[count]);
		write_type(&writer, it.value);
		buf_append_str(out, STR(";\n"));
	}
	free(writer.defs);
	return writer.name;
}

bool ts_schema_needs_payload(const live_value *schema)
{
	const live_value *type = live_get(schema, "type");

	if (live_get(schema, "default"))
		return false;
	if (live_value_type(type) == LIVE_ARRAY)
		return !lists(type, STR("null"));
	return live_as_string(type) && strcmp(live_as_string(type), "null") != 0;
}
