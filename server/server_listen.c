/*
 * Where the server listens: the plain door, the TLS door, the door for management, and what is behind each.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "server/net/tls.h"
#include "server/server_private.h"

static bool is_unix(const char *host)
{
	return !strncmp(host, "unix:", 5);
}

bool server_has_management(const struct config *config)
{
	return config->management_port >= 0 || is_unix(config->management_host);
}

void server_inherit(struct server *server, const struct inherited *inherited)
{
	server->inherited = inherited;
}

struct telling { /* of doors, to somebody outside */
	void (*each)(void *argument, int fd, const char *name);
	void *argument;
};

static void tell_door(void *argument, int fd, void *tag)
{
	const struct telling *telling = argument;

	telling->each(telling->argument, fd, ((const struct door *)tag)->name);
}

void server_each_door(const struct server *server, void (*each)(void *argument, int fd, const char *name),
		      void *argument)
{
	struct telling telling = {each, argument};

	if (server->acceptor) /* else another transport has the clients */
		acceptor_each_fd(server->acceptor, tell_door, &telling);
}

void server_on_accept(struct shard *shard, const struct accepted *accepted, void *argument)
{
	const struct door *door = accepted->listener_tag;
	struct net_shard *net = server_shard_of(shard)->net;
	struct connection *conn;
	(void)argument;

	/* A refusal is counted there; the socket is closed in any case. */
	if (http_connection_open(&conn, door->http, net, accepted) == 0 && door->is_tls)
		tls_connection_start(conn);
}

/* The address as one would call it. */
static void name_door(struct door *door, const char *host, unsigned port)
{
	if (is_unix(host)) {
		snprintf(door->where, sizeof door->where, "%s", host);
		return;
	}
	if (!*host || !strcmp(host, "*") || !strcmp(host, "0.0.0.0") || !strcmp(host, "::"))
		host = "localhost";
	bool is_bare_ipv6 = strchr(host, ':') && *host != '[';
	snprintf(door->where, sizeof door->where, is_bare_ipv6 ? "%s://[%s]:%u" : "%s://%s:%u",
		 door->is_tls ? "https" : "http", host, port);
}

/* Says where an inherited socket listens. */
static void name_inherited(struct door *door, int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_storage storage;
	} address = {0};
	socklen_t len = sizeof address;
	char host[INET6_ADDRSTRLEN + 5] = "unix:", port[8];

	if (getsockname(fd, &address.any, &len) < 0)
		return;
	if (address.any.sa_family == AF_UNIX)
		snprintf(door->where, sizeof door->where, "unix:%s", address.local.sun_path);
	else if (getnameinfo(&address.any, len, host, sizeof host, port, sizeof port,
			     NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		name_door(door, host, (unsigned)strtoul(port, NULL, 10));
}

/* Takes the sockets of this door that we were born with. 1: there were some; 0: none; -errno. */
static int take_inherited(struct server *server, struct door *door, char error[CONFIG_ERROR_SIZE])
{
	const struct inherited *from = server->inherited;
	int found = 0;

	for (unsigned i = 0; from && i < from->count; i++) {
		const struct inherited_socket *socket = &from->sockets[i];
		if (strcmp(socket->name, door->name) != 0)
			continue;
		int rc = from->is_upgrade ? acceptor_take_over(server->acceptor, socket->fd, door)
					  : acceptor_listen_fd(server->acceptor, socket->fd, door);
		if (rc < 0) {
			snprintf(error, CONFIG_ERROR_SIZE, "descriptor %d for the door '%s' does not listen: %s",
				 socket->fd, door->name, strerror(-rc));
			return rc;
		}
		name_inherited(door, socket->fd);
		found = 1;
	}
	return found;
}

static int open_door(struct server *server, struct door *door, const char *host, int64_t port,
		     char error[CONFIG_ERROR_SIZE])
{
	unsigned bound = (unsigned)port;
	int rc = take_inherited(server, door, error);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (is_unix(host))
		rc = acceptor_listen_unix(server->acceptor, host + 5, door);
	else
		rc = acceptor_listen_tcp(server->acceptor, host, (unsigned)port, door, &bound);
	name_door(door, host, rc < 0 ? (unsigned)port : bound);
	door->port = is_unix(host) ? 0 : bound;
	if (rc < 0)
		snprintf(error, CONFIG_ERROR_SIZE, "cannot listen on %s: %s", door->where, strerror(-rc));
	return rc;
}

int server_listen(struct server *server, char error[CONFIG_ERROR_SIZE])
{
	const struct config *c = server->config;
	bool has_tls_door = server->tls && c->tls_port >= 0;
	int rc;

	server->doors[DOOR_MAIN] =
		(struct door){.name = "main", .http = server->http, .is_tls = server->tls && !has_tls_door};
	server->doors[DOOR_TLS] = (struct door){.name = "tls", .http = server->http, .is_tls = true};
	server->doors[DOOR_MANAGEMENT] =
		(struct door){.name = "management", .http = server->management, .purpose = " for management"};
	if (has_tls_door && is_unix(c->host)) {
		snprintf(error, CONFIG_ERROR_SIZE, "tls_port needs a host that is no unix socket");
		return -EINVAL;
	}
	rc = open_door(server, &server->doors[DOOR_MAIN], c->host, c->port, error);
	if (rc == 0 && has_tls_door)
		rc = open_door(server, &server->doors[DOOR_TLS], c->host, c->tls_port, error);
	if (rc == 0 && server->management)
		rc = open_door(server, &server->doors[DOOR_MANAGEMENT], c->management_host,
			       c->management_port < 0 ? 0 : c->management_port, error);
	return rc;
}

void server_say_where(const struct server *server)
{
	for (int i = 0; i < DOORS; i++) {
		const struct door *door = &server->doors[i];
		if (*door->where)
			printf("listening on %s%s\n", door->where, door->purpose ? door->purpose : "");
	}
}
