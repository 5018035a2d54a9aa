/*
 * The connection manager, for the program.
 */
#include <live/connections.h>

#include <stdlib.h>

#include "core/clock.h"
#include "core/mem.h"
#include "server/component/membership.h"
#include "server/embed/embed_private.h"
#include "server/embed/errand.h"
#include "server/embed/find.h"
#include "server/embed/pools.h"
#include "server/session/session.h"

/* ---- about one ---- */

static const live_value *text_or_null(const char *text)
{
	return text && *text ? live_string(text) : live_null();
}

static const live_value *describe(struct server_shard *here, struct session *session)
{
	const struct session_figures figures = session_figures(session);
	const struct client *client = session_client(session);

	return live_object(
		"id", live_string(client->id), "connectedAt", live_int((int64_t)client->opened_s * 1000),
		"lastActivity", live_int(figures.last_message_ms), "messagesSent", live_int(figures.messages_out),
		"messagesReceived", live_int(figures.messages_in), "errorCount", live_int(figures.errors),
		"reconnectCount", live_int(figures.reconnects), "status", live_string(figures.status), "components",
		live_int(client->mounted_count), "rooms", live_int(client->room_joins), "userId",
		text_or_null(live_auth_user_id(client->auth)), "pool", text_or_null(pools_name_of(here->pools, client)),
		"address", text_or_null(figures.way.address), "transport", live_string(figures.transport),
		"queuedBytes", live_int((int64_t)figures.way.queued_bytes), "bytesTransferred",
		live_int((int64_t)figures.way.bytes), "latency", live_double(figures.way.round_trip_us / 1000.0), NULL);
}

static void visit_get(struct errand_leg *leg, struct server_shard *here)
{
	struct session *session = find_asked_session(leg, here);

	if (session)
		errand_end(leg, NULL, describe(here, session));
}

static void ask_one(live_server *server, const char *connection, const live_value *more, struct errand_plan plan)
{
	plan.missing = FIND_NO_CONNECTION;
	plan.argument = live_object("connection", live_string(connection), "value", more, NULL);
	errand_send(server, &plan);
}

void live_connections_get(live_server *server, const char *connection, live_done_fn *done, void *argument)
{
	ask_one(server, connection, NULL, (struct errand_plan){.visit = visit_get, .done = done, .context = argument});
}

static void visit_set_pool(struct errand_leg *leg, struct server_shard *here)
{
	struct session *session = find_asked_session(leg, here);

	if (!session)
		return;
	pools_put(here->pools, session_client(session), live_as_string(errand_value(leg, "value")));
	errand_end(leg, NULL, live_null());
}

void live_connections_set_pool(live_server *server, const char *connection, const char *pool, live_done_fn *done,
			       void *argument)
{
	ask_one(server, connection, live_string(pool),
		(struct errand_plan){.visit = visit_set_pool, .done = done, .context = argument});
}

/* Those that a server may send for reasons of its own. */
static bool is_close_code(int64_t code)
{
	return code == 1000 || code == 1001 || code == 1008 || (code >= 3000 && code <= 4999);
}

static void visit_close(struct errand_leg *leg, struct server_shard *here)
{
	struct session *session = find_asked_session(leg, here);

	if (!session)
		return;
	const live_value *how = errand_value(leg, "value");
	const live_value *reason = live_get(how, "reason");
	if (!is_close_code(live_as_int(live_get(how, "code"), 0))) {
		errand_end(leg, "Invalid close code", NULL);
		return;
	}
	session_end(session, (unsigned)live_as_int(live_get(how, "code"), 1000),
		    (struct str){live_as_string(reason), live_len(reason)});
	errand_end(leg, NULL, live_null());
}

void live_connections_close(live_server *server, const char *connection, unsigned code, const char *reason,
			    live_done_fn *done, void *argument)
{
	ask_one(server, connection,
		live_object("code", live_int(code), "reason", live_string(reason ? reason : ""), NULL),
		(struct errand_plan){.visit = visit_close, .done = done, .context = argument});
}

/* ---- about all ---- */

/* The next one of here that is in the pool that the leg asks for, if it asks for one. */
static struct session *next_in_pool(struct errand_leg *leg, struct server_shard *here, struct session *session)
{
	struct str pool = errand_text(leg, "pool");

	while ((session = session_next(&here->sessions, session))) {
		if (!pool.ptr || str_equal(str_of(pools_name_of(here->pools, session_client(session))), pool))
			return session;
	}
	return NULL;
}

static void visit_list(struct errand_leg *leg, struct server_shard *here)
{
	struct errand_list all = {0};

	for (struct session *at = next_in_pool(leg, here, NULL); at; at = next_in_pool(leg, here, at))
		errand_list_add(&all, describe(here, at));
	errand_end(leg, NULL, errand_list_end(&all));
}

void live_connections_list(live_server *server, const char *pool, live_done_fn *done, void *argument)
{
	errand_send(server, &(struct errand_plan){.visit = visit_list,
						  .join = errand_join_lists,
						  .argument = live_object("pool", live_string(pool), NULL),
						  .done = done,
						  .context = argument});
}

static void visit_broadcast(struct errand_leg *leg, struct server_shard *here)
{
	struct str text = errand_text(leg, "text");
	/* Outboxes refer to it until the end of the tick. */
	struct str message = arena_copy(shard_arena(here->shard), text);
	int64_t count = 0;

	for (struct session *at = next_in_pool(leg, here, NULL); at; at = next_in_pool(leg, here, at)) {
		outbox_push(&session_client(at)->outbox, message);
		count++;
	}
	errand_end(leg, NULL, live_int(count));
}

static const live_value *join_counts(const live_value *const *parts, unsigned count)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += live_as_int(parts[i], 0);
	return live_int(sum);
}

void live_connections_broadcast(live_server *server, const char *pool, const char *type, const live_value *payload,
				live_done_fn *done, void *argument)
{
	const live_value *message = live_object("type", live_string(type), "payload", payload ? payload : live_null(),
						"timestamp", live_int(clock_now_wall_ms()), NULL);
	char *text = live_to_json(message, NULL);

	live_value_unref(message);
	errand_send(server, &(struct errand_plan){
				    .visit = visit_broadcast,
				    .join = join_counts,
				    .argument = live_object("pool", live_string(pool), "text", live_string(text), NULL),
				    .done = done,
				    .context = argument});
	free(text);
}

/* ---- figures ---- */

static void visit_pools(struct errand_leg *leg, struct server_shard *here)
{
	errand_end(leg, NULL, pools_count(here->pools));
}

static const live_value *join_pools(const live_value *const *parts, unsigned count)
{
	const live_value *pools = live_object(NULL, NULL);

	for (unsigned i = 0; i < count; i++) {
		for (live_iter it = {0}; live_next(parts[i], &it);) {
			int64_t sum =
				live_as_int(live_get_len(pools, it.key, it.key_len), 0) + live_as_int(it.value, 0);
			const live_value *next = live_with_len(pools, it.key, it.key_len, live_int(sum));
			live_value_unref(pools);
			pools = next;
		}
	}
	return pools;
}

void live_connections_pools(live_server *server, live_done_fn *done, void *argument)
{
	errand_send(server,
		    &(struct errand_plan){.visit = visit_pools, .join = join_pools, .done = done, .context = argument});
}

static void visit_stats(struct errand_leg *leg, struct server_shard *here)
{
	int64_t total = 0, active = 0, queued = 0;

	for (struct session *at = session_next(&here->sessions, NULL); at; at = session_next(&here->sessions, at)) {
		const struct session_figures figures = session_figures(at);
		total++;
		active += figures.is_active;
		queued += figures.held_messages;
	}
	errand_end(leg, NULL,
		   live_object("total", live_int(total), "active", live_int(active), "queued", live_int(queued),
			       "limit", live_int(here->server->config->max_connections), "pools",
			       pools_count(here->pools), NULL));
}

static int64_t sum_of(const live_value *const *parts, unsigned count, const char *key)
{
	int64_t sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += live_as_int(live_get(parts[i], key), 0);
	return sum;
}

static const live_value *join_stats(const live_value *const *parts, unsigned count)
{
	int64_t total = sum_of(parts, count, "total");
	int64_t limit = live_as_int(live_get(parts[0], "limit"), 1);
	const live_value *names = live_object(NULL, NULL);

	for (unsigned i = 0; i < count; i++) {
		const live_value *more = live_merge(names, live_get(parts[i], "pools"));
		live_value_unref(names);
		names = more;
	}
	int64_t pools = (int64_t)live_len(names);
	live_value_unref(names);
	return live_object("totalConnections", live_int(total), "activeConnections",
			   live_int(sum_of(parts, count, "active")), "totalPools", live_int(pools),
			   "totalQueuedMessages", live_int(sum_of(parts, count, "queued")), "maxConnections",
			   live_int(limit), "connectionUtilization", live_double((double)total * 100.0 / (double)limit),
			   NULL);
}

void live_connections_stats(live_server *server, live_done_fn *done, void *argument)
{
	errand_send(server,
		    &(struct errand_plan){.visit = visit_stats, .join = join_stats, .done = done, .context = argument});
}
