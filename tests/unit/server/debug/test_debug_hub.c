/* The debugger on shards stepped by hand: what it keeps, answers and sends, and what it leaves out in a flood. */
#include "server/debug/debug.h"

#include <string.h>

#include <live/component.h>

#include "server/debug/debug_tap.h"
#include "server/debug/logger.h"
#include "stage/stage.h"
#include "unit/server/debug/debug_test.h"

enum { SHARDS = 3 };

static struct stage *stage;
static struct debug_hub *hub;
static bool is_enabled = true;

static void collect(struct shard *shard, struct buf *out, size_t limit)
{
	ck_assert_uint_gt(limit, 1 << 20);
	if (shard_index(shard) != 1) /* it has none */
		buf_printf(out, "{\"shard\":%u},{\"shard\":%u}", shard_index(shard), shard_index(shard));
}

static void setup(void)
{
	stage = stage_new(SHARDS, 0);
	hub = debug_hub_new(stage_group(stage), &(struct debug_options){is_enabled, collect});
	for (unsigned i = 0; i < SHARDS; i++)
		ck_assert(!is_enabled == !debug_tap_of(hub, stage_enter(stage, i)));
}

static void teardown(void)
{
	stage_free(stage);
	debug_hub_free(hub);
}

/* One event of shard; component may be NULL. False: it was dropped. */
static bool emit(unsigned shard, enum debug_type type, const char *component, int number)
{
	struct debug_tap *tap = debug_tap_of(hub, stage_enter(stage, shard));
	struct buf *data = debug_begin(tap);

	if (!data)
		return false;
	buf_printf(data, "{\"n\":%d}", number);
	debug_end(tap, type, &(struct debug_subject){str_of(component), str_of(component ? "Counter" : NULL)});
	return true;
}

/* ---- asking ---- */

static const live_value *answer;
static unsigned answers;

static void take_answer(void *context, const live_value *value)
{
	ck_assert_ptr_eq(context, &answers);
	live_value_unref(answer);
	answer = live_value_ref(value);
	answers++;
}

static const live_value *ask(const struct debug_filter *filter)
{
	answers = 0;
	debug_get_events(hub, filter, take_answer, &answers);
	stage_run(stage);
	ck_assert_uint_eq(answers, 1);
	return answer;
}

static void expect_ids(const live_value *events, int first, int last)
{
	ck_assert_uint_eq(live_len(events), (size_t)(last - first + 1));
	for (int id = first; id <= last; id++) {
		char text[20];
		snprintf(text, sizeof text, "dbg-%d", id);
		ck_assert_str_eq(live_as_string(live_get(live_at(events, (size_t)(id - first)), "id")), text);
	}
}

START_TEST(keeps_the_last_five_hundred)
{
	for (int i = 1; i <= 1234; i++)
		ck_assert(emit((unsigned)i % SHARDS, DEBUG_LOG, NULL, i) || i > 3000);
	stage_run(stage);
	expect_ids(ask(&(struct debug_filter){.limit = 10000}), 735, 1234);
	expect_ids(ask(&(struct debug_filter){.limit = 0}), 1135, 1234);
	expect_ids(ask(&(struct debug_filter){.limit = 3}), 1232, 1234);
	ck_assert_uint_eq(debug_figures(hub).events, 1234);
	ck_assert_uint_eq(debug_figures(hub).dropped, 0);
}
END_TEST

START_TEST(filters)
{
	for (int i = 0; i < 20; i++)
		emit(0, i % 2 ? DEBUG_ACTION_CALL : DEBUG_LOG, i % 4 < 2 ? "left" : "right", i);
	const live_value *events = ask(&(struct debug_filter){.component_id = "left"});
	ck_assert_uint_eq(live_len(events), 10);
	events = ask(&(struct debug_filter){.component_id = "left", .type = "ACTION_CALL", .limit = 2});
	ck_assert_uint_eq(live_len(events), 2);
	ck_assert_int_eq(live_as_int(live_path(events, "0.data.n"), 0), 13);
	ck_assert_int_eq(live_as_int(live_path(events, "1.data.n"), 0), 17);
	ck_assert_uint_eq(live_len(ask(&(struct debug_filter){.type = "NOTHING"})), 0);
	ck_assert_uint_eq(live_len(ask(&(struct debug_filter){.component_id = "nobody"})), 0);
}
END_TEST

START_TEST(forgets_but_counts_on)
{
	for (int i = 0; i < 10; i++)
		emit(1, DEBUG_LOG, NULL, i);
	debug_clear(hub);
	stage_run(stage);
	ck_assert_uint_eq(live_len(ask(&(struct debug_filter){0})), 0);
	emit(1, DEBUG_LOG, NULL, 1);
	expect_ids(ask(&(struct debug_filter){0}), 11, 11);
}
END_TEST

START_TEST(shows_all_shards)
{
	emit(2, DEBUG_LOG, NULL, 1);
	stage_run(stage);
	stage_advance(stage, 1500);
	ck_assert_ptr_nonnull(debug_tap_of(hub, stage_enter(stage, 0))); /* begins nothing anew */
	answers = 0;
	stage_enter(stage, 2);
	debug_get_snapshot(hub, take_answer, &answers);
	stage_run(stage);
	ck_assert_uint_eq(answers, 1);
	ck_assert_uint_eq(live_len(live_get(answer, "components")), 4);
	ck_assert_int_eq(live_as_int(live_get(answer, "uptime"), 0), 1500);
	ck_assert_int_eq(live_as_int(live_get(answer, "totalEvents"), 0), 1);
	ck_assert_int_eq(live_as_int(live_get(answer, "connections"), -1), 0);
}
END_TEST

START_TEST(answers_at_the_end_with_nothing)
{
	answers = 0;
	stage_enter(stage, 0);
	debug_get_snapshot(hub, take_answer, &answers);
	debug_get_events(hub, &(struct debug_filter){0}, take_answer, &answers);
	shard_enter(NULL);
	teardown();
	ck_assert_uint_ge(answers, 2);
	setup();
}
END_TEST

/* ---- listening ---- */

struct ear {
	struct debug_listener listener;
	struct handle handle;
	struct shard *shard;
	unsigned heard;
	char first[40], last[200]; /* what the messages begin with */
};

static void hear(struct debug_listener *listener, struct str message)
{
	struct ear *ear = (struct ear *)listener;

	snprintf(ear->heard++ ? ear->last : ear->first, sizeof ear->first, "%.*s", STR_ARG(message));
}

static void open_ear(struct ear *ear, unsigned shard)
{
	*ear = (struct ear){.listener = {hear}, .shard = stage_enter(stage, shard)};
	ear->handle = shard_handle_open(ear->shard, &ear->listener);
	debug_wish(hub, ear->shard, DEBUG_COME, ear->handle);
}

static void close_ear(struct ear *ear)
{
	stage_enter(stage, shard_index(ear->shard));
	debug_wish(hub, ear->shard, DEBUG_LEAVE, ear->handle);
	shard_handle_close(ear->shard, ear->handle);
}

START_TEST(listeners_get_snapshot_replay_and_news)
{
	struct ear ear;

	for (int i = 0; i < 150; i++)
		emit(1, DEBUG_LOG, NULL, i);
	stage_run(stage);
	open_ear(&ear, 2);
	stage_run(stage);
	ck_assert_uint_eq(ear.heard, 101);
	ck_assert(!strncmp(ear.first, "{\"type\":\"DEBUG_WELCOME\",\"enabled\":true,", 38));
	ck_assert_uint_eq(debug_figures(hub).clients, 1);
	emit(0, DEBUG_LOG, NULL, 1);
	stage_run(stage);
	ck_assert_uint_eq(ear.heard, 102);
	ck_assert(!strncmp(ear.last, "{\"type\":\"DEBUG_EVENT\",\"event\":{\"id\":", 36));
	stage_enter(stage, 2);
	debug_wish(hub, ear.shard, DEBUG_SHOW, ear.handle);
	stage_run(stage);
	ck_assert_uint_eq(ear.heard, 103);
	ck_assert(!strncmp(ear.last, "{\"type\":\"DEBUG_SNAPSHOT\",\"snapshot\":{", 36));
	close_ear(&ear);
	emit(0, DEBUG_LOG, NULL, 2);
	stage_run(stage);
	ck_assert_uint_eq(ear.heard, 103);
	ck_assert_uint_eq(debug_figures(hub).clients, 0);
}
END_TEST

START_TEST(who_leaves_before_the_welcome_hears_nothing)
{
	struct ear ear;

	open_ear(&ear, 1);
	close_ear(&ear);
	stage_run(stage);
	ck_assert_uint_eq(ear.heard, 0);
	ck_assert_uint_eq(debug_figures(hub).clients, 0);
}
END_TEST

/* ---- floods ---- */

START_TEST(a_flood_is_dropped_and_told)
{
	int sent = 0;

	while (emit(1, DEBUG_LOG, NULL, sent))
		ck_assert_int_le(++sent, 1024);
	for (int i = 0; i < 99; i++)
		ck_assert(!emit(1, DEBUG_LOG, NULL, i));
	ck_assert_uint_eq(debug_figures(hub).dropped, 100);
	ck_assert(emit(2, DEBUG_LOG, NULL, 0)); /* another shard's way is its own */
	stage_run(stage);
	ck_assert(emit(1, DEBUG_ACTION_CALL, NULL, 7));
	const live_value *events = ask(&(struct debug_filter){.limit = 2});
	ck_assert_str_eq(live_as_string(live_path(events, "0.data.message")),
			 "100 events of shard 1 were left out: they came too fast");
	ck_assert_str_eq(live_as_string(live_path(events, "1.type")), "ACTION_CALL");
	ck_assert_uint_eq(debug_figures(hub).events, (uint64_t)sent + 3);
}
END_TEST

START_TEST(large_events_count_by_their_bytes)
{
	struct debug_tap *tap = debug_tap_of(hub, stage_enter(stage, 1));
	struct buf *data;
	int sent = 0;

	while ((data = debug_begin(tap))) {
		buf_append_char(data, '"');
		for (int i = 0; i < 40000; i++)
			buf_append_char(data, 'x');
		buf_append_char(data, '"');
		debug_end(tap, DEBUG_LOG, &(struct debug_subject){0});
		ck_assert_int_le(++sent, 8 * 1024 * 1024 / 40000 + 1);
	}
	stage_run(stage);
	ck_assert_ptr_nonnull(debug_begin(tap));
}
END_TEST

START_TEST(a_shard_that_does_not_turn_is_spared)
{
	struct ear ear;

	open_ear(&ear, 2);
	stage_run(stage);
	/* Only the shards 0 and 1 turn. */
	for (int i = 0; i < 6000; i++) {
		emit(1, DEBUG_LOG, NULL, i);
		shard_step(stage_enter(stage, 1));
		shard_step(stage_enter(stage, 0));
	}
	ck_assert_uint_gt(debug_figures(hub).skipped, 3000);
	ck_assert_uint_le(shard_mail_in_flight(stage_group(stage), 0, 2), 2048);
	stage_run(stage);
	ck_assert_uint_ge(ear.heard, 2048);
	unsigned heard = ear.heard;
	emit(1, DEBUG_LOG, NULL, 0);
	stage_run(stage);
	ck_assert_uint_eq(ear.heard, heard + 1);
	close_ear(&ear);
}
END_TEST

/* ---- off, and the logger ---- */

START_TEST(off_it_keeps_nothing)
{
	teardown();
	is_enabled = false;
	setup();
	ck_assert(!debug_is_enabled(hub));
	ck_assert(!emit(0, DEBUG_LOG, NULL, 1));
	ck_assert_uint_eq(live_len(ask(&(struct debug_filter){0})), 0);
	ck_assert_ptr_null(debug_tap_of(NULL, stage_enter(stage, 0)));
	is_enabled = true;
}
END_TEST

START_TEST(log_lines_are_events)
{
	struct debug_tap *tap = debug_tap_of(hub, stage_enter(stage, 0));

	logger_tell(tap, &(struct logger_line){
				 .subject = {STR("id"), STR("Counter")},
				 .category = LIVE_LOG_ROOMS,
				 .warns = true,
				 .text = STR("broken \xff text"),
				 .details = STR("{\"a\":1}"),
			 });
	logger_tell(NULL, &(struct logger_line){.category = LIVE_LOG_STATE, .text = STR("nobody hears")});
	const live_value *events = ask(&(struct debug_filter){.component_id = "id"});
	char *json = live_to_json(live_path(events, "0.data"), NULL);
	ck_assert_str_eq(json, "{\"category\":\"rooms\",\"level\":\"warn\",\"message\":\"broken \xef\xbf\xbd text\","
			       "\"details\":{\"a\":1}}");
	free(json);
}
END_TEST

static void forget_answer(void)
{
	teardown();
	live_value_unref(answer);
	answer = NULL;
}

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, forget_answer);
	tcase_add_test(tests, keeps_the_last_five_hundred);
	tcase_add_test(tests, filters);
	tcase_add_test(tests, forgets_but_counts_on);
	tcase_add_test(tests, shows_all_shards);
	tcase_add_test(tests, answers_at_the_end_with_nothing);
	tcase_add_test(tests, listeners_get_snapshot_replay_and_news);
	tcase_add_test(tests, who_leaves_before_the_welcome_hears_nothing);
	tcase_add_test(tests, a_flood_is_dropped_and_told);
	tcase_add_test(tests, large_events_count_by_their_bytes);
	tcase_add_test(tests, a_shard_that_does_not_turn_is_spared);
	tcase_add_test(tests, off_it_keeps_nothing);
	tcase_add_test(tests, log_lines_are_events);
}

int main(void)
{
	return run_case("debug_hub", add_tests);
}
