/*
 * target - where Redis is and who we are to it, taken apart from a URL.
 *
 *	redis://[user[:password]@]host[:port][/database]
 *	unix://[user[:password]@]/path/to/socket[?db=database]
 *	redis-sentinel://[user[:password]@]host[:port][,host[:port]...]/master[/database]
 *
 * A password alone is written ":password@". User and password may hold %XX. TLS is not spoken: rediss:// is refused
 * with a text that says so. Read-only once parsed. Threads: [start] to build, [any] to read.
 */
#ifndef REDIS_TARGET_H
#define REDIS_TARGET_H

#include <stddef.h>

#include "core/str.h"

enum {
	REDIS_PORT = 6379,
	REDIS_SENTINEL_PORT = 26379,
	REDIS_HOST_MAX = 255, /* bytes of a host name or path */
	REDIS_SENTINELS_MAX = 16,
	REDIS_ERROR_SIZE = 256,
};

struct redis_place { /* a listener: host and port, or a path */
	char host[REDIS_HOST_MAX + 1];
	unsigned port; /* 0: host is the path of a socket */
};

struct redis_target {
	struct redis_place places[REDIS_SENTINELS_MAX]; /* the server, or the sentinels */
	unsigned place_count;
	char master[REDIS_HOST_MAX + 1]; /* what the sentinels call it; empty: there are none */
	char user[128];
	char password[512];
	unsigned database;
};

/* Takes url apart. 0, or -EINVAL with one line in error, which never shows the password. */
int redis_target_parse(struct redis_target *target, const char *url, char error[REDIS_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* place as text, for logs. */
void redis_place_print(const struct redis_place *place, char *to, size_t size);

#endif
