#include "server/component/component_shard.h"

#include <stdlib.h>

#include "core/mem.h"
#include "pubsub/rooms.h"
#include "server/component/cluster_shard.h"
#include "server/component/deferred.h"
#include "server/component/instance.h"
#include "server/component/membership.h"
#include "server/component/persistent.h"
#include "server/component/returns.h"
#include "server/debug/debug_tap.h"
#include "server/monitor/alerts.h"

enum { SCRATCH_LIMIT = 64 * 1024 * 1024 };

struct component_shard *component_shard_new(struct shard *shard, const struct registry *registry,
					    const struct component_settings *settings, const struct signing_keys *keys,
					    const struct rooms_options *rooms)
{
	struct component_shard *here = mem_alloc(sizeof *here);
	struct rooms_options options = *rooms;

	options.hooks = &membership_hooks;
	here->shard = shard;
	here->registry = registry;
	here->settings = settings;
	here->debug = debug_tap_of(settings->debug, shard);
	here->trace = here->debug ? LIVE_LOG_ALL : 0;
	here->alerts = alerts_new();
	here->signer = signer_new(keys);
	here->rooms = rooms_new(shard, &options);
	buf_init(&here->out.scratch, SCRATCH_LIMIT);
	here->out.arena = shard_arena(shard);
	here->out.diff = (struct diff_options){.deep = true, .depth = settings->diff_depth};
	list_init(&here->instances);
	list_init(&here->borrowers);
	list_init(&here->deferred);
	list_init(&here->ended);
	list_init(&here->waiting);
	map_init(&here->singletons);
	map_init(&here->proxies);
	map_init(&here->persistents);
	here->returns = returns_new();
	shard_set_context(shard, SHARD_COMPONENTS, here);
	if (settings->cluster)
		here->cluster = cluster_shard_new(here, settings->cluster);
	return here;
}

void component_shard_free(struct component_shard *here)
{
	if (!here)
		return;
	if (here->cluster)
		here->cluster->is_ending = true;
	while (!list_is_empty(&here->instances))
		instance_destroy(LIST_OF(here->instances.next, live_component, link));
	persistent_forget_all(here);
	deferred_forget_all(here);
	cluster_shard_free(here->cluster);
	rooms_free(here->rooms);
	returns_free(here->returns);
	signer_free(here->signer);
	alerts_free(here->alerts);
	buf_deinit(&here->out.scratch);
	map_deinit(&here->singletons);
	map_deinit(&here->proxies);
	shard_set_context(here->shard, SHARD_COMPONENTS, NULL);
	free(here);
}

struct component_shard *component_shard_of(struct shard *shard)
{
	return shard_context(shard, SHARD_COMPONENTS);
}
