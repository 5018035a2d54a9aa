/* Small pieces of HTTP's text: tokens, lists, percent-encoding, dates, names of statuses and content types. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "core/hex.h"
#include "server/http/http_private.h"

bool http_is_token(struct str s)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!is_alnum && (c == '\0' || !strchr(marks, c)))
			return false;
	}
	return s.len > 0;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool http_equal_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str http_trim(struct str s)
{
	while (s.len && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool http_list_has(struct str list, struct str token)
{
	while (list.len) {
		const char *comma = memchr(list.ptr, ',', list.len);
		struct str item = {list.ptr, comma ? (size_t)(comma - list.ptr) : list.len};
		size_t used = item.len + (comma ? 1 : 0);
		list.ptr += used;
		list.len -= used;
		if (http_equal_nocase(http_trim(item), token))
			return true;
	}
	return false;
}

long http_percent_decode(struct str s, bool plus_is_space, char *out)
{
	char *to = out;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '+' && plus_is_space) {
			*to++ = ' ';
		} else if (s.ptr[i] != '%') {
			*to++ = s.ptr[i];
		} else {
			int high = i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1;
			int low = i + 2 < s.len ? hex_digit(s.ptr[i + 2]) : -1;
			if (high < 0 || low < 0)
				return -EINVAL;
			*to++ = (char)(high << 4 | low);
			i += 2;
		}
	}
	return to - out;
}

struct str http_date_line(int64_t wall_ms)
{
	static _Thread_local char line[64];
	static _Thread_local size_t len;
	static _Thread_local time_t made_for = -1;
	time_t now = (time_t)(wall_ms / 1000);
	if (now != made_for) {
		struct tm tm;
		gmtime_r(&now, &tm);
		/* strftime would print the names in the process's locale. */
		static const char days[] = "SunMonTueWedThuFriSat";
		static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
		int wrote = snprintf(line, sizeof line, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
				     days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900,
				     tm.tm_hour, tm.tm_min, tm.tm_sec);
		len = wrote > 0 && (size_t)wrote < sizeof line ? (size_t)wrote : 0;
		made_for = now;
	}
	return (struct str){line, len};
}

const char *http_content_type(struct str path)
{
	static const struct {
		const char *extension;
		const char *type;
	} types[] = {
		{"html", "text/html; charset=utf-8"},
		{"js", "text/javascript; charset=utf-8"},
		{"mjs", "text/javascript; charset=utf-8"},
		{"css", "text/css; charset=utf-8"},
		{"json", "application/json"},
		{"map", "application/json"},
		{"svg", "image/svg+xml"},
		{"png", "image/png"},
		{"jpg", "image/jpeg"},
		{"jpeg", "image/jpeg"},
		{"gif", "image/gif"},
		{"webp", "image/webp"},
		{"avif", "image/avif"},
		{"ico", "image/x-icon"},
		{"woff", "font/woff"},
		{"woff2", "font/woff2"},
		{"txt", "text/plain; charset=utf-8"},
		{"md", "text/markdown; charset=utf-8"},
		{"xml", "application/xml"},
		{"wasm", "application/wasm"},
		{"pdf", "application/pdf"},
		{"mp3", "audio/mpeg"},
		{"mp4", "video/mp4"},
		{"webm", "video/webm"},
		{"webmanifest", "application/manifest+json"},
	};
	const char *dot = path.len ? memrchr(path.ptr, '.', path.len) : NULL;
	if (dot) {
		struct str extension = {dot + 1, (size_t)(path.ptr + path.len - dot) - 1};
		for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
			if (http_equal_nocase(extension, str_of(types[i].extension)))
				return types[i].type;
		}
	}
	return "application/octet-stream";
}

const char *http_status_text(unsigned status)
{
	switch (status) {
	case 100: return "Continue";
	case 101: return "Switching Protocols";
	case 200: return "OK";
	case 201: return "Created";
	case 202: return "Accepted";
	case 204: return "No Content";
	case 301: return "Moved Permanently";
	case 302: return "Found";
	case 303: return "See Other";
	case 304: return "Not Modified";
	case 307: return "Temporary Redirect";
	case 308: return "Permanent Redirect";
	case 400: return "Bad Request";
	case 401: return "Unauthorized";
	case 403: return "Forbidden";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 406: return "Not Acceptable";
	case 408: return "Request Timeout";
	case 409: return "Conflict";
	case 410: return "Gone";
	case 411: return "Length Required";
	case 412: return "Precondition Failed";
	case 413: return "Content Too Large";
	case 414: return "URI Too Long";
	case 415: return "Unsupported Media Type";
	case 416: return "Range Not Satisfiable";
	case 417: return "Expectation Failed";
	case 422: return "Unprocessable Content";
	case 426: return "Upgrade Required";
	case 429: return "Too Many Requests";
	case 431: return "Request Header Fields Too Large";
	case 500: return "Internal Server Error";
	case 501: return "Not Implemented";
	case 502: return "Bad Gateway";
	case 503: return "Service Unavailable";
	case 504: return "Gateway Timeout";
	case 505: return "HTTP Version Not Supported";
	default: return "Unknown";
	}
}
