/*
 * http_parse - from bytes to a request: the head is gathered line by line and parsed whole, the body as it comes.
 *
 * Lines are held to RFC 9112 before the parser sees them (every line ends with CR LF, no CR, LF or NUL inside, no
 * obsolete fold), so that no two parsers on the way can disagree about where a field ends. What llhttp then refuses is
 * refused.
 */
#include <errno.h>
#include <stdlib.h>

#include "core/mem.h"
#include "server/http/http_private.h"

static enum http_progress refuse(struct http_request *request, unsigned status)
{
	if (request->refusal == 0)
		request->refusal = status;
	return HTTP_REFUSED;
}

/* ---- llhttp's calls ---- */

static struct http_request *request_of(llhttp_t *parser)
{
	return parser->data;
}

/* The head lies contiguous in memory that does not move while it is parsed, so a span is an offset. */
static int on_field(llhttp_t *parser, const char *at, size_t len)
{
	struct http_request *request = request_of(parser);
	if (request->in_body)
		return 0; /* a trailer: counted as overhead, never merged */
	const struct http_service *service = request->http->service;
	if (request->header_count == service->options.max_headers) {
		refuse(request, 431);
		return HPE_USER;
	}
	if ((request->header_count & 15) == 0)
		request->headers = mem_realloc(request->headers, (request->header_count + 16) * sizeof(struct header));
	struct header *header = &request->headers[request->header_count++];
	*header = (struct header){.name = (uint32_t)(at - request->head.ptr), .name_len = (uint32_t)len};
	return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
	struct http_request *request = request_of(parser);
	if (request->in_body)
		return 0;
	struct header *header = &request->headers[request->header_count - 1];
	struct str value = http_trim((struct str){at, len});
	header->value = (uint32_t)(value.ptr - request->head.ptr);
	header->value_len = (uint32_t)value.len;
	return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
	struct http_request *request = request_of(parser);
	request->in_body = true;
	request->keep_alive = llhttp_should_keep_alive(parser);
	request->has_body = (parser->flags & F_CHUNKED) || parser->content_length > 0;
	unsigned status = http_check_fields(request);
	if (status) {
		refuse(request, status);
		return HPE_USER;
	}
	return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct http_request *request = request_of(parser);
	if (len > request->max_body || request->body.len > request->max_body - len) {
		refuse(request, 413);
		return HPE_USER;
	}
	buf_append(&request->body, at, len);
	if (buf_failed(&request->body)) {
		refuse(request, 503);
		return HPE_USER;
	}
	return 0;
}

static int on_message_complete(llhttp_t *parser)
{
	request_of(parser)->complete = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t *settings(void)
{
	static const llhttp_settings_t calls = {
		.on_header_field = on_field,
		.on_header_value = on_value,
		.on_headers_complete = on_headers_complete,
		.on_body = on_body,
		.on_message_complete = on_message_complete,
	};
	return &calls;
}

static unsigned status_of(llhttp_errno_t error)
{
	return error == HPE_INVALID_METHOD ? 501 : error == HPE_INVALID_VERSION ? 505 : 400;
}

/* ---- the head ---- */

static enum http_progress parse_whole_head(struct http_request *request)
{
	llhttp_init(&request->parser, HTTP_REQUEST, settings());
	request->parser.data = request;
	llhttp_errno_t error = llhttp_execute(&request->parser, request->head.ptr, request->head.len);
	if (request->refusal)
		return HTTP_REFUSED;
	if (error != HPE_OK && error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE)
		return refuse(request, status_of(error));
	if (!request->in_body)
		return refuse(request, 400);
	return HTTP_HEAD_DONE;
}

/* One complete line of the head, its CR LF included. */
static enum http_progress take_line(struct http_request *request, char *line, size_t len)
{
	if (len < 2 || line[len - 2] != '\r' || memchr(line, '\r', len - 2) || memchr(line, '\0', len))
		return refuse(request, 400);
	len -= 2;
	if (request->fields == 0) {
		if (len == 0) { /* an empty line before the request line is to be overlooked */
			request->head.len -= 2;
			return ++request->body_raw > 4 ? refuse(request, 400) : HTTP_MORE;
		}
		unsigned status = http_check_request_line(request, line, len);
		if (status)
			return refuse(request, status);
		request->fields = request->head.len;
		return HTTP_MORE;
	}
	if (len == 0) {
		request->body_raw = 0;
		return HTTP_HEAD_DONE;
	}
	return line[0] == ' ' || line[0] == '\t' ? refuse(request, 400) : HTTP_MORE;
}

/* The status for a head that outgrew its limit, or 0. Of a line still to end, the byte that was just taken counts. */
static unsigned check_size(const struct http_request *request)
{
	const struct http_options *options = &request->http->service->options;
	if (request->fields == 0) /* method and version beside the target */
		return request->head.len > options->max_target_bytes + 64 ? 414 : 0;
	return request->head.len - request->fields > options->max_header_bytes ? 431 : 0;
}

/* next: the byte that comes behind what is here. */
static bool begins_badly(const struct http_request *request, char next)
{
	/* What is no method at all (TLS on the plain port, noise) need not wait for its line to end, nor for its size.
	 */
	char first = request->head.len ? request->head.ptr[0] : next;
	return request->fields == 0 && first != '\r' && !http_is_token((struct str){&first, 1});
}

static enum http_progress take_head(struct http_request *request, const char *bytes, size_t len, size_t *used)
{
	*used = 0;
	while (*used < len) {
		const char *at = bytes + *used;
		const char *newline = memchr(at, '\n', len - *used);
		size_t part = newline ? (size_t)(newline - at) + 1 : len - *used;
		if (begins_badly(request, *at))
			return refuse(request, 400);
		buf_append(&request->head, at, part);
		*used += part;
		unsigned status = buf_failed(&request->head) ? (request->fields ? 431 : 414) : check_size(request);
		if (status)
			return refuse(request, status);
		if (!newline)
			break;
		enum http_progress progress = take_line(request, request->head.ptr + request->line_start,
							request->head.len - request->line_start);
		request->line_start = request->head.len;
		if (progress == HTTP_HEAD_DONE)
			return parse_whole_head(request);
		if (progress == HTTP_REFUSED)
			return progress;
	}
	return HTTP_MORE;
}

enum http_progress http_parse_head(struct http_request *request, const char *bytes, size_t len, size_t *used)
{
	enum http_progress progress = take_head(request, bytes, len, used);
	/* The buffer moved as it grew, and method and path with it. */
	if (request->fields && request->split_at != request->head.ptr) {
		unsigned status = http_check_request_line(request, request->head.ptr, request->fields - 2);
		assert_always(status == 0);
	}
	return progress;
}

/* ---- the body ---- */

enum http_progress http_parse_body(struct http_request *request, const char *bytes, size_t len, size_t *used)
{
	*used = 0;
	if (request->complete)
		return HTTP_BODY_DONE;
	if (len == 0)
		return HTTP_MORE;
	llhttp_errno_t error = llhttp_execute(&request->parser, bytes, len);
	if (request->refusal)
		return HTTP_REFUSED;
	if (error != HPE_OK && !request->complete)
		return refuse(request, 400);
	*used = request->complete ? (size_t)(llhttp_get_error_pos(&request->parser) - bytes) : len;
	request->body_raw += *used;
	/* One byte per chunk costs five of framing; who needs more than that hides something in extensions or trailers.
	 */
	size_t most = request->http->service->options.max_header_bytes + 9 * request->body.len;
	if (request->body_raw > most)
		return refuse(request, 431);
	return request->complete ? HTTP_BODY_DONE : HTTP_MORE;
}
