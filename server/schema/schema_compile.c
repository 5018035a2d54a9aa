/*
 * Schemas compiled: a table of keywords, each with the function that reads its value.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/schema/schema_node.h"

/* Where a schema stands: whether a default in it can count. */
enum position {
	ALWAYS,    /* root, a property, a definition: its own default, and those within */
	WITHIN,    /* a part of what always holds: only those within */
	SOMETIMES, /* none */
};

struct compiler {
	struct schema *schema;
	struct buf path; /* JSON pointer to what is read */
	unsigned depth;
	bool may_fill;
	char *error;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct compiler *c, const char *format, ...)
{
	va_list arguments;
	int len = snprintf(c->error, SCHEMA_ERROR_SIZE, "#%.*s: ", c->path.len > 120 ? 120 : (int)c->path.len,
			   c->path.ptr ? c->path.ptr : "");

	va_start(arguments, format);
	vsnprintf(c->error + len, (size_t)(SCHEMA_ERROR_SIZE - len), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Goes down to a member; returns what path_leave wants. */
static size_t path_enter(struct compiler *c, struct str key)
{
	size_t before = c->path.len;

	buf_append_char(&c->path, '/');
	for (size_t i = 0; i < key.len; i++) {
		if (key.ptr[i] == '~' || key.ptr[i] == '/')
			buf_append_str(&c->path, key.ptr[i] == '~' ? STR("~0") : STR("~1"));
		else
			buf_append_char(&c->path, key.ptr[i]);
	}
	return before;
}

static void path_leave(struct compiler *c, size_t before)
{
	c->path.len = before;
}

static int compile(struct compiler *c, const live_value *source, enum position position, struct schema_node **out);

static int compile_at(struct compiler *c, struct str key, const live_value *source, enum position position,
		      struct schema_node **out)
{
	size_t before = path_enter(c, key);
	int rc = compile(c, source, position, out);

	path_leave(c, before);
	return rc;
}

/* ---- keywords: each reads its value into the field ---- */

struct keyword {
	const char *name;
	int (*read)(struct compiler *c, struct schema_node *node, const live_value *value,
		    const struct keyword *keyword);
	size_t offset;
	enum position position; /* of the schemas in it */
};

static void *field(struct schema_node *node, const struct keyword *keyword)
{
	return (char *)node + keyword->offset;
}

static const struct {
	const char *name;
	unsigned type;
} type_names[] = {
	{"null", SCHEMA_NULL},     {"boolean", SCHEMA_BOOLEAN}, {"integer", SCHEMA_INTEGER}, {"number", SCHEMA_NUMBER},
	{"string", SCHEMA_STRING}, {"array", SCHEMA_ARRAY},     {"object", SCHEMA_OBJECT},
};

static int add_type(struct compiler *c, struct schema_node *node, const live_value *name)
{
	const char *text = live_as_string(name);

	if (!text)
		return refuse(c, "must be a string or an array of strings");
	for (size_t i = 0; i < sizeof type_names / sizeof type_names[0]; i++) {
		if (strcmp(text, type_names[i].name) == 0) {
			node->types |= type_names[i].type;
			return 0;
		}
	}
	return refuse(c, "is no type: \"%.40s\"", text);
}

static int read_type(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	int rc = 0;

	(void)kw;
	if (live_value_type(value) != LIVE_ARRAY)
		return add_type(c, node, value);
	if (!live_len(value))
		return refuse(c, "must name a type");
	for (live_iter it = {0}; rc == 0 && live_next(value, &it);)
		rc = add_type(c, node, it.value);
	return rc;
}

static int read_choices(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	(void)kw;
	if (live_value_type(value) != LIVE_ARRAY || !live_len(value))
		return refuse(c, "must be an array that is not empty");
	node->choices = value;
	return 0;
}

static int read_value(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	(void)c;
	*(const live_value **)field(node, kw) = value;
	return 0;
}

static int read_default(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	(void)kw;
	if (!node->may_fill)
		return refuse(c, "has no effect here: a default counts where a property always has it");
	node->fallback = value;
	c->schema->fills = true;
	return 0;
}

static bool is_number(const live_value *value)
{
	return live_value_type(value) == LIVE_INT || live_value_type(value) == LIVE_DOUBLE;
}

static int read_bound(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	return is_number(value) ? read_value(c, node, value, kw) : refuse(c, "must be a number");
}

static int read_multiple(struct compiler *c, struct schema_node *node, const live_value *value,
			 const struct keyword *kw)
{
	if (!is_number(value) || live_as_double(value, 0) <= 0)
		return refuse(c, "must be a number above 0");
	return read_value(c, node, value, kw);
}

static int read_count(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	if (live_value_type(value) != LIVE_INT || live_as_int(value, -1) < 0)
		return refuse(c, "must be an integer of at least 0");
	*(size_t *)field(node, kw) = (size_t)live_as_int(value, 0);
	return 0;
}

static int read_flag(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	if (live_value_type(value) != LIVE_BOOL)
		return refuse(c, "must be a boolean");
	*(bool *)field(node, kw) = live_as_bool(value);
	return 0;
}

static int compile_pattern(struct compiler *c, struct str text, struct pattern **out)
{
	char problem[PATTERN_PROBLEM_SIZE];

	return pattern_new(out, text, problem) == 0 ? 0 : refuse(c, "the pattern is unusable: %s", problem);
}

static int read_pattern(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	(void)kw;
	if (!live_as_string(value))
		return refuse(c, "must be a string");
	node->pattern_text = value;
	return compile_pattern(c, (struct str){live_as_string(value), live_len(value)}, &node->pattern);
}

static int read_format(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	(void)kw;
	if (!live_as_string(value))
		return refuse(c, "must be a string");
	node->format_name = value;
	node->format = format_find((struct str){live_as_string(value), live_len(value)});
	return node->format ? 0 : refuse(c, "\"%.40s\" is no format that is known here", live_as_string(value));
}

/* Members, each a schema. */
static int read_members(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	struct schema_members *members = field(node, kw);
	bool may_fill = c->may_fill;
	int rc = 0;

	if (live_value_type(value) != LIVE_OBJECT)
		return refuse(c, "must be an object");
	if (kw->offset == offsetof(struct schema_node, defs))
		c->may_fill = true; /* whoever refers to it decides */
	members->all = mem_alloc((live_len(value) + 1) * sizeof *members->all);
	for (live_iter it = {0}; rc == 0 && live_next(value, &it);) {
		struct schema_member *member = &members->all[members->count++];
		member->key = (struct str){it.key, it.key_len};
		rc = compile_at(c, member->key, it.value, kw->position, &member->node);
	}
	c->may_fill = may_fill;
	return rc;
}

static int read_properties(struct compiler *c, struct schema_node *node, const live_value *value,
			   const struct keyword *kw)
{
	node->property_source = value;
	return read_members(c, node, value, kw);
}

static int read_patterns(struct compiler *c, struct schema_node *node, const live_value *value,
			 const struct keyword *kw)
{
	int rc = read_members(c, node, value, kw);

	for (size_t i = 0; rc == 0 && i < node->patterns.count; i++) {
		size_t before = path_enter(c, node->patterns.all[i].key);
		rc = compile_pattern(c, node->patterns.all[i].key, &node->patterns.all[i].pattern);
		path_leave(c, before);
	}
	return rc;
}

static bool is_list_of_names(const live_value *value)
{
	bool all = live_value_type(value) == LIVE_ARRAY;

	for (live_iter it = {0}; all && live_next(value, &it);)
		all = live_as_string(it.value) != NULL;
	return all;
}

static int read_names(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	return is_list_of_names(value) ? read_value(c, node, value, kw) : refuse(c, "must be an array of strings");
}

static int read_dependent(struct compiler *c, struct schema_node *node, const live_value *value,
			  const struct keyword *kw)
{
	bool all = live_value_type(value) == LIVE_OBJECT;

	for (live_iter it = {0}; all && live_next(value, &it);)
		all = is_list_of_names(it.value);
	return all ? read_value(c, node, value, kw) : refuse(c, "must be an object of arrays of strings");
}

static int read_schema(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	return compile(c, value, kw->position, field(node, kw));
}

static int read_list(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	struct schema_list *list = field(node, kw);
	char index[24];
	int rc = 0;

	if (live_value_type(value) != LIVE_ARRAY || !live_len(value))
		return refuse(c, "must be an array of schemas that is not empty");
	list->nodes = mem_alloc(live_len(value) * sizeof(struct schema_node *));
	for (live_iter it = {0}; rc == 0 && live_next(value, &it);) {
		snprintf(index, sizeof index, "%zu", list->count);
		rc = compile_at(c, str_of(index), it.value, kw->position, &list->nodes[list->count++]);
	}
	return rc;
}

static int read_ref(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	const char *text = live_as_string(value);

	if (!text || text[0] != '#' || (text[1] && text[1] != '/'))
		return refuse(c, "must be \"#\" or \"#/\" and a JSON pointer into the same schema");
	return read_value(c, node, value, kw);
}

static int read_id(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	(void)value;
	(void)kw;
	return node == c->schema->root ? 0 : refuse(c, "is known at the root only");
}

static int read_nothing(struct compiler *c, struct schema_node *node, const live_value *value, const struct keyword *kw)
{
	(void)c;
	(void)node;
	(void)value;
	(void)kw;
	return 0;
}

#define AT(member) offsetof(struct schema_node, member)

static const struct keyword keywords[] = {
	{"type", read_type, 0, 0},
	{"enum", read_choices, 0, 0},
	{"const", read_value, AT(constant), 0},
	{"default", read_default, 0, 0},
	{"minimum", read_bound, AT(minimum), 0},
	{"maximum", read_bound, AT(maximum), 0},
	{"exclusiveMinimum", read_bound, AT(above), 0},
	{"exclusiveMaximum", read_bound, AT(below), 0},
	{"multipleOf", read_multiple, AT(multiple), 0},
	{"minLength", read_count, AT(length.min), 0},
	{"maxLength", read_count, AT(length.max), 0},
	{"minItems", read_count, AT(items.min), 0},
	{"maxItems", read_count, AT(items.max), 0},
	{"minContains", read_count, AT(contained.min), 0},
	{"maxContains", read_count, AT(contained.max), 0},
	{"minProperties", read_count, AT(members.min), 0},
	{"maxProperties", read_count, AT(members.max), 0},
	{"uniqueItems", read_flag, AT(unique), 0},
	{"pattern", read_pattern, 0, 0},
	{"format", read_format, 0, 0},
	{"properties", read_properties, AT(properties), ALWAYS},
	{"patternProperties", read_patterns, AT(patterns), WITHIN},
	{"additionalProperties", read_schema, AT(additional), WITHIN},
	{"propertyNames", read_schema, AT(names), SOMETIMES},
	{"required", read_names, AT(required), 0},
	{"dependentRequired", read_dependent, AT(dependent), 0},
	{"items", read_schema, AT(rest), WITHIN},
	{"prefixItems", read_list, AT(prefix), WITHIN},
	{"contains", read_schema, AT(contains), SOMETIMES},
	{"allOf", read_list, AT(all), WITHIN},
	{"anyOf", read_list, AT(any), SOMETIMES},
	{"oneOf", read_list, AT(one), SOMETIMES},
	{"not", read_schema, AT(excluded), SOMETIMES},
	{"if", read_schema, AT(condition), SOMETIMES},
	{"then", read_schema, AT(then), SOMETIMES},
	{"else", read_schema, AT(otherwise), SOMETIMES},
	{"$ref", read_ref, AT(ref_text), 0},
	{"$defs", read_members, AT(defs), ALWAYS},
	{"$id", read_id, 0, 0},
	{"$schema", read_id, 0, 0},
	{"$comment", read_nothing, 0, 0},
	{"title", read_nothing, 0, 0},
	{"description", read_nothing, 0, 0},
	{"examples", read_nothing, 0, 0},
	{"deprecated", read_nothing, 0, 0},
	{"readOnly", read_nothing, 0, 0},
	{"writeOnly", read_nothing, 0, 0},
	{"contentEncoding", read_nothing, 0, 0},
	{"contentMediaType", read_nothing, 0, 0},
};

static int read_keyword(struct compiler *c, struct schema_node *node, struct str key, const live_value *value)
{
	if (str_starts_with(key, STR("x-")))
		return 0;
	for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
		if (str_equal(key, str_of(keywords[i].name)))
			return keywords[i].read(c, node, value, &keywords[i]);
	return refuse(c, "is not known here, so it would not be checked");
}

static struct schema_node *node_new(struct compiler *c)
{
	struct schema_node *node = mem_alloc(sizeof *node);

	node->length.max = node->items.max = node->members.max = node->contained.max = SIZE_MAX;
	node->contained.min = 1;
	node->path = mem_strndup(c->path.ptr ? c->path.ptr : "", c->path.len);
	node->next = c->schema->nodes;
	c->schema->nodes = node;
	c->schema->node_count++;
	if (!c->schema->root)
		c->schema->root = node;
	return node;
}

/* A keyword that does nothing without another one. */
static int check_pairs(struct compiler *c, const struct schema_node *node)
{
	if (!node->contains && (node->contained.min != 1 || node->contained.max != SIZE_MAX))
		return refuse(c, "minContains and maxContains need contains");
	if (!node->condition != (!node->then && !node->otherwise))
		return refuse(c, "if needs then or else, and they need if");
	return 0;
}

static int compile(struct compiler *c, const live_value *source, enum position position, struct schema_node **out)
{
	bool may_fill = c->may_fill;
	int rc = 0;

	if (c->depth >= SCHEMA_MAX_DEPTH || c->schema->node_count >= SCHEMA_MAX_NODES)
		return refuse(c, "is too large a schema");
	struct schema_node *node = node_new(c);
	*out = node;
	node->may_fill = may_fill && position == ALWAYS;
	if (live_value_type(source) == LIVE_BOOL) {
		node->refuses = !live_as_bool(source);
		return 0;
	}
	if (live_value_type(source) != LIVE_OBJECT)
		return refuse(c, "must be an object or a boolean");
	c->may_fill = may_fill && position != SOMETIMES;
	c->depth++;
	for (live_iter it = {0}; rc == 0 && live_next(source, &it);) {
		struct str key = {it.key, it.key_len};
		size_t before = path_enter(c, key);
		rc = read_keyword(c, node, key, it.value);
		path_leave(c, before);
	}
	c->depth--;
	c->may_fill = may_fill;
	return rc < 0 ? rc : check_pairs(c, node);
}

int schema_new(struct schema **out, const live_value *source, char error[SCHEMA_ERROR_SIZE])
{
	struct compiler c = {.schema = mem_alloc(sizeof *c.schema), .may_fill = true, .error = error};
	struct schema_node *root;

	buf_init(&c.path, 1 << 20);
	c.schema->source = live_value_ref(source);
	int rc = compile(&c, source, ALWAYS, &root);
	if (rc == 0)
		rc = schema_link(c.schema, error);
	buf_deinit(&c.path);
	if (rc < 0) {
		schema_free(c.schema);
		c.schema = NULL;
	}
	*out = c.schema;
	return rc;
}

static void free_node(struct schema_node *node)
{
	for (size_t i = 0; i < node->patterns.count; i++)
		pattern_free(node->patterns.all[i].pattern);
	pattern_free(node->pattern);
	free(node->properties.all);
	free(node->patterns.all);
	free(node->defs.all);
	free(node->prefix.nodes);
	free(node->all.nodes);
	free(node->any.nodes);
	free(node->one.nodes);
	free(node->path);
	free(node);
}

void schema_free(struct schema *schema)
{
	if (!schema)
		return;
	while (schema->nodes) {
		struct schema_node *node = schema->nodes;
		schema->nodes = node->next;
		free_node(node);
	}
	live_value_unref(schema->source);
	free(schema);
}

const live_value *schema_source(const struct schema *schema)
{
	return schema->source;
}
