#include "stage/memory_store.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"

static char *copy(struct str s)
{
	return s.ptr ? mem_strndup(s.ptr, s.len) : NULL;
}

void record_set(char **to, char *text)
{
	free(*to);
	*to = text;
}

struct record *memory_store_find(const struct memory_store *store, struct str name)
{
	struct map_entry *entry = map_find(&store->records, name);

	return entry ? MAP_OF(entry, struct record, by_name) : NULL;
}

struct record *memory_store_get(struct memory_store *store, struct str name)
{
	struct record *record = memory_store_find(store, name);

	if (record)
		return record;
	record = mem_alloc(sizeof *record + name.len + 1);
	memcpy(record->name, name.ptr, name.len);
	int rc = map_add(&store->records, &record->by_name, (struct str){record->name, name.len});
	assert_always(rc == 0);
	return record;
}

bool memory_store_is_claimed(const struct memory_store *store, const struct record *record)
{
	return record->owner && store->now_ms < record->until_ms;
}

static bool is_owned_by(const struct memory_store *store, const struct record *record, const char *port)
{
	return memory_store_is_claimed(store, record) && !strcmp(record->owner, port);
}

static enum cluster_verdict claim(struct memory_store *store, struct record *record, const char *port,
				  const struct cluster_ask *ask)
{
	if (memory_store_is_claimed(store, record) && !is_owned_by(store, record, port))
		return CLUSTER_OTHERS;
	if (!record->state || !record->component_id || ask->insists)
		record_set(&record->component_id, copy(ask->component_id));
	record_set(&record->owner, copy(str_of(port)));
	record->until_ms = store->now_ms + store->lease_ms;
	record->fence = ++store->fences;
	return CLUSTER_MINE;
}

static enum cluster_verdict look(struct memory_store *store, struct record *record, const char *port)
{
	if (is_owned_by(store, record, port))
		return CLUSTER_MINE;
	return memory_store_is_claimed(store, record) ? CLUSTER_OTHERS : CLUSTER_NOBODYS;
}

static void save(struct memory_store *store, struct record *record, const struct cluster_ask *ask)
{
	if (ask->state.len) {
		char *text = NULL;
		int len = asprintf(&text, "{\"state\":%.*s}", STR_ARG(ask->state));
		assert_always(len > 0);
		record_set(&record->state, text);
	}
	record->seq = ask->seq;
	while (ask->handled_all && record->handled_count)
		free(record->handled[--record->handled_count]);
	for (size_t i = 0; i < ask->handled_count; i++) {
		if (record->handled_count == HANDLED_MAX) {
			free(record->handled[0]);
			memmove(record->handled, record->handled + 1, sizeof record->handled - sizeof(char *));
			record->handled_count--;
		}
		record->handled[record->handled_count++] = copy(ask->handled[i]);
	}
	for (size_t i = 0; i < ask->message_count; i++)
		store->tell_all(store, ask->messages[i]);
}

static enum cluster_verdict keep(struct memory_store *store, struct record *record, const char *port,
				 const struct cluster_ask *ask)
{
	bool is_current = record->fence == ask->fence;

	if (memory_store_is_claimed(store, record) && !(is_owned_by(store, record, port) && is_current))
		return CLUSTER_OTHERS;
	if (record->fence && !is_current)
		return CLUSTER_OTHERS;
	if (!record->fence && !ask->revive)
		return CLUSTER_NOBODYS;
	record->fence = ask->fence;
	record_set(&record->owner, copy(str_of(port)));
	record_set(&record->component_id, copy(ask->component_id));
	record->until_ms = store->now_ms + store->lease_ms;
	if (ask->verb == CLUSTER_KEEP)
		return CLUSTER_MINE;
	if (ask->verb == CLUSTER_RELEASE)
		record_set(&record->owner, NULL);
	save(store, record, ask);
	if (ask->forget)
		record_set(&record->state, NULL);
	return CLUSTER_MINE;
}

static void forget_record(struct memory_store *store, struct record *record)
{
	map_remove(&store->records, &record->by_name);
	free(record->owner);
	free(record->component_id);
	free(record->state);
	for (size_t i = 0; i < record->handled_count; i++)
		free(record->handled[i]);
	free(record);
}

void memory_store_forget(struct memory_store *store)
{
	struct map_entry *entry;

	while ((entry = map_first(&store->records)))
		forget_record(store, MAP_OF(entry, struct record, by_name));
}

enum cluster_verdict memory_store_ask(struct memory_store *store, const char *port, const struct cluster_ask *ask,
				      struct record **record)
{
	*record = memory_store_get(store, ask->name);
	switch (ask->verb) {
	case CLUSTER_CLAIM: return claim(store, *record, port, ask);
	case CLUSTER_LOOK: return look(store, *record, port);
	default: return keep(store, *record, port, ask);
	}
}
