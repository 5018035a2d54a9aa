/*
 * What rooms cost: an emit to many members of one shard, to one member on each of many shards, a small change to a
 * large state, a join and a leave. Shards are stepped by hand on one thread, so a number is all the work that both ends
 * do, and no waiting. Prints one line per measurement, the
 * least of its rounds, since all that disturbs only adds.
 */
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/clock.h"
#include "core/mem.h"
#include "pubsub/memory_adapter.h"
#include "pubsub/rooms.h"
#include "shard/shard.h"

enum { ROUNDS = 20, SHARDS_MAX = 16, BATCH = 64 };

static uint64_t delivered; /* members reached: keeps the loop from being left out */
static uint64_t joined;
static struct shard_group *group;
static struct rooms *rooms[SHARDS_MAX];
static unsigned shard_count;

static struct frame *bench_encode(const struct room_event *event)
{
	return frame_new(event->data);
}

static void bench_deliver(struct rooms *here, struct room_view *view, struct room_event *event)
{
	uint64_t excluded = rooms_excluded_serial(here, event);

	for (struct room_member *member = room_view_next_member(view, NULL); member;
	     member = room_view_next_member(view, member))
		delivered += member->serial != excluded;
}

static void bench_joined(struct rooms *here, struct room_member *member, const char *error)
{
	(void)here;
	(void)member;
	assert_always(!error);
	joined++;
}

static const struct rooms_hooks hooks = {.encode = bench_encode, .deliver = bench_deliver, .joined = bench_joined};

static void run(void)
{
	for (unsigned quiet = 0; quiet < shard_count;) {
		quiet = 0;
		for (unsigned i = 0; i < shard_count; i++)
			quiet += shard_step(shard_group_at(group, i)) == 0;
	}
}

static void begin(unsigned shards)
{
	const struct shard_options options = {
		.count = shards, .mailbox_depth = 1 << 20, .mail_budget = 1 << 20, .manual = true};
	const struct rooms_options room_options = {.adapter = memory_adapter(), .hooks = &hooks};
	int rc = shard_group_new(&group, &options);

	assert_always(rc == 0);
	shard_count = shards;
	for (unsigned i = 0; i < shards; i++)
		rooms[i] = rooms_new(shard_group_at(group, i), &room_options);
}

static void end(void)
{
	run();
	for (unsigned i = 0; i < shard_count; i++)
		rooms_free(rooms[i]);
	shard_group_free(group);
}

static void join(unsigned shard, struct room_member *member, const live_value *initial)
{
	int rc = rooms_join(rooms[shard], member, STR("lobby"), initial);

	assert_always(rc == 0);
}

/* Prints the least of rounds, each of which takes so many turns at work(argument). */
static double measure(const char *what, unsigned turns, unsigned per_turn, void (*work)(void *), void *argument)
{
	double least = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		int64_t start = clock_now_mono_ns();
		for (unsigned turn = 0; turn < turns; turn++)
			work(argument);
		double ns = (double)(clock_now_mono_ns() - start) / turns / per_turn;
		if (round == 0 || ns < least)
			least = ns;
	}
	printf("%-64s %12.1f ns\n", what, least);
	return least;
}

static char text[201]; /* of an event's data: 200 bytes */

/* A burst, as a shard sees it that reads many sockets in one tick. */
static void emit_batch(void *argument)
{
	(void)argument;
	const struct room_emit emit = {
		.type = STR("room"), .room_id = STR("lobby"), .event = STR("msg:new"), .data = {text, sizeof text - 1}};

	for (int i = 0; i < BATCH; i++) {
		int rc = rooms_emit(rooms[0], &emit);
		assert_always(rc == 0);
	}
	run();
}

static void emit_nowhere(void *argument)
{
	(void)argument;
	const struct room_emit emit = {.type = STR("room"), .room_id = STR("nowhere"), .event = STR("x")};

	for (int i = 0; i < BATCH; i++) {
		int rc = rooms_emit(rooms[0], &emit);
		assert_always(rc == 0);
	}
	run();
}

static double emit_to(unsigned shards, unsigned members)
{
	struct room_member *all = mem_alloc(sizeof *all * shards * members);
	char what[96];

	begin(shards);
	for (unsigned i = 0; i < shards * members; i++)
		join(i % shards, &all[i], NULL);
	run();
	snprintf(what, sizeof what, "emit 200 bytes to %u shard(s) with %u member(s) each", shards, members);
	double ns = measure(what, 200000 / members / shards / BATCH + 10, BATCH, emit_batch, NULL);
	for (unsigned i = 0; i < shards * members; i++)
		rooms_leave(rooms[i % shards], &all[i]);
	end();
	free(all);
	return ns;
}

static void join_and_leave(void *argument)
{
	struct room_member *members = argument;

	for (int i = 0; i < BATCH; i++)
		join(0, &members[i], NULL);
	run();
	for (int i = 0; i < BATCH; i++)
		rooms_leave(rooms[0], &members[i]);
	run();
}

static const live_value *large_state(size_t bytes)
{
	const live_value *state = live_object(NULL, NULL);
	char key[32];
	char filler[1001];

	memset(filler, 'x', sizeof filler);
	filler[1000] = '\0';
	for (size_t i = 0; i < bytes / 1024; i++) {
		snprintf(key, sizeof key, "key%zu", i);
		const live_value *larger =
			live_with(state, key, live_object("n", live_int(0), "f", live_string(filler), NULL));
		live_value_unref(state);
		state = larger;
	}
	return state;
}

static void change_state(void *argument)
{
	static int64_t n;
	const live_value *patch = live_object("counter", live_int(++n), NULL);

	(void)argument;
	rooms_set_state(rooms[0], STR("lobby"), patch, (struct room_origin){0}, NULL, NULL);
	live_value_unref(patch);
	run();
}

static void change(size_t bytes, const char *what)
{
	struct room_member member = {0};
	const live_value *state = large_state(bytes);

	begin(1);
	join(0, &member, state);
	run();
	live_value_unref(state);
	measure(what, 200, 1, change_state, NULL);
	rooms_leave(rooms[0], &member);
	end();
}

/* ---- two threads: the home on one, a member on the other ---- */

enum { THREAD_EMITS = 2000000 };

static char room_of_0[16]; /* an id whose home is shard 0 */
static unsigned emits_left;
static struct mail emitter;
static struct room_member far_member;
static _Atomic uint64_t arrived;
static _Atomic int64_t arrived_ns; /* when the last one came */
static _Atomic bool far_is_in;

static void far_deliver(struct rooms *here, struct room_view *view, struct room_event *event)
{
	uint64_t count = atomic_load_explicit(&arrived, memory_order_relaxed) + 1;

	(void)here;
	(void)view;
	(void)event;
	atomic_store_explicit(&arrived, count, memory_order_relaxed);
	if (count == THREAD_EMITS)
		atomic_store(&arrived_ns, clock_now_mono_ns());
}

static void far_joined(struct rooms *here, struct room_member *member, const char *error)
{
	(void)here;
	(void)member;
	assert_always(!error);
	atomic_store(&far_is_in, true);
}

static void emit_some(struct mail *mail, struct shard *here)
{
	const struct room_emit emit = {.type = STR("room"),
				       .room_id = str_of(room_of_0),
				       .event = STR("msg:new"),
				       .data = {text, sizeof text - 1}};

	/* As a connection does it: what feeds a pressed shard is not read. */
	for (int i = 0; i < BATCH && emits_left > 0 && !shard_is_pressed(here); i++, emits_left--) {
		int rc = rooms_emit(rooms[0], &emit);
		assert_always(rc == 0);
	}
	if (emits_left > 0)
		shard_post(here, 0, mail);
}

static const struct rooms_hooks far_hooks = {.encode = bench_encode, .deliver = far_deliver, .joined = far_joined};

static void thread_begin(struct shard *shard, void *argument)
{
	const struct rooms_options options = {.adapter = memory_adapter(), .hooks = &far_hooks};
	unsigned index = shard_index(shard);

	(void)argument;
	rooms[index] = rooms_new(shard, &options);
	if (index == 1) {
		int rc = rooms_join(rooms[1], &far_member, str_of(room_of_0), NULL);
		assert_always(rc == 0);
	}
}

static void thread_end(struct shard *shard, void *argument)
{
	(void)argument;
	if (shard_index(shard) == 1)
		rooms_leave(rooms[1], &far_member);
	rooms_free(rooms[shard_index(shard)]);
}

static void two_threads(void)
{
	const struct shard_options options = {.count = 2, .mailbox_depth = 65536, .mail_budget = 4096};

	for (int i = 0; i == 0 || rooms_home_shard(STR("room"), str_of(room_of_0), 2) != 0; i++)
		snprintf(room_of_0, sizeof room_of_0, "lobby%d", i);
	int rc = shard_group_new(&group, &options);
	assert_always(rc == 0);
	rc = shard_group_start(group, thread_begin, thread_end, NULL);
	assert_always(rc == 0);
	while (!atomic_load(&far_is_in))
		poll(NULL, 0, 1);
	emits_left = THREAD_EMITS;
	emitter.deliver = emit_some;
	int64_t start_ns = clock_now_mono_ns();
	shard_post_outside(shard_group_at(group, 0), &emitter);
	while (!atomic_load(&arrived_ns))
		poll(NULL, 0, 1);
	printf("%-64s %12.1f ns\n", "two threads: emit on one, a member on the other",
	       (double)(atomic_load(&arrived_ns) - start_ns) / THREAD_EMITS);
	shard_group_stop(group);
	shard_group_free(group);
}

int main(void)
{
	struct room_member *members = mem_alloc(sizeof *members * BATCH);

	memset(text, 'x', sizeof text - 1);
	double one = emit_to(1, 1);
	double thousand = emit_to(1, 1000);
	printf("%-64s %12.2f ns\n", "  each member more (the hook's own loop)", (thousand - one) / 999);
	double two = emit_to(2, 1);
	emit_to(4, 1);
	double sixteen = emit_to(16, 1);
	printf("%-64s %12.1f ns\n", "  each shard more: one mail there, and its view", (sixteen - two) / 14);

	begin(1);
	measure("emit to a room that is not there", 2000, BATCH, emit_nowhere, NULL);
	struct room_member host = {0};
	join(0, &host, NULL);
	run();
	measure("join and leave, told to one other member", 200, BATCH, join_and_leave, members);
	rooms_leave(rooms[0], &host);
	end();

	change(1024, "change one number in a state of 1 KiB");
	change(9 << 20, "change one number in a state of 9 MiB (9216 keys)");
	two_threads();
	free(members);
	return delivered && joined ? EXIT_SUCCESS : EXIT_FAILURE;
}
