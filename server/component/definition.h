/*
 * definition - a component as the server keeps it: the author's table, checked, with its default state built; and the
 * registry of all of them.
 *
 * Built before the shards start, then read-only: every shard reads it by pointer. Threads: [start] to build, [any] to
 * read.
 */
#ifndef SERVER_COMPONENT_DEFINITION_H
#define SERVER_COMPONENT_DEFINITION_H

#include <live/component.h>

#include "core/map.h"
#include "core/str.h"

struct schema;

struct definition {
	struct map_entry by_name;   /* the registry's */
	const live_definition *api; /* the author's */
	struct str name;
	const live_value *default_state; /* an object */
	const live_value *persistent;    /* an object: what the instances' shared data is at first */
	const char *source;              /* the plugin's file, or "built in"; for messages */
	bool *is_callable;               /* of each action; ours */
	struct schema **schemas;         /* of each action's payload, or NULL; ours */
	size_t action_count;
	unsigned order; /* of registration, from 0 */
};

struct registry;

/* An empty registry. Never NULL. */
struct registry *registry_new(void);
/* Reads nothing of the authors' tables, which may be gone by then. NULL is fine. */
void registry_free(struct registry *registry);
/* Adds a component; source is copied. 0, or -EINVAL with the reason in error (error_size bytes). */
int registry_add(struct registry *registry, const live_definition *api, const char *source, char *error,
		 size_t error_size) __attribute__((warn_unused_result));
/* The component that a client means: exact name; then <name>Component; then with a capital first letter and Component;
 * then with a capital first letter (protocol 6.1). NULL when there is none. */
const struct definition *registry_find(const struct registry *registry, struct str name);
unsigned registry_count(const struct registry *registry);
/* Whether definition is one of registry's. */
bool definition_is_of(const struct definition *definition, const struct registry *registry);
/* The component registered as number order (from 0). */
const struct definition *registry_at(const struct registry *registry, unsigned order);

/* The action named name, or NULL. */
const live_action *definition_action(const struct definition *definition, struct str name);
/* What the component demands of the action named name, or NULL. */
const live_action_rule *definition_rule(const struct definition *definition, struct str name);
/* The schema of action's payload, or NULL; action is one of the definition's. */
const struct schema *definition_schema(const struct definition *definition, const live_action *action);
/* Whether action, which is one of the definition's, has a function and a name that may be called. */
bool definition_is_callable(const struct definition *definition, const live_action *action);
/* Whether a client may write key by PROPERTY_UPDATE. */
bool definition_is_updatable(const struct definition *definition, struct str key);

#endif
