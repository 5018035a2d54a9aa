/*
 * cluster_test - what the tests of singletons in a cluster share: the board that they count on, and clients of nodes.
 */
#ifndef UNIT_CLUSTER_TEST_H
#define UNIT_CLUSTER_TEST_H

#include <check.h>
#include <stddef.h>
#include <string.h>

#include "stage/cluster_stage.h"
#include "unit/core/core_test.h"

#define COUNTED(stage, node, name) cluster_stage_count(stage, node, offsetof(struct component_counters, name))
#define TIMED_OUT "Cluster action timeout after 5000ms"

static inline int add(live_component *self, const live_value *payload, live_reply *reply)
{
	int64_t by = live_as_int(live_get(payload, "by"), 1);

	live_set(self, "total", live_int(live_get_int(self, "total") + by));
	live_reply_value(reply, live_int(live_get_int(self, "total")));
	return 0;
}

/* Writes down who asked: so a test sees what was done twice. */
static inline int mark(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)reply;
	live_set(self, "marks", live_append(live_state_get(self, "marks"), live_value_ref(live_get(payload, "mark"))));
	return 0;
}

static inline int read_total(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	live_reply_value(reply, live_int(live_get_int(self, "total")));
	return 0;
}

static inline int refuse(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	return live_reply_error(reply, "the board says no");
}

static inline int shout(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_emit(self, "SHOUT", live_int(1));
	return 0;
}

static inline int end(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_destroy(self);
	return 0;
}

static inline int who(live_component *self, const live_value *payload, live_reply *reply)
{
	const char *user = live_auth_user_id(live_reply_auth(reply));

	(void)self;
	(void)payload;
	live_reply_value(reply, live_string(user ? user : "nobody"));
	return 0;
}

static inline int secret(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	(void)reply;
	return 0;
}

static const live_definition board = {
	.name = "Board",
	.default_state = "{\"total\":0,\"note\":\"\",\"marks\":[]}",
	.singleton = true,
	.actions = LIVE_ACTIONS({"add", add}, {"read", read_total}, {"fail", refuse}, {"shout", shout}, {"end", end},
				{"who", who}, {"secret", secret}, {"mark", mark}),
	.rate_limit = LIVE_RATE_LIMIT(.max_calls = 1000, .window_ms = 1000),
	.rules = LIVE_RULES({.action = "secret", .auth = LIVE_AUTH(.roles = LIVE_NAMES("admin"))}),
};

static inline struct cluster_stage *new_stage(unsigned nodes)
{
	return cluster_stage_new(nodes, 2, 0, (const live_definition *[]){&board, NULL});
}

static inline struct stage_client *client_of(struct cluster_stage *stage, unsigned node)
{
	return stage_client_new(stage->nodes[node].stage, node % 2);
}

static inline unsigned instances(const struct cluster_stage *stage)
{
	unsigned count = 0;

	for (unsigned i = 0; i < stage->count; i++)
		count += cluster_stage_instances(stage, i);
	return count;
}

static inline int64_t total_seen(struct stage_client *client, const char *id)
{
	const live_value *state = stage_client_state(client, id);
	int64_t total = live_as_int(live_get(state, "total"), -1);

	live_value_unref(state);
	return total;
}

static inline const live_value *act(struct stage_client *client, const char *id, const char *action)
{
	return stage_client_ask(client, "'type':'CALL_ACTION','componentId':'%s','action':'%s','payload':{}", id,
				action);
}

static inline void act_later(struct stage_client *client, const char *id, const char *action, unsigned number)
{
	stage_client_send(client,
			  "{'type':'CALL_ACTION','componentId':'%s','action':'%s','payload':{},"
			  "'requestId':'x%u','expectResponse':true}",
			  id, action, number);
}

/* A copy: ids are loans of messages. */
static inline const char *mount(struct stage_client *client)
{
	static char ids[16][32];
	static unsigned next;
	const char *id = stage_client_mount(client, "Board", "{}");

	ck_assert_ptr_nonnull(id);
	char *kept = ids[next++ % 16];
	snprintf(kept, sizeof ids[0], "%s", id);
	return kept;
}

/* Node gives away what it owns. */
static inline void hand_over(struct cluster_stage *stage, unsigned node)
{
	for (unsigned i = 0; i < 2; i++) {
		stage_enter(component_stage_steps(stage->nodes[node].stage), i);
		cluster_hand_over(component_stage_shard(stage->nodes[node].stage, i)->cluster);
	}
	shard_enter(NULL);
}

/* The port that owns it; a loan until the next call. */
static inline const char *owner_port(const struct cluster_stage *stage)
{
	static char port[64];
	const char *owner = memory_cluster_owner(stage->cluster, "Board");

	snprintf(port, sizeof port, "%.*s", (int)strcspn(owner, ":"), owner);
	return port;
}

#endif
