#include "clients/bench/histogram.h"

#include <math.h>
#include <string.h>

void histogram_init(struct histogram *histogram)
{
	memset(histogram, 0, sizeof *histogram);
	histogram->min = UINT64_MAX;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (size_t i = 0; i < HISTOGRAM_CELLS; i++)
		into->cells[i] += from->cells[i];
	into->count += from->count;
	into->sum += from->sum;
	if (from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
}

/* The largest value that falls into `cell`: a percentile must not promise less than was seen. */
static uint64_t cell_top(size_t cell)
{
	unsigned shift;

	if (cell < 2 * HISTOGRAM_STEPS)
		return cell;
	shift = (unsigned)(cell / HISTOGRAM_STEPS) - 1;
	return ((HISTOGRAM_STEPS + cell % HISTOGRAM_STEPS + 1) << shift) - 1;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
	double exact = ceil((double)histogram->count * percent / 100.0);
	uint64_t wanted = exact < 1 ? 1 : (uint64_t)exact;
	uint64_t seen = 0;

	if (!histogram->count)
		return 0;
	for (size_t i = 0; i < HISTOGRAM_CELLS; i++) {
		seen += histogram->cells[i];
		if (seen >= wanted) {
			uint64_t top = cell_top(i);

			return top < histogram->max ? top : histogram->max;
		}
	}
	return histogram->max;
}

double histogram_mean(const struct histogram *histogram)
{
	return histogram->count ? (double)histogram->sum / (double)histogram->count : 0;
}
