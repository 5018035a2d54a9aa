#include "shard/wheel.h"

#include <limits.h>

#include "core/mem.h"
#include "stage/stage.h"
#include "unit/shard/shard_test.h"

/* ---- against a naive model: a table of deadlines ---- */

enum { TIMERS = 300, STEPS = 10000 };

struct probe {
	struct timer timer;
	bool armed;
	int64_t due_ms;    /* what is past when it is armed counts as due then */
	uint64_t armed_at; /* the number of the arming: for the order among equals */
};

struct model {
	struct wheel *wheel;
	int64_t now_ms;
	uint64_t random;
	uint64_t armings;
	uint64_t armings_before; /* when this advance began */
	int64_t last_due_ms;     /* of the timer that fired last in this advance */
	uint64_t last_armed_at;
	struct probe probes[TIMERS];
};

static struct model *model;

/* A deadline of any magnitude, past ones too. */
static int64_t any_deadline(void)
{
	unsigned bits = stage_random_below(&model->random, 41);
	uint64_t far = ((uint64_t)stage_random_below(&model->random, UINT32_MAX) << 20 ^
			stage_random_below(&model->random, UINT32_MAX)) &
		       ((UINT64_C(1) << bits) - 1);
	if (stage_random_below(&model->random, 10) == 0)
		return model->now_ms - (int64_t)(far % 1000);
	return model->now_ms + (int64_t)far;
}

static void arm_any(struct probe *probe)
{
	int64_t due_ms = any_deadline();
	probe->due_ms = due_ms > model->now_ms ? due_ms : model->now_ms;
	probe->armed = true;
	probe->armed_at = ++model->armings;
	timer_arm(model->wheel, &probe->timer, due_ms);
}

static void disarm(struct probe *probe)
{
	probe->armed = false;
	timer_disarm(&probe->timer);
}

static struct probe *any_probe(void)
{
	return &model->probes[stage_random_below(&model->random, TIMERS)];
}

/* As ck_assert, which writes a message to its parent each time: too slow for the millions here. */
#define hold(condition) ((condition) ? (void)0 : ck_abort_msg("not so: %s", #condition))

static void probe_fire(struct timer *timer)
{
	struct probe *probe = LIST_OF(timer, struct probe, timer);
	hold(probe->armed);
	hold(!timer_is_armed(timer));
	hold(probe->due_ms <= model->now_ms);
	/* Not one that was armed in this very advance. */
	hold(probe->armed_at <= model->armings_before);
	probe->armed = false;
	hold(probe->due_ms > model->last_due_ms ||
	     (probe->due_ms == model->last_due_ms && probe->armed_at > model->last_armed_at));
	model->last_due_ms = probe->due_ms;
	model->last_armed_at = probe->armed_at;

	switch (stage_random_below(&model->random, 6)) {
	case 0: arm_any(probe); break;
	case 1: disarm(any_probe()); break;
	case 2: arm_any(any_probe()); break;
	default: break;
	}
}

static void check_model(void)
{
	int64_t soonest = INT64_MAX;
	bool agrees = true;
	for (unsigned i = 0; i < TIMERS; i++) {
		struct probe *probe = &model->probes[i];
		agrees &= timer_is_armed(&probe->timer) == probe->armed;
		if (!probe->armed)
			continue;
		if (probe->armed_at <= model->armings_before)
			agrees &= probe->due_ms > model->now_ms;
		soonest = probe->due_ms < soonest ? probe->due_ms : soonest;
	}
	hold(agrees);
	int64_t next = wheel_next_ms(model->wheel);
	if (soonest == INT64_MAX) {
		hold(next == -1);
		return;
	}
	hold(next <= soonest);
	if (soonest / 64 == model->now_ms / 64)
		hold(next == soonest);
	else
		hold(next > model->now_ms);
}

START_TEST(it_does_what_a_table_of_deadlines_does)
{
	model = mem_alloc(sizeof *model);
	model->random = stage_seed(0);
	model->now_ms = (int64_t)stage_random_below(&model->random, UINT32_MAX) * 1000;
	model->wheel = wheel_new(model->now_ms);
	for (unsigned i = 0; i < TIMERS; i++)
		timer_init(&model->probes[i].timer, probe_fire);

	for (unsigned step = 0; step < STEPS; step++) {
		switch (stage_random_below(&model->random, 4)) {
		case 0: arm_any(any_probe()); break;
		case 1: disarm(any_probe()); break;
		case 2:
			model->now_ms +=
				stage_random_below(&model->random, 1u << stage_random_below(&model->random, 24));
			break;
		default: {
			int64_t next = wheel_next_ms(model->wheel);
			model->now_ms = next > model->now_ms ? next : model->now_ms + 1;
			break;
		}
		}
		model->armings_before = model->armings;
		model->last_due_ms = -1;
		wheel_advance(model->wheel, model->now_ms);
		check_model();
	}
	wheel_free(model->wheel);
	for (unsigned i = 0; i < TIMERS; i++)
		ck_assert(!timer_is_armed(&model->probes[i].timer));
	free(model);
}
END_TEST

/* ---- the corners, one by one ---- */

static unsigned fired;
static struct timer *order[64];

static void note(struct timer *timer)
{
	order[fired++] = timer;
}

START_TEST(order_is_by_moment_and_then_by_arming)
{
	struct wheel *wheel = wheel_new(1000);
	struct timer timers[5];
	int64_t due[5] = {9000, 1500, 1500, 1003, 1500};
	for (unsigned i = 0; i < 5; i++) {
		timer_init(&timers[i], note);
		timer_arm(wheel, &timers[i], due[i]);
	}
	ck_assert_uint_eq(wheel_advance(wheel, 1480), 1);
	struct timer late; /* the same moment, armed later and on a finer level */
	timer_init(&late, note);
	timer_arm(wheel, &late, 1500);
	ck_assert_uint_eq(wheel_advance(wheel, 10000), 5);
	struct timer *expected[] = {&timers[3], &timers[1], &timers[2], &timers[4], &late, &timers[0]};
	for (unsigned i = 0; i < 6; i++)
		ck_assert_ptr_eq(order[i], expected[i]);
	wheel_free(wheel);
}
END_TEST

START_TEST(far_deadlines_keep)
{
	struct wheel *wheel = wheel_new(0);
	struct timer year, never;
	timer_init(&year, note);
	timer_init(&never, note);
	int64_t year_ms = INT64_C(365) * 24 * 3600 * 1000;
	timer_arm(wheel, &year, year_ms);
	timer_arm(wheel, &never, INT64_MAX);
	ck_assert_int_eq(wheel_next_ms(wheel), year_ms);

	/* A loop that sleeps until wheel_next_ms wakes but a few times on the way. */
	unsigned wakes = 0;
	int64_t now_ms = 0;
	while (fired == 0) {
		now_ms = wheel_next_ms(wheel);
		wheel_advance(wheel, now_ms);
		wakes++;
	}
	ck_assert_int_eq(now_ms, year_ms);
	ck_assert_uint_le(wakes, 11);
	ck_assert_uint_eq(wheel_advance(wheel, INT64_MAX - 1), 0);
	ck_assert_uint_eq(wheel_advance(wheel, INT64_MAX), 1);
	wheel_free(wheel);
}
END_TEST

static struct wheel *the_wheel;
static struct timer other;

static void arm_self_at_once(struct timer *timer)
{
	fired++;
	timer_arm(the_wheel, timer, 0);
}

START_TEST(arming_inside_fire_waits_for_the_next_advance)
{
	the_wheel = wheel_new(50);
	struct timer timer;
	timer_init(&timer, arm_self_at_once);
	timer_arm(the_wheel, &timer, 60);
	ck_assert_uint_eq(wheel_advance(the_wheel, 59), 0);
	ck_assert_uint_eq(wheel_advance(the_wheel, 60), 1);
	ck_assert_int_le(wheel_next_ms(the_wheel), 60);
	ck_assert_uint_eq(wheel_advance(the_wheel, 60), 1);
	ck_assert_uint_eq(wheel_advance(the_wheel, 5000), 1);
	timer_disarm(&timer);
	timer_disarm(&timer);
	ck_assert_int_eq(wheel_next_ms(the_wheel), -1);
	wheel_free(the_wheel);
}
END_TEST

static void disarm_other(struct timer *timer)
{
	(void)timer;
	fired++;
	timer_disarm(&other);
}

START_TEST(disarming_inside_fire_counts_for_what_is_due_too)
{
	the_wheel = wheel_new(0);
	struct timer timer;
	timer_init(&timer, disarm_other);
	timer_init(&other, note);
	timer_arm(the_wheel, &timer, 5);
	timer_arm(the_wheel, &other, 5);
	ck_assert_uint_eq(wheel_advance(the_wheel, 5), 1);
	ck_assert_uint_eq(fired, 1);
	ck_assert(!timer_is_armed(&other));
	wheel_free(the_wheel);
	wheel_free(NULL);
}
END_TEST

START_TEST(time_that_stands_or_goes_back_is_harmless)
{
	struct wheel *wheel = wheel_new(1000);
	struct timer timer;
	timer_init(&timer, note);
	timer_arm(wheel, &timer, 1001);
	ck_assert_uint_eq(wheel_advance(wheel, 1000), 0);
	ck_assert_uint_eq(wheel_advance(wheel, 10), 0);
	ck_assert_uint_eq(wheel_advance(wheel, 1001), 1);
	wheel_free(wheel);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, it_does_what_a_table_of_deadlines_does);
	tcase_add_test(tests, order_is_by_moment_and_then_by_arming);
	tcase_add_test(tests, far_deadlines_keep);
	tcase_add_test(tests, arming_inside_fire_waits_for_the_next_advance);
	tcase_add_test(tests, disarming_inside_fire_counts_for_what_is_due_too);
	tcase_add_test(tests, time_that_stands_or_goes_back_is_harmless);
}

int main(void)
{
	return run_case("wheel", add_tests);
}
