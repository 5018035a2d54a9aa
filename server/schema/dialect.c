#include "server/schema/dialect.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "core/hex.h"

enum { LAST_CODE_POINT = 0x10ffff };

/* ECMA-262: WhiteSpace and LineTerminator, and all else. In a class they begin and end with an escape of PCRE2's own,
 * so that a range which begins or ends there is refused. */
#define SPACES "\\s\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}\\s"
#define NO_SPACES                                                                                              \
	"\\d\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}" \
	"\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}\\d"
#define NO_LINE_END "[^\\n\\r\\x{2028}\\x{2029}]"

struct translation {
	struct str rest;
	struct buf *out;
	bool in_class;
	bool quantified;     /* what stands before is a quantifier */
	const char *problem; /* NULL while all is well */
};

static int peek(const struct translation *t)
{
	return t->rest.len ? (unsigned char)*t->rest.ptr : -1;
}

static void skip(struct translation *t, size_t count)
{
	t->rest.ptr += count;
	t->rest.len -= count;
}

static bool take(struct translation *t, char c)
{
	if (peek(t) != c)
		return false;
	skip(t, 1);
	return true;
}

/* Takes the next count bytes over as they are. */
static void copy(struct translation *t, size_t count)
{
	buf_append_str(t->out, (struct str){t->rest.ptr, count});
	skip(t, count);
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static size_t count_digits(struct str text)
{
	size_t count = 0;

	while (count < text.len && is_digit(text.ptr[count]))
		count++;
	return count;
}

/* ---- escapes ---- */

/* min to max hexadecimal digits. */
static uint32_t read_hex(struct translation *t, unsigned min, unsigned max)
{
	unsigned count = 0;
	uint32_t point = 0;

	for (; count < max && t->rest.len && hex_digit(*t->rest.ptr) >= 0; count++, skip(t, 1))
		point = point * 16 + (uint32_t)hex_digit(*t->rest.ptr);
	if (count < min || point > LAST_CODE_POINT)
		t->problem = "an escape without its digits";
	return point;
}

/* After \u. A pair of surrogates is one character. */
static uint32_t read_unicode(struct translation *t)
{
	if (take(t, '{')) {
		uint32_t point = read_hex(t, 1, 6);
		if (!take(t, '}'))
			t->problem = "an escape without its end";
		return point;
	}
	uint32_t high = read_hex(t, 4, 4);
	struct str behind_high = t->rest;
	if (high < 0xd800 || high > 0xdbff || !str_starts_with(t->rest, STR("\\u")))
		return high;
	skip(t, 2);
	uint32_t low = read_hex(t, 4, 4);
	if (low >= 0xdc00 && low <= 0xdfff)
		return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	t->rest = behind_high;
	t->problem = NULL; /* what follows is looked at for itself */
	return high;
}

static void write_point(struct translation *t, uint32_t point)
{
	buf_printf(t->out, "\\x{%x}", (unsigned)point);
}

static void write_spaces(struct translation *t, bool opposite)
{
	if (t->in_class)
		buf_append_str(t->out, opposite ? STR(NO_SPACES) : STR(SPACES));
	else
		buf_append_str(t->out, opposite ? STR("[^" SPACES "]") : STR("[" SPACES "]"));
}

/* PCRE2 takes \10 for a character when there are not as many groups. */
static void write_back_reference(struct translation *t)
{
	size_t digits = count_digits(t->rest);

	if (t->in_class) {
		t->problem = "an escape that means nothing";
		return;
	}
	buf_append_str(t->out, STR("\\g{"));
	copy(t, digits);
	buf_append_char(t->out, '}');
}

/* \p{...}, whose names are PCRE2's to know. */
static void translate_property(struct translation *t)
{
	const char *end = memchr(t->rest.ptr, '}', t->rest.len);

	if (!end || t->rest.ptr[1] != '{') {
		t->problem = "an escape without its end";
		return;
	}
	buf_append_char(t->out, '\\');
	copy(t, (size_t)(end - t->rest.ptr) + 1);
}

static void translate_escape(struct translation *t)
{
	int c = peek(t);

	if (c >= '1' && c <= '9') {
		write_back_reference(t);
	} else if (c < 0) {
		t->problem = "a backslash at the end";
	} else if (c == 'p' || c == 'P') {
		translate_property(t);
	} else if ((c && strchr("dDwWbBtnfrck^$\\.*+?()[]{}|/", c)) || (c == '-' && t->in_class)) {
		buf_append_char(t->out, '\\');
		copy(t, 1);
	} else {
		skip(t, 1);
		if (c == 's' || c == 'S')
			write_spaces(t, c == 'S');
		else if (c == 'v')
			write_point(t, '\v');
		else if (c == 'x')
			write_point(t, read_hex(t, 2, 2));
		else if (c == 'u')
			write_point(t, read_unicode(t));
		else if (c == '0' && !is_digit(peek(t)))
			write_point(t, 0);
		else
			t->problem = "an escape that means nothing";
	}
}

/* ---- all else ---- */

static void translate_group(struct translation *t)
{
	static const char *const kinds[] = {"(?:", "(?=", "(?!", "(?<"};
	size_t i = 0;

	if (str_starts_with(t->rest, STR("(*"))) {
		t->problem = "nothing to repeat";
	} else if (!str_starts_with(t->rest, STR("(?"))) {
		copy(t, 1);
	} else {
		while (i < sizeof kinds / sizeof kinds[0] && !str_starts_with(t->rest, str_of(kinds[i])))
			i++;
		if (i == sizeof kinds / sizeof kinds[0])
			t->problem = "a group of a kind that there is not";
		else
			copy(t, 3);
	}
}

/* {2}, {2,} or {2,3}. */
static void translate_braces(struct translation *t)
{
	size_t len = 1 + count_digits((struct str){t->rest.ptr + 1, t->rest.len - 1});

	if (len > 1 && len < t->rest.len && t->rest.ptr[len] == ',') {
		len++;
		len += count_digits((struct str){t->rest.ptr + len, t->rest.len - len});
	}
	if (len == 1 || len >= t->rest.len || t->rest.ptr[len] != '}') {
		t->problem = "a bracket that needs a backslash";
		return;
	}
	copy(t, len + 1);
	t->quantified = true;
}

static void translate_class_start(struct translation *t)
{
	if (str_starts_with(t->rest, STR("[]"))) { /* PCRE2 ignores what repeats its own [] */
		skip(t, 2);
		buf_append_str(t->out, STR("[^\\x{0}-\\x{10ffff}]"));
		return;
	}
	t->in_class = true;
	copy(t, str_starts_with(t->rest, STR("[^")) ? 2 : 1);
	if (peek(t) == ':' || peek(t) == '.' || peek(t) == '=') /* what PCRE2 has between [: and :] */
		buf_append_char(t->out, '\\');
}

static void translate_in_class(struct translation *t)
{
	if (take(t, '\\')) {
		translate_escape(t);
		return;
	}
	if (peek(t) == '[')
		buf_append_char(t->out, '\\');
	t->in_class = peek(t) != ']';
	copy(t, 1);
}

static void translate_one(struct translation *t)
{
	bool was_quantified = t->quantified;
	int c = peek(t);

	t->quantified = false;
	switch (c) {
	case '\\':
		skip(t, 1);
		translate_escape(t);
		break;
	case '[': translate_class_start(t); break;
	case '.':
		skip(t, 1);
		buf_append_str(t->out, STR(NO_LINE_END));
		break;
	case '(': translate_group(t); break;
	case '{': translate_braces(t); break;
	case ']':
	case '}': t->problem = "a bracket that needs a backslash"; break;
	case '*':
	case '+':
		if (was_quantified)
			t->problem = "nothing to repeat";
		/* fall through */
	case '?':
		t->quantified = true;
		/* fall through */
	default: copy(t, 1);
	}
}

/* Up to byte end of the output. Returns where in text it came to. */
static size_t translate(struct translation *t, struct str text, size_t end)
{
	size_t at = 0;

	t->rest = text;
	while (t->rest.len && t->out->len < end && !t->problem) {
		at = text.len - t->rest.len;
		if (t->in_class)
			translate_in_class(t);
		else
			translate_one(t);
	}
	return t->problem || t->out->len > end ? at : text.len - t->rest.len;
}

int dialect_translate(struct buf *out, struct str text, const char **problem, size_t *offset)
{
	struct translation t = {.out = out};

	*offset = translate(&t, text, SIZE_MAX);
	*problem = t.problem;
	return t.problem ? -EINVAL : 0;
}

size_t dialect_origin(struct str text, size_t at)
{
	struct buf out;
	struct translation t = {.out = &out};

	buf_init(&out, SIZE_MAX);
	size_t origin = translate(&t, text, at);
	buf_deinit(&out);
	return origin;
}
