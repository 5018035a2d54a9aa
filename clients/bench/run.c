#include "clients/bench/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clients/bench/clock.h"
#include "clients/bench/progress.h"
#include "clients/bench/worker.h"

#define LOOK_NS (NS_PER_MS)        /* how often the main thread looks at the counters */
#define QUIET_NS (200 * NS_PER_MS) /* without a byte received: preparations have settled */
#define LEAD_NS (5 * NS_PER_MS)    /* between an order and the moment it is for */
#define ALL_CLIENTS UINT32_MAX

struct run {
	struct bench *bench;
	struct run_result *result;
	struct progress progress;
	struct totals totals; /* as of the last look */
	struct totals before; /* as of the last order */
	const char *phase;
};

static void look(struct run *run)
{
	struct timespec pause = {0, LOOK_NS};

	nanosleep(&pause, NULL);
	sample_totals(run->bench, &run->totals);
	progress_show(&run->progress, run->bench, &run->totals, run->phase);
}

/* Gives an order, and waits until all workers have taken it up. */
static void order_give(struct run *run, const struct order *order)
{
	struct bench *bench = run->bench;
	uint32_t threads = bench->options.numbers.threads;
	unsigned number = atomic_load_explicit(&bench->order_number, memory_order_relaxed) + 1;

	sample_totals(bench, &run->before);
	bench->order = *order;
	atomic_store_explicit(&bench->order_number, number, memory_order_release);
	for (uint32_t i = 0; i < threads; i++)
		worker_poke(&bench->workers[i]);
	for (uint32_t i = 0; i < threads; i++)
		while (atomic_load_explicit(&bench->workers[i].order_seen, memory_order_acquire) != number) {
			struct timespec pause = {0, LOOK_NS / 10};

			nanosleep(&pause, NULL);
		}
}

static void order_simple(struct run *run, enum order_kind kind)
{
	order_give(run, &(struct order){.kind = kind});
}

/*
 * Looks until `done`. When nothing at all is received for --drain seconds, the run fails for `reason`; without one it
 * is left to run_check to say what is missing.
 */
static bool wait_for(struct run *run, bool (*done)(const struct run *run), const char *reason)
{
	uint64_t patience_ns = (uint64_t)(run->bench->options.numbers.drain * 1e9);
	uint64_t moved_ns = clock_now_ns();
	uint64_t bytes = UINT64_MAX;

	for (;;) {
		look(run);
		if (bench_has_failed(run->bench))
			return false;
		if (done(run))
			return true;
		if (run->totals.bytes != bytes) {
			bytes = run->totals.bytes;
			moved_ns = clock_now_ns();
		} else if (clock_now_ns() - moved_ns > patience_ns) {
			if (reason)
				bench_fail(run->bench, "%s: nothing received for %g s", reason,
					   run->bench->options.numbers.drain);
			return false;
		}
	}
}

static bool wait_until(struct run *run, uint64_t until_ns)
{
	while (clock_now_ns() < until_ns && !bench_has_failed(run->bench))
		look(run);
	return !bench_has_failed(run->bench);
}

/* Waits until no byte has come for a while. */
static bool wait_quiet(struct run *run)
{
	uint64_t bytes = UINT64_MAX;
	uint64_t moved_ns = 0;

	do {
		look(run);
		if (run->totals.bytes != bytes) {
			bytes = run->totals.bytes;
			moved_ns = clock_now_ns();
		}
	} while (!bench_has_failed(run->bench) && clock_now_ns() - moved_ns < QUIET_NS);
	return !bench_has_failed(run->bench);
}

static bool all_reached(const struct run *run)
{
	return run->totals.reached - run->before.reached == run->bench->options.numbers.clients;
}

static bool all_answered(const struct run *run)
{
	return run->totals.answered == run->totals.asked;
}

static bool all_delivered(const struct run *run)
{
	return run->totals.delivered >= run->totals.expected;
}

/* In each room, the k-th of n to join is told of the n - k that follow. */
static bool all_told(const struct run *run)
{
	const struct numbers *numbers = &run->bench->options.numbers;
	uint64_t wanted = 0;

	for (uint32_t first = 0; numbers->members && first < numbers->clients; first += numbers->members) {
		uint64_t members = bench_room_members(run->bench, first / numbers->members);

		wanted += members * (members - 1) / 2;
	}
	return run->totals.system >= wanted;
}

/* Where clients of this run end up; without rooms nobody can join one. */
static enum client_stage goal_limit(const struct run *run, enum client_stage goal)
{
	return goal == CLIENT_JOINED && !run->bench->options.numbers.members ? CLIENT_MOUNTED : goal;
}

/* Actions may be called by members of rooms, too; not so the floor's, which echoes only for those in none. */
static enum client_stage setup_goal(const struct run *run)
{
	const struct options *options = &run->bench->options;

	if (options->scenario->kind == SCENARIO_ACTIONS && options->numbers.members && !options->raw)
		return CLIENT_JOINED;
	return goal_limit(run, options->scenario->setup);
}

static bool run_prepare(struct run *run)
{
	struct order order = {.kind = ORDER_CLIMB, .goal = setup_goal(run), .concurrency = 256};

	run->phase = "preparing";
	sample_take(run->bench, &run->result->empty);
	if (order.goal != CLIENT_CLOSED) {
		order_give(run, &order);
		if (!wait_for(run, all_reached, "clients are not ready") || !wait_quiet(run))
			return false;
	}
	sample_take(run->bench, &run->result->prepared);
	run->phase = "measuring";
	return !bench_has_failed(run->bench);
}

static void run_climb(struct run *run)
{
	const struct options *options = &run->bench->options;
	struct run_result *result = run->result;
	struct order order = {
		.kind = ORDER_CLIMB,
		.goal = goal_limit(run, options->scenario->goal),
		.strict = true,
		.concurrency = options->numbers.concurrency,
		.interval_ns = options->numbers.rate > 0 ? (uint64_t)(1e9 / options->numbers.rate) : 0,
	};

	sample_take(run->bench, &result->from);
	order.start_ns = clock_now_ns();
	order_give(run, &order);
	if (!wait_for(run, all_reached, "clients did not all reach the goal"))
		return;
	if (order.goal == CLIENT_JOINED &&
	    !(options->url_count == 1
		      ? wait_for(run, all_told, "missing delivery: not all members were told of all joins")
		      : wait_quiet(run)))
		return;
	sample_take(run->bench, &result->to);
	result->seconds = (double)(result->to.totals.last_ns - order.start_ns) / NS_PER_SECOND;
	result->units = result->to.totals.reached - result->from.totals.reached;
}

/* Load for a time: warm-up, from, to. Then no new load, and all that is out must come. */
static bool run_timed(struct run *run, const struct order *order)
{
	const struct numbers *numbers = &run->bench->options.numbers;
	struct run_result *result = run->result;

	order_give(run, order);
	if (!wait_until(run, order->record_ns))
		return false;
	sample_take(run->bench, &result->from);
	if (!wait_until(run, order->record_ns + (uint64_t)(numbers->duration * 1e9)))
		return false;
	sample_take(run->bench, &result->to);
	result->seconds = (double)(result->to.at_ns - result->from.at_ns) / NS_PER_SECOND;
	order_simple(run, ORDER_HALT);
	run->phase = "draining";
	return true;
}

static struct order timed_order(const struct run *run, enum order_kind kind)
{
	const struct numbers *numbers = &run->bench->options.numbers;
	uint64_t start_ns = clock_now_ns() + LEAD_NS;

	return (struct order){
		.kind = kind,
		.start_ns = start_ns,
		.record_ns = start_ns + (uint64_t)(numbers->warmup * 1e9),
	};
}

static void run_actions(struct run *run)
{
	const struct numbers *numbers = &run->bench->options.numbers;
	struct order order = timed_order(run, ORDER_ACTIONS);

	if (numbers->rate > 0)
		order.interval_ns = (uint64_t)(1e9 * numbers->clients / numbers->rate);
	if (!run_timed(run, &order))
		return;
	wait_for(run, all_answered, "missing reply");
	run->result->units = run->result->to.totals.answered - run->result->from.totals.answered;
}

static void run_events(struct run *run)
{
	const struct numbers *numbers = &run->bench->options.numbers;
	struct order order = timed_order(run, ORDER_EVENTS);

	if (!numbers->in_flight)
		order.interval_ns = (uint64_t)(1e9 / numbers->rate);
	if (!run_timed(run, &order))
		return;
	wait_for(run, all_delivered, NULL);
	run->result->units = run->result->to.totals.delivered - run->result->from.totals.delivered;
	if (numbers->slow) {
		order_simple(run, ORDER_WAKE);
		wait_quiet(run);
	}
}

static void run_rounds(struct run *run)
{
	struct run_result *result = run->result;

	sample_take(run->bench, &result->from);
	for (uint32_t round = 0; round < run->bench->options.numbers.rounds; round++) {
		uint64_t start_ns = clock_now_ns() + LEAD_NS;

		order_give(run, &(struct order){.kind = ORDER_ROUND, .start_ns = start_ns});
		wait_until(run, start_ns);
		look(run);
		if (!wait_for(run, all_delivered, NULL))
			return;
		result->seconds += (double)(run->totals.last_ns - start_ns) / NS_PER_SECOND;
	}
	sample_take(run->bench, &result->to);
	result->units = result->to.totals.delivered - result->from.totals.delivered;
}

static void run_hold(struct run *run)
{
	struct run_result *result = run->result;

	sample_take(run->bench, &result->from);
	wait_until(run, clock_now_ns() + (uint64_t)(run->bench->options.numbers.duration * 1e9));
	sample_take(run->bench, &result->to);
	result->seconds = (double)(result->to.at_ns - result->from.at_ns) / NS_PER_SECOND;
	result->units = run->bench->options.numbers.clients;
}

static void run_churn(struct run *run)
{
	struct order order = timed_order(run, ORDER_CLIMB);

	order.goal = goal_limit(run, run->bench->options.scenario->goal);
	order.strict = true;
	order.again = true;
	order.concurrency = ALL_CLIENTS;
	if (!run_timed(run, &order))
		return;
	wait_quiet(run);
	run->result->units = run->result->to.totals.reached - run->result->from.totals.reached;
}

static void run_measure(struct run *run)
{
	switch (run->bench->options.scenario->kind) {
	case SCENARIO_CLIMB: run_climb(run); break;
	case SCENARIO_ACTIONS: run_actions(run); break;
	case SCENARIO_EVENTS: run_events(run); break;
	case SCENARIO_ROUNDS: run_rounds(run); break;
	case SCENARIO_HOLD: run_hold(run); break;
	case SCENARIO_CHURN: run_churn(run); break;
	}
}

/* Each reading member must have each event of each sender of its room, but its own. */
static void client_check(struct bench *bench, const struct client *client, struct run_result *result)
{
	const struct numbers *numbers = &bench->options.numbers;
	const struct client *room = &bench->clients[client->room * numbers->members];
	uint32_t members = bench_room_members(bench, client->room);

	result->doubled += client->sequence.doubled;
	result->reordered += client->sequence.reordered;
	for (uint32_t sender = 0; sender < numbers->senders && sender < members && !client->is_slow; sender++) {
		uint64_t missing = 0;

		if (sender != client->member)
			missing = sequence_missing(&client->sequence, sender, room[sender].events);
		if (missing && !result->missing)
			snprintf(result->example, sizeof result->example,
				 "client %u lacks %" PRIu64 " of %u events of sender %u in room %s-%u", client->index,
				 missing, room[sender].events, sender, bench->options.room, client->room);
		result->missing += missing;
	}
}

/* The last word: a run that was stopped by another failure has things missing, but that is not why it failed. */
static void run_check(struct bench *bench, struct run_result *result)
{
	const struct totals *end = &result->end.totals;

	for (uint32_t i = 0; bench->options.numbers.members && i < bench->options.numbers.clients; i++)
		client_check(bench, &bench->clients[i], result);
	if (result->missing)
		bench_fail(bench, "missing deliveries: %" PRIu64 ", for example %s", result->missing, result->example);
	else if (end->delivered != end->expected)
		bench_fail(bench, "%" PRIu64 " deliveries came, %" PRIu64 " were due", end->delivered, end->expected);
}

void run_scenario(struct bench *bench, struct run_result *result)
{
	struct run run = {.bench = bench, .result = result, .phase = "starting"};
	uint32_t started = 0;

	histogram_init(&result->latency);
	histogram_init(&result->remote);
	histogram_init(&result->lag);
	progress_init(&run.progress, bench);
	for (; started < bench->options.numbers.threads; started++) {
		int rc = worker_start(&bench->workers[started]);

		if (rc < 0) {
			bench_fail(bench, "cannot start worker %u: %s", started, strerror(-rc));
			break;
		}
	}
	if (started < bench->options.numbers.threads)
		return;
	if (run_prepare(&run))
		run_measure(&run);
	sample_take(bench, &result->end);
	order_simple(&run, ORDER_QUIT);
	for (uint32_t i = 0; i < started; i++) {
		worker_join(&bench->workers[i]);
		histogram_merge(&result->latency, &bench->workers[i].latency);
		histogram_merge(&result->remote, &bench->workers[i].remote);
		histogram_merge(&result->lag, &bench->workers[i].lag);
	}
	progress_clear(&run.progress);
	run_check(bench, result);
}
