/* The numbers that connections leave for the next one of the same client. */
#include "server/component/returns.h"

#include <check.h>
#include <stdio.h>

#include "server/component/client.h"
#include "server/component/component_shard.h"
#include "server/component/instance.h"
#include "stage/component_stage.h"
#include "unit/core/core_test.h"

/* As much of a client as is looked at: it has one component, or a part in a singleton. */
struct visitor {
	struct client client;
	struct mounted mounted;
	unsigned times;
};

static void came_back(struct client *client, unsigned times)
{
	LIST_OF(client, struct visitor, client)->times = times;
}

static const struct client_ops ops = {.came_back = came_back};
static int component; /* stands for one */

static void come(struct visitor *visitor, struct component_stage *stage, unsigned shard)
{
	*visitor = (struct visitor){.client = {.ops = &ops, .home = component_stage_shard(stage, shard)}};
	list_init(&visitor->client.mounted);
	visitor->client.handle = shard_handle_open(visitor->client.home->shard, &visitor->client);
}

static void have(struct visitor *visitor, const char *id, bool is_singleton)
{
	visitor->mounted.id = str_of(id);
	visitor->mounted.instance = is_singleton ? NULL : (live_component *)(void *)&component;
	list_init(&visitor->mounted.link);
	list_append(&visitor->client.mounted, &visitor->mounted.link);
}

static void go(struct visitor *visitor)
{
	shard_handle_close(visitor->client.home->shard, visitor->client.handle);
}

/* A client had id and had come back so often. */
static void leave(struct component_stage *stage, unsigned shard, const char *id, unsigned times)
{
	struct visitor visitor;

	come(&visitor, stage, shard);
	have(&visitor, id, false);
	returns_leave(&visitor.client, times);
	go(&visitor);
	component_stage_run(stage);
}

/* How often a client of that shard has come back that presents id. */
static unsigned come_with(struct component_stage *stage, unsigned shard, const char *id)
{
	struct visitor visitor;

	come(&visitor, stage, shard);
	returns_note(&visitor.client, str_of(id));
	ck_assert_uint_eq(visitor.times, 1); /* at once: at least the first */
	component_stage_run(stage);
	go(&visitor);
	return visitor.times;
}

static struct component_stage *begin(unsigned shards)
{
	return component_stage_new(shards, 1, (const live_definition *[]){NULL});
}

START_TEST(test_numbers)
{
	struct component_stage *stage = begin(3);

	ck_assert_uint_eq(come_with(stage, 0, "Ab3dEf9_"), 1);
	for (unsigned shard = 0; shard < 3; shard++) {
		leave(stage, shard, "Ab3dEf9_", 4 + shard);
		ck_assert_uint_eq(come_with(stage, (shard + 1) % 3, "Ab3dEf9_"), 5 + shard);
		ck_assert_uint_eq(come_with(stage, shard, "Ab3dEf9_"), 1); /* it was taken */
	}
	leave(stage, 0, "Ab3dEf9_", 7);
	leave(stage, 1, "Ab3dEf9_", 8);
	ck_assert_uint_eq(come_with(stage, 2, "Ab3dEf9_"), 9);
	ck_assert_uint_eq(come_with(stage, 2, ""), 1);
	component_stage_free(stage);
}
END_TEST

START_TEST(test_singletons_are_no_clients_own)
{
	struct component_stage *stage = begin(2);
	struct visitor visitor;

	come(&visitor, stage, 0);
	have(&visitor, "shared", true);
	returns_leave(&visitor.client, 3);
	go(&visitor);
	component_stage_run(stage);
	ck_assert_uint_eq(come_with(stage, 1, "shared"), 1);
	component_stage_free(stage);
}
END_TEST

START_TEST(test_the_oldest_are_forgotten)
{
	struct component_stage *stage = begin(1);

	for (unsigned n = 0; n <= RETURNS_KEPT; n++) {
		char id[16];
		snprintf(id, sizeof id, "id%u", n);
		leave(stage, 0, id, 2);
	}
	ck_assert_uint_eq(come_with(stage, 0, "id0"), 1);
	ck_assert_uint_eq(come_with(stage, 0, "id1"), 3);
	component_stage_free(stage);
}
END_TEST

/* Who asked is gone when the answer comes; and what is under way when all ends is freed. */
START_TEST(test_gone_meanwhile)
{
	struct component_stage *stage = begin(2);
	struct visitor visitor;

	leave(stage, 0, "Ab3dEf9_", 2);
	come(&visitor, stage, 1);
	returns_note(&visitor.client, STR("Ab3dEf9_"));
	go(&visitor);
	component_stage_run(stage);
	ck_assert_uint_eq(visitor.times, 1);
	leave(stage, 0, "left", 2);
	come(&visitor, stage, 1);
	returns_note(&visitor.client, STR("left"));
	go(&visitor);
	component_stage_free(stage);
}
END_TEST

CORE_TESTS("returns", test_numbers, test_singletons_are_no_clients_own, test_the_oldest_are_forgotten,
	   test_gone_meanwhile)
