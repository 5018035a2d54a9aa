#include "server/monitor/metric_rows.h"

#include "pubsub/rooms.h"
#include "redis/figures.h"
#include "server/component/component_shard.h"
#include "server/net/net_counters.h"
#include "server/security/signature.h"
#include "server/session/session.h"
#include "shard/shard.h"

#define ROW(kind, where, type, field, family, label, help)                                \
	{                                                                                 \
		family, help, label, METRIC_##kind, METRIC_##where, offsetof(type, field) \
	}
#define NET(field, family, label, help) ROW(COUNTER, NET, struct net_counters, field, family, label, help)
#define SESSION(field, family, help) ROW(COUNTER, SESSION, struct session_counters, field, family, NULL, help)
#define COMPONENT(field, family, help) ROW(COUNTER, COMPONENT, struct component_counters, field, family, NULL, help)
#define ROOM(field, family, help) ROW(COUNTER, ROOM, struct rooms_counters, field, family, NULL, help)
#define SHARD(field, family, help) ROW(COUNTER, SHARD, struct shard_counters, field, family, NULL, help)
#define SIGNER(field, family, help) ROW(COUNTER, SIGNER, struct signer_counters, field, family, NULL, help)
#define REDIS(field, family, label, help) ROW(COUNTER, REDIS, struct redis_figures, field, family, label, help)
#define SHARED(field, family, label, help) \
	ROW(COUNTER, REDIS_ROOMS, struct redis_rooms_figures, field, family, label, help)
#define GAUGE(where, type, field, family, help) ROW(GAUGE, where, type, field, family, NULL, help)

#define REFUSED(field, label)                                                                              \
	ROW(COUNTER, COMPONENT, struct component_counters, field, "cluster_messages_refused_total", label, \
	    "Messages of other nodes about singletons that were not believed, by cause.")
#define CLOSES "connection_closes_total"
#define CLOSES_HELP "Connections closed, by cause."
#define PAUSES "reading_pauses_total"
#define PAUSES_HELP "Times that a connection was not read any more, by cause."
#define TLS_FAILURES "tls_handshake_failures_total"
#define TLS_FAILURES_HELP "TLS handshakes that failed, by cause."
#define WS_ERRORS "ws_errors_total"
#define WS_ERRORS_HELP "WebSockets closed for what the client did, by cause."
#define REFUSALS "redis_commands_refused_total"
#define REFUSALS_HELP "Commands that were not sent to Redis, by cause: there was no connection, or too many waited."
#define UNANSWERED "redis_commands_unanswered_total"
#define UNANSWERED_HELP "Commands to Redis whose answers did not come, by cause; they may have been carried out."
#define ROOM_REFUSALS "redis_room_messages_refused_total"
#define ROOM_REFUSALS_HELP "Messages of other nodes about rooms that were not believed, by cause."
#define STATE_REFUSALS "redis_room_states_refused_total"
#define STATE_REFUSALS_HELP "States of rooms found in Redis that were not believed, by cause."

const struct metric_row metric_rows[] = {
	GAUGE(SESSION, struct session_counters, sessions, "clients", "Clients: sessions that are open."),
	SESSION(opened, "clients_opened_total", "Clients that came."),
	SESSION(behind, "clients_behind_total", "Times that a client fell behind, so that its deltas were collapsed."),
	SESSION(messages_in, "messages_in_total", "Messages of clients."),
	SESSION(rate_limited, "messages_rate_limited_total", "Messages refused because the client sent too many."),
	SESSION(bad_messages, "messages_bad_total", "Messages refused before they reached a handler."),

	GAUGE(COMPONENT, struct component_counters, components, "components", "Components that live."),
	COMPONENT(mounts, "mounts_total", "Components mounted."),
	COMPONENT(actions, "actions_total", "Actions called."),
	COMPONENT(action_errors, "action_errors_total", "Actions that failed or were refused."),
	COMPONENT(state_changes, "state_changes_total", "Changes of components' states."),
	COMPONENT(room_frames, "room_frames_total", "Events of rooms appended to clients' outboxes."),
	COMPONENT(collapses, "deltas_collapsed_total", "Deltas left out for clients that were behind."),
	COMPONENT(alerts, "alerts_total", "Alerts raised for what was slow, or failed too often."),
	GAUGE(COMPONENT, struct component_counters, cluster_owned, "cluster_singletons_owned",
	      "Singletons of the cluster that live here."),
	GAUGE(COMPONENT, struct component_counters, cluster_mirrored, "cluster_singletons_mirrored",
	      "Singletons that live on other nodes and have clients here."),
	COMPONENT(cluster_claims, "cluster_claims_total", "Claims of singletons in a cluster that were won."),
	COMPONENT(cluster_takeovers, "cluster_takeovers_total", "Of these, with clients that had them before."),
	COMPONENT(cluster_losses, "cluster_losses_total", "Claims of singletons lost to another node."),
	COMPONENT(cluster_saves, "cluster_saves_total", "States of singletons that were stored."),
	COMPONENT(cluster_unknown, "cluster_unknown_total", "Questions to the cluster's store that had no answer."),
	COMPONENT(cluster_forwards, "cluster_forwards_total", "Requests sent to a singleton's owner elsewhere."),
	COMPONENT(cluster_timeouts, "cluster_timeouts_total",
		  "Requests to other nodes, or changes to be stored, that took too long."),
	COMPONENT(cluster_visits, "cluster_visits_total", "Requests that came from other nodes."),
	COMPONENT(cluster_repeats, "cluster_repeats_total", "Of these, known already."),
	COMPONENT(cluster_deltas, "cluster_deltas_total", "Changes heard of singletons elsewhere."),
	COMPONENT(cluster_gaps, "cluster_gaps_total", "Gaps in these."),
	REFUSED(cluster_unsealed, "cause=\"signature\""),
	REFUSED(cluster_malformed, "cause=\"malformed\""),

	ROOM(events, "room_events_total", "Events told by rooms whose home is the shard."),
	ROOM(deliveries, "room_deliveries_total", "Events of rooms that came to the shard."),
	ROOM(refused, "room_refusals_total", "Requests refused for want of room for rooms."),

	SIGNER(made, "states_signed_total", "States signed for clients to keep."),
	SIGNER(too_large, "states_too_large_total", "States not signed because they are too large."),
	SIGNER(accepted, "states_accepted_total", "Signed states that clients brought back and that were good."),
	SIGNER(refused, "states_refused_total", "Signed states that clients brought back and that were not."),

	GAUGE(SHARD, struct shard_counters, load, "connections", "Connections that are open, of clients and others."),
	GAUGE(SHARD, struct shard_counters, idle, "connections_idle", "Of these, HTTP kept open between requests."),
	NET(opened, "connections_opened_total", NULL, "Connections that came."),
	NET(closed, "connections_closed_total", NULL, "Connections that ended, whatever the cause."),
	NET(closes_ours, CLOSES, "cause=\"ours\"", CLOSES_HELP),
	NET(closes_peer, CLOSES, "cause=\"peer\"", CLOSES_HELP),
	NET(closes_error, CLOSES, "cause=\"error\"", CLOSES_HELP),
	NET(closes_deadline, CLOSES, "cause=\"deadline\"", CLOSES_HELP),
	NET(closes_backlog_bytes, CLOSES, "cause=\"backlog_bytes\"", CLOSES_HELP),
	NET(closes_backlog_age, CLOSES, "cause=\"backlog_age\"", CLOSES_HELP),
	NET(closes_backlog_total, CLOSES, "cause=\"backlog_total\"", CLOSES_HELP),
	NET(closes_input, CLOSES, "cause=\"input\"", CLOSES_HELP),
	NET(closes_proxy, CLOSES, "cause=\"proxy\"", CLOSES_HELP),
	NET(closes_linger, CLOSES, "cause=\"linger\"", CLOSES_HELP),
	NET(refused_address, "connections_refused_total", NULL, "Connections refused: too many of one address."),

	NET(bytes_in, "net_bytes_total", "direction=\"in\"", "Bytes read from and written to sockets."),
	NET(bytes_out, "net_bytes_total", "direction=\"out\"", "Bytes read from and written to sockets."),
	NET(sends, "net_sends_total", NULL, "System calls that wrote."),
	NET(short_sends, "net_short_sends_total", NULL, "Of these, those that could not write everything."),
	GAUGE(NET, struct net_counters, backlog_bytes, "backlog_bytes", "Bytes that wait for slow clients."),
	NET(soft_marks, "backlog_soft_marks_total", NULL, "Times that a client's backlog crossed its soft mark."),
	NET(dropped_bytes, "backlog_dropped_bytes_total", NULL, "Bytes that waited for clients that were closed."),
	NET(pauses_backlog, PAUSES, "cause=\"backlog\"", PAUSES_HELP),
	NET(pauses_pressed, PAUSES, "cause=\"pressed\"", PAUSES_HELP),
	NET(pauses_owner, PAUSES, "cause=\"owner\"", PAUSES_HELP),

	NET(tls_handshakes, "tls_handshakes_total", NULL, "TLS handshakes done."),
	NET(tls_resumed, "tls_resumed_total", NULL, "Of these, those by a ticket."),
	NET(tls_waits, "tls_waits_total", NULL, "Times that a TLS handshake waited for its turn."),
	NET(tls_failed_version, TLS_FAILURES, "cause=\"version\"", TLS_FAILURES_HELP),
	NET(tls_failed_cipher, TLS_FAILURES, "cause=\"cipher\"", TLS_FAILURES_HELP),
	NET(tls_failed_protocol, TLS_FAILURES, "cause=\"protocol\"", TLS_FAILURES_HELP),
	NET(tls_failed_alert, TLS_FAILURES, "cause=\"alert\"", TLS_FAILURES_HELP),
	NET(tls_failed_bytes, TLS_FAILURES, "cause=\"bytes\"", TLS_FAILURES_HELP),
	NET(tls_failed_ended, TLS_FAILURES, "cause=\"ended\"", TLS_FAILURES_HELP),
	NET(tls_failed_late, TLS_FAILURES, "cause=\"late\"", TLS_FAILURES_HELP),
	NET(tls_truncated, "tls_truncated_total", NULL, "TLS streams that ended without a word."),
	NET(tls_broken, "tls_broken_total", NULL, "TLS streams with a bad record or an alert."),

	NET(http_requests, "http_requests_total", NULL, "HTTP requests."),
	NET(http_errors_4xx, "http_errors_total", "class=\"4xx\"", "HTTP requests answered with an error."),
	NET(http_errors_5xx, "http_errors_total", "class=\"5xx\"", "HTTP requests answered with an error."),
	NET(http_timeouts, "http_timeouts_total", NULL, "HTTP connections that were too slow."),
	NET(ws_opened, "ws_opened_total", NULL, "WebSockets opened."),
	NET(ws_refused, "ws_refused_total", NULL, "WebSocket handshakes answered with an error."),
	NET(ws_messages_in, "ws_messages_total", "direction=\"in\"", "WebSocket messages."),
	NET(ws_messages_out, "ws_messages_total", "direction=\"out\"", "WebSocket messages."),
	NET(ws_deflates, "ws_deflates_total", NULL, "Times that the compressor ran."),
	NET(ws_deflates_shared, "ws_deflates_shared_total", NULL,
	    "Messages that took what was compressed for another client."),
	NET(ws_pings, "ws_pings_total", NULL, "Pings sent to silent clients."),
	NET(ws_closes_peer, "ws_closes_total", "by=\"peer\"", "Close frames, by who sent one first."),
	NET(ws_closes_ours, "ws_closes_total", "by=\"us\"", "Close frames, by who sent one first."),
	NET(ws_closes_protocol, WS_ERRORS, "cause=\"protocol\"", WS_ERRORS_HELP),
	NET(ws_closes_utf8, WS_ERRORS, "cause=\"utf8\"", WS_ERRORS_HELP),
	NET(ws_closes_too_big, WS_ERRORS, "cause=\"too_big\"", WS_ERRORS_HELP),
	NET(ws_closes_half_open, WS_ERRORS, "cause=\"half_open\"", WS_ERRORS_HELP),
	NET(ws_closes_slow, WS_ERRORS, "cause=\"slow\"", WS_ERRORS_HELP),

	REDIS(connects, "redis_connects_total", NULL, "Connections to Redis that became ready."),
	REDIS(failures, "redis_connection_failures_total", NULL,
	      "Connections to Redis that were lost, or did not come about."),
	REDIS(commands, "redis_commands_total", NULL, "Commands sent to Redis."),
	REDIS(errors, "redis_errors_total", NULL, "Answers of Redis that were errors."),
	REDIS(refused_down, REFUSALS, "cause=\"disconnected\"", REFUSALS_HELP),
	REDIS(refused_full, REFUSALS, "cause=\"queue_full\"", REFUSALS_HELP),
	REDIS(timeouts, UNANSWERED, "cause=\"timeout\"", UNANSWERED_HELP),
	REDIS(lost, UNANSWERED, "cause=\"connection_lost\"", UNANSWERED_HELP),
	REDIS(bytes_in, "redis_bytes_total", "direction=\"in\"", "Bytes read from and written to Redis."),
	REDIS(bytes_out, "redis_bytes_total", "direction=\"out\"", "Bytes read from and written to Redis."),
	REDIS(messages, "redis_messages_total", NULL, "Messages that came on channels of Redis."),
	REDIS(resubscribed, "redis_resubscriptions_total", NULL, "Channels that came back after a reconnect."),
	GAUGE(REDIS, struct redis_figures, queued, "redis_queue_commands", "Commands that wait for Redis to answer."),
	GAUGE(REDIS, struct redis_figures, queued_bytes, "redis_queue_bytes", "Bytes of these."),
	GAUGE(REDIS, struct redis_figures, channels, "redis_channels", "Channels of Redis that are wanted."),
	GAUGE(REDIS, struct redis_figures, channels_live, "redis_channels_live",
	      "Of these, those that are subscribed."),

	GAUGE(REDIS_ROOMS, struct redis_rooms_figures, rooms, "redis_rooms",
	      "Rooms shared with other nodes, and closed ones that wait for Redis."),
	GAUGE(REDIS_ROOMS, struct redis_rooms_figures, waiting, "redis_room_changes_waiting",
	      "Events and changes of rooms that are not in Redis yet."),
	SHARED(commits, "redis_room_commits_total", NULL, "Changes of rooms' states that Redis took."),
	SHARED(conflicts, "redis_room_conflicts_total", NULL,
	       "Changes of rooms' states that another node was ahead of, and that were made again."),
	SHARED(expired, "redis_room_commits_expired_total", NULL,
	       "Times that changes of a cluster room were given up, since they could not be committed in time."),
	SHARED(reads, "redis_room_reads_total", NULL, "Times that a room's state was read from Redis."),
	SHARED(restores, "redis_room_restores_total", NULL, "Rooms given back to a Redis that had lost them."),
	SHARED(sent, "redis_room_messages_total", "direction=\"out\"", "Messages about rooms between nodes."),
	SHARED(received, "redis_room_messages_total", "direction=\"in\"", "Messages about rooms between nodes."),
	SHARED(refused_malformed, ROOM_REFUSALS, "cause=\"malformed\"", ROOM_REFUSALS_HELP),
	SHARED(refused_unsigned, ROOM_REFUSALS, "cause=\"signature\"", ROOM_REFUSALS_HELP),
	SHARED(refused_misplaced, ROOM_REFUSALS, "cause=\"other_room\"", ROOM_REFUSALS_HELP),
	SHARED(untrusted_malformed, STATE_REFUSALS, "cause=\"malformed\"", STATE_REFUSALS_HELP),
	SHARED(untrusted_unsigned, STATE_REFUSALS, "cause=\"signature\"", STATE_REFUSALS_HELP),
	SHARED(dropped, "redis_room_events_dropped_total", NULL,
	       "Events of rooms that other nodes did not get: there was no connection, or too much waited."),

	SHARD(mail_sent, "mail_sent_total", "Mail sent to other shards."),
	SHARD(mail_delivered, "mail_delivered_total", "Mail delivered, from anywhere."),
	SHARD(wakeups, "mail_wakeups_total", "Times that the shard woke another one."),
	SHARD(pressed, "mail_pressed_total", "Times that the shard stopped reading because another one was behind."),
};

const size_t metric_rows_count = sizeof metric_rows / sizeof metric_rows[0];

uint64_t metric_row_read(const struct metric_row *row, const void *const places[METRIC_PLACES])
{
	return counter_read((const counter *)(const void *)((const char *)places[row->place] + row->offset));
}
