/* Mail between shards that are stepped by hand: pressure, relief, and the order for each pair. */
#include "shard/shard.h"

#include "core/mem.h"
#include "stage/stage.h"
#include "unit/shard/actor.h"
#include "unit/shard/shard_test.h"

static struct actor extra;

static void await_again(struct shard *here)
{
	shard_await_relief(here, &extra.relief);
}

static void press_again(struct shard *here)
{
	static struct actor flood[5];
	for (unsigned i = 0; i < 5; i++) {
		actor_init(&flood[i], 'x', NULL);
		shard_post(here, 1, &flood[i].mail);
	}
}

START_TEST(pressure_comes_above_the_depth_and_goes_below_half)
{
	struct shard_group *group = actor_group_new(1);
	struct shard *here = shard_group_at(group, 0);
	struct shard *there = shard_group_at(group, 1);
	struct actor mail[5], waiting[3], gone;
	shard_enter(here);
	for (unsigned i = 0; i < 5; i++) {
		ck_assert(!shard_is_pressed(here));
		actor_init(&mail[i], 'm', NULL);
		shard_post(here, 1, &mail[i].mail);
	}
	ck_assert(shard_is_pressed(here)); /* 5 in flight, the depth is 4 */
	ck_assert_uint_eq(counter_read(&shard_counters(here)->pressed), 1);

	actor_init(&waiting[0], 'a', await_again);
	actor_init(&waiting[1], 'b', press_again);
	actor_init(&waiting[2], 'c', NULL);
	actor_init(&gone, 'g', NULL);
	actor_init(&extra, 'e', NULL);
	shard_await_relief(here, &waiting[0].relief);
	shard_await_relief(here, &gone.relief);
	shard_await_relief(here, &waiting[1].relief);
	shard_await_relief(here, &waiting[2].relief);
	list_remove(&gone.relief.link);
	for (unsigned delivered = 1; delivered <= 3; delivered++) {
		shard_step(here);
		ck_assert(shard_is_pressed(here));
		shard_step(there);
	}
	diary_assert("mmm");
	shard_step(there);
	ck_assert_uint_eq(shard_mail_in_flight(group, 0, 1), 1);
	shard_step(here);
	/* The second one pressed again: the third waits on, and the one that asked meanwhile behind it. */
	diary_assert("mab");
	ck_assert(shard_is_pressed(here));
	for (unsigned i = 0; i < 6; i++)
		shard_step(there);
	shard_step(here);
	diary_assert("mxxxxxce");
	ck_assert(!shard_is_pressed(here));
	ck_assert_uint_eq(shard_step(here), 0);

	/* Asked for without pressure: it comes with the next tick. */
	shard_await_relief(here, &waiting[2].relief);
	ck_assert_uint_eq(shard_step(here), 1);
	diary_assert("c");
	shard_enter(NULL);
	shard_group_free(group);
}
END_TEST

START_TEST(a_shard_can_be_pressed_by_mail_to_itself)
{
	struct shard_group *group = actor_group_new(3);
	struct shard *here = shard_group_at(group, 0);
	struct actor mail[5];
	shard_enter(here);
	for (unsigned i = 0; i < 5; i++) {
		actor_init(&mail[i], 'm', NULL);
		shard_post(here, 0, &mail[i].mail);
	}
	ck_assert(shard_is_pressed(here));
	shard_step(here);
	shard_step(here);
	shard_step(here);
	ck_assert(!shard_is_pressed(here));
	ck_assert_uint_eq(counter_read(&shard_counters(here)->mail_sent), 0);
	ck_assert_uint_eq(counter_read(&shard_counters(here)->mail_delivered), 5);
	shard_enter(NULL);
	shard_group_free(group);
}
END_TEST

/* ---- FIFO per pair, whatever the order of the steps ---- */

enum { STAGE_SHARDS = 4, HOPS = 2000 };

struct courier {
	struct mail mail;
	unsigned from;
	unsigned number;
};

static unsigned sent[STAGE_SHARDS][STAGE_SHARDS], received[STAGE_SHARDS][STAGE_SHARDS], hops;
static uint64_t courier_random;

static void courier_send(struct shard *here, struct courier *courier);

static void courier_deliver(struct mail *mail, struct shard *here)
{
	struct courier *courier = (struct courier *)mail;
	unsigned to = shard_index(here);
	ck_assert_uint_eq(courier->number, received[courier->from][to]);
	received[courier->from][to]++;
	if (++hops < HOPS)
		courier_send(here, courier);
	else
		free(courier);
}

static void courier_send(struct shard *here, struct courier *courier)
{
	unsigned to = stage_random_below(&courier_random, STAGE_SHARDS);
	courier->from = shard_index(here);
	courier->number = sent[courier->from][to]++;
	courier->mail.deliver = courier_deliver;
	shard_post(here, to, &courier->mail);
}

START_TEST(each_pair_is_fifo)
{
	struct stage *stage = stage_new(STAGE_SHARDS, 0);
	courier_random = 1;
	for (unsigned i = 0; i < 50; i++)
		courier_send(stage_enter(stage, i % STAGE_SHARDS), mem_alloc(sizeof(struct courier)));
	stage_run(stage);
	for (unsigned from = 0; from < STAGE_SHARDS; from++) {
		for (unsigned to = 0; to < STAGE_SHARDS; to++) {
			ck_assert_uint_eq(sent[from][to], received[from][to]);
			ck_assert_uint_eq(shard_mail_in_flight(stage_group(stage), from, to), 0);
		}
	}
	stage_free(stage);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, pressure_comes_above_the_depth_and_goes_below_half);
	tcase_add_test(tests, a_shard_can_be_pressed_by_mail_to_itself);
	tcase_add_test(tests, each_pair_is_fifo);
}

int main(void)
{
	return run_case("traffic", add_tests);
}
