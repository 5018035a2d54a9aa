#include "clients/bench/climb.h"

#include "clients/bench/clock.h"
#include "clients/bench/session.h"

void climb_start(struct worker *worker, const struct order *order)
{
	uint32_t share = order->concurrency / worker->bench->options.numbers.threads;

	worker->climb = (struct climb){.order = *order, .active = true, .limit = share ? share : 1};
}

void climb_halt(struct worker *worker)
{
	worker->climb.active = false;
}

static void client_start(struct worker *worker, struct client *client, uint64_t intended_ns)
{
	client->goal = worker->climb.order.goal;
	client->began_ns = intended_ns;
	worker->climb.running++;
	session_advance(worker, client);
}

/* In the open loop each client has its moment, however many are still climbing. */
static uint64_t open_tick(struct worker *worker, uint64_t now_ns)
{
	struct climb *climb = &worker->climb;

	while (climb->next < worker->client_count) {
		struct client *client = worker->clients[climb->next];
		uint64_t due_ns = climb->order.start_ns + client->index * climb->order.interval_ns;

		if (due_ns > now_ns)
			return due_ns;
		climb->next++;
		client_start(worker, client, due_ns);
	}
	return UINT64_MAX;
}

uint64_t climb_tick(struct worker *worker, uint64_t now_ns)
{
	struct climb *climb = &worker->climb;

	if (!climb->active)
		return UINT64_MAX;
	if (climb->order.interval_ns)
		return open_tick(worker, now_ns);
	while (climb->next < worker->client_count && climb->running < climb->limit)
		client_start(worker, worker->clients[climb->next++], clock_now_ns());
	return UINT64_MAX;
}

bool climb_reached(struct worker *worker, struct client *client)
{
	struct climb *climb = &worker->climb;

	climb->running--;
	count_add(&worker->counters.reached, 1);
	if (climb->order.strict && client->began_ns >= climb->order.record_ns) {
		uint64_t now_ns = clock_now_ns();

		histogram_record(&worker->latency, now_ns - client->began_ns);
		atomic_store_explicit(&worker->counters.last_ns, now_ns, memory_order_relaxed);
	}
	return climb->order.again;
}

void climb_closed(struct worker *worker, struct client *client)
{
	if (worker->climb.active)
		client_start(worker, client, clock_now_ns());
}
