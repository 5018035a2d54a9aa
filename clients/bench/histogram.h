/*
 * histogram - latencies, kept in a fixed space with a fixed relative error.
 *
 * Values are nanoseconds. Each power of two is cut into 2^HISTOGRAM_BITS equal steps, so a percentile is off by less
 * than 0.8 % at any size, from 1 ns to 2^64 ns, and recording is an increment. Each worker thread owns one; they are
 * merged when the threads have ended. What people get wrong: a histogram cannot undo coordinated omission. Record the
 * time since the *intended* send, not since the actual one. Threads: [any], one at a time.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_BITS 7
#define HISTOGRAM_STEPS (1u << HISTOGRAM_BITS)
#define HISTOGRAM_CELLS ((65 - HISTOGRAM_BITS) * HISTOGRAM_STEPS)

struct histogram {
	uint64_t count;
	uint64_t sum;
	uint64_t min;
	uint64_t max;
	uint64_t cells[HISTOGRAM_CELLS];
};

/* Makes it empty; needed before first use, since an empty minimum is not zero. */
void histogram_init(struct histogram *histogram);

/* The cell that holds `value`; exported so that the hot path can inline the increment. */
static inline size_t histogram_cell(uint64_t value)
{
	unsigned top;

	if (value < HISTOGRAM_STEPS)
		return (size_t)value;
	top = 63u - (unsigned)__builtin_clzll(value);
	return (size_t)((top - HISTOGRAM_BITS) * HISTOGRAM_STEPS + (value >> (top - HISTOGRAM_BITS)));
}

/* Adds one value. */
static inline void histogram_record(struct histogram *histogram, uint64_t value)
{
	histogram->cells[histogram_cell(value)]++;
	histogram->count++;
	histogram->sum += value;
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
}

/* Adds all of `from` to `into`. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The smallest recorded size that at least `percent` (0 to 100) of the values do not exceed; 0 when empty. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

/* Arithmetic mean; 0 when empty. */
double histogram_mean(const struct histogram *histogram);

#endif
