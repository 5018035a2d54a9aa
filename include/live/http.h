/*
 * http - the program's own HTTP routes: what came, and the answer to it.
 *
 * A handler runs on the shard of the request's connection and must not block. It answers at once, or keeps the request
 * and answers later, from any thread: the request holds copies of everything, so it stays valid until it is answered,
 * also when its client has gone meanwhile (the answer then goes nowhere). Header, body and time limits are the server's
 * (settings http_*).
 *
 * What one may get wrong: a request that is never answered keeps its connection waiting; one that is answered twice is
 * a use after free; one that is answered after live_server_free, too.
 *
 * Threads: [any], but for handlers, which are called [shard].
 */
#ifndef LIVE_HTTP_H
#define LIVE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include <live/visibility.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct live_request live_request;

/* Answers request, now or later; argument is the route's. */
typedef void live_request_fn(live_request *request, void *argument);

/* A route. Copied, its strings too, wherever one is given. */
typedef struct live_route {
	const char *method; /* "GET" (answers HEAD too), "POST", "PUT", "DELETE", ... */
	/* Absolute; a segment ":name" matches one that is not empty. The first route added that matches wins; routes
	 * come before files. */
	const char *path;
	live_request_fn *handler;
	void *argument;
	size_t max_body_bytes; /* 0: the setting http_body_bytes */
	bool is_management;    /* served where management is, when that has a door of its own */
	const char *summary;   /* what it is for, in words, for who lists routes; may be NULL */
} live_route;

/* ---- what came: all are loans until the answer; NULL when there is no such thing ---- */

LIVE_API const char *live_request_method(const live_request *request);
/* The path as sent, without the query. */
LIVE_API const char *live_request_path(const live_request *request);
/* What matched ":name" of the route's path, decoded. */
LIVE_API const char *live_request_param(const live_request *request, const char *name);
/* The first value of name in the query, decoded. */
LIVE_API const char *live_request_query(const live_request *request, const char *name);
/* Everything behind the first '?', as sent; "" when there is nothing. */
LIVE_API const char *live_request_query_text(const live_request *request);
/* The value of a header, by name in any case; of several the first. */
LIVE_API const char *live_request_header(const live_request *request, const char *name);
/* Header number index (from 0), name and value; false when there are not so many. */
LIVE_API bool live_request_header_at(const live_request *request, size_t index, const char **name, const char **value);
/* The body, NUL-terminated (it may hold NULs before that); *len (may be NULL) gets its bytes. Never NULL. */
LIVE_API const char *live_request_body(const live_request *request, size_t *len);
/* The client's address, behind proxies that the server trusts. */
LIVE_API const char *live_request_peer(const live_request *request);
/* Whether the client's way is encrypted. */
LIVE_API bool live_request_is_secure(const live_request *request);

/* ---- the answer: exactly one live_request_reply, which gives request away ---- */

/* A header of the answer to come; left out when it holds a line end. Content-Length, Date and Connection are added. */
LIVE_API void live_request_add_header(live_request *request, const char *name, const char *value);
/* Answers; body (len bytes, copied; may be NULL when len is 0). content_type NULL: none. status 200 to 599. */
LIVE_API void live_request_reply(live_request *request, unsigned status, const char *content_type, const void *body,
				 size_t len);
/* The same with NUL-terminated JSON. */
LIVE_API void live_request_reply_json(live_request *request, unsigned status, const char *json);

#ifdef __cplusplus
}
#endif

#endif
