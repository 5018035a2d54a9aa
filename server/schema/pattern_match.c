/*
 * Patterns matched: all ways at once, character by character (Thompson, "Regular Expression Search Algorithm", 1968),
 * so no text can make it try them one after the other.
 */
#include <errno.h>

#include "server/schema/code_point.h"
#include "server/schema/pattern_private.h"

enum { NO_CHAR = 0x110000 }; /* before the text, and behind it */

struct places {
	uint16_t at[PATTERN_MAX_STEPS];
	size_t count;
};

struct machine {
	const struct pattern *pattern;
	struct places lists[2];
	struct places *now, *next;
	uint32_t seen[PATTERN_MAX_STEPS]; /* the round in which a step was last entered */
	uint32_t round;
	uint32_t before, here; /* the characters around the place where the machine stands */
	unsigned effort;       /* left */
	bool matched, tired;
};

static bool is_word(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool holds(const struct machine *m, enum step_kind kind)
{
	switch (kind) {
	case STEP_START: return m->before == NO_CHAR;
	case STEP_END: return m->here == NO_CHAR;
	case STEP_WORD_EDGE: return is_word(m->before) != is_word(m->here);
	default: return is_word(m->before) == is_word(m->here);
	}
}

static void spend(struct machine *m)
{
	if (m->effort)
		m->effort--;
	else
		m->tired = true;
}

static void push(struct machine *m, uint16_t *stack, size_t *depth, size_t at)
{
	if (m->seen[at] == m->round)
		return;
	m->seen[at] = m->round;
	stack[(*depth)++] = (uint16_t)at;
}

/* Goes on at step at: to all steps from there that take a character. */
static void enter(struct machine *m, struct places *list, size_t at)
{
	uint16_t stack[PATTERN_MAX_STEPS]; /* each step is pushed at most once in a round */
	size_t depth = 0;

	push(m, stack, &depth, at);
	while (depth && !m->matched && !m->tired) {
		at = stack[--depth];
		const struct step *step = &m->pattern->steps[at];
		spend(m);
		switch (step->kind) {
		case STEP_CHAR:
		case STEP_SET: list->at[list->count++] = (uint16_t)at; break;
		case STEP_MATCH: m->matched = true; break;
		case STEP_SPLIT: push(m, stack, &depth, at + (size_t)(ptrdiff_t)step->b); /* fall through */
		case STEP_JUMP: push(m, stack, &depth, at + (size_t)(ptrdiff_t)step->a); break;
		default:
			if (holds(m, step->kind))
				push(m, stack, &depth, at + 1);
		}
	}
}

static bool takes(const struct pattern *pattern, const struct step *step, uint32_t c)
{
	if (step->kind == STEP_CHAR)
		return (uint32_t)step->a == c;
	for (int32_t i = step->a; i < step->a + step->b; i++)
		if (c >= pattern->ranges[i].low && c <= pattern->ranges[i].high)
			return true;
	return false;
}

/* Over one character: here becomes before, and after is what follows. */
static void advance(struct machine *m, uint32_t after)
{
	struct places *old = m->now;
	uint32_t c = m->here;

	m->now = m->next;
	m->next = old;
	m->now->count = 0;
	m->before = c;
	m->here = after;
	m->round++;
	for (size_t i = 0; i < old->count && !m->matched && !m->tired; i++) {
		spend(m);
		if (takes(m->pattern, &m->pattern->steps[old->at[i]], c))
			enter(m, m->now, old->at[i] + 1u);
	}
}

static uint32_t next_char(struct str *rest)
{
	uint32_t c = NO_CHAR;

	if (rest->len) {
		size_t len = code_point_decode(*rest, &c);
		rest->ptr += len;
		rest->len -= len;
	}
	return c;
}

int pattern_match(const struct pattern *pattern, struct str text, unsigned *effort)
{
	struct machine m;
	bool only_at_start = pattern->steps[0].kind == STEP_START;

	m.pattern = pattern;
	m.now = &m.lists[0];
	m.next = &m.lists[1];
	m.now->count = 0;
	memset(m.seen, 0, pattern->step_count * sizeof m.seen[0]);
	m.round = 1;
	m.before = NO_CHAR;
	m.here = next_char(&text);
	m.effort = *effort;
	m.matched = m.tired = false;
	enter(&m, m.now, 0);
	while (!m.matched && !m.tired && m.here != NO_CHAR && (m.now->count || !only_at_start)) {
		advance(&m, next_char(&text));
		if (!only_at_start)
			enter(&m, m.now, 0);
	}
	*effort = m.effort;
	if (m.tired)
		return -E2BIG;
	return m.matched;
}
