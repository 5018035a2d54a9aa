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

struct text {
	const uint8_t *bytes;
	size_t len;
};

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
static void write_room(FILE *to, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len && i < MAX_ROOM; i++)
		fprintf(to, isalnum(bytes[i]) || bytes[i] == '%' ? "%c" : "%%%02x", bytes[i]);
}

static void write_chunks(FILE *to, const uint8_t *body, size_t len)
{
	for (size_t i = 0; i < len; i += CHUNK) {
		size_t piece = len - i < CHUNK ? len - i : CHUNK;
		fprintf(to, "%zx\r\n", piece);
		fwrite(body + i, 1, piece, to);
		fprintf(to, "\r\n");
	}
	fprintf(to, "0\r\n\r\n");
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
	int status = (int)strtol(answer + 9, NULL, 10);
	if (status == 200 || status == 400) {
		const live_value *value = body ? live_from_json(body + 4, strlen(body + 4), NULL, 0) : NULL;
		must(status == 400 || value != NULL, "an answer that is no JSON");
		live_value_unref(value);
	}
	return status;
}

/* room NULL: the lobby. */
static void write_request(FILE *to, unsigned char flags, struct text room, struct text body)
{
	fprintf(to, "POST /api/live/rooms/");
	if (room.bytes)
		write_room(to, room.bytes, room.len);
	else
		fprintf(to, "lobby");
	fprintf(to, "/%s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n", flags & 1 ? "emit" : "messages");
	if (flags & 4) {
		fprintf(to, "Transfer-Encoding: chunked\r\n\r\n");
		write_chunks(to, body.bytes, body.len);
	} else {
		fprintf(to, "Content-Length: %zu\r\n\r\n", body.len);
		fwrite(body.bytes, 1, body.len, to);
	}
}

/* The status of the answer to it. */
static int ask(unsigned char flags, struct text room, struct text body)
{
	char *request;
	size_t len;
	FILE *to = open_memstream(&request, &len);

	must(to != NULL, "no memory");
	write_request(to, flags, room, body);
	fclose(to);
	int fd = dial();
	send_all(fd, request, len);
	int status = read_answer(fd);
	close(fd);
	free(request);
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text room = {NULL, 0};

	if (!size || size > MAX_BODY)
		return 0;
	if (!*where)
		start();
	struct text body = {data + 1, size - 1};
	const uint8_t *line = body.len && data[0] & 2 ? memchr(body.bytes, '\n', body.len) : NULL;
	if (line) {
		room = (struct text){body.bytes, (size_t)(line - body.bytes)};
		body = (struct text){line + 1, body.len - room.len - 1};
	}
	int status = ask(data[0], room, body);
	must(line || status == 200 || status == 400, "another status");
	const live_value *value = live_from_json((const char *)body.bytes, body.len, NULL, 0);
	must(status != 200 || value, "it took what is no JSON");
	live_value_unref(value);
	return 0;
}
