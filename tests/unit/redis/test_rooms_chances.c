/*
 * A cluster room on three nodes, by chance: connections end, answers are lost, commands are carried out late, Redis
 * forgets all or some of what it had, an old master lives on, nodes die. Whatever comes in whatever order, what was
 * answered counts once, and what was not, once at most.
 *
 * LIVE_TEST_SEEDS=first,count plays others than the usual schedules; a failure names its seed.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/frame.h"
#include "core/log.h"
#include "core/mem.h"
#include "pubsub/room.h"
#include "redis/room_adapter.h"
#include "unit/redis/fake_redis.h"

enum { NODES = 3, OPS_MAX = 1024, PAST = 6, STEPS = 400, START_MS = 1000000 };
#define ROOM STR("count:x")

/* One thread plays it all, so that a sanitizer of threads has little to see, and takes long. */
#ifdef __SANITIZE_THREAD__
enum { SCHEDULES = 50 };
#else
enum { SCHEDULES = 500 };
#endif

static const char late_text[] = "Room update failed: it could not be committed in time";
static const char lost_text[] = "Room update may have failed: its commit was not confirmed in time";

struct op {
	char token[16];
	unsigned node; /* whose life it is of */
	unsigned answers;
	enum { WAITS, DONE, FAILED, UNKNOWN, DIED } fate;
};

struct world {
	uint32_t chance;
	uint64_t seed;
	int64_t now_ms;
	bool nodes_die;
	struct fake_redis servers[2];
	unsigned master;
	struct fake_record past[PAST]; /* of the master: what a replica may have */
	unsigned past_count;
	struct node {
		struct redis_node *redis;
		struct shard_group *group;
		struct redis_link *link;
		struct room_adapter *adapter;
		struct rooms *rooms;
		struct room_member member;
		unsigned server; /* that it is connected to */
	} nodes[NODES];
	struct op ops[OPS_MAX];
	unsigned op_count;
};

static unsigned below(struct world *world, unsigned bound)
{
	world->chance = world->chance * 1664525 + 1013904223;
	return (unsigned)(((uint64_t)world->chance * bound) >> 32);
}

/* ---- nodes ---- */

static struct frame *encode(const struct room_event *event)
{
	return frame_new(event->name);
}

static void deliver(struct rooms *rooms, struct room_view *view, struct room_event *event)
{
	(void)rooms;
	(void)view;
	(void)event;
}

static void joined(struct rooms *rooms, struct room_member *member, const char *error)
{
	(void)rooms;
	(void)member;
	ck_assert_ptr_null(error);
}

static const struct rooms_hooks hooks = {.encode = encode, .deliver = deliver, .joined = joined};
static const struct str patterns[] = {{"count:*", 7}};

static void enter(struct world *world, struct node *node)
{
	struct shard *shard = shard_group_at(node->group, 0);

	shard_set_time(shard, world->now_ms, world->now_ms);
	shard_enter(shard);
}

static void step(struct world *world, struct node *node)
{
	enter(world, node);
	shard_enter(NULL);
	while (shard_step(shard_group_at(node->group, 0)) > 0)
		;
	log_flush();
}

static void node_begin(struct world *world, struct node *node)
{
	const struct redis_options options = {.url = "redis://127.0.0.1:1", .shards = 1};
	const struct redis_room_options rooms = {
		.ttl = 86400, .cluster_rooms = patterns, .cluster_room_count = 1, .node_ms = 3600000};
	const struct shard_options group = {.count = 1, .mailbox_depth = 1 << 16, .mail_budget = 1000, .manual = true};
	char error[REDIS_ERROR_SIZE];

	*node = (struct node){0};
	ck_assert_int_eq(redis_node_new(&node->redis, &options, error), 0);
	node->adapter = redis_room_adapter_new(node->redis, &rooms);
	ck_assert_int_eq(shard_group_new(&node->group, &group), 0);
	enter(world, node);
	node->link = redis_link_new(shard_group_at(node->group, 0), NULL, node->redis);
	const struct rooms_options of_rooms = {.adapter = node->adapter, .hooks = &hooks};
	node->rooms = rooms_new(shard_group_at(node->group, 0), &of_rooms);
	redis_room_adapter_start(node->adapter, node->link);
	node->member.id = STR("member");
	ck_assert_int_eq(rooms_join(node->rooms, &node->member, ROOM, NULL), 0);
	fake_link_connect(node->link, &world->servers[world->master]);
	node->server = world->master;
	step(world, node);
}

static void node_end(struct world *world, struct node *node)
{
	enter(world, node);
	if (fake_link_is_connected(node->link))
		fake_link_disconnect(node->link, below(world, fake_link_pending(node->link) + 1));
	for (unsigned i = 0; i < world->op_count; i++)
		rooms_forget_answers(node->rooms, &world->ops[i]);
	rooms_leave(node->rooms, &node->member);
	rooms_free(node->rooms);
	redis_room_adapter_stop(node->adapter, shard_group_at(node->group, 0));
	redis_link_free(node->link);
	shard_enter(NULL);
	shard_group_free(node->group);
	redis_room_adapter_free(node->adapter);
	redis_node_free(node->redis);
}

/* ---- counting ---- */

/* How often argument was counted. */
static const live_value *count(const live_value *state, const live_value *argument, const live_value **reply)
{
	const char *token = live_as_string(argument);
	int64_t times = live_as_int(live_get(state, token), 0) + 1;

	*reply = live_int(times);
	return live_with(state, token, live_int(times));
}

static void counted(void *context, const char *error, const live_value *value)
{
	struct op *op = context;

	op->answers++;
	if (!error) {
		ck_assert_int_eq(live_as_int(value, 0), 1);
		op->fate = DONE;
	} else if (!strcmp(error, late_text)) {
		op->fate = FAILED;
	} else {
		ck_assert_str_eq(error, lost_text);
		op->fate = UNKNOWN;
	}
}

static void ask(struct world *world, unsigned index)
{
	if (world->op_count == OPS_MAX)
		return;
	struct op *op = &world->ops[world->op_count];

	snprintf(op->token, sizeof op->token, "t%u", world->op_count++);
	op->node = index;
	enter(world, &world->nodes[index]);
	const live_value *token = live_string(op->token);
	rooms_update(world->nodes[index].rooms, ROOM, count, token, (struct room_origin){0}, counted, op);
	live_value_unref(token);
	step(world, &world->nodes[index]);
}

/* ---- what happens ---- */

static void pass(struct world *world, int64_t ms)
{
	world->now_ms += ms;
	world->servers[0].now_ms = world->servers[1].now_ms = world->now_ms;
}

static void connect_to_master(struct world *world, struct node *node)
{
	enter(world, node);
	if (fake_link_is_connected(node->link))
		return;
	fake_link_connect(node->link, &world->servers[world->master]);
	node->server = world->master;
	step(world, node);
}

static void disconnect(struct world *world, struct node *node)
{
	enter(world, node);
	if (!fake_link_is_connected(node->link))
		return;
	fake_link_disconnect(node->link, below(world, fake_link_pending(node->link) + 1));
	step(world, node);
}

/* What a replica or a file has: now, some time ago, or nothing. */
static const struct fake_record *older(struct world *world)
{
	unsigned which = below(world, PAST + 2);

	if (which == PAST)
		return NULL;
	return which < world->past_count ? &world->past[which] : &world->servers[world->master].record;
}

static void server_dies(struct world *world)
{
	struct fake_redis *server = &world->servers[world->master];
	struct fake_record copy = {0};
	const struct fake_record *record = older(world);

	if (record)
		copy = *record;
	while (below(world, 3) && fake_redis_run_late(server))
		;
	for (unsigned i = 0; i < NODES; i++) {
		struct node *node = &world->nodes[i];

		while (node->server == world->master && fake_link_is_connected(node->link) && below(world, 2) &&
		       fake_link_run(node->link))
			;
		if (node->server == world->master)
			disconnect(world, node);
	}
	fake_redis_die(server, record ? &copy : NULL);
	world->past_count = 0;
}

/* A replica becomes the master, and who is connected to the old one may stay there for a while. */
static void replica_takes_over(struct world *world)
{
	struct fake_record copy = {0};
	const struct fake_record *record = older(world);

	if (record)
		copy = *record;
	unsigned old = world->master;
	world->master = !old;
	for (unsigned i = 0; i < NODES; i++) {
		if (world->nodes[i].server == world->master) /* of the time before */
			disconnect(world, &world->nodes[i]);
	}
	fake_redis_die(&world->servers[world->master], record ? &copy : NULL);
	world->past_count = 0;
}

static void remember(struct world *world)
{
	world->past[world->past_count < PAST ? world->past_count++ : below(world, PAST)] =
		world->servers[world->master].record;
}

static void something_happens(struct world *world)
{
	struct node *node = &world->nodes[below(world, NODES)];
	unsigned what = below(world, 1000);

	enter(world, node);
	if (what < 100) {
		for (unsigned i = below(world, 4) + 1; i; i--)
			ask(world, (unsigned)(node - world->nodes));
	} else if (what < 400 && fake_link_is_connected(node->link))
		fake_link_run(node->link);
	else if (what < 600)
		fake_link_answer(node->link);
	else if (what < 750)
		fake_link_hear(node->link);
	else if (what < 850)
		connect_to_master(world, node);
	else if (what < 870)
		disconnect(world, node);
	else if (what < 900)
		fake_redis_run_late(&world->servers[below(world, 2)]);
	else if (what < 920)
		remember(world);
	else if (what < 926)
		server_dies(world);
	else if (what < 932)
		replica_takes_over(world);
	else if (what < 945)
		pass(world, 1500);
	else if (what < 947 && world->nodes_die) {
		for (unsigned i = 0; i < world->op_count; i++) {
			if (world->ops[i].node == (unsigned)(node - world->nodes))
				world->ops[i].node = NODES;
		}
		node_end(world, node);
		node_begin(world, node);
	}
	pass(world, below(world, 20));
	step(world, node);
}

/* Everything that is under way arrives, in turn. */
static void settle(struct world *world)
{
	for (bool moved = true; moved;) {
		moved = false;
		for (unsigned i = 0; i < NODES; i++) {
			struct node *node = &world->nodes[i];

			enter(world, node);
			moved |= fake_link_run(node->link);
			moved |= fake_link_answer(node->link);
			moved |= fake_link_hear(node->link);
			step(world, node);
		}
	}
}

static bool all_answered(const struct world *world)
{
	for (unsigned i = 0; i < world->op_count; i++) {
		if (world->ops[i].fate == WAITS && world->ops[i].node < NODES)
			return false;
	}
	return true;
}

static void heal(struct world *world)
{
	for (unsigned i = 0; i < NODES; i++) {
		if (world->nodes[i].server != world->master)
			disconnect(world, &world->nodes[i]);
	}
	while (fake_redis_run_late(&world->servers[world->master]))
		;
	for (unsigned i = 0; i < NODES; i++)
		connect_to_master(world, &world->nodes[i]);
	for (unsigned i = 0; i < 200 && (i < 12 || !all_answered(world)); i++) {
		settle(world);
		pass(world, 400);
		for (unsigned j = 0; j < NODES; j++)
			step(world, &world->nodes[j]);
	}
}

/* ---- what must hold ---- */

static void check_op(const struct world *world, const struct op *op, const live_value *state)
{
	int64_t times = live_as_int(live_get(state, op->token), 0);
	bool is_gone = op->node == NODES;
	bool is_right = times <= 1;

	if (op->fate == FAILED)
		is_right = times == 0;
	else if (op->fate == DONE && !is_gone)
		is_right = times == 1;
	ck_assert_msg(is_right && op->answers <= 1,
		      "seed %" PRIu64 ": %s of node %u, fate %d, counted %" PRId64 " times", world->seed, op->token,
		      op->node, (int)op->fate, times);
}

static void check(struct world *world)
{
	const struct fake_record *record = &world->servers[world->master].record;
	const live_value *state = live_from_json(record->state, strlen(record->state), NULL, 0);

	ck_assert_msg(all_answered(world), "seed %" PRIu64, world->seed);
	ck_assert_ptr_nonnull(state);
	for (unsigned i = 0; i < world->op_count; i++)
		check_op(world, &world->ops[i], state);
	for (unsigned i = 0; i < NODES; i++) {
		enter(world, &world->nodes[i]);
		const struct room *room = room_find(world->nodes[i].rooms, ROOM);
		ck_assert_msg(live_equal(room->state.value, state), "seed %" PRIu64 ": node %u shows another state",
			      world->seed, i);
	}
	live_value_unref(state);
}

struct sums {
	unsigned done, failed, unknown, died, restores;
};

static struct world *world_new(uint64_t seed)
{
	struct world *world = mem_alloc(sizeof *world);

	world->seed = seed;
	world->chance = (uint32_t)(seed * 2654435761u + 12345);
	fake_redis_init(&world->servers[0]);
	fake_redis_init(&world->servers[1]);
	pass(world, START_MS);
	for (unsigned i = 0; i < NODES; i++)
		node_begin(world, &world->nodes[i]);
	return world;
}

static void world_free(struct world *world)
{
	for (unsigned i = 0; i < NODES; i++)
		node_end(world, &world->nodes[i]);
	fake_redis_die(&world->servers[0], NULL);
	fake_redis_die(&world->servers[1], NULL);
	free(world);
}

static void play(uint64_t seed, bool nodes_die, struct sums *sums)
{
	struct world *world = world_new(seed);

	world->nodes_die = nodes_die;
	for (unsigned i = 0; i < STEPS; i++)
		something_happens(world);
	heal(world);
	check(world);
	for (unsigned i = 0; i < world->op_count; i++) {
		sums->done += world->ops[i].fate == DONE;
		sums->failed += world->ops[i].fate == FAILED;
		sums->unknown += world->ops[i].fate == UNKNOWN;
		sums->died += world->ops[i].node == NODES;
	}
	sums->restores += world->servers[0].restores + world->servers[1].restores;
	world_free(world);
}

static void play_all(bool nodes_die)
{
	const char *chosen = getenv("LIVE_TEST_SEEDS");
	unsigned long long first = 1, seeds = SCHEDULES;
	struct sums sums = {0};

	if (chosen)
		ck_assert_int_eq(sscanf(chosen, "%llu,%llu", &first, &seeds), 2);
	for (uint64_t seed = first; seed < first + seeds; seed++)
		play(seed, nodes_die, &sums);
	fprintf(stderr,
		"%llu schedules: answered %u, failed %u, unknown %u; of nodes that died %u; restored %u times\n", seeds,
		sums.done, sums.failed, sums.unknown, sums.died, sums.restores);
	ck_assert_uint_gt(sums.done, 0);
	ck_assert_uint_gt(sums.restores, 0);
}

/* Redis carries a commit out when its connection has long ended, and just before the same commit comes again. */
START_TEST(a_late_commit_is_answered_by_what_it_came_to)
{
	struct world *world = world_new(1);
	struct node *node = &world->nodes[0];

	heal(world);
	ask(world, 0);
	enter(world, node);
	ck_assert_uint_eq(fake_link_pending(node->link), 1);
	fake_link_disconnect(node->link, 1);
	connect_to_master(world, node);
	enter(world, node);
	while (fake_link_hear(node->link)) /* the channel is there again, so the state is read */
		;
	step(world, node);
	enter(world, node);
	for (unsigned asked = fake_link_pending(node->link); asked; asked--)
		ck_assert(fake_link_run(node->link) && fake_link_answer(node->link)); /* it is not done */
	step(world, node);
	ck_assert_uint_eq(world->servers[0].commits, 0);
	ck_assert(fake_redis_run_late(&world->servers[0]));
	heal(world);
	ck_assert_uint_eq(world->ops[0].fate, DONE);
	check(world);
	world_free(world);
}
END_TEST

START_TEST(what_was_answered_counts_once)
{
	play_all(false);
}
END_TEST

START_TEST(nothing_is_counted_twice_when_nodes_die)
{
	play_all(true);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rooms by chance");
	TCase *cases = tcase_create("all");

	tcase_set_timeout(cases, 400);
	tcase_add_test(cases, a_late_commit_is_answered_by_what_it_came_to);
	tcase_add_test(cases, what_was_answered_counts_once);
	tcase_add_test(cases, nothing_is_counted_twice_when_nodes_die);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
