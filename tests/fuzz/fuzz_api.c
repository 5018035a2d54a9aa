/*
 * The bodies of the HTTP API on a whole server: any bytes as a message or an event for a room get an answer that is
 * JSON, with 200 when they are JSON and what the route wants, else with 400, and leave the server answering.
 *
 * The first byte: 1 is an event, not a message; 2 the room's name is the input's, up to a newline; 4 the body comes in
 * chunks.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <live/embed.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_BODY = 4096, MAX_ROOM = 200, CHUNK = 7 };

static char folder[] = "/tmp/fuzz-api-XXXXXX";
static char where[64];

static void must(int is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "broken: %s\n", what);
	abort();
}

static void clean(void)
{
	unlink(where);
	rmdir(folder);
}

static void start(void)
{
	char error[512], host[80];
	live_server *server = NULL;
	live_options *options = live_options_new();

	must(mkdtemp(folder) != NULL, "no folder");
	atexit(clean);
	snprintf(where, sizeof where, "%s/s", folder);
	snprintf(host, sizeof host, "unix:%s", where);
	must(live_options_set(options, "host", host, error, sizeof error) == 0 &&
		     live_options_set(options, "shards", "1", error, sizeof error) == 0 &&
		     live_options_set(options, "log_level", "error", error, sizeof error) == 0 &&
		     live_server_new(&server, options, error, sizeof error) == 0 &&
		     live_server_start(server, error, sizeof error) == 0,
	     error);
}

static int dial(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s", where);
	must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0, "nobody listens");
	return fd;
}

/* Bytes of the input that may stand in a path as they are; the rest by their number. */
static size_t write_room(char *to, const uint8_t *bytes, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len && i < MAX_ROOM; i++)
		at += (size_t)sprintf(to + at, isalnum(bytes[i]) || bytes[i] == '%' ? "%c" : "%%%02x", bytes[i]);
	return at;
}

static size_t write_chunks(char *to, const uint8_t *body, size_t len)
{
	size_t at = 0;

	for (size_t i = 0; i < len; i += CHUNK) {
		size_t piece = len - i < CHUNK ? len - i : CHUNK;
		at += (size_t)sprintf(to + at, "%zx\r\n", piece);
		memcpy(to + at, body + i, piece);
		at += piece;
		at += (size_t)sprintf(to + at, "\r\n");
	}
	return at + (size_t)sprintf(to + at, "0\r\n\r\n");
}

static void send_all(int fd, const char *bytes, size_t len)
{
	for (ssize_t sent; len; bytes += sent, len -= (size_t)sent) {
		sent = send(fd, bytes, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return; /* it has said already what it has to say */
	}
}

/* The answer's status; its body must be JSON. */
static int read_answer(int fd)
{
	static char answer[65536];
	size_t len = 0;

	for (ssize_t got; len < sizeof answer - 1 && (got = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0;)
		len += (size_t)got;
	answer[len] = 0;
	must(!strncmp(answer, "HTTP/1.1 ", 9), "no answer");
	const char *body = strstr(answer, "\r\n\r\n");
	int status = atoi(answer + 9);
	if (status == 200 || status == 400) {
		const live_value *value = body ? live_from_json(body + 4, strlen(body + 4), NULL, 0) : NULL;
		must(status == 400 || value != NULL, "an answer that is no JSON");
		live_value_unref(value);
	}
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char request[16 * MAX_BODY];
	const uint8_t *body = data + 1, *line = size > 1 && data[0] & 2 ? memchr(body, '\n', size - 1) : NULL;
	char room[3 * MAX_ROOM + 1] = "lobby";

	if (!size || size > MAX_BODY)
		return 0;
	if (!*where)
		start();
	if (line) {
		write_room(room, body, (size_t)(line - body));
		body = line + 1;
	}
	size_t len = size - (size_t)(body - data);
	size_t at = (size_t)sprintf(request, "POST /api/live/rooms/%s/%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n",
				    room, data[0] & 1 ? "emit" : "messages");
	if (data[0] & 4) {
		at += (size_t)sprintf(request + at, "Transfer-Encoding: chunked\r\n\r\n");
		at += write_chunks(request + at, body, len);
	} else {
		at += (size_t)sprintf(request + at, "Content-Length: %zu\r\n\r\n", len);
		memcpy(request + at, body, len);
		at += len;
	}
	int fd = dial();
	send_all(fd, request, at);
	int status = read_answer(fd);
	close(fd);
	must(line || status == 200 || status == 400, "another status");
	const live_value *value = live_from_json((const char *)body, len, NULL, 0);
	must(status != 200 || value, "it took what is no JSON");
	live_value_unref(value);
	return 0;
}
