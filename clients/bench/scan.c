#include "clients/bench/scan.h"

#include <errno.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static const char *space_skip(const char *at, const char *end)
{
	while (at < end && is_space(*at))
		at++;
	return at;
}

/* Whether the quote at `quote` is escaped, that is, has an odd number of backslashes before it. */
static bool quote_is_escaped(const char *start, const char *quote)
{
	const char *back = quote;

	while (back > start && back[-1] == '\\')
		back--;
	return (quote - back) & 1;
}

/*
 * `at` is the first character of a string; returns its closing quote, or NULL. Sixteen bytes at a time where the
 * machine can: keys and ids end within the first, and the filling of an event within a few.
 */
static const char *string_end(const char *at, const char *end)
{
	const char *start = at;

#ifdef __SSE2__
	for (; end - at >= 16; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		int quotes = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
		int escapes = _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));

		if (escapes)
			break;
		if (quotes)
			return at + __builtin_ctz((unsigned)quotes);
	}
#endif
	while (at < end) {
		const char *quote = memchr(at, '"', (size_t)(end - at));

		if (!quote || !quote_is_escaped(start, quote))
			return quote;
		at = quote + 1;
	}
	return NULL;
}

/* `at` is on the opening bracket; returns the place after the one that closes it, or NULL. */
static const char *nested_end(const char *at, const char *end)
{
	unsigned depth = 0;

	for (; at < end; at++) {
		switch (*at) {
		case '{':
		case '[': depth++; break;
		case '}':
		case ']':
			if (--depth == 0)
				return at + 1;
			break;
		case '"':
			at = string_end(at + 1, end);
			if (!at)
				return NULL;
			break;
		default: break;
		}
	}
	return NULL;
}

/* `at` is on the first character of a value; returns the place after it, or NULL. */
static const char *value_end(const char *at, const char *end)
{
	const char *start = at;

	if (at >= end)
		return NULL;
	if (*at == '"') {
		at = string_end(at + 1, end);
		return at ? at + 1 : NULL;
	}
	if (*at == '{' || *at == '[')
		return nested_end(at, end);
	while (at < end && *at != ',' && *at != '}' && *at != ']' && !is_space(*at))
		at++;
	return at == start ? NULL : at;
}

struct member {
	struct scan_text key;
	struct scan_text value;
};

/*
 * Reads the member at `at` (after `{` or `,` and space). Returns the place of the comma or brace behind it, or NULL.
 */
static const char *member_read(const char *at, const char *end, struct member *out)
{
	const char *close;

	if (at >= end || *at != '"')
		return NULL;
	out->key.at = at + 1;
	close = string_end(at + 1, end);
	if (!close)
		return NULL;
	out->key.length = (size_t)(close - out->key.at);
	at = space_skip(close + 1, end);
	if (at >= end || *at != ':')
		return NULL;
	at = space_skip(at + 1, end);
	out->value.at = at;
	at = value_end(at, end);
	if (!at)
		return NULL;
	out->value.length = (size_t)(at - out->value.at);
	at = space_skip(at, end);
	return at < end && (*at == ',' || *at == '}') ? at : NULL;
}

static struct scan_text string_text(struct scan_text value)
{
	if (*value.at != '"')
		return (struct scan_text){0};
	return (struct scan_text){value.at + 1, value.length - 2};
}

static void member_take(struct scan_message *out, const struct member *member)
{
	switch (member->key.length) {
	case 4:
		if (SCAN_IS(member->key, "type"))
			out->type = string_text(member->value);
		else if (SCAN_IS(member->key, "data"))
			out->data = member->value;
		break;
	case 5:
		if (SCAN_IS(member->key, "event"))
			out->event = string_text(member->value);
		else if (SCAN_IS(member->key, "error"))
			out->error = string_text(member->value);
		break;
	case 6:
		if (SCAN_IS(member->key, "roomId"))
			out->room_id = string_text(member->value);
		else if (SCAN_IS(member->key, "result"))
			out->result = member->value;
		break;
	case 7:
		if (SCAN_IS(member->key, "payload"))
			out->payload = member->value;
		else if (SCAN_IS(member->key, "success"))
			out->success = *member->value.at == 't' ? SCAN_TRUE : SCAN_FALSE;
		break;
	case 9:
		if (SCAN_IS(member->key, "requestId"))
			out->request_id = string_text(member->value);
		break;
	case 11:
		if (SCAN_IS(member->key, "componentId"))
			out->component_id = string_text(member->value);
		break;
	default: break;
	}
}

/* `at` is on the opening brace. Returns the place after the closing one, or NULL. */
static const char *object_read(const char *at, const char *end, struct scan_message *out)
{
	struct member member;

	if (at >= end || *at != '{')
		return NULL;
	at = space_skip(at + 1, end);
	if (at < end && *at == '}')
		return at + 1;
	for (;;) {
		at = member_read(at, end, &member);
		if (!at)
			return NULL;
		member_take(out, &member);
		if (*at == '}')
			return at + 1;
		at = space_skip(at + 1, end);
	}
}

void scan_begin(struct scan *scan, const char *text, size_t length)
{
	const char *end = text + length;
	const char *at = space_skip(text, end);

	*scan = (struct scan){.at = at, .end = end, .in_array = at < end && *at == '['};
	if (scan->in_array) {
		scan->at = space_skip(at + 1, end);
		if (scan->at < end && *scan->at == ']') {
			scan->at++;
			scan->finished = true;
		}
	}
}

/* Steps over what follows an element. False when that is neither a separator nor the end. */
static bool element_finish(struct scan *scan)
{
	scan->at = space_skip(scan->at, scan->end);
	if (!scan->in_array) {
		scan->finished = true;
		return scan->at == scan->end;
	}
	if (scan->at >= scan->end)
		return false;
	scan->finished = *scan->at == ']';
	if (!scan->finished && *scan->at != ',')
		return false;
	scan->at = space_skip(scan->at + 1, scan->end);
	return !scan->finished || scan->at == scan->end;
}

int scan_next(struct scan *scan, struct scan_message *out)
{
	if (scan->finished)
		return 0;
	*out = (struct scan_message){0};
	scan->at = object_read(scan->at, scan->end, out);
	if (!scan->at || !element_finish(scan))
		return -EPROTO;
	return 1;
}

bool scan_field(struct scan_text object, const char *name, struct scan_text *out)
{
	const char *end = object.at + object.length;
	size_t length = strlen(name);
	struct member member;
	const char *at;

	if (!object.at || !object.length || *object.at != '{')
		return false;
	for (at = object.at; at && *at != '}';) {
		at = member_read(space_skip(at + 1, end), end, &member);
		if (at && scan_equals(member.key, name, length)) {
			*out = member.value;
			return true;
		}
	}
	return false;
}

bool scan_string_field(struct scan_text object, const char *name, struct scan_text *out)
{
	if (!scan_field(object, name, out))
		return false;
	*out = string_text(*out);
	return out->at != NULL;
}

bool scan_unsigned(struct scan_text text, uint64_t *out)
{
	uint64_t value = 0;

	if (!text.at || !text.length || text.length > 19)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		unsigned digit = (unsigned)(unsigned char)text.at[i] - '0';

		if (digit > 9)
			return false;
		value = value * 10 + digit;
	}
	*out = value;
	return true;
}

int scan_event_data(struct scan_text data, struct scan_event *out)
{
	const char *end = data.at + data.length;
	unsigned found = 0;
	const char *at;

	if (!data.at || !data.length || *data.at != '{')
		return -EPROTO;
	for (at = data.at; *at != '}' && found != 7;) {
		struct member member;
		uint64_t value;

		at = member_read(space_skip(at + 1, end), end, &member);
		if (!at)
			return -EPROTO;
		if (member.key.length != 1 || !scan_unsigned(member.value, &value))
			continue;
		switch (*member.key.at) {
		case 's': out->sender = (uint32_t)value, found |= 1; break;
		case 'n': out->number = (uint32_t)value, found |= 2; break;
		case 't': out->intended_ns = value, found |= 4; break;
		default: break;
		}
	}
	return found == 7 ? 0 : -EPROTO;
}

/* Steps over `literal` at `*at`. */
static bool literal_take(const char **at, const char *end, const char *literal, size_t length)
{
	if ((size_t)(end - *at) < length || memcmp(*at, literal, length) != 0)
		return false;
	*at += length;
	return true;
}

#define LITERAL_TAKE(at, end, literal) literal_take((at), (end), (literal), sizeof(literal) - 1)

/* Steps over a number of 1 to 19 digits. */
static bool digits_take(const char **at, const char *end, uint64_t *out)
{
	const char *start = *at;
	const char *stop = end - start < 19 ? end : start + 19;
	const char *digit = start;
	uint64_t value = 0;

	for (; digit < stop && *digit >= '0' && *digit <= '9'; digit++)
		value = value * 10 + (uint64_t)(*digit - '0');
	*at = digit;
	*out = value;
	return digit != start;
}

int scan_event_again(struct scan *scan, struct scan_text start, struct scan_event *out)
{
	const char *end = scan->end;
	const char *at = scan->at;
	uint64_t sender, number, intended_ns, timestamp;

	if (!start.at || scan->finished || !literal_take(&at, end, start.at, start.length))
		return 0;
	if (!LITERAL_TAKE(&at, end, "{\"s\":") || !digits_take(&at, end, &sender) ||
	    !LITERAL_TAKE(&at, end, ",\"n\":") || !digits_take(&at, end, &number) ||
	    !LITERAL_TAKE(&at, end, ",\"t\":") || !digits_take(&at, end, &intended_ns) ||
	    !LITERAL_TAKE(&at, end, ",\"p\":\""))
		return 0;
	at = string_end(at, end);
	if (!at || !LITERAL_TAKE(&at, end, "\"},\"timestamp\":") || !digits_take(&at, end, &timestamp) ||
	    !LITERAL_TAKE(&at, end, "}"))
		return 0;
	*out = (struct scan_event){(uint32_t)sender, (uint32_t)number, intended_ns};
	scan->at = at;
	return element_finish(scan) ? 1 : -EPROTO;
}
