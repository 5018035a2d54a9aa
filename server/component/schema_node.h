/*
 * schema_node - a schema as it is compiled: what schema_compile builds and schema_check reads. Private to schema*.
 * Threads: [any], since nothing changes once it is built.
 */
#ifndef SERVER_COMPONENT_SCHEMA_NODE_H
#define SERVER_COMPONENT_SCHEMA_NODE_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"
#include "server/component/schema.h"

enum schema_type { /* bits */
		   SCHEMA_NULL = 1,
		   SCHEMA_BOOLEAN = 2,
		   SCHEMA_INTEGER = 4,
		   SCHEMA_NUMBER = 8,
		   SCHEMA_STRING = 16,
		   SCHEMA_ARRAY = 32,
		   SCHEMA_OBJECT = 64,
};

struct schema_bound {
	bool is_set;
	double number;
};

struct schema_count {
	size_t min; /* 0 */
	size_t max; /* SIZE_MAX */
};

struct schema_list {
	struct schema_node **nodes;
	size_t count;
};

struct schema_property {
	struct str key; /* a loan from the source */
	struct schema_node *node;
};

/* A keyword that is not there is NULL, 0 or empty. Values are loans from the source. */
struct schema_node {
	struct schema_node *next; /* all of a schema */
	char *path;               /* JSON pointer, for errors of compiling */
	bool refuses;             /* the schema false */
	unsigned types;           /* enum schema_type */
	const live_value *choices, *constant, *fallback;
	struct schema_bound minimum, maximum, above, below, multiple;
	struct schema_count length, items, members;
	bool unique;
	regex_t *pattern;
	const live_value *pattern_text;
	const live_value *properties_source; /* to look names up in */
	struct schema_property *properties;
	size_t property_count;
	const live_value *required;
	struct schema_node *additional, *rest; /* additionalProperties, items */
	struct schema_list prefix, all, any, one;
	struct schema_node *excluded;
	const live_value *ref_text;
	struct schema_node *ref;
	unsigned char mark; /* of the search for circles */
};

struct schema {
	const live_value *source;
	struct schema_node *root;
	struct schema_node *nodes; /* all of them */
	size_t node_count;
	struct schema_property *defs;
	size_t def_count;
};

/* As schema_apply, from node. */
int schema_check(const struct schema_node *node, const live_value *value, const char *name, const live_value **out,
		 struct buf *message) __attribute__((warn_unused_result));

#endif
