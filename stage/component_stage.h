/*
 * component_stage - components, sessions and rooms on shards stepped by hand, without a socket in sight.
 *
 * A stage_client is a session over a transport that writes down what is sent. Everything runs in an order that the
 * printed seed decides (see stage.h), so what goes wrong once goes wrong again with TEST_SEED. A message that is sent
 * while the session holds its client waits, as it would in a socket. What one may get wrong: expecting an answer before
 * a call that runs the stage (stage_client_wait and the ones above it do). Messages taken are loans until the client is
 * freed, which the stage does at its end. Threads: the test's alone; live_offload has real threads.
 *
 *	struct component_stage *stage = component_stage_new(2, 0, (const live_definition *[]){&counter, NULL});
 *	struct stage_client *ana = stage_client_new(stage, 0);
 *	const char *id = stage_client_mount(ana, "Counter", "{}");
 *	assert_always(stage_client_act(ana, id, "increment", "{}"));
 *	component_stage_free(stage);                     // fails on anything left alive
 */
#ifndef STAGE_COMPONENT_STAGE_H
#define STAGE_COMPONENT_STAGE_H

#include <live/live.h>

#include "server/component/component_shard.h"
#include "stage/stage.h"

struct component_stage;
struct stage_client;

/* So many shards (at most 8) that serve these components (ends with NULL); seed as for stage_new. */
struct component_stage *component_stage_new(unsigned shards, uint64_t seed, const live_definition *const *definitions);
/* The same, but blocking work waits until component_stage_work does it: nothing happens on other threads. */
struct component_stage *component_stage_new_alone(unsigned shards, uint64_t seed,
						  const live_definition *const *definitions);
struct component_stage_cluster { /* what a stage that is one node of several needs */
	const struct cluster_settings *settings;
	void (*run)(void *context); /* runs all nodes */
	void *context;
};

/* The same as a node of a cluster; stages of one cluster are run together (cluster_stage.h). */
struct component_stage *component_stage_new_clustered(unsigned shards, uint64_t seed,
						      const live_definition *const *definitions,
						      const struct component_stage_cluster *cluster);
/* Lets all clients vanish; does not run the stage. */
void component_stage_vanish_all(struct component_stage *stage);
/* Lets all clients vanish, runs what is left, and asserts that no component, session or singleton remained. */
void component_stage_free(struct component_stage *stage);

/* Adds a provider (copied), as auth_manager_register does. */
int component_stage_add_provider(struct component_stage *stage, const live_auth_provider *provider)
	__attribute__((warn_unused_result));
struct stage *component_stage_steps(const struct component_stage *stage);
/* Steps the shards until nothing is left to do. */
void component_stage_run(struct component_stage *stage);
/* Does the oldest blocking work that waits, on a stage that is alone. false: there is none. */
bool component_stage_work(struct component_stage *stage);
/* Components alive on all shards. */
unsigned component_stage_count(const struct component_stage *stage);
/* What a shard's components share; NULL when there is no such shard. */
struct component_shard *component_stage_shard(const struct component_stage *stage, unsigned index);

/* ---- clients; none of these runs the stage ---- */

/* A client of that shard; its greeting is passed over. */
struct stage_client *stage_client_new(struct component_stage *stage, unsigned shard);
/* Sends a message: printf's format for JSON, in which ' stands for ". */
void stage_client_send(struct stage_client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same for text as it is. */
void stage_client_send_text(struct stage_client *client, struct str text);
/* From now on the client is signed on as auth (given away). */
void stage_client_sign_on(struct stage_client *client, const live_auth *auth);
/* The connection is gone, at once; again is fine. */
void stage_client_vanish(struct stage_client *client);
/* The transport says that the client does not take what it is sent, or that it took it all. */
void stage_client_set_behind(struct stage_client *client, bool behind);
/* The next message that came, out of its batch, or NULL. */
const live_value *stage_client_take(struct stage_client *client);
/* Message number index of all that came, whether taken or not; NULL behind the last. */
const live_value *stage_client_at(const struct stage_client *client, size_t index);
/* How many messages came since the beginning that are of that type. */
unsigned stage_client_count(const struct stage_client *client, const char *type);
/* The state of a component as the reference's client would hold it after all pushes so far; the caller owns it. */
const live_value *stage_client_state(const struct stage_client *client, const char *id);

/* ---- these run the stage ---- */

/* The next message of that type; those before it are passed over. Fails the test when there is none. */
const live_value *stage_client_wait(struct stage_client *client, const char *type);
/* Sends a request with a request id of its own (fields: JSON members, ' for "; the id is added) and returns its answer.
 */
const live_value *stage_client_ask(struct stage_client *client, const char *fields, ...)
	__attribute__((format(printf, 2, 3)));
/* Mounts with such props ("room" is given by "room=NAME " in front of the name). The id, or NULL when it was refused.
 */
const char *stage_client_mount(struct stage_client *client, const char *name, const char *props);
/* Calls an action; whether it succeeded. */
bool stage_client_act(struct stage_client *client, const char *id, const char *action, const char *payload);
/* Asserts that the client is not held: that it is answered. */
void stage_client_check(struct stage_client *client);

/* The string at a path of value, for messages: "payload.error"; "" when there is none. */
const char *stage_text(const live_value *value, const char *path);

#endif
