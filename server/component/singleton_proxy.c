/*
 * A client's shard and its part in a singleton that lives elsewhere.
 */
#include <stdlib.h>

#include "core/mem.h"
#include "server/component/adopt.h"
#include "server/component/call.h"
#include "server/component/membership.h"
#include "server/component/mount.h"
#include "server/component/singleton.h"
#include "server/component/singleton_mail.h"

struct proxy {
	struct map_entry by_name; /* component_shard->proxies */
	const struct definition *definition;
	struct list parts; /* of struct part, of this shard's clients */
	char id[];         /* of the singleton */
};

struct part {
	struct mounted mounted;
	struct list link; /* proxy->parts */
	bool is_stale;    /* changes passed it by: no more of them until it has the whole state */
	struct grave grave;
};

static struct proxy *find_proxy(struct component_shard *here, const struct definition *definition)
{
	struct map_entry *entry = map_find(&here->proxies, definition->name);
	return entry ? MAP_OF(entry, struct proxy, by_name) : NULL;
}

const struct definition *mounted_definition(const struct mounted *mounted)
{
	return mounted->instance ? mounted->instance->definition : mounted->proxy->definition;
}

static void request_home(struct mounted *part, struct singleton_request *request)
{
	struct client *client = part->client;

	request->definition = part->proxy->definition;
	request->client = client->handle;
	request->connection = str_of(client->id);
	request->auth = client->auth;
	shard_post(client->home->shard, singleton_home(client->home, request->definition),
		   &singleton_request_new(request)->mail);
}

void singleton_mount(struct client *client, const struct definition *definition, const struct mount_request *request,
		     const live_value *seed)
{
	struct singleton_request ask = {
		.ask = ASK_MOUNT,
		.definition = definition,
		.client = client->handle,
		.is_legacy = client->outbox.legacy,
		.rehydrates = request->rehydrates,
		.value = request->props,
		.seed = seed,
		.connection = str_of(client->id),
		.auth = client->auth,
		.asker = request->asker,
		.component_id = request->component_id,
		.request_id = request->request_id,
		.word = request->room,
	};

	client->ops->hold(client);
	shard_post(client->home->shard, singleton_home(client->home, definition), &singleton_request_new(&ask)->mail);
}

void singleton_call(struct mounted *part, const struct call *call, const live_value *payload)
{
	struct singleton_request ask = {
		.ask = ASK_ACTION,
		.expect_response = call->expect_response,
		.value = payload,
		.component_id = call->component_id,
		.request_id = call->request_id,
		.word = call->action,
	};
	part->client->ops->hold(part->client);
	request_home(part, &ask);
}

void singleton_set_property(struct mounted *part, struct str component_id, struct str key, const live_value *value,
			    struct str request_id)
{
	struct singleton_request ask = {
		.ask = ASK_PROPERTY,
		.value = value,
		.component_id = component_id,
		.request_id = request_id,
		.word = key,
	};
	part->client->ops->hold(part->client);
	request_home(part, &ask);
}

void singleton_set_state(struct mounted *part, struct str component_id, const live_value *state, struct str request_id)
{
	struct singleton_request ask = {
		.ask = ASK_STATE,
		.value = state,
		.component_id = component_id,
		.request_id = request_id,
	};
	part->client->ops->hold(part->client);
	request_home(part, &ask);
}

/* ---- other definitions of the same name ---- */

void singleton_adopt(struct component_shard *here)
{
	for (struct map_entry *entry = map_first(&here->proxies); entry; entry = map_next(&here->proxies, entry)) {
		struct proxy *proxy = MAP_OF(entry, struct proxy, by_name);
		proxy->definition = adopt_successor(here, proxy->definition);
		entry->key = proxy->definition->name; /* the same text */
	}
}

bool singleton_uses(const struct component_shard *here, const struct registry *registry)
{
	for (struct map_entry *entry = map_first(&here->proxies); entry; entry = map_next(&here->proxies, entry))
		if (definition_is_of(MAP_OF(entry, struct proxy, by_name)->definition, registry))
			return true;
	return false;
}

/* ---- parts ---- */

static void free_part(struct grave *grave)
{
	free(LIST_OF(grave, struct part, grave));
}

/* Takes a part off its client and proxy; the last one ends the proxy. Room pushes may still point to the id, so it
 * stays until the end of the tick. */
static void end_part(struct component_shard *here, struct part *part)
{
	memberships_leave_all(&part->mounted);
	list_remove(&part->mounted.link);
	part->mounted.client->mounted_count--;
	part->mounted.client = NULL;
	list_remove(&part->link);
	part->grave.free = free_part;
	shard_bury(here->shard, &part->grave);
}

static void end_proxy_if_empty(struct component_shard *here, struct proxy *proxy)
{
	if (!list_is_empty(&proxy->parts))
		return;
	map_remove(&here->proxies, &proxy->by_name);
	free(proxy);
}

void singleton_detach(struct mounted *mounted)
{
	struct part *part = LIST_OF(mounted, struct part, mounted);
	struct component_shard *here = mounted->client->home;
	struct singleton_request ask = {.ask = ASK_DETACH};

	request_home(mounted, &ask);
	end_part(here, part);
	end_proxy_if_empty(here, mounted->proxy);
}

/* ---- what the home tells ---- */

static struct proxy *make_proxy(struct component_shard *here, const struct definition *definition, struct str id)
{
	struct proxy *proxy = mem_alloc(sizeof *proxy + id.len + 1);

	memcpy(proxy->id, id.ptr, id.len);
	proxy->definition = definition;
	list_init(&proxy->parts);
	if (map_add(&here->proxies, &proxy->by_name, definition->name) < 0) {
		free(proxy);
		return find_proxy(here, definition);
	}
	return proxy;
}

/* part->id must outlive the proxy until the end of the tick, so each part has its own copy behind it. */
static void attach(struct component_shard *here, const struct singleton_notice *notice)
{
	struct client *client = shard_handle_find(here->shard, notice->client);

	if (!client) {
		/* It went away while it was mounted: the home counts it, so tell. */
		struct singleton_request gone = {
			.ask = ASK_DETACH, .definition = notice->definition, .client = notice->client};
		shard_post(here->shard, singleton_home(here, notice->definition), &singleton_request_new(&gone)->mail);
		return;
	}
	struct proxy *proxy = find_proxy(here, notice->definition);
	if (!proxy)
		proxy = make_proxy(here, notice->definition, notice->id);
	struct part *part = mem_alloc(sizeof *part + notice->id.len + 1);
	char *id = (char *)(part + 1);
	memcpy(id, notice->id.ptr, notice->id.len);
	part->mounted.id = (struct str){id, notice->id.len};
	part->mounted.client = client;
	part->mounted.proxy = proxy;
	list_init(&part->mounted.memberships);
	list_append(&client->mounted, &part->mounted.link);
	client->mounted_count++;
	list_append(&proxy->parts, &part->link);
}

static void push(struct component_shard *here, const struct singleton_notice *notice)
{
	struct proxy *proxy = find_proxy(here, notice->definition);
	struct arena *arena = shard_arena(here->shard);

	if (!proxy)
		return;
	struct shared_text *text = arena_alloc(arena, sizeof *text);
	struct shared_text *wide = notice->legacy ? arena_alloc(arena, sizeof *wide) : text;
	*text = (struct shared_text){.text = arena_copy(arena, frame_bytes(notice->frame))};
	if (notice->legacy)
		*wide = (struct shared_text){.text = arena_copy(arena, frame_bytes(notice->legacy))};
	list_for_each (link, &proxy->parts) {
		struct part *part = LIST_OF(link, struct part, link);
		struct client *client = part->mounted.client;
		if (notice->news == NEWS_DELTA)
			part->is_stale |= client->outbox.behind;
		if (notice->news == NEWS_DELTA && part->is_stale)
			continue;
		outbox_push_shared(&client->outbox, client->outbox.legacy ? wide : text);
	}
}

void singleton_refresh(struct mounted *mounted)
{
	struct part *part = LIST_OF(mounted, struct part, mounted);
	struct singleton_request ask = {.ask = ASK_REFRESH};

	if (!part->is_stale)
		return;
	counter_add(&mounted->client->home->counters.collapses, 1);
	request_home(mounted, &ask);
}

static void push_state(struct component_shard *here, const struct singleton_notice *notice)
{
	struct client *client = shard_handle_find(here->shard, notice->client);
	struct proxy *proxy = find_proxy(here, notice->definition);

	if (!client)
		return;
	if (proxy) {
		list_for_each (link, &proxy->parts) {
			struct part *part = LIST_OF(link, struct part, link);
			if (part->mounted.client == client)
				part->is_stale = false;
		}
	}
	outbox_push(&client->outbox, arena_copy(shard_arena(here->shard), frame_bytes(notice->frame)));
}

static void end(struct component_shard *here, const struct singleton_notice *notice)
{
	struct proxy *proxy = find_proxy(here, notice->definition);

	if (!proxy || !str_equal(str_of(proxy->id), notice->id))
		return;
	list_for_each_safe (link, &proxy->parts)
		end_part(here, LIST_OF(link, struct part, link));
	end_proxy_if_empty(here, proxy);
}

/* An instance that was made anew in a cluster may be of newer code than the proxy knows. */
static void follow(struct component_shard *here, const struct singleton_notice *notice)
{
	struct proxy *proxy = find_proxy(here, notice->definition);

	if (!proxy || proxy->definition == notice->definition || !definition_is_of(notice->definition, here->registry))
		return;
	proxy->definition = notice->definition;
	proxy->by_name.key = notice->definition->name;
}

void singleton_hear(struct component_shard *here, struct singleton_notice *notice)
{
	if (here->cluster)
		follow(here, notice);
	switch (notice->news) {
	case NEWS_ATTACHED: attach(here, notice); break;
	case NEWS_PUSH:
	case NEWS_DELTA: push(here, notice); break;
	case NEWS_STATE: push_state(here, notice); break;
	case NEWS_ENDED: end(here, notice); break;
	}
}
