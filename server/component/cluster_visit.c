#include "server/component/cluster_visit.h"

#include <stdlib.h>

#include "core/hash.h"
#include "core/map.h"
#include "core/mem.h"
#include "server/auth/manager.h"
#include "server/component/audience.h"
#include "server/component/client.h"
#include "server/component/cluster_shard.h"
#include "server/component/component_shard.h"
#include "server/component/definition.h"
#include "server/component/singleton_cluster.h"
#include "server/component/singleton_home.h"
#include "server/component/singleton_owner.h"

struct visit { /* waits for a provider */
	struct auth_check question;
	struct borrower borrower;          /* of the rule */
	struct singleton_request *request; /* ours */
};

static void refuse(struct cluster_shard *cluster, const live_value *request, struct str error)
{
	cluster_refuse(cluster, cluster_text(request, "sourceInstanceId"), cluster_text(request, "requestId"), error);
}

/* The owner of what request means, or NULL. */
static struct owner *find_owner(struct cluster_shard *cluster, const live_value *request)
{
	struct audience *audience = audience_find(cluster->here, cluster_text(request, "componentName"));
	bool is_meant =
		audience && audience->component && str_equal(audience->sender.id, cluster_text(request, "componentId"));
	struct owner *owner = is_meant ? clustered_owner(audience->clustered) : NULL;

	uint64_t fence = (uint64_t)live_as_int(live_get(request, "fence"), 0);
	if (owner && fence && fence != owner_fence(owner))
		return NULL;
	return owner && owner_is_leased(owner) ? owner : NULL;
}

/* No client of this node has a handle like it: it serves to tell callers apart. */
static struct handle handle_of(struct str connection)
{
	uint32_t hash = map_hash(connection);

	return (struct handle){.index = hash, .generation = (uint32_t)connection.len | 1U << 31, .shard = UINT16_MAX};
}

static struct singleton_request *request_of(struct cluster_shard *cluster, const live_value *request)
{
	struct audience *audience = audience_find(cluster->here, cluster_text(request, "componentName"));
	struct str write = cluster_text(request, "write");
	const live_value *payload = live_get(request, "payload");
	const live_auth *auth = live_auth_new(live_value_ref(live_get(request, "callerSession")), NULL);
	struct singleton_request ask = {
		.ask = ASK_ACTION,
		.definition = audience->definition,
		.client = handle_of(cluster_text(request, "callerConnectionId")),
		.expect_response = true,
		.is_released = true,
		.value = payload,
		.auth = auth,
		.connection = cluster_text(request, "callerConnectionId"),
		.component_id = audience->sender.id,
		.request_id = cluster_text(request, "requestId"),
		.word = cluster_text(request, "action"),
		.source = cluster_text(request, "sourceInstanceId"),
	};

	if (str_equal(write, STR("property"))) {
		ask.ask = ASK_PROPERTY;
		ask.word = cluster_text(payload, "key");
		ask.value = live_get(payload, "value");
	} else if (str_equal(write, STR("state"))) {
		ask.ask = ASK_STATE;
	}
	struct singleton_request *made = singleton_request_new(&ask);
	live_auth_unref(auth);
	return made;
}

/* ---- may it? ---- */

static void free_visit(struct visit *visit)
{
	singleton_request_free(visit->request);
	free(visit);
}

static void on_checked(struct auth_check *question, struct shard *shard, const char *reason)
{
	struct visit *visit = LIST_OF(question, struct visit, question);
	struct component_shard *here = component_shard_of(shard);

	if (here)
		list_remove(&visit->borrower.link);
	if (here && reason) {
		buf_printf(&here->out.scratch, "AUTH_DENIED: %s", reason);
		singleton_refuse(here, visit->request, scratch_take(here));
	} else if (here && singleton_serve(here, visit->request)) {
		visit->request = NULL; /* it is kept */
	}
	if (visit->request)
		free_visit(visit);
	else
		free(visit);
}

static void on_discarded(struct auth_check *question)
{
	free_visit(LIST_OF(question, struct visit, question));
}

static void check(struct component_shard *here, struct singleton_request *request)
{
	const struct definition *definition = request->definition;
	const live_action_rule *rule = request->ask == ASK_ACTION ? definition_rule(definition, request->word) : NULL;
	struct visit *visit = mem_alloc(sizeof *visit);

	visit->question.done = on_checked;
	visit->question.discard = on_discarded;
	visit->request = request;
	visit->borrower.definition = definition;
	list_append(&here->borrowers, &visit->borrower.link);
	auth_check_action(here->settings->auth, here->shard, request->auth, definition->api->name,
			  rule ? rule->action : request->word.ptr, rule ? rule->auth : NULL, request->value,
			  &visit->question);
}

void cluster_visit(struct cluster_shard *cluster, const live_value *request)
{
	struct component_shard *here = cluster->here;
	struct owner *owner = find_owner(cluster, request);
	struct str result;

	if (!cluster_text(request, "requestId").len || !cluster_text(request, "sourceInstanceId").len)
		return;
	counter_add(&here->counters.cluster_visits, 1);
	if (!owner) {
		refuse(cluster, request, STR(CLUSTER_LOST));
	} else if (owner_begin(owner, cluster_text(request, "requestId"), &result)) {
		check(here, request_of(cluster, request));
	} else {
		counter_add(&here->counters.cluster_repeats, 1);
		if (result.len)
			cluster_respond(cluster, cluster_text(request, "sourceInstanceId"), result);
	}
}
