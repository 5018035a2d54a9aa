/*
 * What can be told of a schema only when all of it is read: what its references mean, that checking it ends, and that
 * its defaults fit.
 */
#include <errno.h>
#include <stdio.h>

#include "server/schema/schema_check.h"
#include "server/schema/schema_node.h"

static int refuse(const struct schema_node *node, char *error, const char *problem, struct str detail)
{
	snprintf(error, SCHEMA_ERROR_SIZE, "#%.120s: %s%.*s", node->path, problem,
		 detail.len > 100 ? 100 : (int)detail.len, detail.ptr ? detail.ptr : "");
	return -EINVAL;
}

static int resolve(const struct schema *schema, struct schema_node *node, char *error)
{
	const char *pointer = live_as_string(node->ref_text) + 1;

	for (struct schema_node *other = schema->nodes; other; other = other->next)
		if (strcmp(other->path, pointer) == 0)
			node->ref = other;
	return node->ref ? 0 : refuse(node, error, "$ref means no schema: ", str_of(pointer - 1));
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

/* Whether node comes back to itself without going deeper into the value: checking would not end. The recursion is as
 * deep as there are schemas. */
static bool is_circle(struct schema_node *node)
{
	if (!node || node->mark == MARK_DONE)
		return false;
	if (node->mark == MARK_OPEN)
		return true;
	node->mark = MARK_OPEN;
	bool circle = is_circle(node->ref) || is_circle(node->excluded) || is_circle(node->condition) ||
		      is_circle(node->then) || is_circle(node->otherwise) || has_circle(&node->all) ||
		      has_circle(&node->any) || has_circle(&node->one);
	node->mark = MARK_DONE;
	return circle;
}

static int check_default(const struct schema_node *node, char *error)
{
	struct buf message;

	buf_init(&message, SCHEMA_ERROR_SIZE);
	bool fits = schema_fits(node, node->fallback, "default", &message);
	int rc = fits ? 0 : refuse(node, error, "its own default does not fit: ", buf_str(&message));
	buf_deinit(&message);
	return rc;
}

int schema_link(struct schema *schema, char error[SCHEMA_ERROR_SIZE])
{
	int rc = 0;

	for (struct schema_node *node = schema->nodes; rc == 0 && node; node = node->next)
		if (node->ref_text)
			rc = resolve(schema, node, error);
	for (struct schema_node *node = schema->nodes; rc == 0 && node; node = node->next)
		if (is_circle(node))
			rc = refuse(node, error, "refers to itself without end", STR(""));
	for (struct schema_node *node = schema->nodes; rc == 0 && node; node = node->next)
		if (node->fallback)
			rc = check_default(node, error);
	return rc;
}

const live_value *schema_default(const struct schema_node *node)
{
	while (node && !node->fallback)
		node = node->ref;
	return node ? node->fallback : NULL;
}
