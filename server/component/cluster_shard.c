#include "server/component/cluster_shard.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/log.h"
#include "core/mem.h"
#include "server/component/audience.h"
#include "server/component/client.h"
#include "server/component/cluster_visit.h"
#include "server/component/component_shard.h"
#include "server/component/singleton_cluster.h"
#include "server/component/singleton_forward.h"
#include "server/component/singleton_owner.h"
#include "server/security/mac.h"
#include "shard/shard.h"

static struct cluster_shard *cluster_of(struct cluster_port *port)
{
	return LIST_OF(port, struct cluster_shard, port);
}

/* ---- hearing ---- */

static void hear_of_singleton(struct cluster_shard *cluster, const live_value *message)
{
	struct audience *audience = audience_find(cluster->here, cluster_text(message, "componentName"));

	if (audience)
		clustered_heard(audience->clustered, message);
}

static void on_heard(struct cluster_port *port, struct str text)
{
	struct cluster_shard *cluster = cluster_of(port);
	struct component_counters *counters = &cluster->here->counters;

	if (cluster->mac && !cluster_seal_holds(text, cluster->mac)) {
		counter_add(&counters->cluster_unsealed, 1);
		return;
	}
	const live_value *message = cluster_read(text);
	struct str type = cluster_text(message, "type");
	if (!message)
		counter_add(&counters->cluster_malformed, 1);
	else if (str_equal(type, STR("action_request")))
		cluster_visit(cluster, live_get(message, "request"));
	else if (str_equal(type, STR("action_response")))
		forward_answered(cluster, cluster_text(message, "origin"), live_get(message, "response"));
	else
		hear_of_singleton(cluster, message);
	live_value_unref(message);
}

static void on_restored(struct cluster_port *port)
{
	struct map *singletons = &cluster_of(port)->here->singletons;

	cluster_of(port)->is_heard = true;
	for (struct map_entry *entry = map_first(singletons); entry; entry = map_next(singletons, entry))
		clustered_restored(MAP_OF(entry, struct audience, by_name)->clustered);
}

/* ---- telling ---- */

struct cluster_names cluster_names(const struct cluster_shard *cluster, struct str component_id,
				   struct str component_name)
{
	return (struct cluster_names){
		.origin = str_of(cluster->port.id),
		.component_id = component_id,
		.component_name = component_name,
		.mac = cluster->mac,
	};
}

void cluster_tell(struct cluster_shard *cluster, struct str id, struct str message)
{
	struct cluster_adapter *adapter = cluster->settings->adapter;

	adapter->ops->tell(adapter, &cluster->port, id, message);
}

void cluster_respond(struct cluster_shard *cluster, struct str source, struct str result)
{
	struct cluster_names names = cluster_names(cluster, STR(""), STR(""));

	cluster_write_response(&cluster->here->out.scratch, &names, result);
	cluster_tell(cluster, source, scratch_take(cluster->here));
}

void cluster_refuse(struct cluster_shard *cluster, struct str source, struct str request_id, struct str error)
{
	cluster_write_result(&cluster->here->out.scratch, request_id, (struct str){NULL, 0}, error);
	cluster_respond(cluster, source, scratch_take(cluster->here));
}

void cluster_mirrors_add(struct cluster_shard *cluster, int change)
{
	struct cluster_adapter *adapter = cluster->settings->adapter;
	unsigned before = cluster->mirrors;

	if (change > 0)
		counter_add(&cluster->here->counters.cluster_mirrored, 1);
	else
		counter_sub(&cluster->here->counters.cluster_mirrored, 1);
	cluster->mirrors = change > 0 ? before + 1 : before - 1;
	if (!before != !cluster->mirrors && !cluster->is_ending)
		adapter->ops->hear_deltas(adapter, &cluster->port, cluster->mirrors > 0);
}

struct give_back { /* a claim that nobody here wants any more */
	struct cluster_ask ask;
	char text[]; /* name and id */
};

static void on_given_back(struct cluster_ask *ask, const struct cluster_answer *answer)
{
	(void)answer;
	free(LIST_OF(ask, struct give_back, ask));
}

void cluster_give_back(struct cluster_shard *cluster, struct str name, const struct cluster_answer *claim)
{
	struct cluster_adapter *adapter = cluster->settings->adapter;
	struct give_back *give_back = mem_alloc(sizeof *give_back + name.len + claim->component_id.len);
	char *id = mempcpy(give_back->text, name.ptr, name.len);

	memcpy(id, claim->component_id.ptr, claim->component_id.len);
	give_back->ask = (struct cluster_ask){
		.verb = CLUSTER_RELEASE,
		.name = {give_back->text, name.len},
		.component_id = {id, claim->component_id.len},
		.fence = claim->fence,
		.seq = claim->seq,
		.answered = on_given_back,
	};
	adapter->ops->ask(adapter, &cluster->port, &give_back->ask);
}

/* ---- its life ---- */

struct cluster_shard *cluster_shard_new(struct component_shard *here, const struct cluster_settings *settings)
{
	struct cluster_shard *cluster = mem_alloc(sizeof *cluster);

	cluster->here = here;
	cluster->settings = settings;
	if (settings->secret.len)
		cluster->mac = mac_new(settings->secret);
	list_init(&cluster->owners);
	map_init(&cluster->forwards);
	id_make(cluster->port.id);
	cluster->port.heard = on_heard;
	cluster->port.restored = on_restored;
	settings->adapter->ops->open(settings->adapter, here->shard, &cluster->port);
	return cluster;
}

static void each_singleton(struct cluster_shard *cluster, void (*run)(struct clustered *clustered))
{
	struct map *singletons = &cluster->here->singletons;

	for (struct map_entry *entry = map_first(singletons), *next; entry; entry = next) {
		next = map_next(singletons, entry);
		run(MAP_OF(entry, struct audience, by_name)->clustered);
	}
}

void cluster_hand_over(struct cluster_shard *cluster)
{
	each_singleton(cluster, clustered_hand_over);
}

void cluster_shard_free(struct cluster_shard *cluster)
{
	if (!cluster)
		return;
	each_singleton(cluster, clustered_end);
	owners_end(cluster);
	cluster->settings->adapter->ops->close(cluster->settings->adapter, &cluster->port);
	assert_always(list_is_empty(&cluster->owners));
	map_deinit(&cluster->forwards);
	mac_free(cluster->mac);
	free(cluster);
}
