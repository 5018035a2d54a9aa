/* The watchdog: it names what holds a shard, again and again, and tells the end; a shard that turns is left alone. */
#include "shard/watchdog.h"

#include <stdatomic.h>
#include <string.h>

#include "core/mem.h"
#include "unit/shard/shard_test.h"

enum { LIMIT_MS = 20 };

static atomic_uint held, ended;        /* reports */
static atomic_uint wrong;              /* of these, those that do not fit */
static atomic_llong last_ms, whole_ms; /* of the last report of each kind */
static atomic_bool release_it, is_free;

static void note(void *argument, const struct watchdog_report *report)
{
	const char *who = argument;
	bool fits = who ? report->job.who && !strcmp(report->job.who, who) && !strcmp(report->job.what, "spin")
			: !report->job.who;

	if (!fits || report->shard != 1 || report->held_ms < LIMIT_MS)
		atomic_fetch_add(&wrong, 1);
	atomic_store(report->ended ? &whole_ms : &last_ms, report->held_ms);
	atomic_fetch_add(report->ended ? &ended : &held, 1);
}

static void spin(void)
{
	while (!atomic_load(&release_it))
		poll(NULL, 0, 1);
}

static void hold_named(struct mail *mail, struct shard *here)
{
	free(mail);
	struct shard_job before = shard_say_job(here, (struct shard_job){"Probe", "spin"});
	ck_assert_ptr_null(before.who);
	struct shard_job outer = shard_say_job(here, (struct shard_job){"Probe", "onStateChange"});
	ck_assert_str_eq(outer.what, "spin");
	shard_say_job(here, outer);
	spin();
	shard_say_job(here, before);
}

static void hold_nameless(struct mail *mail, struct shard *here)
{
	(void)here;
	free(mail);
	spin();
}

static void tell_free(struct mail *mail, struct shard *here)
{
	(void)here;
	free(mail);
	atomic_store(&is_free, true);
}

static void post(struct shard_group *group, void (*deliver)(struct mail *, struct shard *))
{
	struct mail *mail = mem_alloc(sizeof *mail);

	mail->deliver = deliver;
	shard_post_outside(shard_group_at(group, 1), mail);
}

static void watch(struct shard_group **group, struct watchdog **watchdog, int64_t limit_ms, const char *who)
{
	const struct shard_options options = {.count = 2, .mailbox_depth = 16, .mail_budget = 16};
	const struct watchdog_options watching = {.limit_ms = limit_ms, .report = note, .argument = (void *)who};

	ck_assert_int_eq(shard_group_new(group, &options), 0);
	ck_assert_int_eq(watchdog_new(watchdog, *group, &watching), 0);
	ck_assert_int_eq(shard_group_start(*group, NULL, NULL, NULL), 0);
}

static void unwatch(struct shard_group *group, struct watchdog *watchdog)
{
	shard_group_stop(group);
	watchdog_free(watchdog);
	shard_group_free(group);
}

static void hold_and_release(void (*deliver)(struct mail *, struct shard *), const char *who)
{
	struct shard_group *group;
	struct watchdog *watchdog;

	watch(&group, &watchdog, LIMIT_MS, who);
	post(group, deliver);
	await(atomic_load(&held) == 3);
	ck_assert_int_ge(atomic_load(&last_ms), 4 * LIMIT_MS); /* each report waits for twice the time of the last */
	atomic_store(&release_it, true);
	await(atomic_load(&ended) == 1);
	ck_assert_int_ge(atomic_load(&whole_ms), atomic_load(&last_ms));
	unwatch(group, watchdog);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}

START_TEST(names_what_holds_a_shard)
{
	hold_and_release(hold_named, "Probe");
}
END_TEST

START_TEST(tells_of_a_tick_without_an_author)
{
	hold_and_release(hold_nameless, NULL);
}
END_TEST

START_TEST(tells_the_end_before_it_ends)
{
	struct shard_group *group;
	struct watchdog *watchdog;

	watch(&group, &watchdog, LIMIT_MS, "Probe");
	post(group, hold_named);
	await(atomic_load(&held) >= 1);
	atomic_store(&release_it, true);
	unwatch(group, watchdog);
	ck_assert_uint_eq(atomic_load(&ended), 1);
	ck_assert_uint_eq(atomic_load(&wrong), 0);
}
END_TEST

START_TEST(leaves_a_turning_shard_alone)
{
	struct shard_group *group;
	struct watchdog *watchdog;

	/* An hour: what waits for events for long is idle, not held, so nothing depends on this machine's speed. */
	watch(&group, &watchdog, INT64_C(3600000), NULL);
	for (int i = 0; i < 100; i++) {
		atomic_store(&is_free, false);
		post(group, tell_free);
		await(atomic_load(&is_free));
	}
	unwatch(group, watchdog);
	ck_assert_uint_eq(atomic_load(&held) + atomic_load(&ended), 0);
}
END_TEST

/* ---- names that go ---- */

static char *lent[2];
static atomic_bool is_returned, end_it;
static atomic_size_t read_bytes;

static void read_names(void *argument, const struct watchdog_report *report)
{
	(void)argument;
	if (report->job.who)
		atomic_fetch_add(&read_bytes, strlen(report->job.who) + strlen(report->job.what));
	atomic_fetch_add(report->ended ? &ended : &held, 1);
}

/* The function returns; the tick goes on. */
static void hold_lent(struct mail *mail, struct shard *here)
{
	free(mail);
	struct shard_job before = shard_say_job(here, (struct shard_job){lent[0], lent[1]});
	spin();
	shard_say_job(here, before);
	atomic_store(&is_returned, true);
	while (!atomic_load(&end_it))
		poll(NULL, 0, 1);
}

/* The code that a function was of is closed while its shard is still held: the names are gone, what was reported has
 * copies, and nobody reads the names any more. */
START_TEST(names_may_go)
{
	const struct shard_options options = {.count = 2, .mailbox_depth = 16, .mail_budget = 16};
	const struct watchdog_options watching = {.limit_ms = LIMIT_MS, .report = read_names};
	struct shard_group *group;
	struct watchdog *watchdog;

	ck_assert(watchdog_has_passed(NULL, watchdog_ask(NULL)));
	lent[0] = mem_strndup("Probe", 5);
	lent[1] = mem_strndup("spin", 4);
	ck_assert_int_eq(shard_group_new(&group, &options), 0);
	ck_assert_int_eq(watchdog_new(&watchdog, group, &watching), 0);
	ck_assert_int_eq(shard_group_start(group, NULL, NULL, NULL), 0);
	post(group, hold_lent);
	await(atomic_load(&held) >= 1);
	atomic_store(&release_it, true);
	await(atomic_load(&is_returned));
	uint64_t look = watchdog_ask(watchdog);
	await(watchdog_has_passed(watchdog, look));
	free(lent[0]);
	free(lent[1]);
	atomic_store(&end_it, true);
	await(atomic_load(&ended) == 1);
	ck_assert_uint_ge(atomic_load(&read_bytes), 9);
	unwatch(group, watchdog);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, names_may_go);
	tcase_add_test(tests, names_what_holds_a_shard);
	tcase_add_test(tests, tells_of_a_tick_without_an_author);
	tcase_add_test(tests, tells_the_end_before_it_ends);
	tcase_add_test(tests, leaves_a_turning_shard_alone);
}

int main(void)
{
	return run_case("watchdog", add_tests);
}
