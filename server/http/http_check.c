/* What a request may get wrong although it parses: its line, its lengths, its host, its expectations (RFC 9110, 9112).
 */
#include <errno.h>

#include "server/http/http_private.h"

/* ---- the request line ---- */

/* "HTTP/1.1": 0, or the status. A later minor version is read as 1.1, the latest that we know (RFC 9112 section 2.3).
 */
static unsigned check_version(struct http_request *request, char *version, size_t len)
{
	if (len != 8 || memcmp(version, "HTTP/", 5) != 0 || version[6] != '.' || version[5] < '0' || version[5] > '9' ||
	    version[7] < '0' || version[7] > '9')
		return 400;
	if (version[5] != '1')
		return 505;
	if (version[7] > '1')
		version[7] = '1';
	request->is_http_1_0 = version[7] == '0';
	return 0;
}

static bool is_target_text(struct str target)
{
	for (size_t i = 0; i < target.len; i++) {
		if (target.ptr[i] < 0x21 || target.ptr[i] > 0x7e || target.ptr[i] == '#')
			return false;
	}
	return target.len > 0;
}

/* Takes scheme and authority off an absolute target; what is left begins with '/' or '?' or is empty. */
static bool strip_authority(struct str *target)
{
	static const char *const schemes[] = {"http://", "https://", "ws://", "wss://"};
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		struct str scheme = str_of(schemes[i]);
		if (target->len <= scheme.len || !http_equal_nocase((struct str){target->ptr, scheme.len}, scheme))
			continue;
		target->ptr += scheme.len;
		target->len -= scheme.len;
		size_t authority = 0;
		while (authority < target->len && target->ptr[authority] != '/' && target->ptr[authority] != '?')
			authority++;
		target->ptr += authority;
		target->len -= authority;
		return authority > 0;
	}
	return false;
}

static unsigned split_target(struct http_request *request, struct str target)
{
	if (!is_target_text(target))
		return 400;
	if (target.ptr[0] != '/') {
		bool is_options = str_equal(request->method, STR("OPTIONS"));
		if (str_equal(target, STR("*"))) {
			request->path = target;
			return is_options ? 0 : 400;
		}
		if (!strip_authority(&target))
			return 400;
	}
	const char *mark = target.len ? memchr(target.ptr, '?', target.len) : NULL;
	request->path = (struct str){target.ptr, mark ? (size_t)(mark - target.ptr) : target.len};
	if (mark)
		request->query = (struct str){mark + 1, (size_t)(target.ptr + target.len - mark) - 1};
	if (request->path.len == 0)
		request->path = STR("/");
	return 0;
}

unsigned http_check_request_line(struct http_request *request, char *line, size_t len)
{
	char *first = memchr(line, ' ', len);
	char *last = memrchr(line, ' ', len);
	if (!first || first == last)
		return 400;
	struct str method = {line, (size_t)(first - line)};
	struct str target = {first + 1, (size_t)(last - first) - 1};
	if (!http_is_token(method))
		return 400;
	unsigned status = check_version(request, last + 1, (size_t)(line + len - last) - 1);
	if (status)
		return status;
	if (target.len > request->http->service->options.max_target_bytes)
		return 414;
	/* The tunnel of CONNECT is not for us; and it alone would name its target otherwise. */
	if (str_equal(method, STR("CONNECT")))
		return 501;
	request->split_at = request->head.ptr;
	request->method = method;
	request->is_head = str_equal(method, STR("HEAD"));
	return split_target(request, target);
}

/* ---- the header fields ---- */

static bool is_host_text(struct str host)
{
	static const char marks[] = "-._~!$&'()*+,;=%:[]";
	for (size_t i = 0; i < host.len; i++) {
		char c = host.ptr[i];
		bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!is_alnum && (c == '\0' || !strchr(marks, c)))
			return false;
	}
	return true;
}

static unsigned check_host(const struct http_request *request)
{
	unsigned count = http_request_header_count(request, "Host");
	if (count > 1 || (count == 0 && !request->is_http_1_0))
		return 400;
	return is_host_text(http_request_header(request, "Host")) ? 0 : 400;
}

/* RFC 9112 section 6.1 and 6.3: chunked must come last, and once; other codings in front of it are well-formed, but not
 * ours. */
static unsigned check_encoding(struct str list)
{
	if (http_equal_nocase(list, STR("chunked")))
		return 0;
	const char *comma = list.len ? memrchr(list.ptr, ',', list.len) : NULL;
	if (!comma)
		return 400;
	struct str last = {comma + 1, (size_t)(list.ptr + list.len - comma) - 1};
	struct str before = {list.ptr, (size_t)(comma - list.ptr)};
	if (!http_equal_nocase(http_trim(last), STR("chunked")) || http_list_has(before, STR("chunked")) ||
	    http_list_has(before, STR("")) || before.len == 0)
		return 400;
	return 501;
}

/* RFC 9112 section 6: one way to know the length, or none. */
static unsigned check_lengths(const struct http_request *request)
{
	unsigned lengths = http_request_header_count(request, "Content-Length");
	unsigned encodings = http_request_header_count(request, "Transfer-Encoding");
	if (lengths > 1 || (lengths && encodings))
		return 400;
	struct str length = http_request_header(request, "Content-Length");
	for (size_t i = 0; i < length.len; i++) {
		if (length.ptr[i] < '0' || length.ptr[i] > '9')
			return 400;
	}
	if (lengths && length.len == 0)
		return 400;
	if (encodings == 0)
		return 0;
	if (request->is_http_1_0 || encodings > 1)
		return 400;
	return check_encoding(http_request_header(request, "Transfer-Encoding"));
}

static unsigned check_values(const struct http_request *request)
{
	for (unsigned i = 0; i < request->header_count; i++) {
		struct str value = http_header_value(request, &request->headers[i]);
		if (!http_is_token(http_header_name(request, &request->headers[i])))
			return 400;
		for (size_t at = 0; at < value.len; at++) {
			unsigned char c = (unsigned char)value.ptr[at];
			if ((c < 0x20 && c != '\t') || c == 0x7f)
				return 400;
		}
	}
	return 0;
}

static unsigned check_expectation(struct http_request *request)
{
	struct str expectation = http_request_header(request, "Expect");
	if (!expectation.ptr || request->is_http_1_0)
		return 0;
	if (!http_equal_nocase(expectation, STR("100-continue")))
		return 417;
	request->awaits_continue = request->has_body;
	return 0;
}

unsigned http_check_fields(struct http_request *request)
{
	unsigned status = check_values(request);
	if (status == 0)
		status = check_host(request);
	if (status == 0)
		status = check_lengths(request);
	if (status == 0)
		status = check_expectation(request);
	return status;
}
