#include "stage/memory_cluster.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/list.h"
#include "core/map.h"
#include "core/mem.h"
#include "shard/shard.h"
#include "stage/memory_store.h"
#include "stage/stage.h"

enum { PORTS_MAX = 64 };

struct question { /* its strings are copies, in text */
	struct list link;
	struct cluster_ask *ask;
	struct cluster_ask copy;
	char *text;
};

struct parcel { /* an answer or a message on its way */
	struct mail mail;
	struct list link;
	struct place *place;
	struct cluster_ask *ask; /* NULL: a message */
	struct cluster_answer answer;
	bool restored;
	char *owner, *component_id, *state;
	char *message;
	struct str handled[HANDLED_MAX];
	size_t handled_count;
};

struct place { /* an open port */
	struct memory_node *node;
	struct shard *shard;
	struct cluster_port *port;
	bool hears_deltas;
	struct list questions, answers, messages;
	struct list posted; /* parcels that the shard has not taken yet */
};

struct memory_node {
	struct cluster_adapter adapter;
	struct memory_cluster *cluster;
	enum memory_link link;
	unsigned opened;
	char ids[8][ID_LEN + 1];
};

struct memory_cluster {
	struct memory_node nodes[MEMORY_NODES];
	struct place *places[PORTS_MAX];
	unsigned count;
	struct memory_store store;
	uint64_t random;
	char *stray;
};

static struct memory_cluster *cluster_of(struct memory_store *store)
{
	return LIST_OF(store, struct memory_cluster, store);
}

static char *copy(struct str s)
{
	return s.ptr ? mem_strndup(s.ptr, s.len) : NULL;
}

/* ---- parcels ---- */

static void free_parcel(struct parcel *parcel)
{
	list_remove(&parcel->link);
	for (size_t i = 0; i < parcel->handled_count; i++)
		free((char *)(uintptr_t)parcel->handled[i].ptr);
	free(parcel->owner);
	free(parcel->component_id);
	free(parcel->state);
	free(parcel->message);
	free(parcel);
}

static void deliver(struct mail *mail, struct shard *shard)
{
	struct parcel *parcel = LIST_OF(mail, struct parcel, mail);
	struct place *place = parcel->place;

	(void)shard;
	if (place && parcel->ask)
		parcel->ask->answered(parcel->ask, &parcel->answer);
	else if (place && parcel->restored)
		place->port->restored(place->port);
	else if (place)
		place->port->heard(place->port, str_of(parcel->message));
	free_parcel(parcel);
}

static void discard(struct mail *mail)
{
	free_parcel(LIST_OF(mail, struct parcel, mail));
}

static struct parcel *parcel_new(struct place *place, struct list *queue)
{
	struct parcel *parcel = mem_alloc(sizeof *parcel);

	parcel->mail.deliver = deliver;
	parcel->mail.discard = discard;
	parcel->place = place;
	list_init(&parcel->link);
	list_append(queue, &parcel->link);
	return parcel;
}

static void fill(const struct memory_cluster *cluster, const struct record *record, struct parcel *parcel)
{
	struct cluster_answer *answer = &parcel->answer;

	parcel->owner = copy(str_of(memory_store_is_claimed(&cluster->store, record) ? record->owner : ""));
	parcel->component_id = copy(str_of(record->component_id ? record->component_id : ""));
	parcel->state = copy(str_of(record->state ? record->state : ""));
	answer->owner = str_of(parcel->owner);
	answer->component_id = str_of(parcel->component_id);
	answer->state = str_of(parcel->state);
	answer->seq = record->seq;
	answer->fence = record->fence;
	for (size_t i = 0; i < record->handled_count; i++)
		parcel->handled[i] = (struct str){copy(str_of(record->handled[i])), strlen(record->handled[i])};
	parcel->handled_count = record->handled_count;
	answer->handled = parcel->handled;
	answer->handled_count = record->handled_count;
}

static void put_message(struct place *place, struct str message)
{
	if (place->node->link == MEMORY_LINK_UP || place->node->link == MEMORY_LINK_STUCK)
		parcel_new(place, &place->messages)->message = copy(message);
}

static void tell_all(struct memory_store *store, struct str message)
{
	struct memory_cluster *cluster = cluster_of(store);

	for (unsigned i = 0; i < cluster->count; i++)
		if (cluster->places[i]->hears_deltas)
			put_message(cluster->places[i], message);
}

static void tell_port(struct memory_cluster *cluster, struct str id, struct str message)
{
	for (unsigned i = 0; i < cluster->count; i++) {
		if (!str_equal(id, str_of(cluster->places[i]->port->id)))
			continue;
		put_message(cluster->places[i], message);
		return;
	}
	record_set(&cluster->stray, copy(message));
}

static void put_restored(struct place *place)
{
	parcel_new(place, &place->messages)->restored = true;
}

static void answer_unknown(struct place *place, struct cluster_ask *ask)
{
	struct parcel *parcel = parcel_new(place, &place->answers);

	parcel->ask = ask;
	parcel->answer.verdict = CLUSTER_UNKNOWN;
}

/* ---- moving things ---- */

static void free_question(struct question *question)
{
	list_remove(&question->link);
	free((void *)(uintptr_t)question->copy.messages);
	free((void *)(uintptr_t)question->copy.handled);
	free(question->text);
	free(question);
}

static void execute(struct place *place, struct question *question)
{
	struct memory_cluster *cluster = place->node->cluster;
	const struct cluster_ask *ask = &question->copy;
	bool is_deaf = place->node->link == MEMORY_LINK_DEAF;

	if (!ask->name.len) { /* a message to a port */
		tell_port(cluster, ask->component_id, ask->state);
		free_question(question);
		return;
	}
	struct record *record;
	enum cluster_verdict verdict = memory_store_ask(&cluster->store, place->port->id, ask, &record);
	if (is_deaf) {
		answer_unknown(place, question->ask);
	} else {
		struct parcel *parcel = parcel_new(place, &place->answers);
		parcel->ask = question->ask;
		fill(cluster, record, parcel);
		parcel->answer.verdict = verdict;
	}
	free_question(question);
}

static void post(struct place *place, struct list *queue)
{
	struct parcel *parcel = LIST_OF(queue->next, struct parcel, link);

	list_remove(&parcel->link);
	list_append(&place->posted, &parcel->link);
	shard_post_outside(place->shard, &parcel->mail);
}

/* What can be moved at place: which < its return value. */
static bool move(struct place *place, unsigned which)
{
	if (place->node->link == MEMORY_LINK_STUCK)
		return false;
	if (which == 0 && !list_is_empty(&place->questions))
		execute(place, LIST_OF(place->questions.next, struct question, link));
	else if (which == 1 && !list_is_empty(&place->answers))
		post(place, &place->answers);
	else if (which == 2 && !list_is_empty(&place->messages))
		post(place, &place->messages);
	else
		return false;
	return true;
}

bool memory_cluster_pump(struct memory_cluster *cluster)
{
	unsigned ways = cluster->count * 3;

	if (!ways)
		return false;
	unsigned first = stage_random_below(&cluster->random, ways);
	for (unsigned i = 0; i < ways; i++) {
		unsigned way = (first + i) % ways;
		if (move(cluster->places[way / 3], way % 3))
			return true;
	}
	return false;
}

/* ---- the adapter ---- */

static struct memory_node *node_of(struct cluster_adapter *adapter)
{
	return LIST_OF(adapter, struct memory_node, adapter);
}

static void open_port(struct cluster_adapter *adapter, struct shard *shard, struct cluster_port *port)
{
	struct memory_node *node = node_of(adapter);
	struct place *place = mem_alloc(sizeof *place);

	assert_always(node->cluster->count < PORTS_MAX);
	place->node = node;
	place->shard = shard;
	place->port = port;
	list_init(&place->questions);
	list_init(&place->answers);
	list_init(&place->messages);
	list_init(&place->posted);
	port->link = place;
	node->cluster->places[node->cluster->count++] = place;
	memcpy(node->ids[node->opened++ % 8], port->id, sizeof port->id);
	put_restored(place);
}

static void end_parcels(struct list *queue)
{
	const struct cluster_answer unknown = {.verdict = CLUSTER_UNKNOWN};

	list_for_each_safe (link, queue) {
		struct parcel *parcel = LIST_OF(link, struct parcel, link);
		if (parcel->ask)
			parcel->ask->answered(parcel->ask, &unknown);
		free_parcel(parcel);
	}
}

static void close_port(struct cluster_adapter *adapter, struct cluster_port *port)
{
	struct memory_cluster *cluster = node_of(adapter)->cluster;
	struct place *place = port->link;
	const struct cluster_answer unknown = {.verdict = CLUSTER_UNKNOWN};
	unsigned at = 0;

	list_for_each_safe (link, &place->questions) {
		struct question *question = LIST_OF(link, struct question, link);
		struct cluster_ask *ask = question->ask;
		if (ask && place->node->link == MEMORY_LINK_UP) { /* it was sent */
			execute(place, question);
			continue;
		}
		free_question(question);
		if (ask)
			ask->answered(ask, &unknown);
	}
	end_parcels(&place->answers);
	end_parcels(&place->messages);
	list_for_each_safe (link, &place->posted) {
		struct parcel *parcel = LIST_OF(link, struct parcel, link);
		if (parcel->ask)
			parcel->ask->answered(parcel->ask, &unknown);
		parcel->place = NULL;
		list_remove(link);
	}
	while (cluster->places[at] != place)
		at++;
	cluster->places[at] = cluster->places[--cluster->count];
	free(place);
}

static void hear_deltas(struct cluster_adapter *adapter, struct cluster_port *port, bool on)
{
	struct place *place = port->link;

	(void)adapter;
	place->hears_deltas = on;
	if (on)
		put_restored(place);
}

static struct str put(char **at, struct str s)
{
	struct str copied = {*at, s.len};

	if (s.len)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return copied;
}

static struct str *put_list(char **at, const struct str *list, size_t count)
{
	struct str *copied = mem_alloc((count + 1) * sizeof *copied);

	for (size_t i = 0; i < count; i++)
		copied[i] = put(at, list[i]);
	return copied;
}

static struct question *question_new(struct place *place, const struct cluster_ask *ask)
{
	struct question *question = mem_alloc(sizeof *question);
	size_t size = ask->name.len + ask->component_id.len + ask->state.len + 1;

	for (size_t i = 0; i < ask->message_count; i++)
		size += ask->messages[i].len;
	for (size_t i = 0; i < ask->handled_count; i++)
		size += ask->handled[i].len;
	char *at = question->text = mem_alloc(size);
	question->copy = *ask;
	question->copy.name = put(&at, ask->name);
	question->copy.component_id = put(&at, ask->component_id);
	question->copy.state = put(&at, ask->state);
	question->copy.messages = put_list(&at, ask->messages, ask->message_count);
	question->copy.handled = put_list(&at, ask->handled, ask->handled_count);
	list_append(&place->questions, &question->link);
	return question;
}

static void ask_store(struct cluster_adapter *adapter, struct cluster_port *port, struct cluster_ask *ask)
{
	struct place *place = port->link;

	if (node_of(adapter)->link == MEMORY_LINK_CUT)
		answer_unknown(place, ask);
	else
		question_new(place, ask)->ask = ask;
}

/* A message goes the way of the questions, so that it does not overtake them. */
static void tell(struct cluster_adapter *adapter, struct cluster_port *port, struct str id, struct str message)
{
	const struct cluster_ask ask = {.component_id = id, .state = message};

	if (node_of(adapter)->link != MEMORY_LINK_CUT)
		question_new(port->link, &ask);
}

static const struct cluster_adapter_ops ops = {open_port, close_port, hear_deltas, ask_store, tell};

/* ---- for tests ---- */

struct memory_cluster *memory_cluster_new(uint64_t seed, int64_t lease_ms)
{
	struct memory_cluster *cluster = mem_alloc(sizeof *cluster);

	cluster->random = seed;
	cluster->store.lease_ms = lease_ms;
	cluster->store.tell_all = tell_all;
	map_init(&cluster->store.records);
	for (unsigned i = 0; i < MEMORY_NODES; i++) {
		cluster->nodes[i].adapter = (struct cluster_adapter){&ops, lease_ms};
		cluster->nodes[i].cluster = cluster;
	}
	return cluster;
}

void memory_cluster_free(struct memory_cluster *cluster)
{
	assert_always(cluster->count == 0);
	memory_store_forget(&cluster->store);
	map_deinit(&cluster->store.records);
	free(cluster->stray);
	free(cluster);
}

struct cluster_adapter *memory_cluster_adapter(struct memory_cluster *cluster, unsigned node)
{
	return &cluster->nodes[node].adapter;
}

/* What was on its way when the link was cut is lost. */
static void cut(struct place *place)
{
	list_for_each_safe (link, &place->questions) {
		struct question *question = LIST_OF(link, struct question, link);
		if (question->ask)
			answer_unknown(place, question->ask);
		free_question(question);
	}
	list_for_each (link, &place->answers)
		LIST_OF(link, struct parcel, link)->answer.verdict = CLUSTER_UNKNOWN;
	end_parcels(&place->messages);
}

void memory_cluster_link(struct memory_cluster *cluster, unsigned node, enum memory_link link)
{
	enum memory_link before = cluster->nodes[node].link;

	cluster->nodes[node].link = link;
	for (unsigned i = 0; i < cluster->count; i++) {
		struct place *place = cluster->places[i];
		if (place->node != &cluster->nodes[node])
			continue;
		if (link == MEMORY_LINK_CUT)
			cut(place);
		else if (link == MEMORY_LINK_UP && before != MEMORY_LINK_STUCK)
			put_restored(place);
	}
}

void memory_cluster_forget(struct memory_cluster *cluster)
{
	memory_store_forget(&cluster->store);
}

void memory_cluster_advance(struct memory_cluster *cluster, int64_t ms)
{
	cluster->store.now_ms += ms;
}

const char *memory_cluster_owner(const struct memory_cluster *cluster, const char *name)
{
	static char text[256];
	const struct record *record = memory_store_find(&cluster->store, str_of(name));

	*text = 0;
	if (record && memory_store_is_claimed(&cluster->store, record))
		snprintf(text, sizeof text, "%s:%s", record->owner, record->component_id);
	return text;
}

const char *memory_cluster_state(const struct memory_cluster *cluster, const char *name)
{
	const struct record *record = memory_store_find(&cluster->store, str_of(name));

	return record && record->state ? record->state : "";
}

const char *memory_cluster_stray(const struct memory_cluster *cluster)
{
	return cluster->stray ? cluster->stray : "";
}

void memory_cluster_tell(struct memory_cluster *cluster, const char *id, const char *message)
{
	if (id)
		tell_port(cluster, str_of(id), str_of(message));
	else
		tell_all(&cluster->store, str_of(message));
}

void memory_cluster_put(struct memory_cluster *cluster, const char *name, const char *value, const char *state)
{
	struct record *record = memory_store_get(&cluster->store, str_of(name));
	const char *colon = strchr(value, ':');

	record_set(&record->owner, mem_strndup(value, (size_t)(colon - value)));
	record_set(&record->component_id, copy(str_of(colon + 1)));
	record_set(&record->state, state ? copy(str_of(state)) : NULL);
	record->until_ms = cluster->store.now_ms + cluster->store.lease_ms;
	record->fence = 0;
	record->seq = 0;
}

const char *memory_cluster_port(const struct memory_cluster *cluster, unsigned node, unsigned n)
{
	return cluster->nodes[node].ids[n];
}
