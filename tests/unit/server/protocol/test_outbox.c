/* What a client is sent in one tick: batches, deltas at the place of the first, replies of their own, and collapse. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "server/protocol/outbox.h"
#include "unit/core/core_test.h"

/* A transport that writes each message on a line, and counts. */
struct pipe {
	struct transport transport;
	unsigned flushes, spills;
	bool is_closing;
};

static bool flush_soon(struct transport *transport)
{
	struct pipe *pipe = LIST_OF(transport, struct pipe, transport);
	pipe->flushes++;
	return !pipe->is_closing;
}

static size_t begin(struct transport *transport, struct buf *out)
{
	(void)transport;
	return out->len;
}

static void end(struct transport *transport, struct buf *out, size_t start)
{
	(void)transport;
	ck_assert_uint_gt(out->len, start);
	buf_append_char(out, '\n');
}

static void spill(struct transport *transport, struct buf *out)
{
	struct pipe *pipe = LIST_OF(transport, struct pipe, transport);
	pipe->spills++;
	buf_reset(out, SIZE_MAX);
}

static const struct transport_ops ops = {.flush_soon = flush_soon, .begin = begin, .end = end, .spill = spill};

static struct pipe pipe_;
static struct outbox_shard here;
static struct outbox outbox;
static struct buf sent;

static void setup(void)
{
	pipe_ = (struct pipe){.transport.ops = &ops};
	here = (struct outbox_shard){.arena = arena_new(4096), .diff = {.deep = true, .depth = 3}};
	buf_init(&here.scratch, 1 << 20);
	buf_init(&sent, SIZE_MAX);
	outbox_init(&outbox, &here, &pipe_.transport);
}

static void teardown(void)
{
	outbox_close(&outbox);
	arena_free(here.arena);
	buf_deinit(&here.scratch);
	buf_deinit(&sent);
}

static void expect(const char *lines)
{
	char wanted[1024];
	size_t len = strlen(lines);

	for (size_t i = 0; i < len; i++)
		wanted[i] = lines[i] == '\'' ? '"' : lines[i];
	outbox_compose(&outbox, &sent);
	ck_assert_msg(str_equal(buf_str(&sent), (struct str){wanted, len}), "%.*s", STR_ARG(buf_str(&sent)));
	buf_reset(&sent, SIZE_MAX);
	arena_reset(here.arena, 0);
}

/* A component with a state, whose changes are pushed as its instance would. */
struct thing {
	struct pending_delta pending;
	struct sender sender;
	const live_value *state;
};

static void thing_init(struct thing *thing, const char *id)
{
	*thing = (struct thing){.sender.id = str_of(id), .state = live_object(NULL, NULL)};
	thing->pending.sender = &thing->sender;
	thing->pending.state = &thing->state;
	list_init(&thing->pending.link);
}

static void thing_set(struct thing *thing, const char *patch)
{
	char text[256];
	const live_value *delta, *next;

	snprintf(text, sizeof text, "%s", patch);
	for (char *at = text; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	const live_value *value = live_from_json(text, strlen(text), NULL, 0);
	diff_patch(thing->state, value, &here.diff, &delta, &next);
	live_value_unref(value);
	const live_value *before = thing->state;
	thing->state = next;
	if (delta)
		outbox_push_delta(&outbox, &thing->pending, before, delta);
	live_value_unref(before);
}

#define DELTA(id, delta) "{'type':'STATE_DELTA','componentId':'" id "','payload':{'delta':" delta "}}"

START_TEST(test_batches)
{
	expect("");
	outbox_push(&outbox, STR("{1}"));
	expect("{1}\n");
	outbox_push(&outbox, STR("{1}"));
	outbox_push(&outbox, STR("{22}"));
	outbox_push(&outbox, STR("{333}"));
	ck_assert_uint_eq(pipe_.flushes, 2);
	expect("[{1},{22},{333}]\n");
	outbox_push(&outbox, STR("{1}"));
	outbox_reply(&outbox, STR("{r}"));
	outbox_push(&outbox, STR("{2}"));
	outbox_push(&outbox, STR("{3}"));
	outbox_reply(&outbox, STR("{r}"));
	outbox_reply(&outbox, STR("{r}"));
	outbox_push(&outbox, STR("{4}"));
	expect("{1}\n{r}\n[{2},{3}]\n{r}\n{r}\n{4}\n");
	/* Wherever the text lies: it is referred to, or copied when it is not aligned. */
	static const char text[] = "0123456789abcdef";
	for (size_t i = 0; i < 8; i++)
		outbox_push(&outbox, (struct str){text + i, 1});
	expect("[0,1,2,3,4,5,6,7]\n");
	expect("");
}
END_TEST

static void append_shared(struct transport *transport, struct buf *out, size_t start, struct shared_text *shared)
{
	(void)transport;
	ck_assert_uint_le(start, out->len);
	buf_append_char(out, '<');
	buf_append_str(out, shared->text);
	buf_append_char(out, '>');
}

START_TEST(test_shared_texts)
{
	static const struct transport_ops sharing = {
		.flush_soon = flush_soon, .begin = begin, .end = end, .spill = spill, .append_shared = append_shared};
	struct shared_text event = {.text = STR("\",\"type\":\"ROOM_EVENT\"}")}, state = {.text = STR("{s}")};
	struct str id = STR("abc");

	for (int round = 0; round < 2; round++) {
		outbox_push_room(&outbox, &event, &id);
		outbox_push_shared(&outbox, &state);
		outbox_push(&outbox, STR("{p}"));
		outbox_reply(&outbox, STR("{r}"));
		outbox_push_shared(&outbox, &state);
		if (round == 0)
			expect("[{'componentId':'abc','type':'ROOM_EVENT'},{s},{p}]\n{r}\n{s}\n");
		else
			expect("[{'componentId':'abc<','type':'ROOM_EVENT'}>,<{s}>,{p}]\n{r}\n<{s}>\n");
		pipe_.transport.ops = &sharing;
		outbox_init(&outbox, &here, &pipe_.transport);
	}
}
END_TEST

/* An object that makes way for a scalar, and that for an object with nulls: what the client merges is what is held. */
START_TEST(test_deltas_with_nulls)
{
	struct thing a;
	thing_init(&a, "a");
	thing_set(&a, "{'x':{'y':{'z':1}}}");
	expect(DELTA("a", "{'x':{'y':{'z':1}}}") "\n");
	thing_set(&a, "{'x':{'y':5}}");
	thing_set(&a, "{'x':{'y':{'n':null}}}");
	expect("[" DELTA("a", "{'x':{'y':null}}") "," DELTA("a", "{'x':{'y':{'n':null}}}") "]\n");
	thing_set(&a, "{'x':5}");
	outbox_push(&outbox, STR("{p}"));
	thing_set(&a, "{'x':{'n':null}}");
	outbox_reply(&outbox, STR("{r}"));
	outbox_push(&outbox, STR("{q}"));
	expect("[" DELTA("a", "{'x':null}") "," DELTA("a", "{'x':{'n':null}}") ",{p}]\n{r}\n{q}\n");
	/* Nulls that stay are no reason. */
	thing_set(&a, "{'x':{'n':null,'m':1}}");
	thing_set(&a, "{'x':{'n':null,'m':2}}");
	expect(DELTA("a", "{'x':{'m':2}}") "\n");
	/* Older clients get each changed key whole, in both. */
	outbox.legacy = true;
	thing_set(&a, "{'w':{'k':1,'x':{'y':1}}}");
	expect(DELTA("a", "{'w':{'k':1,'x':{'y':1}}}") "\n");
	thing_set(&a, "{'w':{'k':1,'x':2}}");
	thing_set(&a, "{'w':{'k':1,'x':{'n':null}}}");
	expect("[" DELTA("a", "{'w':{'k':1,'x':null}}") "," DELTA("a", "{'w':{'k':1,'x':{'n':null}}}") "]\n");
	live_value_unref(a.state);
}
END_TEST

START_TEST(test_deltas)
{
	struct thing a, b;
	thing_init(&a, "a");
	thing_init(&b, "b");
	thing_set(&a, "{'x':1}");
	expect(DELTA("a", "{'x':1}") "\n");
	thing_set(&a, "{'x':2}");
	outbox_push(&outbox, STR("{p}"));
	thing_set(&b, "{'y':1}");
	thing_set(&a, "{'z':3}");
	thing_set(&a, "{'x':4}");
	expect("[" DELTA("a", "{'x':4,'z':3}") ",{p}," DELTA("b", "{'y':1}") "]\n");
	/* A reply makes them final; what comes after it is another one. */
	thing_set(&a, "{'x':5}");
	outbox_reply(&outbox, STR("{r}"));
	thing_set(&a, "{'x':6}");
	expect(DELTA("a", "{'x':5}") "\n{r}\n" DELTA("a", "{'x':6}") "\n");
	/* An object in the place of something that was in the place of another object. */
	thing_set(&a, "{'n':{'old':{'deep':1}}}");
	expect(DELTA("a", "{'n':{'old':{'deep':1}}}") "\n");
	thing_set(&a, "{'n':5}");
	thing_set(&a, "{'n':{'new':2}}");
	expect(DELTA("a", "{'n':{'new':2,'old':null}}") "\n");
	/* Back to what it was: nothing to say, and no comma for it. */
	thing_set(&a, "{'x':1}");
	thing_set(&a, "{'x':6}");
	expect("");
	outbox_push(&outbox, STR("{p}"));
	thing_set(&a, "{'x':1}");
	thing_set(&a, "{'x':6}");
	outbox_push(&outbox, STR("{q}"));
	outbox_reply(&outbox, STR("{r}"));
	expect("[{p},{q}]\n{r}\n");
	live_value_unref(a.state);
	live_value_unref(b.state);
}
END_TEST

START_TEST(test_older_clients)
{
	struct thing a;
	thing_init(&a, "a");
	outbox.legacy = true;
	thing_set(&a, "{'n':{'x':1,'y':{'z':2}},'m':0}");
	expect(DELTA("a", "{'n':{'x':1,'y':{'z':2}},'m':0}") "\n");
	thing_set(&a, "{'n':{'y':{'z':3}}}");
	expect(DELTA("a", "{'n':{'y':{'z':3},'x':null}}") "\n");
	live_value_unref(a.state);
}
END_TEST

START_TEST(test_ends)
{
	struct thing a;
	thing_init(&a, "a");
	/* A component that ends: what is pending is sealed with the state as it is. */
	thing_set(&a, "{'x':1}");
	outbox_seal(&outbox, &a.pending);
	ck_assert(!pending_delta_is_set(&a.pending));
	outbox_seal(&outbox, &a.pending);
	thing_set(&a, "{'x':2}");
	expect("[" DELTA("a", "{'x':1}") "," DELTA("a", "{'x':2}") "]\n");
	/* A client that is gone: nothing is kept. */
	thing_set(&a, "{'x':3}");
	outbox_push(&outbox, STR("{p}"));
	outbox_close(&outbox);
	ck_assert(!pending_delta_is_set(&a.pending));
	outbox_push(&outbox, STR("{p}"));
	outbox_reply(&outbox, STR("{r}"));
	thing_set(&a, "{'x':4}");
	ck_assert(!pending_delta_is_set(&a.pending));
	expect("");
	live_value_unref(a.state);
}
END_TEST

START_TEST(test_behind)
{
	struct thing a, b;
	thing_init(&a, "a");
	thing_init(&b, "b");
	outbox.behind = true;
	thing_set(&a, "{'x':1}");
	outbox_push(&outbox, STR("{p}"));
	expect("{p}\n");
	ck_assert(a.pending.collapsed && !b.pending.collapsed);
	outbox.behind = false;
	thing_set(&b, "{'x':1}");
	expect(DELTA("b", "{'x':1}") "\n");
	ck_assert(!b.pending.collapsed);
	live_value_unref(a.state);
	live_value_unref(b.state);
}
END_TEST

/* Much in one tick: arrays end after 64 KiB, and what was composed moves on. */
START_TEST(test_much)
{
	static char text[1000];
	memset(text, 'x', sizeof text);
	for (unsigned i = 0; i < 1000; i++)
		outbox_push(&outbox, (struct str){text, sizeof text});
	outbox_compose(&outbox, &sent);
	ck_assert_uint_ge(pipe_.spills, 5);
	ck_assert_uint_lt(sent.len, 200000);
}
END_TEST

START_TEST(test_closing)
{
	struct thing a;
	thing_init(&a, "a");
	pipe_.is_closing = true;
	outbox_push(&outbox, STR("{p}"));
	outbox_reply(&outbox, STR("{r}"));
	thing_set(&a, "{'x':1}");
	thing_set(&a, "{'x':2}");
	ck_assert_ptr_eq(outbox.transport, &pipe_.transport); /* the session may still hold it up */
	outbox_close(&outbox);
	ck_assert(!pending_delta_is_set(&a.pending));
	live_value_unref(a.state);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("outbox");
	TCase *all = tcase_create("outbox");
	tcase_add_checked_fixture(all, setup, teardown);
	const TTest *const tests[] = {test_batches,       test_shared_texts, test_deltas, test_deltas_with_nulls,
				      test_older_clients, test_ends,         test_behind, test_much,
				      test_closing};
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		tcase_add_test(all, tests[i]);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
