#include "shard/pool.h"

#include <errno.h>
#include <stdatomic.h>

#include "core/mem.h"
#include "shard/shard.h"
#include "unit/shard/shard_test.h"

struct sum {
	struct work work;
	unsigned from, result;
};

static struct shard_group *group;
static struct pool *pool;
static atomic_uint began, done, wrong, discarded;
static atomic_bool may_end;

static struct shard_group *group_new(bool manual)
{
	struct shard_options options = {.count = 2, .mailbox_depth = 100, .mail_budget = 64, .manual = manual};
	struct shard_group *made;
	ck_assert_int_eq(shard_group_new(&made, &options), 0);
	return made;
}

static void sum_run(struct work *work)
{
	struct sum *sum = (struct sum *)work;
	atomic_fetch_add(&began, 1);
	sum->result = sum->from * 2;
}

static void sum_done(struct mail *mail, struct shard *here)
{
	struct sum *sum = LIST_OF(mail, struct sum, work.done);
	if (sum->result != sum->from * 2 || sum->work.home != here)
		atomic_fetch_add(&wrong, 1);
	free(sum);
	atomic_fetch_add(&done, 1);
}

static void sum_discard(struct mail *mail)
{
	free(LIST_OF(mail, struct sum, work.done));
	atomic_fetch_add(&discarded, 1);
}

static struct sum *sum_new(void (*run)(struct work *work), unsigned from)
{
	struct sum *sum = mem_alloc(sizeof *sum);
	sum->work.done.deliver = sum_done;
	sum->work.done.discard = sum_discard;
	sum->work.run = run;
	sum->from = from;
	return sum;
}

enum { WORKS = 200 };

static void submit_all(struct shard *here, void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < WORKS; i++) {
		if (pool_submit(pool, here, &sum_new(sum_run, i)->work) < 0)
			atomic_fetch_add(&wrong, 1);
	}
}

START_TEST(results_come_back_to_the_shard_that_asked)
{
	group = group_new(false);
	ck_assert_int_eq(pool_new(&pool, 3, 2 * WORKS), 0);
	ck_assert_int_eq(shard_group_start(group, submit_all, NULL, NULL), 0);
	await(atomic_load(&done) == 2 * WORKS);
	shard_group_stop(group);
	pool_free(pool);
	shard_group_free(group);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}
END_TEST

static void wait_run(struct work *work)
{
	atomic_fetch_add(&began, 1);
	while (!atomic_load(&may_end))
		poll(NULL, 0, 1);
	((struct sum *)work)->result = ((struct sum *)work)->from * 2;
}

START_TEST(a_full_queue_refuses)
{
	group = group_new(true);
	struct shard *here = shard_group_at(group, 0);
	ck_assert_int_eq(pool_new(&pool, 1, 2), 0);
	ck_assert_int_eq(pool_submit(pool, here, &sum_new(wait_run, 1)->work), 0);
	await(atomic_load(&began) == 1); /* runs, waits no more */
	ck_assert_int_eq(pool_submit(pool, here, &sum_new(sum_run, 2)->work), 0);
	ck_assert_int_eq(pool_submit(pool, here, &sum_new(sum_run, 3)->work), 0);
	struct sum *refused = sum_new(sum_run, 4);
	ck_assert_int_eq(pool_submit(pool, here, &refused->work), -EAGAIN);
	atomic_store(&may_end, true);
	await(atomic_load(&began) == 3);
	ck_assert_int_eq(pool_submit(pool, here, &refused->work), 0);
	await((shard_step(here), atomic_load(&done) == 4));
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	pool_free(pool);
	shard_group_free(group);
}
END_TEST

START_TEST(the_end_discards_what_waits_and_what_is_not_delivered)
{
	group = group_new(true);
	struct shard *here = shard_group_at(group, 1);
	ck_assert_int_eq(pool_new(&pool, 2, 10), 0);
	for (unsigned i = 0; i < 7; i++)
		ck_assert_int_eq(pool_submit(pool, here, &sum_new(wait_run, i)->work), 0);
	await(atomic_load(&began) == 2);
	atomic_store(&may_end, true);
	pool_free(pool);
	unsigned ran = atomic_load(&began);
	ck_assert_uint_eq(atomic_load(&discarded), 7 - ran);
	shard_group_free(group); /* discards the results, which nobody stepped the shard to take */
	ck_assert_uint_eq(atomic_load(&discarded), 7);
	ck_assert_uint_eq(atomic_load(&done), 0);
}
END_TEST

START_TEST(without_threads_it_waits_to_be_told)
{
	group = group_new(true);
	struct shard *here = shard_group_at(group, 0);
	ck_assert_int_eq(pool_new(&pool, 0, 10), 0);
	ck_assert(!pool_work(pool));
	ck_assert_int_eq(pool_submit(pool, here, &sum_new(sum_run, 1)->work), 0);
	ck_assert_int_eq(pool_submit(pool, here, &sum_new(sum_run, 2)->work), 0);
	ck_assert(pool_work(pool));
	while (shard_step(here))
		;
	ck_assert_uint_eq(atomic_load(&done), 1);
	pool_free(pool); /* the other one never began */
	ck_assert_uint_eq(atomic_load(&discarded), 1);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
	shard_group_free(group);
}
END_TEST

START_TEST(options_out_of_range_are_refused)
{
	ck_assert_int_eq(pool_new(&pool, 257, 1), -EINVAL);
	ck_assert_int_eq(pool_new(&pool, 1, 0), -EINVAL);
	pool_free(NULL);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, results_come_back_to_the_shard_that_asked);
	tcase_add_test(tests, a_full_queue_refuses);
	tcase_add_test(tests, the_end_discards_what_waits_and_what_is_not_delivered);
	tcase_add_test(tests, without_threads_it_waits_to_be_told);
	tcase_add_test(tests, options_out_of_range_are_refused);
}

int main(void)
{
	return run_case("pool", add_tests);
}
