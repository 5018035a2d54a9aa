/*
 * http - HTTP/1.1 (RFC 9110, 9112) for one server: a table of routes, static files, and the way into WebSocket.
 *
 * A service is built before the shards start and read-only afterwards, shared by all of them; a connection and its one
 * current request belong to a shard. Requests of a connection are handled one after the other, so replies leave in the
 * order of the requests whatever is deferred. Whatever framing is doubtful (both lengths, a bad length, obsolete folds,
 * bare line feeds) is answered with 400 and the connection closes: nothing is smuggled past a proxy.
 *
 * What one may get wrong: a handler that does not reply at once keeps the request (it stays valid until replied), but
 * its client may go away meanwhile: keep a handle and find it again. Threads: tagged.
 */
#ifndef SERVER_HTTP_HTTP_H
#define SERVER_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "core/str.h"
#include "server/net/address.h"
#include "server/net/connection.h"
#include "shard/acceptor.h"
#include "shard/shard.h"

struct http_request;
struct http_service;
struct net_shard;

/* Zero (or NULL) takes the default in brackets. Copied; what it points to must outlive the service. */
struct http_options {
	size_t max_target_bytes; /* [8 KiB] of the request target; above: 414 */
	size_t max_header_bytes; /* [32 KiB] of all header fields together, trailers too; above: 431 */
	unsigned max_headers;    /* [100] header fields; above: 431 */
	size_t max_body_bytes;   /* [1 MiB]; above: 413. A route may have its own */
	unsigned header_ms;      /* [10000] from the first byte of a request to the end of its header; then 408 */
	unsigned body_ms;        /* [30000] from the end of the header to the end of the body; then 408 */
	unsigned idle_ms;        /* [60000] between requests (and before the first); then the connection closes */
	unsigned max_requests;   /* [10000] per connection; the last is answered with Connection: close */
	struct str api_prefix;   /* ["/api/"] below it errors are JSON: {"error":"..."} */
	const struct address_set *proxies;           /* [none] whose X-Forwarded-For is believed */
	const struct connection_options *connection; /* [all defaults] */
};

typedef void (*http_handler)(struct http_request *request, void *argument);

/* ---- the service [start] ---- */

/* A service without routes. Never NULL. */
struct http_service *http_service_new(const struct http_options *options);
/* After its last connection is gone. NULL is fine. */
void http_service_free(struct http_service *service);
/*
 * Adds a route. method: "GET" (answers HEAD too), "POST", ...; pattern: an absolute path whose segments may be ":name",
 * which matches one non-empty segment. The first route added that matches wins. Pattern must outlive the service.
 * handler runs on the shard of the connection and must reply, now or later.
 */
void http_service_add(struct http_service *service, const char *method, const char *pattern, http_handler handler,
		      void *argument);
/* The same, with a body limit of its own (bytes). */
void http_service_add_limited(struct http_service *service, const char *method, const char *pattern,
			      size_t max_body_bytes, http_handler handler, void *argument);
/* Adds an endpoint to upgrade at (a plain path; the query is ignored). handler gets every GET for it, with or without
 * an Upgrade header, and calls ws_accept, which replies. */
void http_service_add_upgrade(struct http_service *service, const char *path, http_handler handler, void *argument);
/*
 * Serves the files below directory at url_prefix ("/" or "/assets"): index.html for a folder, content types by
 * extension, strong ETags, If-None-Match, HEAD. All are read now and served from memory, so that no shard ever waits
 * for a disk and no request can name anything but these files: no "..", no dotfiles, no symbolic links. Routes come
 * before files. 0 or -errno (-ENOENT no such directory, -EFBIG more than 256 MiB in all).
 */
int http_service_add_static(struct http_service *service, const char *url_prefix, const char *directory,
			    const char *cache_control) __attribute__((warn_unused_result));
/* Serves one file, read now, at url. 0 or -errno. */
int http_service_add_file(struct http_service *service, const char *url, const char *file, const char *content_type,
			  const char *cache_control) __attribute__((warn_unused_result));

/* [shard] Starts to serve an accepted socket, which is given away; *out is for a caller that puts a wire under it
 * (TLS). 0 or -errno. */
int http_connection_open(struct connection **out, const struct http_service *service, struct net_shard *net,
			 const struct accepted *accepted) __attribute__((warn_unused_result));

/* ---- the request [shard]: all text is a loan until the reply ---- */

struct str http_request_method(const struct http_request *request);
/* The segment that matched ":name", percent-decoded. Empty (ptr NULL) when the route has no such name. */
struct str http_request_param(const struct http_request *request, const char *name);
/* Finds name in the query: *value is percent-decoded, '+' is a space, and lives until the end of the tick. */
bool http_request_query(const struct http_request *request, const char *name, struct str *value);
/* The value of header name (any case), trimmed; of several the first. ptr NULL when there is none. */
struct str http_request_header(const struct http_request *request, const char *name);
/* Number index (from 0) of the headers of that name; ptr NULL when there are not so many. */
struct str http_request_header_at(const struct http_request *request, const char *name, unsigned index);
/* How many headers of that name there are. */
unsigned http_request_header_count(const struct http_request *request, const char *name);
/* Whether it came as HTTP/1.0, which knows no upgrade. */
bool http_request_is_1_0(const struct http_request *request);
struct str http_request_body(const struct http_request *request);
/* The client's address, behind proxies that we trust. A loan. */
const struct address *http_request_peer(const struct http_request *request);
/* Whether the client's side of the way is encrypted, as far as we or a trusted proxy know. */
bool http_request_is_secure(const struct http_request *request);
struct shard *http_request_shard(const struct http_request *request);
struct net_shard *http_request_net(const struct http_request *request);

/* Names the request for a reply that comes later by mail. It finds nothing once replied or when the client is gone. */
struct handle http_request_handle(struct http_request *request);
/* The request, or NULL. here: the shard that we run on, which is the handle's. */
struct http_request *http_request_find(struct shard *here, struct handle handle);

/* ---- the reply [shard]: exactly one per request; afterwards the request is gone ---- */

/* Adds a header to the reply to come. Must hold no CR, LF or NUL (else it is left out). */
void http_reply_header(struct http_request *request, const char *name, struct str value);
/* Replies; body is copied. content_type NULL: none. Content-Length, Date and Connection are added here. For HEAD the
 * body is measured but not sent; for 1xx, 204 and 304 there is none. */
void http_reply(struct http_request *request, unsigned status, const char *content_type, struct str body);
/* Replies with {"error":"<text>"} below the API prefix, else with a line of text. text NULL: the status's own name. */
void http_reply_error(struct http_request *request, unsigned status, const char *text);
/* Replies with a body that is JSON already (copied). */
void http_reply_json(struct http_request *request, unsigned status, struct str json);

/* Counts the client as one more of its true address, for a connection that stays. 0, or it was replied with 429 and
 * -EUSERS: there are too many. Call it before http_reply_take_over. */
int http_request_admit(struct http_request *request) __attribute__((warn_unused_result));
/*
 * Hands the connection over: to ops and owner it belongs from now on, with all bytes behind the request. For upgrades
 * and for bodies without an end (event streams). What is owed to earlier requests is sent; the reply to this one, from
 * the status line on, is what the new owner flushes first. Returns the connection.
 */
struct connection *http_reply_take_over(struct http_request *request, const struct connection_ops *ops, void *owner);

/* Whether the comma-separated list holds token, in any case. [any] */
bool http_list_has(struct str list, struct str token);
/* The name of a status ("Not Found"). [any] */
const char *http_status_text(unsigned status);

#endif
