#include "redis/target.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Copies text with its %XX undone. */
static int copy_decoded(char *to, size_t size, struct str text)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '%') {
			int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
			int low = high < 0 ? -1 : hex_digit(text.ptr[i + 2]);
			if (low < 0)
				return -EINVAL;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (len + 1 >= size)
			return -EINVAL;
		to[len++] = c;
	}
	to[len] = 0;
	return 0;
}

static int parse_number(struct str text, unsigned max, unsigned *out)
{
	unsigned long value = 0;

	if (text.len == 0 || text.len > 9)
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return -EINVAL;
		value = value * 10 + (unsigned long)(text.ptr[i] - '0');
	}
	if (value > max)
		return -EINVAL;
	*out = (unsigned)value;
	return 0;
}

/* Cuts text at the first c: what is before it goes to *head, what is after it stays in *rest. */
static bool cut(struct str *rest, char c, struct str *head)
{
	const char *at = rest->len ? memchr(rest->ptr, c, rest->len) : NULL;

	if (!at) {
		*head = *rest;
		*rest = (struct str){rest->ptr + rest->len, 0};
		return false;
	}
	*head = (struct str){rest->ptr, (size_t)(at - rest->ptr)};
	*rest = (struct str){at + 1, rest->len - head->len - 1};
	return true;
}

/* user:password@ in front of *rest, if it is there. The last @ counts: a password may hold one. */
static int take_user(struct redis_target *target, struct str *rest)
{
	const char *at = rest->len ? memrchr(rest->ptr, '@', rest->len) : NULL;

	if (!at)
		return 0;
	struct str password = {rest->ptr, (size_t)(at - rest->ptr)};
	struct str user;
	*rest = (struct str){at + 1, rest->len - password.len - 1};
	cut(&password, ':', &user);
	int rc = copy_decoded(target->user, sizeof target->user, user);
	return rc < 0 ? rc : copy_decoded(target->password, sizeof target->password, password);
}

/* host, host:port, [v6] or [v6]:port. */
static int parse_place(struct redis_place *place, struct str text, unsigned default_port)
{
	struct str host;
	bool has_port = false;

	place->port = default_port;
	if (text.len && text.ptr[0] == '[') {
		text = (struct str){text.ptr + 1, text.len - 1};
		if (!cut(&text, ']', &host) || (text.len && text.ptr[0] != ':'))
			return -EINVAL;
		if (text.len) {
			text = (struct str){text.ptr + 1, text.len - 1};
			has_port = true;
		}
	} else {
		has_port = cut(&text, ':', &host);
	}
	if (host.len == 0 || host.len > REDIS_HOST_MAX)
		return -EINVAL;
	memcpy(place->host, host.ptr, host.len);
	place->host[host.len] = 0;
	if (has_port && (parse_number(text, 65535, &place->port) < 0 || place->port == 0))
		return -EINVAL;
	return 0;
}

static int parse_tcp(struct redis_target *target, struct str rest)
{
	struct str where;
	int rc = take_user(target, &rest);

	if (rc < 0)
		return rc;
	cut(&rest, '/', &where);
	target->place_count = 1;
	rc = parse_place(&target->places[0], where, REDIS_PORT);
	return rc < 0 || rest.len == 0 ? rc : parse_number(rest, 1 << 20, &target->database);
}

static int parse_unix(struct redis_target *target, struct str rest)
{
	struct str path;
	int rc = take_user(target, &rest);

	if (rc < 0)
		return rc;
	cut(&rest, '?', &path);
	if (path.len < 2 || path.ptr[0] != '/' || path.len > REDIS_HOST_MAX)
		return -EINVAL;
	target->place_count = 1;
	memcpy(target->places[0].host, path.ptr, path.len);
	if (rest.len == 0)
		return 0;
	if (!str_starts_with(rest, STR("db=")))
		return -EINVAL;
	return parse_number((struct str){rest.ptr + 3, rest.len - 3}, 1 << 20, &target->database);
}

static int parse_sentinel(struct redis_target *target, struct str rest)
{
	struct str where, one;
	int rc = take_user(target, &rest);

	if (rc < 0)
		return rc;
	cut(&rest, '/', &where);
	while (where.len) {
		cut(&where, ',', &one);
		if (target->place_count == REDIS_SENTINELS_MAX)
			return -EINVAL;
		rc = parse_place(&target->places[target->place_count++], one, REDIS_SENTINEL_PORT);
		if (rc < 0)
			return rc;
	}
	cut(&rest, '/', &one);
	if (one.len == 0 || target->place_count == 0)
		return -EINVAL;
	rc = copy_decoded(target->master, sizeof target->master, one);
	return rc < 0 || rest.len == 0 ? rc : parse_number(rest, 1 << 20, &target->database);
}

int redis_target_parse(struct redis_target *target, const char *url, char error[REDIS_ERROR_SIZE])
{
	static const struct {
		struct str scheme;
		int (*parse)(struct redis_target *target, struct str rest);
	} schemes[] = {
		{{"redis://", 8}, parse_tcp},
		{{"unix://", 7}, parse_unix},
		{{"redis-sentinel://", 17}, parse_sentinel},
	};
	struct str text = str_of(url);

	*target = (struct redis_target){0};
	if (str_starts_with(text, STR("rediss://"))) {
		snprintf(error, REDIS_ERROR_SIZE,
			 "TLS to Redis (rediss://) is not spoken: use redis:// to a tunnel on this machine");
		return -EINVAL;
	}
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		if (!str_starts_with(text, schemes[i].scheme))
			continue;
		struct str rest = {text.ptr + schemes[i].scheme.len, text.len - schemes[i].scheme.len};
		if (schemes[i].parse(target, rest) == 0)
			return 0;
		snprintf(error, REDIS_ERROR_SIZE, "is not of the form %.*s...: see docs/clustering.md",
			 STR_ARG(schemes[i].scheme));
		return -EINVAL;
	}
	snprintf(error, REDIS_ERROR_SIZE, "must begin with redis://, unix:// or redis-sentinel://");
	return -EINVAL;
}

void redis_place_print(const struct redis_place *place, char *to, size_t size)
{
	if (place->port == 0)
		snprintf(to, size, "unix:%s", place->host);
	else
		snprintf(to, size, strchr(place->host, ':') ? "[%s]:%u" : "%s:%u", place->host, place->port);
}
