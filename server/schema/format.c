#include "server/schema/format.h"

#include <arpa/inet.h>
#include <ctype.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* Takes count digits from the front of text, as a number; -1 when they are not there. */
static int take_number(struct str *text, unsigned count)
{
	int number = 0;

	if (text->len < count)
		return -1;
	for (unsigned i = 0; i < count; i++) {
		if (!is_digit(text->ptr[i]))
			return -1;
		number = number * 10 + text->ptr[i] - '0';
	}
	text->ptr += count;
	text->len -= count;
	return number;
}

static bool take(struct str *text, char c)
{
	if (!text->len || *text->ptr != c)
		return false;
	text->ptr++;
	text->len--;
	return true;
}

static int days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct str *text)
{
	int year = take_number(text, 4);
	int month = take(text, '-') ? take_number(text, 2) : -1;
	int day = take(text, '-') ? take_number(text, 2) : -1;

	return year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= days_in(year, month);
}

static bool take_offset(struct str *text, int *minutes)
{
	*minutes = 0;
	if (take(text, 'Z') || take(text, 'z'))
		return true;
	int sign = take(text, '+') ? -1 : take(text, '-') ? 1 : 0;
	int hour = sign ? take_number(text, 2) : -1;
	int minute = take(text, ':') ? take_number(text, 2) : -1;
	*minutes = sign * (hour * 60 + minute);
	return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59;
}

static bool is_time(struct str text)
{
	int hour = take_number(&text, 2);
	int minute = take(&text, ':') ? take_number(&text, 2) : -1;
	int second = take(&text, ':') ? take_number(&text, 2) : -1;
	int offset;

	if (take(&text, '.')) {
		if (take_number(&text, 1) < 0)
			return false;
		while (take_number(&text, 1) >= 0)
			;
	}
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 ||
	    !take_offset(&text, &offset) || text.len)
		return false;
	int utc = (hour * 60 + minute + offset + 2 * 24 * 60) % (24 * 60);
	return second < 60 || utc == 24 * 60 - 1;
}

static bool is_date(struct str text)
{
	return take_date(&text) && !text.len;
}

static bool is_date_time(struct str text)
{
	return take_date(&text) && (take(&text, 'T') || take(&text, 't')) && is_time(text);
}

static bool is_hostname(struct str text)
{
	size_t label = 0; /* bytes of the label so far */

	if (text.len < 1 || text.len > 253)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool at_edge = label == 0 || i + 1 == text.len || text.ptr[i + 1] == '.';
		if (c == '.' && label == 0)
			return false;
		if (c != '.' && !is_alnum(c) && (c != '-' || at_edge))
			return false;
		label = c == '.' ? 0 : label + 1;
		if (label > 63)
			return false;
	}
	return label > 0;
}

static bool is_email(struct str text)
{
	const char *at = memchr(text.ptr, '@', text.len);
	size_t local = at ? (size_t)(at - text.ptr) : 0;

	if (local < 1 || local > 64 || text.ptr[0] == '.' || at[-1] == '.')
		return false;
	for (size_t i = 0; i < local; i++) {
		char c = text.ptr[i];
		if (!is_alnum(c) && (!c || !strchr(".!#$%&'*+/=?^_`{|}~-", c)))
			return false;
		if (c == '.' && text.ptr[i + 1] == '.')
			return false;
	}
	return is_hostname((struct str){at + 1, text.len - local - 1});
}

static bool is_address(int family, struct str text)
{
	unsigned char address[16];

	return strlen(text.ptr) == text.len && inet_pton(family, text.ptr, address) == 1;
}

static bool is_ipv4(struct str text)
{
	return is_address(AF_INET, text);
}

static bool is_ipv6(struct str text)
{
	return is_address(AF_INET6, text);
}

static bool is_uri(struct str text)
{
	size_t scheme = 0;

	while (scheme < text.len && (is_alnum(text.ptr[scheme]) || strchr("+-.", text.ptr[scheme])) && text.ptr[scheme])
		scheme++;
	if (scheme == 0 || is_digit(text.ptr[0]) || !is_alnum(text.ptr[0]) || scheme + 1 >= text.len ||
	    text.ptr[scheme] != ':')
		return false;
	for (size_t i = scheme + 1; i < text.len; i++) {
		char c = text.ptr[i];
		if (c == '%' ? i + 2 >= text.len || !isxdigit((unsigned char)text.ptr[i + 1]) ||
				       !isxdigit((unsigned char)text.ptr[i + 2])
			     : !is_alnum(c) && (!c || !strchr("-._~:/?#[]@!$&'()*+,;=", c)))
			return false;
	}
	return true;
}

static bool is_uuid(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (is_dash ? text.ptr[i] != '-' : !isxdigit((unsigned char)text.ptr[i]))
			return false;
	}
	return text.len == 36;
}

static const struct {
	const char *name;
	format_fn *check;
} formats[] = {
	{"date-time", is_date_time}, {"date", is_date},         {"time", is_time},
	{"email", is_email},         {"hostname", is_hostname}, {"ipv4", is_ipv4},
	{"ipv6", is_ipv6},           {"uri", is_uri},           {"uuid", is_uuid},
};

format_fn *format_find(struct str name)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
		if (str_equal(name, str_of(formats[i].name)))
			return formats[i].check;
	return NULL;
}
