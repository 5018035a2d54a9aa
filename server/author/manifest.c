/*
 * What the definitions hold, as JSON: a fact about components is one line here.
 */
#include "core/json.h"
#include "server/author/author_private.h"
#include "server/schema/schema.h"

enum { LINE_BYTES = 100 }; /* what fits is written on one line */

static void append(const live_value **list, const live_value *item)
{
	const live_value *longer = live_append(*list, item);

	live_value_unref(*list);
	*list = longer;
}

static const live_value *list_updatable(const struct definition *definition)
{
	const live_value *list = live_array(0, NULL);

	for (const char *const *key = definition->api->updatable; key && *key; key++)
		append(&list, live_string(*key));
	if (!definition->api->updatable)
		for (live_iter it = {0}; live_next(definition->default_state, &it);)
			append(&list, live_string_len(it.key, it.key_len));
	return list;
}

static void put(const live_value **object, const char *key, const live_value *value)
{
	const live_value *larger = live_with(*object, key, value);

	live_value_unref(*object);
	*object = larger;
}

static const live_value *list_names(const char *const *names)
{
	const live_value *list = live_array(0, NULL);

	for (; names && *names; names++)
		append(&list, live_string(*names));
	return list;
}

static const live_value *describe_auth(const live_auth_rule *rule)
{
	return live_object("required", live_bool(rule->required), "roles", list_names(rule->roles), "permissions",
			   list_names(rule->permissions), "authorize", live_bool(rule->authorize != NULL), NULL);
}

static const live_value *describe_action(const struct definition *definition, const live_action *action)
{
	const live_action_rule *rule = definition_rule(definition, str_of(action->name));
	const live_value *facts = live_object(NULL, NULL);

	put(&facts, "name", live_string(action->name));
	if (rule && rule->auth)
		put(&facts, "auth", describe_auth(rule->auth));
	if (definition_schema(definition, action))
		put(&facts, "schema", live_value_ref(schema_source(definition_schema(definition, action))));
	return facts;
}

/* The categories of logging, as the reference names them. */
static const live_value *list_logging(unsigned logging)
{
	static const char *const names[] = {"lifecycle", "messages", "state", "performance", "rooms", "websocket"};
	const live_value *list = live_array(0, NULL);

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (logging & 1u << i)
			append(&list, live_string(names[i]));
	return list;
}

static const live_value *describe_actions(const struct definition *definition)
{
	const live_value *list = live_array(0, NULL);

	for (const live_action *action = definition->api->actions; action && action->name; action++)
		if (definition_is_callable(definition, action))
			append(&list, describe_action(definition, action));
	return list;
}

static const live_value *describe(const struct definition *definition)
{
	const live_definition *api = definition->api;
	const live_value *facts = live_object(NULL, NULL);

	put(&facts, "name", live_string(api->name));
	put(&facts, "defaultState", live_value_ref(definition->default_state));
	put(&facts, "actions", describe_actions(definition));
	put(&facts, "updatable", list_updatable(definition));
	put(&facts, "singleton", live_bool(api->singleton));
	if (live_len(definition->persistent))
		put(&facts, "persistent", live_value_ref(definition->persistent));
	if (api->logging)
		put(&facts, "logging", list_logging(api->logging));
	if (api->auth)
		put(&facts, "auth", describe_auth(api->auth));
	if (api->rate_limit)
		put(&facts, "rateLimit",
		    live_object("maxCalls", live_int(api->rate_limit->max_calls), "windowMs",
				live_int(api->rate_limit->window_ms), "perAction",
				live_bool(api->rate_limit->per_action), NULL));
	put(&facts, "roomType", live_string(api->room_type ? api->room_type : "default"));
	return facts;
}

static void break_line(struct buf *out, unsigned depth)
{
	buf_printf(out, "\n%*s", (int)(2 * depth), "");
}

/* As JSON with line breaks where a line would be long. Recursion ends: a default state has at most 64 levels. */
static void write_pretty(struct buf *out, const live_value *value, unsigned depth)
{
	bool is_object = live_value_type(value) == LIVE_OBJECT;
	size_t start = out->len;

	json_write(out, value);
	if (out->len - start <= LINE_BYTES || (!is_object && live_value_type(value) != LIVE_ARRAY))
		return;
	out->len = start;
	buf_append_char(out, is_object ? '{' : '[');
	for (live_iter it = {0}; live_next(value, &it);) {
		break_line(out, depth + 1);
		if (is_object) {
			json_write_string(out, (struct str){it.key, it.key_len});
			buf_append_str(out, STR(": "));
		}
		write_pretty(out, it.value, depth + 1);
		buf_append_char(out, ',');
	}
	out->len--; /* the last comma */
	break_line(out, depth);
	buf_append_char(out, is_object ? '}' : ']');
}

void manifest_write(struct buf *out, const struct registry *registry)
{
	const live_value *list = live_array(0, NULL);

	for (unsigned i = 0; i < registry_count(registry); i++)
		append(&list, describe(registry_at(registry, i)));
	const live_value *manifest = live_object("components", list, NULL);
	write_pretty(out, manifest, 0);
	buf_append_char(out, '\n');
	live_value_unref(manifest);
}
