#include "server/schema/schema_check.h"

#include <errno.h>
#include <float.h>
#include <math.h>

#include "core/value.h"

bool check_spend(struct check *check, size_t cost)
{
	if (check->is_over || cost > check->effort) {
		check->is_over = true;
		return false;
	}
	check->effort -= (unsigned)cost;
	return true;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

/* ---- any value ---- */

static unsigned type_of(const live_value *value)
{
	switch (live_value_type(value)) {
	case LIVE_NULL: return SCHEMA_NULL;
	case LIVE_BOOL: return SCHEMA_BOOLEAN;
	case LIVE_INT: return SCHEMA_INTEGER | SCHEMA_NUMBER;
	case LIVE_DOUBLE:
		return SCHEMA_NUMBER | (trunc(value->number) == value->number ? (unsigned)SCHEMA_INTEGER : 0u);
	case LIVE_STRING: return SCHEMA_STRING;
	case LIVE_ARRAY: return SCHEMA_ARRAY;
	case LIVE_OBJECT: return SCHEMA_OBJECT;
	case LIVE_BINARY: break;
	}
	return 0;
}

/* "a string, an object or null" */
static bool fail_type(struct check *check, unsigned types, const struct place *place)
{
	static const struct {
		unsigned type;
		const char *text;
	} names[] = {
		{SCHEMA_STRING, "a string"},   {SCHEMA_INTEGER, "an integer"}, {SCHEMA_NUMBER, "a number"},
		{SCHEMA_BOOLEAN, "a boolean"}, {SCHEMA_ARRAY, "an array"},     {SCHEMA_OBJECT, "an object"},
		{SCHEMA_NULL, "null"},
	};
	struct buf text;

	if (check->mute)
		return false;
	buf_init(&text, SIZE_MAX);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (!(types & names[i].type))
			continue;
		types &= ~names[i].type;
		buf_printf(&text, "%s%s", text.len == 0 ? "" : types ? ", " : " or ", names[i].text);
	}
	check_fail(check, place, "must be %.*s", STR_ARG(buf_str(&text)));
	buf_deinit(&text);
	return false;
}

static bool is_choice(struct check *check, const live_value *choices, const live_value *value)
{
	for (live_iter it = {0}; live_next(choices, &it);)
		if (!check_spend(check, 1) || live_equal(it.value, value))
			return !check->is_over;
	return false;
}

static bool check_any(struct check *check, const struct schema_node *node, const live_value *value,
		      const struct place *place)
{
	if (node->types && !(node->types & type_of(value)))
		return fail_type(check, node->types, place);
	if (node->constant && !live_equal(node->constant, value))
		return check_fail_value(check, place, "must be ", node->constant);
	if (node->choices && !is_choice(check, node->choices, value))
		return check_fail_choices(check, place, "must be one of ", node->choices);
	return true;
}

/* ---- numbers ---- */

static int compare(const live_value *a, const live_value *b)
{
	if (live_value_type(a) == LIVE_INT && live_value_type(b) == LIVE_INT)
		return (live_as_int(a, 0) > live_as_int(b, 0)) - (live_as_int(a, 0) < live_as_int(b, 0));
	return (live_as_double(a, 0) > live_as_double(b, 0)) - (live_as_double(a, 0) < live_as_double(b, 0));
}

static bool is_multiple(const live_value *value, const live_value *of)
{
	if (live_value_type(value) == LIVE_INT && live_value_type(of) == LIVE_INT)
		return live_as_int(value, 0) % live_as_int(of, 1) == 0;
	double quotient = live_as_double(value, 0) / live_as_double(of, 1);
	/* 0.3 is no multiple of 0.1 in binary: what rounding may have done is forgiven. */
	return isfinite(quotient) && fabs(quotient - nearbyint(quotient)) <= 4 * DBL_EPSILON * fabs(quotient);
}

static bool check_number(struct check *check, const struct schema_node *node, const live_value *value,
			 const struct place *place)
{
	if (node->minimum && compare(value, node->minimum) < 0)
		return check_fail_value(check, place, "must be at least ", node->minimum);
	if (node->maximum && compare(value, node->maximum) > 0)
		return check_fail_value(check, place, "must be at most ", node->maximum);
	if (node->above && compare(value, node->above) <= 0)
		return check_fail_value(check, place, "must be greater than ", node->above);
	if (node->below && compare(value, node->below) >= 0)
		return check_fail_value(check, place, "must be less than ", node->below);
	if (node->multiple && !is_multiple(value, node->multiple))
		return check_fail_value(check, place, "must be a multiple of ", node->multiple);
	return true;
}

/* ---- strings ---- */

static size_t count_points(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
	return count;
}

static bool matches(struct check *check, struct pattern *pattern, struct str text)
{
	int rc = pattern_match(pattern, text, &check->effort);

	if (rc < 0)
		check->is_over = true;
	return rc > 0;
}

static bool check_string(struct check *check, const struct schema_node *node, const live_value *value,
			 const struct place *place)
{
	struct str text = value_str(value);

	if (!check_spend(check, text.len / 16))
		return false;
	if (node->length.min > 0 || node->length.max < SIZE_MAX) {
		size_t count = count_points(text);
		if (count < node->length.min)
			return check_fail(check, place, "must have at least %zu character%s", node->length.min,
					  plural(node->length.min));
		if (count > node->length.max)
			return check_fail(check, place, "must have at most %zu character%s", node->length.max,
					  plural(node->length.max));
	}
	if (node->format && !node->format(text))
		return check_fail(check, place, "must be a valid %s", live_as_string(node->format_name));
	if (node->pattern && !matches(check, node->pattern, text))
		return check_fail_text(check, place, "must match ", value_str(node->pattern_text));
	return true;
}

/* ---- arrays ---- */

static bool check_contains(struct check *check, const struct schema_node *node, const live_value *array,
			   const struct place *place)
{
	size_t found = 0;

	check->mute++;
	for (live_iter it = {0}; !check->is_over && live_next(array, &it);)
		found += check_node(check, node->contains, it.value, place);
	check->mute--;
	if (found < node->contained.min)
		return check_fail(check, place, "must hold at least %zu item%s of the kind asked for",
				  node->contained.min, plural(node->contained.min));
	if (found > node->contained.max)
		return check_fail(check, place, "must hold at most %zu item%s of the kind asked for",
				  node->contained.max, plural(node->contained.max));
	return !check->is_over;
}

static bool check_array(struct check *check, const struct schema_node *node, const live_value *array,
			const struct place *place)
{
	size_t count = live_len(array);
	struct place item = {.up = place, .kind = PLACE_ITEM};

	if (count < node->items.min)
		return check_fail(check, place, "must have at least %zu item%s", node->items.min,
				  plural(node->items.min));
	if (count > node->items.max)
		return check_fail(check, place, "must have at most %zu item%s", node->items.max,
				  plural(node->items.max));
	for (; item.index < count; item.index++) {
		const struct schema_node *rule =
			item.index < node->prefix.count ? node->prefix.nodes[item.index] : node->rest;
		if (!rule)
			break;
		if (!check_node(check, rule, live_at(array, item.index), &item))
			return false;
	}
	if (node->unique && !check_unique(check, array))
		return check_fail(check, place, "must not hold an item twice");
	return !node->contains || check_contains(check, node, array, place);
}

/* ---- objects ---- */

static bool check_required(struct check *check, const live_value *names, const live_value *object,
			   const struct place *place, struct str with)
{
	struct place member = {.up = place};

	for (live_iter it = {0}; live_next(names, &it);) {
		member.key = value_str(it.value);
		if (!check_spend(check, 1))
			return false;
		if (live_get_len(object, member.key.ptr, member.key.len))
			continue;
		return with.ptr ? check_fail_text(check, &member, "is required with ", with)
				: check_fail(check, &member, "is required");
	}
	return true;
}

static bool check_dependent(struct check *check, const struct schema_node *node, const live_value *object,
			    const struct place *place)
{
	for (live_iter it = {0}; live_next(node->dependent, &it);) {
		struct str key = {it.key, it.key_len};
		if (live_get_len(object, key.ptr, key.len) && !check_required(check, it.value, object, place, key))
			return false;
	}
	return true;
}

bool check_visit_member(struct check *check, const struct schema_node *node, struct str key, check_visit_fn *visit,
			void *argument)
{
	bool is_known = node->property_source && live_get_len(node->property_source, key.ptr, key.len);

	for (size_t i = 0; i < node->patterns.count; i++) {
		if (!matches(check, node->patterns.all[i].pattern, key))
			continue;
		is_known = true;
		if (!visit(check, node->patterns.all[i].node, argument))
			return false;
	}
	return is_known || !node->additional || visit(check, node->additional, argument);
}

struct visit {
	const live_value *value;
	const struct place *place;
};

static bool visit_member(struct check *check, const struct schema_node *node, void *argument)
{
	const struct visit *visit = argument;

	return check_node(check, node, visit->value, visit->place);
}

/* The name itself is looked at as a string. */
static bool check_name(struct check *check, const struct schema_node *node, const struct place *member)
{
	struct place name = {.up = member->up, .kind = PLACE_NAME, .key = member->key};
	const live_value *text = live_string_len(name.key.ptr, name.key.len);
	bool fits = check_node(check, node, text, &name);

	live_value_unref(text);
	return fits;
}

/* What stands in the object, whether the schema names it or not. */
static bool check_members(struct check *check, const struct schema_node *node, const live_value *object,
			  const struct place *place)
{
	struct place member = {.up = place};

	for (live_iter it = {0}; live_next(object, &it);) {
		struct visit visit = {it.value, &member};
		member.key = (struct str){it.key, it.key_len};
		if (!check_spend(check, 1) || (node->names && !check_name(check, node->names, &member)) ||
		    !check_visit_member(check, node, member.key, visit_member, &visit))
			return false;
	}
	return true;
}

static bool check_object(struct check *check, const struct schema_node *node, const live_value *object,
			 const struct place *place)
{
	struct place member = {.up = place};
	size_t count = live_len(object);

	if (!check_required(check, node->required, object, place, (struct str){0}) ||
	    !check_dependent(check, node, object, place))
		return false;
	for (size_t i = 0; i < node->properties.count; i++) {
		member.key = node->properties.all[i].key;
		const live_value *value = live_get_len(object, member.key.ptr, member.key.len);
		if (value && !check_node(check, node->properties.all[i].node, value, &member))
			return false;
	}
	if ((node->patterns.count || node->additional || node->names) && !check_members(check, node, object, place))
		return false;
	if (count < node->members.min)
		return check_fail(check, place, "must have at least %zu member%s", node->members.min,
				  plural(node->members.min));
	if (count > node->members.max)
		return check_fail(check, place, "must have at most %zu member%s", node->members.max,
				  plural(node->members.max));
	return true;
}

/* ---- schemas of schemas ---- */

static bool fits_silently(struct check *check, const struct schema_node *node, const live_value *value,
			  const struct place *place)
{
	check->mute++;
	bool fits = check_node(check, node, value, place);
	check->mute--;
	return fits;
}

/* How many of list value fits; no more are looked at than enough. */
static size_t count_fits(struct check *check, const struct schema_list *list, size_t enough, const live_value *value,
			 const struct place *place)
{
	size_t fits = 0;

	for (size_t i = 0; i < list->count && fits < enough && !check->is_over; i++)
		fits += fits_silently(check, list->nodes[i], value, place);
	return fits;
}

static bool check_combined(struct check *check, const struct schema_node *node, const live_value *value,
			   const struct place *place)
{
	if (node->ref && !check_node(check, node->ref, value, place))
		return false;
	for (size_t i = 0; i < node->all.count; i++)
		if (!check_node(check, node->all.nodes[i], value, place))
			return false;
	if (node->any.count && count_fits(check, &node->any, 1, value, place) == 0)
		return check_fail(check, place, "must fit at least one alternative");
	if (node->one.count && count_fits(check, &node->one, 2, value, place) != 1)
		return check_fail(check, place, "must fit exactly one alternative");
	if (node->excluded && fits_silently(check, node->excluded, value, place))
		return check_fail(check, place, "must not fit what is excluded");
	if (node->condition) {
		const struct schema_node *branch =
			fits_silently(check, node->condition, value, place) ? node->then : node->otherwise;
		return !branch || check_node(check, branch, value, place);
	}
	return true;
}

static bool check_by_type(struct check *check, const struct schema_node *node, const live_value *value,
			  const struct place *place)
{
	switch (live_value_type(value)) {
	case LIVE_INT:
	case LIVE_DOUBLE: return check_number(check, node, value, place);
	case LIVE_STRING: return check_string(check, node, value, place);
	case LIVE_ARRAY: return check_array(check, node, value, place);
	case LIVE_OBJECT: return check_object(check, node, value, place);
	default: return true;
	}
}

bool check_node(struct check *check, const struct schema_node *node, const live_value *value, const struct place *place)
{
	if (check->depth == SCHEMA_CHECK_DEPTH)
		check->is_over = true;
	if (!check_spend(check, 1))
		return false;
	if (node->refuses)
		return check_fail(check, place, "is not allowed");
	check->depth++;
	bool fits = check_any(check, node, value, place) && check_by_type(check, node, value, place) &&
		    check_combined(check, node, value, place);
	check->depth--;
	return fits && !check->is_over;
}

static bool check_root(struct check *check, const struct schema_node *node, const live_value *value, const char *name)
{
	struct place root = {.key = str_of(name)};

	if (check_node(check, node, value, &root))
		return true;
	if (check->is_over)
		buf_printf(check->message, "%s: is too complex to check", name);
	return false;
}

bool schema_fits(const struct schema_node *node, const live_value *value, const char *name, struct buf *message)
{
	struct check check = {.effort = SCHEMA_EFFORT, .message = message};

	return check_root(&check, node, value, name);
}

int schema_apply(const struct schema *schema, const live_value *value, const char *name, const live_value **out,
		 struct buf *message)
{
	struct check check = {.effort = SCHEMA_EFFORT, .message = message};

	if (!value)
		value = schema_default(schema->root);
	*out = schema->fills ? check_complete(&check, schema->root, value) : live_value_ref(value);
	if (check_root(&check, schema->root, *out ? *out : live_null(), name))
		return 0;
	live_value_unref(*out);
	*out = NULL;
	return -EINVAL;
}
