#include "server/component/returns.h"

#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/map.h"
#include "core/mem.h"
#include "server/component/client.h"
#include "server/component/component_shard.h"
#include "server/component/instance.h"

/* A number that a connection left. */
struct entry {
	struct map_entry by_id; /* returns->by_id */
	struct list link;       /* returns->order */
	unsigned times;
	char id[];
};

struct returns {
	struct map by_id;
	struct list order; /* oldest first */
	unsigned count;
};

/* To the home of an id, to leave a number (client is no handle) or to ask for one; and with it back to the client. */
struct note {
	struct mail mail;
	struct handle client;
	unsigned times;
	struct str id; /* in text */
	char text[];
};

/* ---- what is kept here ---- */

struct returns *returns_new(void)
{
	struct returns *returns = mem_alloc(sizeof *returns);

	map_init(&returns->by_id);
	list_init(&returns->order);
	return returns;
}

static void forget(struct returns *returns, struct entry *entry)
{
	map_remove(&returns->by_id, &entry->by_id);
	list_remove(&entry->link);
	returns->count--;
	free(entry);
}

void returns_free(struct returns *returns)
{
	if (!returns)
		return;
	list_for_each_safe (link, &returns->order)
		forget(returns, LIST_OF(link, struct entry, link));
	map_deinit(&returns->by_id);
	free(returns);
}

static struct entry *find(const struct returns *returns, struct str id)
{
	struct map_entry *found = map_find(&returns->by_id, id);

	return found ? MAP_OF(found, struct entry, by_id) : NULL;
}

static void keep(struct returns *returns, struct str id, unsigned times)
{
	struct entry *entry = find(returns, id);

	if (entry)
		forget(returns, entry);
	else if (returns->count == RETURNS_KEPT)
		forget(returns, LIST_OF(returns->order.next, struct entry, link));
	entry = mem_alloc(sizeof *entry + id.len);
	entry->times = times;
	memcpy(entry->id, id.ptr, id.len);
	list_append(&returns->order, &entry->link);
	returns->count++;
	int rc = map_add(&returns->by_id, &entry->by_id, (struct str){entry->id, id.len});
	assert_always(rc == 0); /* it was not there */
}

/* ---- mail ---- */

static void discard(struct mail *mail)
{
	free(LIST_OF(mail, struct note, mail));
}

static void deliver_answer(struct mail *mail, struct shard *here)
{
	struct note *note = LIST_OF(mail, struct note, mail);
	struct client *client = shard_handle_find(here, note->client);

	if (client)
		client->ops->came_back(client, note->times + 1);
	free(note);
}

static void deliver(struct mail *mail, struct shard *shard)
{
	struct note *note = LIST_OF(mail, struct note, mail);
	struct component_shard *here = component_shard_of(shard);
	struct entry *entry = here ? find(here->returns, note->id) : NULL;

	if (here && !handle_is_set(note->client)) {
		keep(here->returns, note->id, note->times);
	} else if (entry) {
		note->times = entry->times;
		note->mail.deliver = deliver_answer;
		forget(here->returns, entry);
		shard_post(shard, note->client.shard, &note->mail);
		return;
	}
	free(note);
}

static void send(struct component_shard *here, struct handle client, struct str id, unsigned times)
{
	struct note *note = mem_alloc(sizeof *note + id.len);

	note->mail.deliver = deliver;
	note->mail.discard = discard;
	note->client = client;
	note->times = times;
	memcpy(note->text, id.ptr, id.len);
	note->id = (struct str){note->text, id.len};
	shard_post(here->shard, map_hash(id) % shard_group_count(shard_group_of(here->shard)), &note->mail);
}

/* ---- clients ---- */

void returns_note(struct client *client, struct str component_id)
{
	client->ops->came_back(client, 1);
	if (component_id.len)
		send(client->home, client->handle, component_id, 0);
}

void returns_leave(struct client *client, unsigned times)
{
	/* A singleton's id is no client's own. */
	list_for_each (link, &client->mounted) {
		const struct mounted *mounted = LIST_OF(link, struct mounted, link);
		if (!mounted->instance)
			continue;
		send(client->home, (struct handle){0}, mounted->id, times);
		return;
	}
}
