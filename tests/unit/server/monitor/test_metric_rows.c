/* Every counter that a shard has is told by GET /metrics, once, under a name that is its own. */
#include "server/monitor/metric_rows.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "pubsub/rooms.h"
#include "redis/figures.h"
#include "server/component/component_shard.h"
#include "server/net/net_counters.h"
#include "server/security/signature.h"
#include "server/session/session.h"
#include "shard/shard.h"

static const size_t sizes[METRIC_PLACES] = {
	[METRIC_SHARD] = sizeof(struct shard_counters),
	[METRIC_NET] = sizeof(struct net_counters),
	[METRIC_SESSION] = sizeof(struct session_counters),
	[METRIC_ROOM] = sizeof(struct rooms_counters),
	[METRIC_COMPONENT] = sizeof(struct component_counters),
	[METRIC_SIGNER] = sizeof(struct signer_counters),
	[METRIC_REDIS] = offsetof(struct redis_figures, round_trips_us), /* the histogram begins there */
	[METRIC_REDIS_ROOMS] = sizeof(struct redis_rooms_figures),
};

/* The histogram of ticks is made of these. */
static bool is_told_otherwise(enum metric_place place, size_t offset)
{
	size_t buckets = offsetof(struct shard_counters, tick_buckets);

	return place == METRIC_SHARD &&
	       (offset == offsetof(struct shard_counters, ticks) ||
		offset == offsetof(struct shard_counters, busy_ns) ||
		(offset >= buckets && offset < buckets + SHARD_TICK_BUCKETS * sizeof(counter)));
}

static unsigned rows_of(enum metric_place place, size_t offset)
{
	unsigned count = 0;

	for (size_t i = 0; i < metric_rows_count; i++)
		count += metric_rows[i].place == place && metric_rows[i].offset == offset;
	return count;
}

START_TEST(each_counter_has_one_row)
{
	for (unsigned place = 0; place < METRIC_PLACES; place++)
		for (size_t offset = 0; offset < sizes[place]; offset += sizeof(counter))
			ck_assert_msg(rows_of(place, offset) == (is_told_otherwise(place, offset) ? 0 : 1),
				      "place %u, offset %zu: %u rows", place, offset, rows_of(place, offset));
}
END_TEST

START_TEST(families_stand_together)
{
	for (size_t i = 0; i < metric_rows_count; i++) {
		const struct metric_row *row = &metric_rows[i];
		for (size_t other = i + 1; other < metric_rows_count; other++) {
			if (strcmp(row->family, metric_rows[other].family) != 0)
				continue;
			ck_assert_str_eq(metric_rows[other - 1].family, row->family);
			ck_assert_int_eq(metric_rows[other].type, row->type);
			ck_assert_str_eq(metric_rows[other].help, row->help);
			ck_assert_str_ne(metric_rows[other].label, row->label);
		}
	}
}
END_TEST

START_TEST(reads_the_right_counter)
{
	struct net_counters net = {0};
	const void *places[METRIC_PLACES] = {[METRIC_NET] = &net};
	uint64_t sum = 0;

	counter_add(&net.ws_pings, 7);
	for (size_t i = 0; i < metric_rows_count; i++)
		if (metric_rows[i].place == METRIC_NET)
			sum += metric_row_read(&metric_rows[i], places) *
			       (strstr(metric_rows[i].family, "pings") ? 1 : 100);
	ck_assert_uint_eq(sum, 7);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("metric_rows");
	TCase *tcase = tcase_create("rows");
	tcase_add_test(tcase, each_counter_has_one_row);
	tcase_add_test(tcase, families_stand_together);
	tcase_add_test(tcase, reads_the_right_counter);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
