#include "server/component/definition.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/component/callable.h"
#include "server/schema/schema.h"

enum { NAME_MAX_BYTES = 128 };

struct registry {
	struct map by_name;
	struct definition **all; /* in order of registration */
	unsigned count;
};

struct registry *registry_new(void)
{
	struct registry *registry = mem_alloc(sizeof *registry);

	map_init(&registry->by_name);
	return registry;
}

static size_t count_actions(const live_definition *api)
{
	size_t count = 0;

	while (api->actions && api->actions[count].name)
		count++;
	return count;
}

static void definition_free(struct definition *definition)
{
	for (size_t i = 0; definition->schemas && i < definition->action_count; i++)
		schema_free(definition->schemas[i]);
	free(definition->schemas);
	live_value_unref(definition->default_state);
	live_value_unref(definition->persistent);
	free((char *)(uintptr_t)definition->source);
	free(definition->is_callable);
	free(definition);
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	for (unsigned i = 0; i < registry->count; i++)
		definition_free(registry->all[i]);
	map_deinit(&registry->by_name);
	free(registry->all);
	free(registry);
}

static int check_name(const live_definition *api, char *error, size_t error_size)
{
	size_t len = api->name ? strlen(api->name) : 0;

	if (len >= 1 && len <= NAME_MAX_BYTES)
		return 0;
	snprintf(error, error_size, "a component's name must have 1 to %d bytes", NAME_MAX_BYTES);
	return -EINVAL;
}

static int check_actions(const live_definition *api, char *error, size_t error_size)
{
	for (const live_action *action = api->actions; action && action->name; action++) {
		for (const live_action *other = api->actions; other < action; other++) {
			if (strcmp(action->name, other->name))
				continue;
			snprintf(error, error_size, "component '%s' has two actions named '%s'", api->name,
				 action->name);
			return -EINVAL;
		}
	}
	return 0;
}

/* Builds an object of the definition from its JSON, of which messages speak as what; no text is {}. */
static int parse_object(const live_definition *api, const char *what, const char *text, const live_value **out,
			char *error, size_t error_size)
{
	char reason[128] = "it is not an object";

	if (!text)
		text = "{}";
	*out = live_from_json(text, strlen(text), reason, sizeof reason);
	if (*out && live_value_type(*out) == LIVE_OBJECT)
		return 0;
	live_value_unref(*out);
	*out = NULL;
	snprintf(error, error_size, "the %s of component '%s' is unusable: %s", what, api->name, reason);
	return -EINVAL;
}

static int check_logging(const live_definition *api, char *error, size_t error_size)
{
	if (!(api->logging & ~LIVE_LOG_ALL))
		return 0;
	snprintf(error, error_size, "component '%s' asks for logging that does not exist: 0x%x", api->name,
		 api->logging & ~LIVE_LOG_ALL);
	return -EINVAL;
}

static bool *find_callable(const live_definition *api)
{
	size_t count = count_actions(api);
	bool *is_callable = mem_alloc(count + 1);
	for (size_t i = 0; i < count; i++) {
		struct str name = str_of(api->actions[i].name);
		is_callable[i] = api->actions[i].run && !name_is_blocked(name) && !name_is_universal(name);
	}
	return is_callable;
}

/* A rule must be of an action, and an action has one. */
static int check_rules(const live_definition *api, char *error, size_t error_size)
{
	for (const live_action_rule *rule = api->rules; rule && rule->action; rule++) {
		const live_action *action = api->actions;
		while (action && action->name && strcmp(action->name, rule->action) != 0)
			action++;
		if (!action || !action->name) {
			snprintf(error, error_size, "component '%s' has a rule for '%s', which is none of its actions",
				 api->name, rule->action);
			return -EINVAL;
		}
		for (const live_action_rule *other = api->rules; other < rule; other++) {
			if (strcmp(rule->action, other->action) != 0)
				continue;
			snprintf(error, error_size, "component '%s' has two rules for action '%s'", api->name,
				 rule->action);
			return -EINVAL;
		}
	}
	return 0;
}

static int compile_schema(const live_definition *api, const live_action_rule *rule, struct schema **out, char *error,
			  size_t error_size)
{
	char reason[SCHEMA_ERROR_SIZE];
	const live_value *source = live_from_json(rule->schema, strlen(rule->schema), reason, sizeof reason);

	if (source && schema_new(out, source, reason) < 0) {
		live_value_unref(source);
		source = NULL;
	}
	if (!source)
		snprintf(error, error_size, "the schema of component '%s', action '%s' is unusable: %s", api->name,
			 rule->action, reason);
	live_value_unref(source);
	return *out ? 0 : -EINVAL;
}

static int compile_schemas(struct definition *definition, char *error, size_t error_size)
{
	const live_definition *api = definition->api;
	size_t count = definition->action_count = count_actions(api);

	definition->schemas = mem_alloc((count + 1) * sizeof(struct schema *));
	for (size_t i = 0; i < count; i++) {
		const live_action_rule *rule = definition_rule(definition, str_of(api->actions[i].name));
		if (rule && rule->schema && compile_schema(api, rule, &definition->schemas[i], error, error_size) < 0)
			return -EINVAL;
	}
	return 0;
}

/* What the author wrote, built; NULL with the reason in error. */
static struct definition *definition_new(const live_definition *api, const char *source, char *error, size_t error_size)
{
	struct definition *definition = mem_alloc(sizeof *definition);

	definition->api = api;
	definition->name = str_of(api->name);
	if (parse_object(api, "default state", api->default_state, &definition->default_state, error, error_size) < 0 ||
	    parse_object(api, "persistent data", api->persistent, &definition->persistent, error, error_size) < 0 ||
	    compile_schemas(definition, error, error_size) < 0) {
		definition_free(definition);
		return NULL;
	}
	definition->is_callable = find_callable(api);
	definition->source = mem_strndup(source, strlen(source));
	return definition;
}

int registry_add(struct registry *registry, const live_definition *api, const char *source, char *error,
		 size_t error_size)
{
	if (check_name(api, error, error_size) < 0 || check_actions(api, error, error_size) < 0 ||
	    check_rules(api, error, error_size) < 0 || check_logging(api, error, error_size) < 0)
		return -EINVAL;
	struct definition *definition = definition_new(api, source, error, error_size);
	if (!definition)
		return -EINVAL;
	definition->order = registry->count;
	if (map_add(&registry->by_name, &definition->by_name, definition->name) < 0) {
		const struct definition *other = registry_find(registry, definition->name);
		snprintf(error, error_size, "component '%s' is defined twice: in %s and in %s", api->name,
			 other->source, source);
		definition_free(definition);
		return -EINVAL;
	}
	registry->all = mem_realloc(registry->all, (registry->count + 1) * sizeof *registry->all);
	registry->all[registry->count++] = definition;
	return 0;
}

static const struct definition *find_exact(const struct registry *registry, struct str name)
{
	struct map_entry *entry = map_find(&registry->by_name, name);
	return entry ? MAP_OF(entry, struct definition, by_name) : NULL;
}

const struct definition *registry_find(const struct registry *registry, struct str name)
{
	static const char suffix[] = "Component";
	char text[NAME_MAX_BYTES + sizeof suffix];
	const struct definition *found = find_exact(registry, name);

	if (found || name.len < 1 || name.len > NAME_MAX_BYTES)
		return found;
	struct str whole = {text, name.len + sizeof suffix - 1};
	struct str plain = {text, name.len};
	memcpy(text, name.ptr, name.len);
	memcpy(text + name.len, suffix, sizeof suffix);
	found = find_exact(registry, whole);
	text[0] = (char)toupper((unsigned char)text[0]);
	if (!found)
		found = find_exact(registry, whole);
	return found ? found : find_exact(registry, plain);
}

unsigned registry_count(const struct registry *registry)
{
	return registry->count;
}

bool definition_is_of(const struct definition *definition, const struct registry *registry)
{
	return definition->order < registry->count && registry->all[definition->order] == definition;
}

const struct definition *registry_at(const struct registry *registry, unsigned order)
{
	return registry->all[order];
}

const live_action *definition_action(const struct definition *definition, struct str name)
{
	for (const live_action *action = definition->api->actions; action && action->name; action++)
		if (str_equal(str_of(action->name), name))
			return action;
	return NULL;
}

const live_action_rule *definition_rule(const struct definition *definition, struct str name)
{
	for (const live_action_rule *rule = definition->api->rules; rule && rule->action; rule++)
		if (str_equal(str_of(rule->action), name))
			return rule;
	return NULL;
}

const struct schema *definition_schema(const struct definition *definition, const live_action *action)
{
	return definition->schemas[action - definition->api->actions];
}

bool definition_is_callable(const struct definition *definition, const live_action *action)
{
	return definition->is_callable[action - definition->api->actions];
}

bool definition_is_updatable(const struct definition *definition, struct str key)
{
	if (!definition->api->updatable)
		return live_get_len(definition->default_state, key.ptr, key.len) != NULL;
	for (const char *const *name = definition->api->updatable; *name; name++)
		if (str_equal(str_of(*name), key))
			return true;
	return false;
}
