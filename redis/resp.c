#include "redis/resp.h"

enum { NUMBER_MAX = 24 }; /* a sign, a number, a line end */

static void write_number(struct buf *to, char sign, size_t number)
{
	char text[NUMBER_MAX];
	size_t at = sizeof text;

	text[--at] = '\n';
	text[--at] = '\r';
	do {
		text[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	text[--at] = sign;
	buf_append(to, text + at, sizeof text - at);
}

size_t resp_size(const struct str *args, unsigned count)
{
	size_t size = NUMBER_MAX;

	for (unsigned i = 0; i < count; i++)
		size += NUMBER_MAX + args[i].len + 2;
	return size;
}

void resp_write_count(struct buf *to, unsigned count)
{
	write_number(to, '*', count);
}

void resp_write_args(struct buf *to, const struct str *args, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		write_number(to, '$', args[i].len);
		buf_append_str(to, args[i]);
		buf_append_str(to, STR("\r\n"));
	}
}

void resp_write(struct buf *to, const struct str *args, unsigned count)
{
	resp_write_count(to, count);
	resp_write_args(to, args, count);
}
