/*
 * Patterns compiled: recursive descent over the text, which writes the program as it goes.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"
#include "core/utf8.h"
#include "server/schema/code_point.h"
#include "server/schema/pattern_private.h"

enum { MAX_GROUPS = 64, MAX_REPEAT = PATTERN_MAX_STEPS, NO_LIMIT = -1, LAST_CODE_POINT = 0x10ffff };

struct parser {
	struct str rest; /* of the text */
	struct pattern *pattern;
	unsigned depth;      /* of groups */
	const char *problem; /* NULL while all is well */
};

/* Always false. */
static bool refuse(struct parser *p, const char *problem)
{
	if (!p->problem)
		p->problem = problem;
	return false;
}

static int peek(const struct parser *p)
{
	return p->rest.len ? (unsigned char)*p->rest.ptr : -1;
}

static void skip(struct parser *p, size_t count)
{
	p->rest.ptr += count;
	p->rest.len -= count;
}

static bool take(struct parser *p, char c)
{
	if (peek(p) != c)
		return false;
	skip(p, 1);
	return true;
}

/* ---- the program ---- */

static bool emit(struct parser *p, enum step_kind kind, int32_t a, int32_t b)
{
	struct pattern *pattern = p->pattern;

	if (pattern->step_count == PATTERN_MAX_STEPS)
		return refuse(p, "is too large");
	pattern->steps[pattern->step_count++] = (struct step){kind, a, b};
	return true;
}

static bool insert(struct parser *p, size_t at, struct step step)
{
	struct pattern *pattern = p->pattern;

	if (!emit(p, STEP_MATCH, 0, 0))
		return false;
	memmove(&pattern->steps[at + 1], &pattern->steps[at], (pattern->step_count - at - 1) * sizeof step);
	pattern->steps[at] = step;
	return true;
}

static void add_range(struct parser *p, uint32_t low, uint32_t high)
{
	struct pattern *pattern = p->pattern;

	if ((pattern->range_count & (pattern->range_count + 1)) == 0) /* 0, 1, 3, 7...: full */
		pattern->ranges =
			mem_realloc(pattern->ranges, (2 * pattern->range_count + 1) * sizeof *pattern->ranges);
	pattern->ranges[pattern->range_count++] = (struct range){low, high};
}

/* Turns the ranges from first on into what they leave out. */
static void invert_ranges(struct parser *p, size_t first)
{
	struct pattern *pattern = p->pattern;
	size_t count = pattern->range_count - first;
	struct range *old = mem_alloc((count + 1) * sizeof *old);
	uint32_t low = 0;

	for (size_t i = 0; i < count; i++)
		old[i] = pattern->ranges[first + i];
	pattern->range_count = first;
	for (;;) { /* the lowest range that ends at low or behind it; there are few */
		const struct range *next = NULL;
		for (size_t i = 0; i < count; i++)
			if (old[i].high >= low && (!next || old[i].low < next->low))
				next = &old[i];
		if (!next)
			break;
		if (next->low > low)
			add_range(p, low, next->low - 1);
		low = next->high + 1;
	}
	if (low <= LAST_CODE_POINT)
		add_range(p, low, LAST_CODE_POINT);
	free(old);
}

/* ---- characters and classes ---- */

/* ECMA-262: WhiteSpace and LineTerminator. */
static const struct range spaces[] = {
	{'\t', '\r'},     {' ', ' '},       {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
	{0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff},
};
static const struct range digits[] = {{'0', '9'}};
static const struct range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct range line_ends[] = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};

static const struct {
	char name; /* its capital is the opposite */
	const struct range *ranges;
	size_t count;
} classes[] = {
	{'d', digits, sizeof digits / sizeof digits[0]},
	{'w', words, sizeof words / sizeof words[0]},
	{'s', spaces, sizeof spaces / sizeof spaces[0]},
};

/* Adds the ranges of the class escape \name; false when it is none. */
static bool add_class(struct parser *p, int name)
{
	size_t first = p->pattern->range_count;

	for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
		if ((name | 0x20) != classes[i].name)
			continue;
		for (size_t k = 0; k < classes[i].count; k++)
			add_range(p, classes[i].ranges[k].low, classes[i].ranges[k].high);
		if (name != classes[i].name)
			invert_ranges(p, first);
		return true;
	}
	return false;
}

static int hex_of(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* min to max hexadecimal digits. */
static bool read_hex(struct parser *p, unsigned min, unsigned max, uint32_t *out)
{
	unsigned count = 0;

	for (*out = 0; count < max && hex_of(peek(p)) >= 0; count++, skip(p, 1))
		*out = *out * 16 + (uint32_t)hex_of(peek(p));
	return (count >= min && *out <= LAST_CODE_POINT) || refuse(p, "has an escape without its digits");
}

/* After \u. A pair of surrogates is one character. */
static bool read_unicode(struct parser *p, uint32_t *out)
{
	uint32_t low;

	if (take(p, '{'))
		return read_hex(p, 1, 6, out) && (take(p, '}') || refuse(p, "has an escape without its end"));
	if (!read_hex(p, 4, 4, out))
		return false;
	if (*out < 0xd800 || *out > 0xdbff || !str_starts_with(p->rest, STR("\\u")))
		return true;
	struct str behind_high = p->rest;
	skip(p, 2);
	if (!read_hex(p, 4, 4, &low))
		return false;
	if (low >= 0xdc00 && low <= 0xdfff)
		*out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
	else
		p->rest = behind_high;
	return true;
}

/* After \: an escape that stands for one character. */
static bool read_escape(struct parser *p, bool in_class, uint32_t *out)
{
	static const char names[] = "tnvfr";
	static const char meant[] = "\t\n\v\f\r";
	int c = peek(p);

	if (c < 0)
		return refuse(p, "ends with a backslash");
	skip(p, 1);
	const char *name = memchr(names, c, sizeof names - 1);
	*out = (uint32_t)c;
	if (name)
		*out = (uint32_t)meant[name - names];
	else if (c == 'x')
		return read_hex(p, 2, 2, out);
	else if (c == 'u')
		return read_unicode(p, out);
	else if (c == 'b' && in_class)
		*out = '\b';
	else if (c == '0' && hex_of(peek(p)) < 0)
		*out = 0;
	else if (c >= '1' && c <= '9')
		return refuse(p, "has a back reference, which is not supported");
	else if (c == 'p' || c == 'P')
		return refuse(p, "has \\p, which is not supported");
	else if (!strchr("^$\\.*+?()[]{}|/", c) && !(in_class && c == '-'))
		return refuse(p, "has an escape that means nothing");
	return true;
}

/* One character of a class, or a class escape of which *is_class tells. */
static bool read_class_atom(struct parser *p, uint32_t *out, bool *is_class)
{
	*is_class = false;
	if (!p->rest.len)
		return refuse(p, "has a class without its end");
	if (take(p, '\\')) {
		*is_class = p->rest.len && add_class(p, peek(p));
		if (*is_class)
			skip(p, 1);
		return *is_class || read_escape(p, true, out);
	}
	skip(p, code_point_decode(p->rest, out));
	return true;
}

/* A step that takes what the ranges from first on hold. */
static bool emit_set(struct parser *p, size_t first)
{
	return emit(p, STEP_SET, (int32_t)first, (int32_t)(p->pattern->range_count - first));
}

static bool read_class(struct parser *p)
{
	size_t first = p->pattern->range_count;
	bool is_inverted = take(p, '^');
	bool is_class, is_class_too;
	uint32_t low, high;

	while (!take(p, ']')) {
		if (!read_class_atom(p, &low, &is_class))
			return false;
		bool is_range = peek(p) == '-' && p->rest.len > 1 && p->rest.ptr[1] != ']';
		high = low;
		if (is_range) {
			skip(p, 1);
			if (!read_class_atom(p, &high, &is_class_too))
				return false;
			if (is_class || is_class_too || high < low)
				return refuse(p, "has a range whose ends do not fit");
		}
		if (!is_class)
			add_range(p, low, high);
	}
	if (is_inverted)
		invert_ranges(p, first);
	return emit_set(p, first);
}

/* ---- atoms, quantifiers, alternatives ---- */

static bool read_alternatives(struct parser *p);

static bool read_group(struct parser *p)
{
	if (take(p, '?') && !take(p, ':'))
		return refuse(p, "has a group of a kind that is not supported");
	if (++p->depth > MAX_GROUPS)
		return refuse(p, "has too many groups within groups");
	if (!read_alternatives(p))
		return false;
	p->depth--;
	return take(p, ')') || refuse(p, "has a group without its end");
}

static bool read_escaped_atom(struct parser *p, bool *repeats)
{
	size_t first = p->pattern->range_count;
	uint32_t c;

	if (peek(p) == 'b' || peek(p) == 'B') {
		*repeats = false;
		enum step_kind kind = take(p, 'b') ? STEP_WORD_EDGE : STEP_NO_WORD_EDGE;
		if (kind == STEP_NO_WORD_EDGE)
			skip(p, 1);
		return emit(p, kind, 0, 0);
	}
	if (p->rest.len && add_class(p, peek(p))) {
		skip(p, 1);
		return emit_set(p, first);
	}
	return read_escape(p, false, &c) && emit(p, STEP_CHAR, (int32_t)c, 0);
}

static bool emit_any(struct parser *p)
{
	size_t first = p->pattern->range_count;

	for (size_t i = 0; i < sizeof line_ends / sizeof line_ends[0]; i++)
		add_range(p, line_ends[i].low, line_ends[i].high);
	invert_ranges(p, first);
	return emit_set(p, first);
}

/* *repeats: whether a quantifier may follow. */
static bool read_atom(struct parser *p, bool *repeats)
{
	uint32_t c;
	size_t len = code_point_decode(p->rest, &c);

	*repeats = c != '^' && c != '$';
	skip(p, len);
	switch (c) {
	case '^': return emit(p, STEP_START, 0, 0);
	case '$': return emit(p, STEP_END, 0, 0);
	case '.': return emit_any(p);
	case '(': return read_group(p);
	case '[': return read_class(p);
	case '\\': return read_escaped_atom(p, repeats);
	case '*':
	case '+':
	case '?': return refuse(p, "has nothing to repeat");
	case ']':
	case '{':
	case '}': return refuse(p, "has a bracket that needs a backslash");
	default: return emit(p, STEP_CHAR, (int32_t)c, 0);
	}
}

static bool read_number(struct parser *p, int *out)
{
	if (peek(p) < '0' || peek(p) > '9')
		return refuse(p, "has a quantifier without its number");
	for (*out = 0; peek(p) >= '0' && peek(p) <= '9'; skip(p, 1))
		if ((*out = *out * 10 + peek(p) - '0') > MAX_REPEAT)
			return refuse(p, "repeats too often");
	return true;
}

/* A quantifier, if one stands here: else once. */
static bool read_quantifier(struct parser *p, int *min, int *max)
{
	*min = 1;
	*max = 1;
	if (take(p, '*')) {
		*min = 0;
		*max = NO_LIMIT;
	} else if (take(p, '+')) {
		*max = NO_LIMIT;
	} else if (take(p, '?')) {
		*min = 0;
	} else if (take(p, '{')) {
		if (!read_number(p, min))
			return false;
		*max = *min;
		if (take(p, ',')) {
			*max = NO_LIMIT;
			if (peek(p) != '}' && !read_number(p, max))
				return false;
		}
		if (!take(p, '}'))
			return refuse(p, "has a quantifier without its end");
		if (*max != NO_LIMIT && *max < *min)
			return refuse(p, "has a quantifier whose ends do not fit");
	} else {
		return true;
	}
	take(p, '?'); /* lazy: the same, since only whether it matches is asked */
	return true;
}

static bool emit_copy(struct parser *p, const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!emit(p, steps[i].kind, steps[i].a, steps[i].b))
			return false;
	return true;
}

/* Repeats the steps from start on. */
static bool repeat(struct parser *p, size_t start, int min, int max)
{
	size_t count = p->pattern->step_count - start;
	int32_t len = (int32_t)count;
	bool ok = true;

	if (min == 0 && max == NO_LIMIT)
		return insert(p, start, (struct step){STEP_SPLIT, 1, len + 2}) && emit(p, STEP_JUMP, -len - 1, 0);
	struct step *atom = mem_alloc((count + 1) * sizeof *atom);
	memcpy(atom, &p->pattern->steps[start], count * sizeof *atom);
	p->pattern->step_count = start;
	for (int i = 0; ok && i < min; i++)
		ok = emit_copy(p, atom, count);
	if (ok && max == NO_LIMIT)
		ok = emit(p, STEP_SPLIT, -len, 1);
	for (int i = min; ok && i < max; i++)
		ok = emit(p, STEP_SPLIT, 1, (max - i) * (len + 1)) && emit_copy(p, atom, count);
	free(atom);
	return ok;
}

static bool read_sequence(struct parser *p)
{
	bool repeats;
	int min, max;

	while (p->rest.len && peek(p) != '|' && peek(p) != ')') {
		size_t start = p->pattern->step_count;
		if (!read_atom(p, &repeats) || !read_quantifier(p, &min, &max))
			return false;
		if (min == 1 && max == 1)
			continue;
		if (!repeats)
			return refuse(p, "has nothing to repeat");
		if (!repeat(p, start, min, max))
			return false;
	}
	return true;
}

static bool read_alternatives(struct parser *p)
{
	struct pattern *pattern = p->pattern;
	int32_t back = 0; /* the jumps to the end are chained until it is known: how far back the one before is */
	size_t last = 0;

	for (;;) {
		size_t start = pattern->step_count;
		if (!read_sequence(p))
			return false;
		if (!take(p, '|'))
			break;
		int32_t len = (int32_t)(pattern->step_count - start);
		if (!insert(p, start, (struct step){STEP_SPLIT, 1, len + 2}))
			return false;
		back = last ? (int32_t)(pattern->step_count - last) : 0;
		last = pattern->step_count;
		if (!emit(p, STEP_JUMP, back, 0))
			return false;
	}
	for (size_t at = last; at; at -= (size_t)back) {
		back = pattern->steps[at].a;
		pattern->steps[at].a = (int32_t)(pattern->step_count - at);
		if (!back)
			break;
	}
	return true;
}

int pattern_new(struct pattern **out, struct str text, const char **problem)
{
	struct parser p = {.rest = text, .pattern = mem_alloc(sizeof *p.pattern)};

	p.pattern->steps = mem_alloc(PATTERN_MAX_STEPS * sizeof *p.pattern->steps);
	if (text.len > PATTERN_MAX_TEXT)
		refuse(&p, "is too long");
	else if (read_alternatives(&p) && p.rest.len)
		refuse(&p, "has a \")\" without its \"(\"");
	else if (!p.problem)
		emit(&p, STEP_MATCH, 0, 0);
	*out = p.pattern;
	*problem = p.problem;
	if (!p.problem)
		return 0;
	pattern_free(p.pattern);
	*out = NULL;
	return -EINVAL;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	free(pattern->steps);
	free(pattern->ranges);
	free(pattern);
}
