#include "server/net/traffic.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "server/net/connection_private.h"

bool traffic_of(const struct connection *conn, struct traffic *traffic)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;

	*traffic = (struct traffic){0};
	/* Once its end was told, the descriptor's number may be another's. */
	if (conn->state == CONN_DEAD || getsockopt(conn->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return false;
	*traffic = (struct traffic){info.tcpi_bytes_received, info.tcpi_bytes_acked, info.tcpi_rtt};
	return true;
}
