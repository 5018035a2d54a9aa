#include "clients/bench/receive.h"

#include <string.h>

#include "clients/bench/floor_wire.h"
#include "clients/bench/load.h"
#include "clients/bench/scan.h"
#include "clients/bench/session.h"

/* printf arguments for "%.*s". */
#define TEXT(text) (int)(text).length, (text).at ? (text).at : ""

/* Whether `name` is what this generator calls room `room`. */
static bool room_is(const struct bench *bench, struct scan_text name, uint32_t room)
{
	size_t prefix = strlen(bench->options.room);
	uint64_t number;

	if (name.length < prefix + 2 || memcmp(name.at, bench->options.room, prefix) != 0 || name.at[prefix] != '-')
		return false;
	return scan_unsigned((struct scan_text){name.at + prefix + 1, name.length - prefix - 1}, &number) &&
	       number == room;
}

/* Fails the run when an event is addressed to another member or room. */
static bool address_check(struct worker *worker, const struct client *client, const struct scan_message *message)
{
	struct bench *bench = worker->bench;

	if (!bench->options.raw && !scan_equals(message->component_id, client->id, client->id_length)) {
		bench_fail(bench, "client %u, component %s, received an event for component %.*s", client->index,
			   client->id, TEXT(message->component_id));
		return false;
	}
	if (!room_is(bench, message->room_id, client->room)) {
		bench_fail(bench, "client %u of room %s-%u received an event of room %.*s", client->index,
			   bench->options.room, client->room, TEXT(message->room_id));
		return false;
	}
	return true;
}

/* Fails the run when an event is the member's own, or out of sequence. */
static bool sequence_check(struct worker *worker, struct client *client, const struct scan_event *event)
{
	struct bench *bench = worker->bench;
	struct sequence *sequence = &client->sequence;

	if (event->sender == client->member) {
		bench_fail(bench, "client %u received its own event %u", client->index, event->number);
		return false;
	}
	/* The last room may have fewer members than senders are counted for. */
	if (event->sender >= bench_room_members(bench, client->room) ||
	    !sequence_see(sequence, event->sender, event->number)) {
		bench_fail(bench, "client %u received an event of sender %u, which does not send", client->index,
			   event->sender);
		return false;
	}
	if (sequence->doubled || sequence->reordered) {
		bench_fail(bench, "%s delivery: client %u, event %u of sender %u in room %s-%u",
			   sequence->doubled ? "doubled" : "reordered", client->index, event->number, event->sender,
			   bench->options.room, client->room);
		return false;
	}
	return true;
}

/* A delivery whose address is right. */
static void event_take(struct worker *worker, struct client *client, const struct scan_event *event)
{
	struct bench *bench = worker->bench;
	uint64_t intended_ns = bench->start_ns + event->intended_ns;
	uint32_t sender = client->room * bench->options.numbers.members + event->sender;

	if (client->is_slow) {
		count_add(&worker->counters.to_slow, 1);
		return;
	}
	if (!sequence_check(worker, client, event))
		return;
	count_add(&worker->counters.delivered, 1);
	if (intended_ns >= worker->load.order.record_ns) {
		histogram_record(&worker->latency, worker->now_ns - intended_ns);
		if (bench->clients[sender].endpoint != client->endpoint)
			histogram_record(&worker->remote, worker->now_ns - intended_ns);
	}
	load_delivered(worker, sender, event->number);
}

/* An event read in full. `start` is where its object begins; if all is right, events that begin alike are so, too. */
static void on_room_event(struct worker *worker, struct client *client, const struct scan_message *message,
			  const char *start)
{
	struct scan_event event;

	if (!SCAN_IS(message->event, "b")) {
		count_add(&worker->counters.other, 1);
		return;
	}
	if (!address_check(worker, client, message))
		return;
	if (scan_event_data(message->data, &event) < 0) {
		bench_fail(worker->bench, "client %u received other data than was sent: %.*s", client->index,
			   TEXT(message->data));
		return;
	}
	client->event_start.length = 0;
	buffer_append(&client->event_start, start, (size_t)(message->data.at - start));
	event_take(worker, client, &event);
}

/* Whether `message` answers the client's last request in `stage`; if not, or if it is a refusal, the run fails. */
static bool reply_check(struct worker *worker, const struct client *client, const struct scan_message *message,
			enum client_stage stage)
{
	uint32_t number;

	if (client->stage != stage || !message->request_id.at)
		return false;
	if (!message_request_number(message->request_id.at, message->request_id.length, &number) ||
	    number != client->request) {
		bench_fail(worker->bench, "client %u received a reply to %.*s, which it did not ask", client->index,
			   TEXT(message->request_id));
		return false;
	}
	if (message->success == SCAN_FALSE) {
		bench_fail(worker->bench, "client %u was refused: %.*s", client->index, TEXT(message->error));
		return false;
	}
	return true;
}

static void on_mounted(struct worker *worker, struct client *client, const struct scan_message *message)
{
	struct scan_text id;

	if (!reply_check(worker, client, message, CLIENT_MOUNTING))
		return;
	if (!scan_string_field(message->result, "componentId", &id) || !id.length || id.length > CLIENT_ID_MAX) {
		bench_fail(worker->bench, "client %u received a mount reply without a usable componentId",
			   client->index);
		return;
	}
	memcpy(client->id, id.at, id.length);
	client->id[id.length] = 0;
	client->id_length = id.length;
	client->stage = CLIENT_MOUNTED;
	session_advance(worker, client);
}

static void on_joined(struct worker *worker, struct client *client, const struct scan_message *message)
{
	if (!reply_check(worker, client, message, CLIENT_JOINING))
		return;
	client->stage = CLIENT_JOINED;
	session_advance(worker, client);
}

/* While nobody leaves and there is one node, each member must be told of each later join, once and in order. */
static void on_system(struct worker *worker, struct client *client, const struct scan_message *message)
{
	const struct options *options = &worker->bench->options;
	struct scan_text text;
	uint64_t count;

	count_add(&worker->counters.system, 1);
	if (options->raw || options->url_count > 1 || options->scenario->kind == SCENARIO_CHURN)
		return;
	if (!SCAN_IS(message->event, "$sub:join") || !scan_field(message->data, "count", &text) ||
	    !scan_unsigned(text, &count))
		return;
	if (client->system && count != client->system + 1)
		bench_fail(worker->bench,
			   "client %u was told of %llu members after %llu: a join is missing, doubled or reordered",
			   client->index, (unsigned long long)count, (unsigned long long)client->system);
	client->system = count;
}

static void on_action_reply(struct worker *worker, struct client *client, const struct scan_message *message)
{
	uint32_t number;

	if (!client->asked_ns || !message_request_number(message->request_id.at, message->request_id.length, &number) ||
	    number != client->answered + 1 || number > client->request) {
		bench_fail(worker->bench, "client %u received a reply to %.*s, expected was %08x", client->index,
			   TEXT(message->request_id), client->answered + 1);
		return;
	}
	if (message->success == SCAN_FALSE) {
		bench_fail(worker->bench, "client %u: action refused: %.*s", client->index, TEXT(message->error));
		return;
	}
	load_answered(worker, client, number);
}

/* A counter only counts up; by one at a time while one request is out, since then no two deltas can be merged. */
static void on_delta(struct worker *worker, struct client *client, const struct scan_message *message)
{
	const struct numbers *numbers = &worker->bench->options.numbers;
	bool one_by_one = numbers->in_flight == 1 && numbers->rate <= 0;
	struct scan_text delta, text;
	uint64_t count;

	count_add(&worker->counters.other, 1);
	if (!scan_field(message->payload, "delta", &delta) || !scan_field(delta, "count", &text) ||
	    !scan_unsigned(text, &count))
		return;
	if (client->counted && (one_by_one ? count != client->counted + 1 : count <= client->counted))
		bench_fail(worker->bench,
			   "client %u: count went from %llu to %llu: a delta is missing, doubled or reordered",
			   client->index, (unsigned long long)client->counted, (unsigned long long)count);
	client->counted = count;
}

static void on_error(struct worker *worker, struct client *client, const struct scan_message *message)
{
	if (SCAN_IS(message->error, "Rate limit exceeded"))
		bench_fail(worker->bench,
			   "client %u: Rate limit exceeded. The server allows too few messages for this "
			   "load (100, then 50 a second, unless configured otherwise): raise its rate "
			   "limit, or lower --rate",
			   client->index);
	else
		bench_fail(worker->bench, "client %u received an error: %.*s", client->index, TEXT(message->error));
}

static void on_established(struct worker *worker, struct client *client)
{
	if (client->stage != CLIENT_GREETING)
		return;
	client->stage = CLIENT_OPEN;
	session_advance(worker, client);
}

/* Most frequent first. */
static void message_take(struct worker *worker, struct client *client, const struct scan_message *message,
			 const char *start)
{
	if (SCAN_IS(message->type, "ROOM_EVENT"))
		on_room_event(worker, client, message, start);
	else if (SCAN_IS(message->type, "ACTION_RESPONSE") || SCAN_IS(message->type, "CALL_ACTION"))
		on_action_reply(worker, client, message); /* the floor echoes the call itself */
	else if (SCAN_IS(message->type, "STATE_DELTA"))
		on_delta(worker, client, message);
	else if (SCAN_IS(message->type, "ROOM_SYSTEM"))
		on_system(worker, client, message);
	else if (SCAN_IS(message->type, "MESSAGE_RESPONSE"))
		on_mounted(worker, client, message);
	else if (SCAN_IS(message->type, "ROOM_JOINED"))
		on_joined(worker, client, message);
	else if (SCAN_IS(message->type, "CONNECTION_ESTABLISHED"))
		on_established(worker, client);
	else if (SCAN_IS(message->type, "ERROR"))
		on_error(worker, client, message);
	else
		count_add(&worker->counters.other, 1);
}

/* One message, by the shortcut or in full. As scan_next. */
static int message_next(struct worker *worker, struct client *client, struct scan *scan)
{
	struct scan_text known = {(const char *)client->event_start.bytes, client->event_start.length};
	const char *start = scan->at;
	struct scan_message message;
	struct scan_event event;
	int rc = scan_event_again(scan, known, &event);

	if (rc > 0) {
		event_take(worker, client, &event);
		return rc;
	}
	if (rc == 0)
		rc = scan_next(scan, &message);
	if (rc > 0)
		message_take(worker, client, &message, start);
	return rc;
}

void receive_text(struct worker *worker, struct client *client, const char *text, size_t length)
{
	struct scan scan;
	int rc;

	scan_begin(&scan, text, length);
	do
		rc = message_next(worker, client, &scan);
	while (rc > 0);
	if (rc < 0)
		bench_fail(worker->bench, "client %u received what is no message: %.*s", client->index,
			   length < 120 ? (int)length : 120, text);
	atomic_store_explicit(&worker->counters.last_ns, worker->now_ns, memory_order_relaxed);
}

void receive_binary(struct worker *worker, struct client *client, const uint8_t *bytes, size_t length)
{
	if (worker->bench->options.raw && length == sizeof(struct floor_join) && bytes[0] == FLOOR_JOIN &&
	    client->stage == CLIENT_JOINING) {
		client->stage = CLIENT_JOINED;
		session_advance(worker, client);
		return;
	}
	count_add(&worker->counters.other, 1);
}
