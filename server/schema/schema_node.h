/*
 * schema_node - a schema as it is compiled: what schema_compile builds and schema_check reads. Private to schema_*.
 * Threads: [any], since nothing changes once it is built.
 */
#ifndef SERVER_SCHEMA_SCHEMA_NODE_H
#define SERVER_SCHEMA_SCHEMA_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"
#include "server/schema/format.h"
#include "server/schema/pattern.h"
#include "server/schema/schema.h"

enum schema_type { /* bits */
		   SCHEMA_NULL = 1,
		   SCHEMA_BOOLEAN = 2,
		   SCHEMA_INTEGER = 4,
		   SCHEMA_NUMBER = 8,
		   SCHEMA_STRING = 16,
		   SCHEMA_ARRAY = 32,
		   SCHEMA_OBJECT = 64,
};

struct schema_count {
	size_t min; /* 0 */
	size_t max; /* SIZE_MAX */
};

struct schema_list {
	struct schema_node **nodes;
	size_t count;
};

/* Of properties: key is the name. Of patternProperties: pattern is ours. */
struct schema_member {
	struct str key; /* a loan from the source */
	struct pattern *pattern;
	struct schema_node *node;
};

struct schema_members {
	struct schema_member *all;
	size_t count;
};

/* A keyword that is not there is NULL, 0 or empty. Values are loans from the source. */
struct schema_node {
	struct schema_node *next; /* all of a schema */
	char *path;               /* JSON pointer */
	bool refuses;             /* the schema false */
	bool unique;
	bool may_fill;      /* a default here counts */
	unsigned char mark; /* of the search for circles */
	unsigned types;     /* enum schema_type; 0: any */
	const live_value *choices, *constant, *fallback;
	const live_value *minimum, *maximum, *above, *below, *multiple;
	struct schema_count length, items, members, contained;
	struct pattern *pattern;
	const live_value *pattern_text;
	format_fn *format;
	const live_value *format_name;
	const live_value *property_source; /* to look names up in */
	struct schema_members properties, patterns;
	const live_value *required, *dependent;
	struct schema_node *additional, *names; /* additionalProperties, propertyNames */
	struct schema_list prefix;
	struct schema_node *rest, *contains; /* items, contains */
	struct schema_list all, any, one;
	struct schema_node *excluded, *condition, *then, *otherwise;
	const live_value *ref_text;
	struct schema_node *ref;
	struct schema_members defs;
};

struct schema {
	const live_value *source;
	struct schema_node *root;
	struct schema_node *nodes; /* all of them */
	size_t node_count;
	bool fills; /* there is a default */
};

/* Looks for what can be told only when all is compiled: references, circles, defaults that do not fit. 0, or -EINVAL
 * with one line in error. [start] */
int schema_link(struct schema *schema, char error[SCHEMA_ERROR_SIZE]) __attribute__((warn_unused_result));
/* What a missing property of that schema is set to, or NULL; a loan. */
const live_value *schema_default(const struct schema_node *node);

#endif
