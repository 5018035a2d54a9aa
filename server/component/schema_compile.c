/*
 * Schemas compiled: a table of keywords, then references, circles and defaults.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/component/schema_node.h"

struct compiler {
	struct schema *schema;
	struct buf path; /* JSON pointer to what is read */
	unsigned depth;
	char *error;
};

__attribute__((format(printf, 2, 3))) static int refuse(struct compiler *c, const char *format, ...)
{
	va_list arguments;
	int len = snprintf(c->error, SCHEMA_ERROR_SIZE, "#%.*s: ", c->path.len > 300 ? 300 : (int)c->path.len,
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

static int compile(struct compiler *c, const live_value *source, struct schema_node **out);

static int compile_at(struct compiler *c, struct str key, const live_value *source, struct schema_node **out)
{
	size_t before = path_enter(c, key);
	int rc = compile(c, source, out);

	path_leave(c, before);
	return rc;
}

/* ---- keywords: each reads its value into the field at offset ---- */

typedef int keyword_fn(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset);

static void *field(struct schema_node *node, size_t offset)
{
	return (char *)node + offset;
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
	return refuse(c, "is no type: \"%.64s\"", text);
}

static int read_type(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	live_iter it = {0};
	int rc = 0;

	(void)offset;
	if (live_value_type(value) != LIVE_ARRAY)
		return add_type(c, node, value);
	if (!live_len(value))
		return refuse(c, "must name a type");
	while (rc == 0 && live_next(value, &it))
		rc = add_type(c, node, it.value);
	return rc;
}

static int read_choices(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	(void)offset;
	if (live_value_type(value) != LIVE_ARRAY || !live_len(value))
		return refuse(c, "must be an array that is not empty");
	node->choices = value;
	return 0;
}

static int read_value(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	(void)c;
	*(const live_value **)field(node, offset) = value;
	return 0;
}

static bool is_number(const live_value *value)
{
	return live_value_type(value) == LIVE_INT || live_value_type(value) == LIVE_DOUBLE;
}

static int read_bound(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	if (!is_number(value))
		return refuse(c, "must be a number");
	*(struct schema_bound *)field(node, offset) = (struct schema_bound){true, live_as_double(value, 0)};
	return 0;
}

static int read_multiple(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	if (!is_number(value) || live_as_double(value, 0) <= 0)
		return refuse(c, "must be a number above 0");
	return read_bound(c, node, value, offset);
}

static int read_count(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	if (live_value_type(value) != LIVE_INT || live_as_int(value, -1) < 0)
		return refuse(c, "must be an integer of at least 0");
	*(size_t *)field(node, offset) = (size_t)live_as_int(value, 0);
	return 0;
}

static int read_flag(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	if (live_value_type(value) != LIVE_BOOL)
		return refuse(c, "must be a boolean");
	*(bool *)field(node, offset) = live_as_bool(value);
	return 0;
}

/* What POSIX does not know, or what makes matching slow, or what an author writes meaning something else. */
static const char *pattern_problem(const char *text, size_t len)
{
	if (len > SCHEMA_MAX_PATTERN)
		return "is too long";
	if (memchr(text, 0, len))
		return "must not hold NUL";
	for (size_t i = 0; i + 1 < len; i++) {
		unsigned char next = (unsigned char)text[i + 1];
		if (text[i] == '(' && next == '?')
			return "must be a POSIX extended regular expression, which has no \"(?\"";
		if (text[i] != '\\')
			continue;
		if ((next >= '0' && next <= '9') || ((next | 32) >= 'a' && (next | 32) <= 'z') || next == '<' ||
		    next == '>' || next == '`' || next == '\'')
			return "must be a POSIX extended regular expression, which has no such escape";
		i++;
	}
	return NULL;
}

static int read_pattern(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	char text[128];

	(void)offset;
	if (!live_as_string(value))
		return refuse(c, "must be a string");
	const char *problem = pattern_problem(live_as_string(value), live_len(value));
	if (problem)
		return refuse(c, "%s", problem);
	regex_t *pattern = mem_alloc(sizeof *pattern);
	int rc = regcomp(pattern, live_as_string(value), REG_EXTENDED | REG_NOSUB);
	if (rc) {
		regerror(rc, pattern, text, sizeof text);
		free(pattern);
		return refuse(c, "is no regular expression: %s", text);
	}
	node->pattern = pattern;
	node->pattern_text = value;
	return 0;
}

/* Members, each a schema. */
static int read_members(struct compiler *c, const live_value *value, struct schema_property **out, size_t *count)
{
	live_iter it = {0};
	int rc = 0;

	if (live_value_type(value) != LIVE_OBJECT)
		return refuse(c, "must be an object");
	*out = mem_alloc((live_len(value) + 1) * sizeof **out);
	while (rc == 0 && live_next(value, &it)) {
		struct schema_property *property = &(*out)[(*count)++];
		property->key = (struct str){it.key, it.key_len};
		rc = compile_at(c, property->key, it.value, &property->node);
	}
	return rc;
}

static int read_properties(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	(void)offset;
	node->properties_source = value;
	return read_members(c, value, &node->properties, &node->property_count);
}

static int read_defs(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	(void)offset;
	if (node != c->schema->root)
		return refuse(c, "is known at the root only");
	return read_members(c, value, &c->schema->defs, &c->schema->def_count);
}

static int read_required(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	live_iter it = {0};

	(void)offset;
	if (live_value_type(value) != LIVE_ARRAY)
		return refuse(c, "must be an array of strings");
	while (live_next(value, &it))
		if (!live_as_string(it.value))
			return refuse(c, "must be an array of strings");
	node->required = value;
	return 0;
}

static int read_schema(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	return compile(c, value, field(node, offset));
}

static int read_list(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	struct schema_list *list = field(node, offset);
	live_iter it = {0};
	char index[24];
	int rc = 0;

	if (live_value_type(value) != LIVE_ARRAY || !live_len(value))
		return refuse(c, "must be an array of schemas that is not empty");
	list->nodes = mem_alloc(live_len(value) * sizeof(struct schema_node *));
	while (rc == 0 && live_next(value, &it)) {
		snprintf(index, sizeof index, "%zu", list->count);
		rc = compile_at(c, str_of(index), it.value, &list->nodes[list->count++]);
	}
	return rc;
}

/* The name that "#/$defs/<name>" means, into out; false when it is something else. */
static bool read_pointer(const live_value *text, struct buf *out)
{
	const struct str prefix = STR("#/$defs/");
	struct str s = {live_as_string(text), live_len(text)};

	if (!str_starts_with(s, prefix))
		return false;
	for (size_t i = prefix.len; i < s.len; i++) {
		char c = s.ptr[i];
		if (c == '/' || c == '%')
			return false;
		if (c == '~') {
			char next = i + 1 < s.len ? s.ptr[++i] : 0;
			if (next != '0' && next != '1')
				return false;
			c = next == '0' ? '~' : '/';
		}
		buf_append_char(out, c);
	}
	return true;
}

static int read_ref(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	const live_value *defs = live_get(c->schema->source, "$defs");
	struct buf name;

	(void)offset;
	if (!live_as_string(value))
		return refuse(c, "must be a string");
	node->ref_text = value;
	if (strcmp(live_as_string(value), "#") == 0)
		return 0;
	buf_init(&name, SIZE_MAX);
	bool is_local = read_pointer(value, &name);
	bool is_there = is_local && live_get_len(defs, name.ptr ? name.ptr : "", name.len);
	buf_deinit(&name);
	if (!is_local)
		return refuse(c, "must be \"#\" or \"#/$defs/<name>\"");
	return is_there ? 0 : refuse(c, "there is no %.100s", live_as_string(value));
}

static int read_nothing(struct compiler *c, struct schema_node *node, const live_value *value, size_t offset)
{
	(void)c;
	(void)node;
	(void)value;
	(void)offset;
	return 0;
}

#define AT(member) offsetof(struct schema_node, member)

static const struct keyword {
	const char *name;
	keyword_fn *read;
	size_t offset;
} keywords[] = {
	{"type", read_type, 0},
	{"enum", read_choices, 0},
	{"const", read_value, AT(constant)},
	{"default", read_value, AT(fallback)},
	{"minimum", read_bound, AT(minimum)},
	{"maximum", read_bound, AT(maximum)},
	{"exclusiveMinimum", read_bound, AT(above)},
	{"exclusiveMaximum", read_bound, AT(below)},
	{"multipleOf", read_multiple, AT(multiple)},
	{"minLength", read_count, AT(length.min)},
	{"maxLength", read_count, AT(length.max)},
	{"minItems", read_count, AT(items.min)},
	{"maxItems", read_count, AT(items.max)},
	{"minProperties", read_count, AT(members.min)},
	{"maxProperties", read_count, AT(members.max)},
	{"uniqueItems", read_flag, AT(unique)},
	{"pattern", read_pattern, 0},
	{"properties", read_properties, 0},
	{"required", read_required, 0},
	{"additionalProperties", read_schema, AT(additional)},
	{"items", read_schema, AT(rest)},
	{"prefixItems", read_list, AT(prefix)},
	{"allOf", read_list, AT(all)},
	{"anyOf", read_list, AT(any)},
	{"oneOf", read_list, AT(one)},
	{"not", read_schema, AT(excluded)},
	{"$ref", read_ref, 0},
	{"$defs", read_defs, 0},
	{"format", read_nothing, 0},
	{"title", read_nothing, 0},
	{"description", read_nothing, 0},
	{"examples", read_nothing, 0},
	{"deprecated", read_nothing, 0},
	{"readOnly", read_nothing, 0},
	{"writeOnly", read_nothing, 0},
	{"contentEncoding", read_nothing, 0},
	{"contentMediaType", read_nothing, 0},
	{"$schema", read_nothing, 0},
	{"$id", read_nothing, 0},
	{"$comment", read_nothing, 0},
};

static int read_keyword(struct compiler *c, struct schema_node *node, struct str key, const live_value *value)
{
	if (str_starts_with(key, STR("x-")))
		return 0;
	for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
		if (str_equal(key, str_of(keywords[i].name)))
			return keywords[i].read(c, node, value, keywords[i].offset);
	return refuse(c, "is not known here, so it would not be checked");
}

static struct schema_node *node_new(struct compiler *c)
{
	struct schema_node *node = mem_alloc(sizeof *node);

	node->length.max = node->items.max = node->members.max = SIZE_MAX;
	node->path = mem_strndup(c->path.ptr ? c->path.ptr : "", c->path.len);
	node->next = c->schema->nodes;
	c->schema->nodes = node;
	c->schema->node_count++;
	if (!c->schema->root)
		c->schema->root = node;
	return node;
}

static int compile(struct compiler *c, const live_value *source, struct schema_node **out)
{
	live_iter it = {0};
	int rc = 0;

	if (c->depth >= SCHEMA_MAX_DEPTH || c->schema->node_count >= SCHEMA_MAX_NODES)
		return refuse(c, "is too large a schema");
	struct schema_node *node = node_new(c);
	*out = node;
	if (live_value_type(source) == LIVE_BOOL) {
		node->refuses = !live_as_bool(source);
		return 0;
	}
	if (live_value_type(source) != LIVE_OBJECT)
		return refuse(c, "must be an object or a boolean");
	c->depth++;
	while (rc == 0 && live_next(source, &it)) {
		struct str key = {it.key, it.key_len};
		size_t before = path_enter(c, key);
		rc = read_keyword(c, node, key, it.value);
		path_leave(c, before);
	}
	c->depth--;
	return rc;
}

/* ---- what can be told when all is read ---- */

static void resolve_refs(struct schema *schema)
{
	for (struct schema_node *node = schema->nodes; node; node = node->next) {
		struct buf name;
		if (!node->ref_text)
			continue;
		node->ref = schema->root;
		buf_init(&name, SIZE_MAX);
		if (read_pointer(node->ref_text, &name))
			for (size_t i = 0; i < schema->def_count; i++)
				if (str_equal(schema->defs[i].key, buf_str(&name)))
					node->ref = schema->defs[i].node;
		buf_deinit(&name);
	}
}

enum { MARK_NEW, MARK_OPEN, MARK_DONE };

static bool is_circle(struct schema_node *node);

static bool has_circle(const struct schema_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (is_circle(list->nodes[i]))
			return true;
	return false;
}

/* Whether node comes back to itself without going deeper into the value: checking would not end. */
static bool is_circle(struct schema_node *node)
{
	if (!node || node->mark == MARK_DONE)
		return false;
	if (node->mark == MARK_OPEN)
		return true;
	node->mark = MARK_OPEN;
	bool circle = is_circle(node->ref) || is_circle(node->excluded) || has_circle(&node->all) ||
		      has_circle(&node->any) || has_circle(&node->one);
	node->mark = MARK_DONE;
	return circle;
}

static int refuse_node(struct compiler *c, const struct schema_node *node, const char *problem, struct str detail)
{
	buf_reset(&c->path, 4096);
	buf_append_str(&c->path, str_of(node->path));
	return refuse(c, "%s%.*s", problem, detail.len > 150 ? 150 : (int)detail.len, detail.ptr ? detail.ptr : "");
}

static int check_default(struct compiler *c, const struct schema_node *node)
{
	const live_value *whole;
	struct buf message;
	int rc = 0;

	if (!node->fallback)
		return 0;
	buf_init(&message, SCHEMA_ERROR_SIZE);
	if (schema_check(node, node->fallback, "default", &whole, &message) < 0)
		rc = refuse_node(c, node, "must fit its own rules: ", buf_str(&message));
	else
		live_value_unref(whole);
	buf_deinit(&message);
	return rc;
}

static int check_whole(struct compiler *c)
{
	int rc = 0;

	resolve_refs(c->schema);
	for (struct schema_node *node = c->schema->nodes; rc == 0 && node; node = node->next)
		if (is_circle(node))
			rc = refuse_node(c, node, "refers to itself without end", STR(""));
	for (struct schema_node *node = c->schema->nodes; rc == 0 && node; node = node->next)
		rc = check_default(c, node);
	return rc;
}

int schema_new(struct schema **out, const live_value *source, char error[SCHEMA_ERROR_SIZE])
{
	struct compiler c = {.schema = mem_alloc(sizeof *c.schema), .error = error};
	struct schema_node *root;

	buf_init(&c.path, 1 << 20);
	c.schema->source = live_value_ref(source);
	int rc = compile(&c, source, &root);
	if (rc == 0)
		rc = check_whole(&c);
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
	if (node->pattern)
		regfree(node->pattern);
	free(node->pattern);
	free(node->properties);
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
	free(schema->defs);
	live_value_unref(schema->source);
	free(schema);
}

int schema_apply(const struct schema *schema, const live_value *value, const char *name, const live_value **out,
		 struct buf *message)
{
	return schema_check(schema->root, value, name, out, message);
}
