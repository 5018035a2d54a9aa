/*
 * Components as a TypeScript module: the type of each one's state, as its default state shows it, its actions, with the
 * types of their payloads where there is a schema, and the class that clients mount it by. As a type, the class has the
 * actions: what is typed by InstanceType<...> knows them.
 *
 * A type is inferred from samples: all values that were seen at one place. Elements of an array are samples of one
 * type; so are the members of the objects among them, and a member that some objects lack is optional. The state is a
 * type alias, since an interface could not stand where a client wants a Record<string, unknown>.
 */
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "server/author/author_private.h"
#include "server/author/ts_name.h"
#include "server/author/ts_schema.h"
#include "server/schema/schema.h"

struct samples {
	const live_value **items; /* loans from the default state */
	size_t count;
};

static void samples_add(struct samples *samples, const live_value *value)
{
	if ((samples->count & (samples->count + 1)) == 0) /* 0, 1, 3, 7...: full */
		samples->items = mem_realloc(samples->items, (2 * samples->count + 1) * sizeof(void *));
	samples->items[samples->count++] = value;
}

/* ---- types; the recursion ends, since a default state has at most 64 levels ---- */

/* Returns how many parts the type has: above one it is a union. */
static unsigned write_type(struct buf *out, const struct samples *samples);

/* The values that samples have for a key of the one at index; false when an earlier one has it, too. */
static bool find_member(struct samples *member, const struct samples *samples, size_t index, struct str key)
{
	for (size_t i = 0; i < samples->count; i++) {
		const live_value *value = live_get_len(samples->items[i], key.ptr, key.len);
		if (value && i < index)
			return false;
		if (value)
			samples_add(member, value);
	}
	return true;
}

/* The members of the objects among samples, each with what stands around it. */
static void write_members(struct buf *out, const struct samples *samples, const char *before, const char *after)
{
	size_t objects = 0;

	for (size_t i = 0; i < samples->count; i++)
		objects += live_value_type(samples->items[i]) == LIVE_OBJECT;
	for (size_t i = 0; i < samples->count; i++) {
		if (live_value_type(samples->items[i]) != LIVE_OBJECT)
			continue;
		for (live_iter it = {0}; live_next(samples->items[i], &it);) {
			struct str key = {it.key, it.key_len};
			struct samples member = {0};
			if (!find_member(&member, samples, i, key))
				continue;
			buf_printf(out, "%s", before);
			ts_key_write(out, key);
			buf_append_str(out, member.count < objects ? STR("?: ") : STR(": "));
			write_type(out, &member);
			buf_printf(out, "%s", after);
			free(member.items);
		}
	}
}

static void write_object_type(struct buf *out, const struct samples *samples)
{
	size_t start = out->len;

	buf_append_str(out, STR("{ "));
	write_members(out, samples, "", "; ");
	if (out->len == start + 2) {
		out->len = start;
		buf_append_str(out, STR("Record<string, unknown>"));
		return;
	}
	out->len -= 2; /* the last separator */
	buf_append_str(out, STR(" }"));
}

static void write_array_type(struct buf *out, const struct samples *samples)
{
	struct samples elements = {0};
	struct buf type;

	for (size_t i = 0; i < samples->count; i++)
		if (live_value_type(samples->items[i]) == LIVE_ARRAY)
			for (live_iter it = {0}; live_next(samples->items[i], &it);)
				samples_add(&elements, it.value);
	buf_init(&type, SIZE_MAX);
	bool is_union = write_type(&type, &elements) > 1;
	buf_printf(out, is_union ? "(%.*s)[]" : "%.*s[]", STR_ARG(buf_str(&type)));
	buf_deinit(&type);
	free(elements.items);
}

/* In the order of the union's parts. A null alone tells nothing but that there may be one. */
static const struct {
	unsigned types; /* of live_type, as bits */
	const char *text;
	void (*write)(struct buf *out, const struct samples *samples); /* or text */
} parts[] = {
	{1u << LIVE_BOOL, "boolean", NULL},           {1u << LIVE_INT | 1u << LIVE_DOUBLE, "number", NULL},
	{1u << LIVE_STRING, "string", NULL},          {1u << LIVE_ARRAY, NULL, write_array_type},
	{1u << LIVE_OBJECT, NULL, write_object_type}, {1u << LIVE_NULL, "null", NULL},
};

static unsigned write_type(struct buf *out, const struct samples *samples)
{
	unsigned seen = 0;
	unsigned count = 0;

	for (size_t i = 0; i < samples->count; i++)
		seen |= 1u << live_value_type(samples->items[i]);
	if ((seen & ~(1u << LIVE_NULL)) == 0) {
		buf_append_str(out, STR("unknown"));
		count++;
	}
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (!(seen & parts[i].types))
			continue;
		if (count++)
			buf_append_str(out, STR(" | "));
		if (parts[i].write)
			parts[i].write(out, samples);
		else
			buf_printf(out, "%s", parts[i].text);
	}
	return count;
}

/* ---- values ---- */

static void write_literal(struct buf *out, const live_value *value)
{
	bool is_object = live_value_type(value) == LIVE_OBJECT;

	if ((!is_object && live_value_type(value) != LIVE_ARRAY) || live_len(value) == 0) {
		json_write(out, value);
		return;
	}
	buf_append_str(out, is_object ? STR("{ ") : STR("["));
	for (live_iter it = {0}; live_next(value, &it);) {
		if (is_object) {
			ts_key_write(out, (struct str){it.key, it.key_len});
			buf_append_str(out, STR(": "));
		}
		write_literal(out, it.value);
		buf_append_str(out, STR(", "));
	}
	out->len -= 2; /* the last comma */
	buf_append_str(out, is_object ? STR(" }") : STR("]"));
}

/* ---- a component ---- */

static void write_state(struct buf *out, const struct definition *definition, const char *name)
{
	struct samples samples = {0};

	samples_add(&samples, definition->default_state);
	buf_printf(out, "\nexport type %sState = ", name);
	if (live_len(definition->default_state) == 0) {
		buf_append_str(out, STR("Record<string, unknown>;\n"));
	} else {
		buf_append_str(out, STR("{\n"));
		write_members(out, &samples, "\t", ";\n");
		buf_append_str(out, STR("};\n"));
	}
	free(samples.items);
}

/* One action of the interface; the types of its payload go to out, since they stand before it. */
static void write_action(struct buf *interface, struct buf *out, const struct definition *definition,
			 const live_action *action, const char *name, struct ts_names *names)
{
	const struct schema *schema = definition_schema(definition, action);
	const char *payload = "unknown";
	bool is_needed = schema && ts_schema_needs_payload(schema_source(schema));

	if (schema) {
		struct buf base;
		buf_init(&base, SIZE_MAX);
		buf_printf(&base, "%s %s", name, action->name);
		payload = ts_schema_write(out, names, buf_str(&base), schema_source(schema));
		buf_deinit(&base);
	}
	buf_append_char(interface, '\t');
	ts_key_write(interface, str_of(action->name));
	buf_printf(interface, ": (payload%s: %s) => Promise<unknown>;\n", is_needed ? "" : "?", payload);
}

static void write_actions(struct buf *out, const struct definition *definition, const char *name,
			  struct ts_names *names)
{
	struct buf interface;

	buf_init(&interface, SIZE_MAX);
	for (const live_action *action = definition->api->actions; action && action->name; action++)
		if (definition_is_callable(definition, action))
			write_action(&interface, out, definition, action, name, names);
	buf_printf(out, "\nexport interface %sActions {\n%.*s}\n", name, STR_ARG(buf_str(&interface)));
	buf_deinit(&interface);
}

static void write_class(struct buf *out, const struct definition *definition, const char *name)
{
	bool is_first = true;

	buf_printf(out, "\nexport interface %s extends %sActions {}\nexport class %s {\n", name, name, name);
	buf_append_str(out, STR("\tstatic readonly componentName = "));
	json_write_string(out, definition->name);
	buf_printf(out, ";\n\tstatic readonly defaultState: %sState = ", name);
	write_literal(out, definition->default_state);
	buf_append_str(out, STR(";\n\tstatic readonly publicActions = ["));
	for (const live_action *action = definition->api->actions; action && action->name; action++) {
		if (!definition_is_callable(definition, action))
			continue;
		buf_append_str(out, is_first ? STR("") : STR(", "));
		json_write_string(out, str_of(action->name));
		is_first = false;
	}
	buf_append_str(out, STR("] as const;\n}\n"));
}

void types_write(struct buf *out, const struct registry *registry)
{
	struct ts_names *names = ts_names_new();

	buf_append_str(out, STR("// Written by `liveshard types`: what is changed here is lost with the next run.\n"));
	for (unsigned i = 0; i < registry_count(registry); i++) {
		const struct definition *definition = registry_at(registry, i);
		const char *name = ts_names_add(names, definition->name);
		write_state(out, definition, name);
		write_actions(out, definition, name, names);
		write_class(out, definition, name);
	}
	if (registry_count(registry) == 0)
		buf_append_str(out, STR("export {};\n"));
	ts_names_free(names);
}
