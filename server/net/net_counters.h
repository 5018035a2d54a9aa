/*
 * net_counters - what the edge of one shard did, and why it paused, closed or dropped what it did.
 *
 * Nothing is dropped, paused or closed without one of these moving. Written [shard] by their owner alone, read [any].
 */
#ifndef SERVER_NET_NET_COUNTERS_H
#define SERVER_NET_NET_COUNTERS_H

#include <stddef.h>

#include "core/counter.h"

struct net_counters {
	counter opened; /* connections */
	counter closed; /* all of them, whatever the cause */
	counter bytes_in;
	counter bytes_out;
	counter sends;         /* system calls that wrote */
	counter short_sends;   /* of these, those that left something for the backlog */
	counter backlog_bytes; /* waiting now, in all backlogs together */

	counter pauses_backlog; /* reading stopped: the peer does not read its own replies */
	counter pauses_pressed; /* reading stopped: another shard is behind with our mail */
	counter pauses_owner;   /* reading stopped: the owner held the connection */

	counter closes_ours;          /* we said so: an answer with Connection: close, a close frame, a shutdown */
	counter closes_peer;          /* the peer ended the stream */
	counter closes_error;         /* reset, broken pipe, a failed wire */
	counter closes_deadline;      /* a deadline of the owner or of the connection passed */
	counter closes_backlog_bytes; /* over the hard mark by bytes */
	counter closes_backlog_age;   /* over the hard mark by age */
	counter closes_backlog_total; /* over its soft mark while all backlogs together were over theirs */
	counter closes_input;         /* unread input outgrew its limit, or no memory for it */
	counter closes_proxy;         /* a bad PROXY header, or one from a peer that is not trusted */
	counter closes_linger;        /* the peer did not take our last bytes in time */
	counter refused_address;      /* too many connections of one address: closed at once, or not upgraded */
	counter soft_marks;           /* times that a backlog crossed the soft mark */
	counter dropped_bytes;        /* in backlogs of connections closed before they drained */

	counter tls_handshakes;      /* done */
	counter tls_resumed;         /* of these, those by a ticket */
	counter tls_waits;           /* times that a handshake waited because a tick had done its ration */
	counter tls_failed_version;  /* handshakes that failed: the peer speaks no version that we do */
	counter tls_failed_cipher;   /* ... has no cipher, group or signature in common with us */
	counter tls_failed_protocol; /* ... offers by ALPN other protocols only */
	counter tls_failed_alert;    /* ... refuses us, by an alert */
	counter tls_failed_bytes;    /* ... sends what is no handshake */
	counter tls_failed_ended;    /* ... goes away */
	counter tls_failed_late;     /* ... was too slow, or the server ended */
	counter tls_truncated;       /* streams that ended without a close_notify */
	counter tls_broken;          /* streams with a bad record, or an alert of the peer */

	counter http_requests;
	counter http_errors_4xx;
	counter http_errors_5xx;
	counter http_timeouts; /* header, body and idle deadlines */
	counter ws_opened;
	counter ws_refused; /* handshakes answered with an error */
	counter ws_messages_in;
	counter ws_messages_out;
	counter ws_deflates;        /* times that the compressor ran */
	counter ws_deflates_shared; /* times that a message took what was compressed for an earlier one */
	counter ws_pings;
	counter ws_closes_peer;      /* close frames that the peer sent first */
	counter ws_closes_ours;      /* close frames that we sent first, whatever for */
	counter ws_closes_protocol;  /* of ours: 1002 */
	counter ws_closes_utf8;      /* of ours: 1007 */
	counter ws_closes_too_big;   /* of ours: 1009 */
	counter ws_closes_half_open; /* no pong in time */
	counter ws_closes_slow;      /* an unfinished message or close handshake ran out of time */
};

/* One of them, for those who tell of all: its name and its place. */
struct net_counter_row {
	const char *name;
	size_t offset;
};

extern const struct net_counter_row net_counter_rows[];
extern const size_t net_counter_rows_count;
/* [any] */
uint64_t net_counter_read(const struct net_counters *counters, const struct net_counter_row *row);

#endif
