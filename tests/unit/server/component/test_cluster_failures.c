/* One singleton for several nodes, when a node, or the store, goes: what is acknowledged stays, and is done once. */
#include "unit/server/component/cluster_test.h"

/* ---- failures ---- */

START_TEST(test_owner_killed)
{
	struct cluster_stage *stage = new_stage(3);
	struct stage_client *owner = client_of(stage, 0), *a = client_of(stage, 1), *b = client_of(stage, 2);
	const char *id = mount(owner);

	mount(a);
	mount(b);
	ck_assert(stage_client_act(a, id, "add", "{}"));
	ck_assert(stage_client_act(owner, id, "add", "{}"));
	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_CUT);
	cluster_stage_pause(stage, 0);
	act_later(a, id, "add", 1);
	cluster_stage_advance(stage, STAGE_TIMEOUT_MS);
	ck_assert_str_eq(stage_text(stage_client_wait(a, "ACTION_RESPONSE"), "error"), TIMED_OUT);
	cluster_stage_advance(stage, STAGE_LEASE_MS + STAGE_HEARTBEAT_MS);
	ck_assert_uint_eq(stage_client_count(a, "STATE_UPDATE"), 2);
	ck_assert_int_eq(live_as_int(live_get(act(b, id, "add"), "result"), 0), 3);
	ck_assert_int_eq(live_as_int(live_get(act(a, id, "add"), "result"), 0), 4);
	ck_assert_uint_eq(cluster_stage_instances(stage, 1) + cluster_stage_instances(stage, 2), 1);
	cluster_stage_free(stage);
}
END_TEST

/* It wakes with requests in its ears, and with clients; it can change nothing. */
START_TEST(test_owner_paused)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
	const char *id = mount(owner);

	mount(other);
	ck_assert(stage_client_act(owner, id, "add", "{}"));
	cluster_stage_pause(stage, 0);
	act_later(other, id, "add", 1);
	act_later(owner, id, "add", 2);
	cluster_stage_advance(stage, STAGE_LEASE_MS + STAGE_HEARTBEAT_MS);
	ck_assert_str_eq(stage_text(stage_client_wait(other, "ACTION_RESPONSE"), "error"), TIMED_OUT);
	ck_assert_int_eq(live_as_int(live_get(act(other, id, "add"), "result"), 0), 2);
	cluster_stage_wake(stage, 0);
	ck_assert_str_eq(stage_text(stage_client_wait(owner, "ACTION_RESPONSE"), "error"),
			 "OWNERSHIP_LOST: this instance no longer owns the singleton");
	cluster_stage_advance(stage, STAGE_HEARTBEAT_MS);
	ck_assert_uint_eq(instances(stage), 1);
	ck_assert_uint_eq(stage_client_count(owner, "ERROR"), 1);
	ck_assert_int_eq(total_seen(owner, id), 2);
	ck_assert_int_eq(live_as_int(live_get(act(owner, id, "add"), "result"), 0), 3);
	ck_assert_uint_eq(COUNTED(stage, 0, cluster_losses), 1);
	cluster_stage_free(stage);
}
END_TEST

START_TEST(test_loss_is_pushed)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
	const char *id = mount(owner);
	const live_value *push;

	mount(other);
	cluster_stage_pause(stage, 0);
	cluster_stage_advance(stage, STAGE_LEASE_MS + STAGE_HEARTBEAT_MS);
	cluster_stage_wake(stage, 0);
	cluster_stage_advance(stage, STAGE_HEARTBEAT_MS);
	push = stage_client_wait(owner, "ERROR");
	ck_assert_str_eq(stage_text(push, "componentId"), id);
	ck_assert_str_eq(stage_text(push, "payload.error"), "OWNERSHIP_LOST: singleton moved to another server");
	stage_client_wait(owner, "STATE_UPDATE");
	cluster_stage_free(stage);
}
END_TEST

START_TEST(test_store_gone)
{
	struct cluster_stage *stage = new_stage(1);
	struct stage_client *owner = client_of(stage, 0);
	const char *id = mount(owner);

	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_CUT);
	/* What changes nothing is answered as long as the claim is good; what changes something is not. */
	ck_assert(stage_client_act(owner, id, "read", "{}"));
	act_later(owner, id, "add", 1);
	cluster_stage_advance(stage, STAGE_TIMEOUT_MS);
	ck_assert_str_eq(stage_text(stage_client_wait(owner, "ACTION_RESPONSE"), "error"), TIMED_OUT);
	cluster_stage_advance(stage, STAGE_LEASE_MS);
	ck_assert_str_eq(stage_text(act(owner, id, "read"), "error"),
			 "OWNERSHIP_LOST: this instance no longer owns the singleton");
	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_UP);
	cluster_stage_advance(stage, 1000);
	ck_assert_int_eq(live_as_int(live_get(act(owner, id, "add"), "result"), 0), 2);
	ck_assert(strstr(memory_cluster_state(stage->cluster, "Board"), "\"total\":2,"));
	cluster_stage_free(stage);
}
END_TEST

/* Who asks while the owner does not hear is answered as soon as it hears again. */
START_TEST(test_owner_deaf_for_a_while)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
	const char *id = mount(owner);

	mount(other);
	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_CUT);
	act_later(other, id, "add", 1);
	act_later(other, id, "read", 2);
	cluster_stage_run(stage);
	ck_assert_uint_eq(stage_client_count(other, "ACTION_RESPONSE"), 0);
	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_UP);
	cluster_stage_run(stage);
	ck_assert_uint_eq(stage_client_count(other, "ACTION_RESPONSE"), 2);
	ck_assert_int_eq(total_seen(other, id), 1);
	ck_assert_int_eq(total_seen(owner, id), 1);
	cluster_stage_free(stage);
}
END_TEST

/* Whoever does not want to wait for the store does not. */
START_TEST(test_local_answers)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner, *other;

	stage->nodes[0].settings.acks_local = true;
	owner = client_of(stage, 0);
	const char *id = mount(owner);
	other = client_of(stage, 1);
	mount(other);
	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_STUCK);
	ck_assert_int_eq(live_as_int(live_get(act(owner, id, "add"), "result"), 0), 1);
	cluster_stage_advance(stage, STAGE_LEASE_MS);
	ck_assert_str_eq(stage_text(act(owner, id, "add"), "error"),
			 "OWNERSHIP_LOST: this instance no longer owns the singleton");
	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_UP);
	cluster_stage_advance(stage, STAGE_HEARTBEAT_MS);
	ck_assert_uint_eq(instances(stage), 1);
	cluster_stage_free(stage);
}
END_TEST

/* Callers of other nodes have their limits, each its own, and leave nothing behind. */
START_TEST(test_rates_of_visitors)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *a = client_of(stage, 1), *b = client_of(stage, 1);
	const char *id = mount(owner);

	mount(a);
	mount(b);
	for (unsigned n = 0; n < 1000; n++)
		act_later(a, id, "read", n);
	cluster_stage_run(stage);
	ck_assert_str_eq(stage_text(act(a, id, "read"), "error"),
			 "Action rate limit exceeded (max 1000 calls per 1000ms)");
	ck_assert(stage_client_act(b, id, "read", "{}"));
	cluster_stage_advance(stage, STAGE_HEARTBEAT_MS);
	ck_assert(stage_client_act(a, id, "read", "{}"));
	cluster_stage_free(stage);
}
END_TEST

START_TEST(test_store_forgets)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
	const char *id = mount(owner);

	mount(other);
	ck_assert(stage_client_act(owner, id, "add", "{}"));
	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_CUT);
	memory_cluster_link(stage->cluster, 1, MEMORY_LINK_CUT);
	memory_cluster_forget(stage->cluster);
	cluster_stage_advance(stage, 2000);
	memory_cluster_link(stage->cluster, 1, MEMORY_LINK_UP); /* the mirror is back first */
	cluster_stage_advance(stage, 2000);
	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_UP);
	cluster_stage_advance(stage, 2000);
	ck_assert_uint_eq(cluster_stage_instances(stage, 0), 1);
	ck_assert_uint_eq(instances(stage), 1);
	ck_assert_int_eq(live_as_int(live_get(act(other, id, "add"), "result"), 0), 2);
	cluster_stage_free(stage);
}
END_TEST

START_TEST(test_no_store_no_mount)
{
	struct cluster_stage *stage = new_stage(1);
	struct stage_client *client = client_of(stage, 0);

	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_CUT);
	stage_client_send(client, "{'type':'COMPONENT_MOUNT','requestId':'m','payload':{'component':'Board'}}");
	cluster_stage_advance(stage, STAGE_TIMEOUT_MS + 100);
	ck_assert_str_eq(stage_text(stage_client_wait(client, "MESSAGE_RESPONSE"), "error"), TIMED_OUT);
	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_UP);
	mount(client);
	cluster_stage_free(stage);
}
END_TEST

/* A node ends while its farewell cannot be said. */
START_TEST(test_end_without_store)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
	const char *id = mount(owner);

	mount(other);
	memory_cluster_link(stage->cluster, 0, MEMORY_LINK_CUT);
	act_later(owner, id, "add", 1);
	act_later(other, id, "add", 1);
	cluster_stage_run(stage);
	cluster_stage_free(stage);
}
END_TEST

/* Messages that were lost are noticed, and the state is read again. */
START_TEST(test_gaps_are_mended)
{
	struct cluster_stage *stage = new_stage(2);
	struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
	const char *id = mount(owner);

	mount(other);
	memory_cluster_link(stage->cluster, 1, MEMORY_LINK_DEAF);
	ck_assert(stage_client_act(owner, id, "add", "{}"));
	cluster_stage_run(stage);
	memory_cluster_link(stage->cluster, 1, MEMORY_LINK_STUCK);
	memory_cluster_link(stage->cluster, 1, MEMORY_LINK_UP);
	ck_assert_int_eq(total_seen(other, id), 0);
	ck_assert(stage_client_act(owner, id, "add", "{}"));
	cluster_stage_run(stage);
	ck_assert_int_eq(total_seen(other, id), 2);
	ck_assert_uint_eq(COUNTED(stage, 1, cluster_gaps), 1);
	cluster_stage_free(stage);
}
END_TEST

/* The request came, was stored, and the owner died before it could answer: the next owner knows it. */
START_TEST(test_not_twice)
{
	for (unsigned steps = 0; steps < 24; steps++) {
		struct cluster_stage *stage = new_stage(2);
		struct stage_client *owner = client_of(stage, 0), *other = client_of(stage, 1);
		const char *id = mount(owner);
		mount(other);
		cluster_stage_run(stage);
		/* Right before its claim would be renewed it is over. */
		act_later(other, id, "add", 1);
		cluster_stage_step(stage, steps);
		hand_over(stage, 0);
		cluster_stage_run(stage);
		const live_value *reply = stage_client_wait(other, "ACTION_RESPONSE");
		ck_assert_str_eq(stage_text(reply, "error"), "");
		ck_assert_int_eq(live_as_int(live_get(reply, "result"), 0), 1);
		ck_assert_int_eq(live_as_int(live_get(act(other, id, "add"), "result"), 0), 2);
		cluster_stage_free(stage);
	}
}
END_TEST

/* ---- all of it at once ---- */

enum { MARKS_MAX = 1000 };

struct tally {
	struct stage_client *client;
	const char *id;
	unsigned number;
	unsigned asked;
	bool is_acknowledged[MARKS_MAX];
};

static void ask_for_mark(struct tally *tally)
{
	stage_client_send(tally->client,
			  "{'type':'CALL_ACTION','componentId':'%s','action':'mark','payload':{'mark':%u},"
			  "'requestId':'x%u','expectResponse':true}",
			  tally->id, tally->number * MARKS_MAX + tally->asked, tally->asked);
	tally->asked++;
}

static void note_answers(struct tally *tally)
{
	const live_value *message;

	while ((message = stage_client_take(tally->client)))
		if (!strcmp(stage_text(message, "type"), "ACTION_RESPONSE") &&
		    live_as_bool(live_get(message, "success")))
			tally->is_acknowledged[strtoul(stage_text(message, "requestId") + 1, NULL, 10)] = true;
}

/* Each mark that was acknowledged stands there, and none twice. */
static void check_marks(struct tally *tallies, unsigned count, const live_value *state)
{
	bool seen[6][MARKS_MAX] = {{false}};

	for (live_iter it = {0}; live_next(live_get(state, "marks"), &it);) {
		int64_t mark = live_as_int(it.value, 0);
		ck_assert_msg(!seen[mark / MARKS_MAX][mark % MARKS_MAX], "%lld was done twice", (long long)mark);
		seen[mark / MARKS_MAX][mark % MARKS_MAX] = true;
	}
	for (unsigned i = 0; i < count; i++)
		for (unsigned n = 0; n < tallies[i].asked; n++)
			ck_assert_msg(!tallies[i].is_acknowledged[n] || seen[i][n], "%u of %u was lost", n, i);
}

static void mishap(struct cluster_stage *stage, unsigned node)
{
	switch (stage_random_below(&stage->random, 9)) {
	case 0: memory_cluster_link(stage->cluster, node, MEMORY_LINK_CUT); break;
	case 1: memory_cluster_link(stage->cluster, node, MEMORY_LINK_STUCK); break;
	case 2: memory_cluster_link(stage->cluster, node, MEMORY_LINK_DEAF); break;
	case 3:
		if (!stage->nodes[node].is_paused)
			cluster_stage_pause(stage, node);
		break;
	case 4:
	case 5:
		if (stage->nodes[node].is_paused)
			cluster_stage_wake(stage, node);
		break;
	case 6: hand_over(stage, node); break;
	default: memory_cluster_link(stage->cluster, node, MEMORY_LINK_UP); break;
	}
}

static void settle(struct cluster_stage *stage)
{
	for (unsigned i = 0; i < stage->count; i++) {
		memory_cluster_link(stage->cluster, i, MEMORY_LINK_UP);
		if (stage->nodes[i].is_paused)
			cluster_stage_wake(stage, i);
	}
	cluster_stage_advance(stage, STAGE_LEASE_MS + 3 * STAGE_HEARTBEAT_MS);
}

/* Nothing acknowledged is lost, nothing is done twice, all see the same at the end. */
START_TEST(test_mishaps)
{
	for (unsigned round = 0; round < 12; round++) {
		struct cluster_stage *stage = new_stage(3);
		struct tally tallies[6] = {{0}};
		for (unsigned i = 0; i < 6; i++) {
			tallies[i].number = i;
			tallies[i].client = client_of(stage, i % 3);
			tallies[i].id = mount(tallies[i].client);
		}
		for (unsigned n = 0; n < 80; n++) {
			ask_for_mark(&tallies[stage_random_below(&stage->random, 6)]);
			if (stage_random_below(&stage->random, 4) == 0)
				mishap(stage, stage_random_below(&stage->random, 3));
			cluster_stage_step(stage, stage_random_below(&stage->random, 20));
			if (stage_random_below(&stage->random, 6) == 0)
				cluster_stage_advance(stage, stage_random_below(&stage->random, 20000));
		}
		settle(stage);
		ck_assert_uint_eq(instances(stage), 1);
		const live_value *state = stage_client_state(tallies[0].client, tallies[0].id);
		for (unsigned i = 0; i < 6; i++) {
			note_answers(&tallies[i]);
			ck_assert_uint_eq(stage_client_count(tallies[i].client, "ACTION_RESPONSE"), tallies[i].asked);
			const live_value *theirs = stage_client_state(tallies[i].client, tallies[i].id);
			ck_assert(live_equal(theirs, state));
			live_value_unref(theirs);
		}
		check_marks(tallies, 6, state);
		live_value_unref(state);
		cluster_stage_free(stage);
	}
}
END_TEST

CORE_TESTS("cluster failures", test_owner_killed, test_owner_paused, test_loss_is_pushed, test_store_gone,
	   test_owner_deaf_for_a_while, test_local_answers, test_rates_of_visitors, test_store_forgets,
	   test_no_store_no_mount, test_end_without_store, test_gaps_are_mended, test_not_twice, test_mishaps)
