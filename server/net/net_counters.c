#include "server/net/net_counters.h"

#define ROW(name)                                          \
	{                                                  \
#name, offsetof(struct net_counters, name) \
	}

const struct net_counter_row net_counter_rows[] = {
	ROW(opened),
	ROW(closed),
	ROW(bytes_in),
	ROW(bytes_out),
	ROW(sends),
	ROW(short_sends),
	ROW(backlog_bytes),
	ROW(pauses_backlog),
	ROW(pauses_pressed),
	ROW(pauses_owner),
	ROW(closes_ours),
	ROW(closes_peer),
	ROW(closes_error),
	ROW(closes_deadline),
	ROW(closes_backlog_bytes),
	ROW(closes_backlog_age),
	ROW(closes_backlog_total),
	ROW(closes_input),
	ROW(closes_proxy),
	ROW(closes_linger),
	ROW(refused_address),
	ROW(soft_marks),
	ROW(dropped_bytes),
	ROW(tls_handshakes),
	ROW(tls_resumed),
	ROW(tls_waits),
	ROW(tls_failed_version),
	ROW(tls_failed_cipher),
	ROW(tls_failed_protocol),
	ROW(tls_failed_alert),
	ROW(tls_failed_bytes),
	ROW(tls_failed_ended),
	ROW(tls_failed_late),
	ROW(tls_truncated),
	ROW(tls_broken),
	ROW(http_requests),
	ROW(http_errors_4xx),
	ROW(http_errors_5xx),
	ROW(http_timeouts),
	ROW(ws_opened),
	ROW(ws_refused),
	ROW(ws_messages_in),
	ROW(ws_messages_out),
	ROW(ws_deflates),
	ROW(ws_deflates_shared),
	ROW(ws_pings),
	ROW(ws_closes_peer),
	ROW(ws_closes_ours),
	ROW(ws_closes_protocol),
	ROW(ws_closes_utf8),
	ROW(ws_closes_too_big),
	ROW(ws_closes_half_open),
	ROW(ws_closes_slow),
};

const size_t net_counter_rows_count = sizeof net_counter_rows / sizeof net_counter_rows[0];

_Static_assert(sizeof net_counter_rows / sizeof net_counter_rows[0] == sizeof(struct net_counters) / sizeof(counter),
	       "a row for each");

uint64_t net_counter_read(const struct net_counters *counters, const struct net_counter_row *row)
{
	return counter_read((const counter *)(const void *)((const char *)counters + row->offset));
}
