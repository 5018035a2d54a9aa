/*
 * The rate limiter, for the program: the bucket of each client.
 */
#include <live/connections.h>

#include "server/embed/embed_private.h"
#include "server/embed/errand.h"
#include "server/embed/find.h"
#include "server/session/session.h"

static const struct rate_limit *limit_of(const struct server_shard *here)
{
	return &here->server->sessions.rate;
}

static int64_t now_ms(const struct server_shard *here)
{
	return shard_clock(here->shard)->mono_ms;
}

static void visit_get(struct errand_leg *leg, struct server_shard *here)
{
	struct session *session = find_asked_session(leg, here);
	const struct rate_limit *limit = limit_of(here);

	if (!session)
		return;
	struct rate_bucket now = *session_bucket(session);
	rate_bucket_take_some(&now, limit, now_ms(here), 0);
	errand_end(leg, NULL,
		   live_object("tokens", live_double(now.tokens), "maxTokens", live_int(limit->tokens), "refillRate",
			       live_int(limit->per_second), NULL));
}

static void ask_one(live_server *server, const char *connection, unsigned count, struct errand_plan plan)
{
	plan.missing = FIND_NO_CONNECTION;
	plan.argument = live_object("connection", live_string(connection), "count", live_int(count), NULL);
	errand_send(server, &plan);
}

void live_rate_limiter_get(live_server *server, const char *connection, live_done_fn *done, void *argument)
{
	ask_one(server, connection, 0, (struct errand_plan){.visit = visit_get, .done = done, .context = argument});
}

static void visit_consume(struct errand_leg *leg, struct server_shard *here)
{
	struct session *session = find_asked_session(leg, here);

	if (!session)
		return;
	unsigned count = (unsigned)live_as_int(errand_value(leg, "count"), 0);
	bool is_allowed = rate_bucket_take_some(session_bucket(session), limit_of(here), now_ms(here), count);
	errand_end(leg, NULL, live_bool(is_allowed));
}

void live_rate_limiter_consume(live_server *server, const char *connection, unsigned count, live_done_fn *done,
			       void *argument)
{
	ask_one(server, connection, count,
		(struct errand_plan){.visit = visit_consume, .done = done, .context = argument});
}

static void visit_reset(struct errand_leg *leg, struct server_shard *here)
{
	struct session *session = find_asked_session(leg, here);

	if (!session)
		return;
	rate_bucket_init(session_bucket(session), limit_of(here), now_ms(here));
	errand_end(leg, NULL, live_null());
}

static void visit_reset_all(struct errand_leg *leg, struct server_shard *here)
{
	for (struct session *at = session_next(&here->sessions, NULL); at; at = session_next(&here->sessions, at))
		rate_bucket_init(session_bucket(at), limit_of(here), now_ms(here));
	errand_end(leg, NULL, live_null());
}

void live_rate_limiter_reset(live_server *server, const char *connection, live_done_fn *done, void *argument)
{
	errand_visit *visit = connection ? visit_reset : visit_reset_all;

	ask_one(server, connection, 0, (struct errand_plan){.visit = visit, .done = done, .context = argument});
}

static void visit_stats(struct errand_leg *leg, struct server_shard *here)
{
	const struct session_counters *counters = &here->sessions.counters;

	errand_end(leg, NULL,
		   live_object("connections", live_int((int64_t)counter_read(&counters->sessions)), "limited",
			       live_int((int64_t)counter_read(&counters->rate_limited)), "maxTokens",
			       live_int(limit_of(here)->tokens), "refillRate", live_int(limit_of(here)->per_second),
			       NULL));
}

static const live_value *join_stats(const live_value *const *parts, unsigned count)
{
	int64_t connections = 0, limited = 0;

	for (unsigned i = 0; i < count; i++) {
		connections += live_as_int(live_get(parts[i], "connections"), 0);
		limited += live_as_int(live_get(parts[i], "limited"), 0);
	}
	return live_object("connections", live_int(connections), "limited", live_int(limited), "maxTokens",
			   live_value_ref(live_get(parts[0], "maxTokens")), "refillRate",
			   live_value_ref(live_get(parts[0], "refillRate")), NULL);
}

void live_rate_limiter_stats(live_server *server, live_done_fn *done, void *argument)
{
	errand_send(server,
		    &(struct errand_plan){.visit = visit_stats, .join = join_stats, .done = done, .context = argument});
}
