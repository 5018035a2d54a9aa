/*
 * hex - hexadecimal digits, as escapes and hashes in texts have them. Threads: [any].
 */
#ifndef CORE_HEX_H
#define CORE_HEX_H

/* What a digit of either case is worth, or -1 for any other character. */
static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	char lower = (char)(c | 0x20);
	return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

#endif
