#include "clients/bench/load.h"

#include <stdlib.h>

#include "clients/bench/clock.h"
#include "clients/bench/session.h"
#include "clients/bench/worker.h"

/* Sends between two looks at the sockets: what comes back must be read, or the server waits for us. */
#define SENDS_PER_TURN 32

/* Doubles the ring of times when an open loop has more requests out than it holds. */
static void asked_grow(struct client *client)
{
	uint32_t mask = client->asked_mask * 2 + 1;
	uint64_t *grown = bench_alloc((size_t)mask + 1, sizeof *grown);

	for (uint32_t n = client->answered + 1; n != client->request + 1; n++)
		grown[n & mask] = client->asked_ns[n & client->asked_mask];
	free(client->asked_ns);
	client->asked_ns = grown;
	client->asked_mask = mask;
}

static void ask(struct worker *worker, struct client *client, uint64_t intended_ns)
{
	const struct options *options = &worker->bench->options;

	if (client->request - client->answered > client->asked_mask)
		asked_grow(client);
	client->request++;
	client->asked_ns[client->request & client->asked_mask] = intended_ns;
	message_action(&worker->writer, &worker->out, client->id, options->action, client->request);
	count_add(&worker->counters.asked, 1);
}

static void emit(struct worker *worker, struct client *client, uint64_t intended_ns)
{
	struct bench *bench = worker->bench;
	struct message_room room = {bench->options.room, client->room};
	uint32_t copies = bench_room_readers(bench, client->room) - 1;
	struct message_event event = {
		.sender = client->member,
		.number = client->events++,
		.intended_ns = intended_ns - bench->start_ns,
		.data_bytes = bench->options.numbers.data_bytes,
	};

	if (client->flight)
		atomic_store_explicit(&client->flight->left[event.number & client->flight->mask], copies,
				      memory_order_relaxed);
	if (bench->options.raw)
		message_raw_emit(&worker->writer, &worker->out, &room, &event);
	else
		message_emit(&worker->writer, &worker->out, client->id, &room, &event);
	count_add(&worker->counters.sent, 1);
	count_add(&worker->counters.expected, copies);
}

/* One action or event, whatever the order was. */
static void send_one(struct worker *worker, struct client *client, uint64_t intended_ns)
{
	if (worker->load.order.kind == ORDER_ACTIONS)
		ask(worker, client, intended_ns);
	else
		emit(worker, client, intended_ns);
}

/* Spreads the senders over the interval, evenly and in the same way whatever the number of workers. */
static void senders_gather(struct worker *worker, const struct order *order)
{
	const struct numbers *numbers = &worker->bench->options.numbers;
	bool all = order->kind == ORDER_ACTIONS;
	uint64_t rooms = numbers->members ? (numbers->clients + numbers->members - 1) / numbers->members : 0;
	uint64_t total = all ? numbers->clients : rooms * numbers->senders;
	struct load *load = &worker->load;

	free(load->senders);
	*load = (struct load){.order = *order, .active = true};
	load->senders = bench_alloc(worker->client_count, sizeof *load->senders);
	for (uint32_t i = 0; i < worker->client_count; i++) {
		struct client *client = worker->clients[i];
		uint64_t place = all ? client->index : (uint64_t)client->room * numbers->senders + client->member;

		if (!all && !bench_is_sender(worker->bench, client))
			continue;
		client->offset_ns = order->interval_ns / total * place + order->interval_ns % total * place / total;
		load->senders[load->sender_count++] = client;
	}
}

void load_start(struct worker *worker, const struct order *order)
{
	struct load *load = &worker->load;

	senders_gather(worker, order);
	for (uint32_t i = 0; i < worker->client_count; i++)
		if (worker->clients[i]->is_slow)
			client_watch(worker->clients[i], worker->epoll_fd, false);
	if (order->kind != ORDER_ACTIONS)
		return;
	for (uint32_t i = 0; i < load->sender_count; i++) {
		struct client *client = load->senders[i];

		client->answered = client->request;
		for (uint32_t n = 0; !order->interval_ns && n < worker->bench->options.numbers.in_flight; n++)
			ask(worker, client, clock_now_ns());
		session_send(worker, client);
	}
}

void load_halt(struct worker *worker)
{
	worker->load.active = false;
}

static uint64_t paced_tick(struct worker *worker, uint64_t now_ns)
{
	struct load *load = &worker->load;

	for (unsigned budget = SENDS_PER_TURN;; budget--) {
		struct client *client = load->senders[load->cursor];
		uint64_t due_ns = load->order.start_ns + load->round * load->order.interval_ns + client->offset_ns;

		if (due_ns > now_ns || !budget)
			return due_ns;
		histogram_record(&worker->lag, now_ns - due_ns);
		send_one(worker, client, due_ns);
		session_send(worker, client);
		if (++load->cursor == load->sender_count) {
			load->cursor = 0;
			load->round++;
		}
	}
}

/* `everyone`: each sender once, all intended for the same moment. */
static uint64_t round_tick(struct worker *worker)
{
	struct load *load = &worker->load;

	for (unsigned budget = SENDS_PER_TURN; budget && load->cursor < load->sender_count; budget--) {
		struct client *client = load->senders[load->cursor++];

		emit(worker, client, load->order.start_ns);
		session_send(worker, client);
	}
	return load->cursor < load->sender_count ? 0 : UINT64_MAX;
}

static void window_tick(struct worker *worker, uint64_t now_ns)
{
	uint32_t window = worker->bench->options.numbers.in_flight;

	for (uint32_t i = 0; i < worker->load.sender_count; i++) {
		struct client *client = worker->load.senders[i];
		uint64_t completed = atomic_load_explicit(&client->flight->completed, memory_order_acquire);
		uint32_t more = window - (client->events - (uint32_t)completed);

		for (uint32_t n = 0; n < more; n++)
			emit(worker, client, now_ns);
		if (more)
			session_send(worker, client);
	}
}

uint64_t load_tick(struct worker *worker, uint64_t now_ns)
{
	struct load *load = &worker->load;

	if (!load->active || !load->sender_count)
		return UINT64_MAX;
	if (load->order.start_ns > now_ns)
		return load->order.start_ns;
	if (load->order.kind == ORDER_ROUND)
		return round_tick(worker);
	if (load->order.interval_ns)
		return paced_tick(worker, now_ns);
	if (load->order.kind == ORDER_EVENTS)
		window_tick(worker, now_ns);
	return UINT64_MAX;
}

void load_answered(struct worker *worker, struct client *client, uint32_t number)
{
	struct load *load = &worker->load;
	uint64_t intended_ns = client->asked_ns[number & client->asked_mask];

	client->answered = number;
	count_add(&worker->counters.answered, 1);
	if (intended_ns >= load->order.record_ns)
		histogram_record(&worker->latency, worker->now_ns - intended_ns);
	if (load->active && !load->order.interval_ns) {
		ask(worker, client, clock_now_ns());
		session_send(worker, client);
	}
}

void load_delivered(struct worker *worker, uint32_t sender, uint32_t number)
{
	struct bench *bench = worker->bench;
	struct flight *flight = bench->clients[sender].flight;
	struct worker *owner = &bench->workers[sender % bench->options.numbers.threads];

	if (!flight)
		return;
	if (atomic_fetch_sub_explicit(&flight->left[number & flight->mask], 1, memory_order_relaxed) != 1)
		return;
	atomic_fetch_add_explicit(&flight->completed, 1, memory_order_release);
	if (owner != worker)
		worker_poke(owner);
}
