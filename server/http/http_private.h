/*
 * http_private - what a service, a connection and a request are made of: for server/http alone.
 *
 * A connection that waits for a request holds this struct and nothing else; the request, with its parser and buffers,
 * exists from its first byte to its reply. Threads: [shard], but for the service, which is read-only once the shards
 * run.
 */
#ifndef SERVER_HTTP_HTTP_PRIVATE_H
#define SERVER_HTTP_HTTP_PRIVATE_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/map.h"
#include "core/str.h"
#include "server/http/http.h"
#include "server/net/connection.h"
#include "server/net/net_shard.h"
#include "shard/shard.h"

enum { HTTP_MAX_PARAMS = 8 };

/* ---- the service ---- */

struct route {
	struct str method; /* empty: an upgrade endpoint, for GET */
	struct str pattern;
	size_t max_body_bytes;
	http_handler handler;
	void *argument;
};

struct file { /* read at start, served from memory */
	struct map_entry by_url;
	char *url;
	char *bytes;
	size_t len;
	const char *content_type;
	char *cache_control; /* or NULL */
	char etag[40];       /* with its quotes */
};

struct http_service {
	struct http_options options;
	struct connection_options connection;
	struct route *routes;
	size_t route_count;
	struct map files;
	size_t file_bytes;
	bool has_root_files; /* a static directory at "/" */
};

/* ---- a connection ---- */

enum http_state {
	HTTP_IDLE,    /* no byte of the next request came */
	HTTP_IN_HEAD, /* request line and header fields come */
	HTTP_IN_BODY,
	HTTP_HANDLING, /* a handler owes the reply */
	HTTP_SENDING,  /* a file's body goes out piece by piece */
	HTTP_CLOSING,  /* the last reply is on its way; what comes is not looked at */
	HTTP_GONE,     /* closed, or handed over */
};

struct http_connection {
	struct connection *conn;
	const struct http_service *service;
	struct net_shard *net;
	struct http_request *request; /* from HTTP_IN_HEAD to the reply */
	struct buf out;               /* replies of this tick */
	struct str sending;           /* what is left of a file, in memory that outlives us */
	enum http_state state;
	unsigned served;
	bool is_last; /* close when the reply is out */
	bool is_idle; /* between requests: counted as such */
	struct grave grave;
};

struct header {
	uint32_t name, name_len; /* offsets into head */
	uint32_t value, value_len;
};

struct http_request {
	struct http_connection *http;
	llhttp_t parser;
	/* The head as it came, line by line. */
	struct buf head;
	size_t line_start; /* of the line that is not complete yet */
	size_t fields;     /* where the header fields begin; 0 until the request line is complete */
	struct header *headers;
	unsigned header_count;
	struct buf body;
	size_t body_raw; /* bytes of the body's framing and content that came */
	size_t max_body;
	unsigned refusal; /* the status that ends it, decided while parsing */
	bool complete;
	bool keep_alive;
	bool is_head;
	bool is_http_1_0;
	bool has_body;
	bool in_body; /* header fields are trailers from now on */
	bool awaits_continue;
	const char *split_at; /* where head lay when these three were cut out of it */
	struct str method;
	struct str path;
	struct str query;
	const struct route *route;
	const struct file *file;
	struct str param_names[HTTP_MAX_PARAMS];
	struct str param_values[HTTP_MAX_PARAMS];
	unsigned param_count;
	char *params; /* the values, decoded; ours */
	struct address peer;
	struct handle handle;
	struct buf reply_headers;
	struct grave grave;
};

/* ---- http_parse.c: from bytes to a request ---- */

enum http_progress { HTTP_MORE, HTTP_HEAD_DONE, HTTP_BODY_DONE, HTTP_REFUSED /* request->refusal says with what */ };

/* Takes what belongs to the head; *used gets how many bytes. */
enum http_progress http_parse_head(struct http_request *request, const char *bytes, size_t len, size_t *used);
/* Takes what belongs to the body. */
enum http_progress http_parse_body(struct http_request *request, const char *bytes, size_t len, size_t *used);

/* ---- http_check.c: what a well-formed request may still get wrong ---- */

/* The request line (without its line end): splits it, checks it. 0 or the status that refuses it. */
unsigned http_check_request_line(struct http_request *request, char *line, size_t len);
/* The header fields, once all are there. 0 or the status that refuses them. */
unsigned http_check_fields(struct http_request *request);

/* ---- http_request.c ---- */

struct http_request *http_request_new(struct http_connection *http);
/* Takes it off its connection and buries it. */
void http_request_end(struct http_request *request);
struct str http_header_name(const struct http_request *request, const struct header *header);
struct str http_header_value(const struct http_request *request, const struct header *header);

/* ---- http_service.c ---- */

/* Finds the route or the file for the request and sets it. 0, or 404, 405 (then the Allow header is set). */
unsigned http_service_route(const struct http_service *service, struct http_request *request);

/* Whether path, which begins with '/', fits pattern: the number of its parameters, whose values are still encoded, or
 * -1.
 */
int http_match_path(struct str pattern, struct str path, struct str names[HTTP_MAX_PARAMS],
		    struct str values[HTTP_MAX_PARAMS]);

/* ---- http_static.c ---- */

const struct file *http_static_find(const struct http_service *service, struct str path);
void http_static_reply(struct http_request *request);
void http_static_free_all(struct http_service *service);

/* ---- http_reply.c ---- */

/* Replies with a body that outlives the connection, sent piece by piece. */
void http_reply_memory(struct http_request *request, unsigned status, const char *content_type, struct str body);
/* The replies collected, into out; then the next pieces of a file. */
void http_reply_flush(struct http_connection *http, struct buf *out);

/* ---- http_connection.c ---- */

/* The request was replied to (it is gone): go on with the next, or close. */
void http_connection_replied(struct http_connection *http);
/* The connection's own end: frees what is left, at the end of the tick. */
void http_connection_end(struct http_connection *http);

/* ---- http_text.c ---- */

bool http_is_token(struct str s);
bool http_equal_nocase(struct str a, struct str b);
struct str http_trim(struct str s);
/* Decodes %XX (and '+' when plus_is_space) from s to out, which has s.len bytes. The length, or -EINVAL. */
long http_percent_decode(struct str s, bool plus_is_space, char *out);
/* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", made once a second and thread. */
struct str http_date_line(int64_t wall_ms);
const char *http_content_type(struct str path);

#endif
