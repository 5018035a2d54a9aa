#include "clients/bench/scenario.h"

#include <stddef.h>
#include <string.h>

/* What a scenario leaves at 0. A rate of 0 has a meaning of its own: as fast as the replies come. */
static const struct numbers usual = {
	.threads = 1,
	.sources = 32,
	.data_bytes = 150,
	.rounds = 1,
	.concurrency = 256,
	.duration = 5,
	.warmup = 1,
	.drain = 10,
};

/* clang-format off */
static const struct scenario scenarios[] = {
	{.name = "connect", .unit = "connection", .units = "connections", .kind = SCENARIO_CLIMB,
	 .summary = "clients connect, until each has its CONNECTION_ESTABLISHED",
	 .setup = CLIENT_CLOSED, .goal = CLIENT_OPEN,
	 .defaults = {.clients = 5000, .concurrency = 64}},
	{.name = "mount", .unit = "mount", .units = "mounts", .kind = SCENARIO_CLIMB,
	 .summary = "connected clients each mount a component",
	 .setup = CLIENT_OPEN, .goal = CLIENT_MOUNTED,
	 .defaults = {.clients = 5000, .concurrency = 64}},
	{.name = "actions", .unit = "action", .units = "actions", .kind = SCENARIO_ACTIONS,
	 .summary = "each client calls an action and waits for the reply; --rate makes it an open loop",
	 .setup = CLIENT_MOUNTED, .goal = CLIENT_MOUNTED,
	 .defaults = {.clients = 100, .in_flight = 1}},
	{.name = "room", .unit = "delivery", .units = "deliveries", .kind = SCENARIO_EVENTS,
	 .summary = "one sender, N members; paced by --rate, or flat out with --in-flight",
	 .setup = CLIENT_JOINED, .goal = CLIENT_JOINED,
	 .defaults = {.members = 1000, .senders = 1, .rate = 20}},
	{.name = "everyone", .unit = "delivery", .units = "deliveries", .kind = SCENARIO_ROUNDS,
	 .summary = "N members of one room, each sends one event at the same time",
	 .setup = CLIENT_JOINED, .goal = CLIENT_JOINED,
	 .defaults = {.members = 1000, .senders = UINT32_MAX}},
	{.name = "steady", .unit = "delivery", .units = "deliveries", .kind = SCENARIO_EVENTS,
	 .summary = "N members of one room, each sends one event a second",
	 .setup = CLIENT_JOINED, .goal = CLIENT_JOINED,
	 .defaults = {.members = 1000, .senders = UINT32_MAX, .rate = 1, .warmup = 2, .duration = 10}},
	{.name = "rooms", .unit = "delivery", .units = "deliveries", .kind = SCENARIO_EVENTS,
	 .summary = "many rooms, each with its own sender",
	 .setup = CLIENT_JOINED, .goal = CLIENT_JOINED,
	 .defaults = {.clients = 1000, .members = 10, .senders = 1, .rate = 10}},
	{.name = "join", .unit = "join", .units = "joins", .kind = SCENARIO_CLIMB,
	 .summary = "N mounted clients join one room at once; over when all have been told of all",
	 .setup = CLIENT_MOUNTED, .goal = CLIENT_JOINED,
	 .defaults = {.members = 1000, .concurrency = UINT32_MAX}},
	{.name = "idle", .unit = "connection", .units = "connections", .kind = SCENARIO_HOLD,
	 .summary = "memory of connections that are mounted, in a room, and silent",
	 .setup = CLIENT_JOINED, .goal = CLIENT_JOINED,
	 .defaults = {.clients = 15000, .members = 100, .duration = 10}},
	{.name = "churn", .unit = "cycle", .units = "cycles", .kind = SCENARIO_CHURN,
	 .summary = "clients connect, mount, join, close, and again",
	 .setup = CLIENT_CLOSED, .goal = CLIENT_JOINED,
	 .defaults = {.clients = 200, .members = 10, .concurrency = UINT32_MAX}},
	{.name = "slow", .unit = "delivery", .units = "deliveries", .kind = SCENARIO_EVENTS,
	 .summary = "as room, but some members (--slow) do not read; the others must not notice",
	 .setup = CLIENT_JOINED, .goal = CLIENT_JOINED,
	 .defaults = {.members = 200, .senders = 1, .slow = 20, .rate = 200}},
	{.name = "cluster", .unit = "delivery", .units = "deliveries", .kind = SCENARIO_EVENTS,
	 .summary = "one room whose members are spread over several --url, a sender on each",
	 .setup = CLIENT_JOINED, .goal = CLIENT_JOINED,
	 .defaults = {.members = 300, .senders = 0, .rate = 20}},
};
/* clang-format on */

const struct scenario *scenario_at(unsigned n)
{
	return n < sizeof scenarios / sizeof *scenarios ? &scenarios[n] : NULL;
}

const struct scenario *scenario_find(const char *name)
{
	for (unsigned n = 0; scenario_at(n); n++)
		if (!strcmp(scenario_at(n)->name, name))
			return scenario_at(n);
	return NULL;
}

void scenario_numbers(const struct scenario *scenario, struct numbers *out)
{
	*out = scenario->defaults;
	out->threads = usual.threads;
	out->sources = usual.sources;
	out->data_bytes = usual.data_bytes;
	out->rounds = usual.rounds;
	out->drain = usual.drain;
	if (!out->concurrency)
		out->concurrency = usual.concurrency;
	if (out->duration <= 0)
		out->duration = usual.duration;
	if (out->warmup <= 0)
		out->warmup = usual.warmup;
}
