#include "core/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t which)
{
	struct timespec now;
	clock_gettime(which, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void tick_clock_refresh(struct tick_clock *clock)
{
	clock->wall_ms = clock_now_wall_ms();
	clock->mono_ms = clock_now_mono_ms();
}

int64_t clock_now_wall_ms(void)
{
	return read_ns(CLOCK_REALTIME) / 1000000;
}

int64_t clock_now_mono_ms(void)
{
	return read_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t clock_now_mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}
