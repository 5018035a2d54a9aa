#include "redis/figures.h"

#define LINK(field)                                           \
	{                                                     \
#field, offsetof(struct redis_figures, field) \
	}
#define ROOMS(field)                                                \
	{                                                           \
#field, offsetof(struct redis_rooms_figures, field) \
	}

const struct redis_figure_row redis_figure_rows[] = {
	LINK(connects),     LINK(failures),     LINK(commands), LINK(errors),        LINK(timeouts), LINK(lost),
	LINK(refused_down), LINK(refused_full), LINK(bytes_in), LINK(bytes_out),     LINK(messages), LINK(resubscribed),
	LINK(queued),       LINK(queued_bytes), LINK(channels), LINK(channels_live),
};
const size_t redis_figure_rows_count = sizeof redis_figure_rows / sizeof redis_figure_rows[0];

const struct redis_figure_row redis_rooms_figure_rows[] = {
	ROOMS(rooms),
	ROOMS(waiting),
	ROOMS(commits),
	ROOMS(conflicts),
	ROOMS(reads),
	ROOMS(restores),
	ROOMS(sent),
	ROOMS(received),
	ROOMS(refused_malformed),
	ROOMS(refused_unsigned),
	ROOMS(refused_misplaced),
	ROOMS(untrusted_unsigned),
	ROOMS(untrusted_malformed),
	ROOMS(dropped),
	ROOMS(expired),
};
const size_t redis_rooms_figure_rows_count = sizeof redis_rooms_figure_rows / sizeof redis_rooms_figure_rows[0];

uint64_t redis_figure_read(const void *figures, const struct redis_figure_row *row)
{
	return counter_read((const counter *)(const void *)((const char *)figures + row->offset));
}

/* From what loopback takes to what is given up, finest where a network of one data centre is. */
static const uint64_t bounds_us[REDIS_ROUND_TRIP_BUCKETS - 1] = {
	100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000, 2000000, 5000000,
};

void redis_figures_add_round_trip(struct redis_figures *figures, uint64_t us)
{
	unsigned bucket = 0;

	while (bucket < REDIS_ROUND_TRIP_BUCKETS - 1 && us > bounds_us[bucket])
		bucket++;
	counter_add(&figures->round_trips[bucket], 1);
	counter_add(&figures->round_trips_us, us);
}

uint64_t redis_round_trip_bound_us(unsigned bucket)
{
	return bounds_us[bucket];
}

const char *redis_state_name(enum redis_state state)
{
	static const char *const names[REDIS_STATES] = {
		[REDIS_CONNECTING] = "connecting", [REDIS_UP] = "up", [REDIS_DOWN] = "down", [REDIS_FULL] = "full"};

	return names[state];
}
