#include "redis/cluster_adapter.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/buf.h"
#include "core/json.h"
#include "core/mem.h"
#include "redis/cluster_scripts.h"
#include "redis/link.h"
#include "redis/node.h"
#include "shard/shard.h"

enum { LEASE_MS = 30000, HEAD_ARGUMENTS = 17 };

struct place { /* an open port */
	struct redis_cluster *cluster;
	struct cluster_port *port;
	struct redis_link *link;
	struct shard *shard;
	struct redis_channel actions;
	struct redis_channel deltas;
	struct list pending; /* of struct pending */
	bool hears_deltas;
	char epoch[ID_LEN + 1]; /* of Redis, as far as we know */
	int64_t held_until_ms;  /* Redis has forgotten all: until then its owners say what they own */
};

struct pending { /* a question that was asked */
	struct list link;
	struct mail mail;    /* brings the answer of one that could not be sent */
	struct place *place; /* NULL: the port was closed */
	struct cluster_ask *ask;
};

struct redis_cluster {
	struct cluster_adapter adapter;
	struct redis_node *node;
	int64_t ttl;
	struct buf prefix;          /* fluxstack:cluster: */
	struct redis_link *links[]; /* of each shard */
};

static struct redis_cluster *cluster_of(struct cluster_adapter *adapter)
{
	return LIST_OF(adapter, struct redis_cluster, adapter);
}

/* ---- names, in the tick's memory ---- */

static struct str join(const struct place *place, struct str kind, struct str name)
{
	struct str prefix = buf_str(&place->cluster->prefix);
	char *text = arena_alloc(shard_arena(place->shard), prefix.len + kind.len + name.len);
	char *at = mempcpy(text, prefix.ptr, prefix.len);

	at = mempcpy(at, kind.ptr, kind.len);
	if (name.len)
		memcpy(at, name.ptr, name.len);
	return (struct str){text, prefix.len + kind.len + name.len};
}

static struct str number(const struct place *place, uint64_t n)
{
	char *text = arena_alloc(shard_arena(place->shard), 24);
	int len = snprintf(text, 24, "%llu", (unsigned long long)n);

	return (struct str){text, (size_t)len};
}

static struct str take(const struct place *place, struct buf *buf)
{
	struct str text = arena_copy(shard_arena(place->shard), buf_str(buf));

	buf_deinit(buf);
	return text;
}

static struct str claim_text(const struct place *place, const struct cluster_ask *ask)
{
	struct buf text;

	buf_init(&text, SIZE_MAX);
	buf_printf(&text, "%s:%.*s", place->port->id, STR_ARG(ask->component_id));
	return take(place, &text);
}

/* ---- answers ---- */

static void end(struct pending *pending, const struct cluster_answer *answer)
{
	struct cluster_ask *ask = pending->ask;

	list_remove(&pending->link);
	free(pending);
	ask->answered(ask, answer);
}

static struct str text_of(const struct redisReply *reply, size_t index)
{
	const struct redisReply *item = index < reply->elements ? reply->element[index] : NULL;

	if (!item || item->type != REDIS_REPLY_STRING)
		return STR("");
	return (struct str){item->str, item->len};
}

static uint64_t number_of(const struct redisReply *reply, size_t index)
{
	struct str text = text_of(reply, index);

	return text.len ? strtoull(text.ptr, NULL, 10) : 0;
}

static enum cluster_verdict verdict_of(const struct redisReply *reply)
{
	struct str word = text_of(reply, 0);

	if (str_equal(word, STR("mine")))
		return CLUSTER_MINE;
	if (str_equal(word, STR("others")))
		return CLUSTER_OTHERS;
	return str_equal(word, STR("nobodys")) ? CLUSTER_NOBODYS : CLUSTER_UNKNOWN;
}

/* "port:component", as the claim has it. */
static void read_claim(struct cluster_answer *answer, struct str claim)
{
	const char *colon = claim.len ? memchr(claim.ptr, ':', claim.len) : NULL;

	if (!colon)
		return;
	answer->owner = (struct str){claim.ptr, (size_t)(colon - claim.ptr)};
	answer->component_id = (struct str){colon + 1, claim.len - answer->owner.len - 1};
}

/* Redis is of this epoch. When it was of another one before, all that it knew is forgotten. */
static void take_epoch(struct place *place, struct str epoch)
{
	if (place->epoch[0] && !str_equal(epoch, str_of(place->epoch)))
		place->held_until_ms = shard_clock(place->shard)->mono_ms + place->cluster->adapter.lease_ms;
	snprintf(place->epoch, sizeof place->epoch, "%.*s", STR_ARG(epoch));
}

static void on_epoch(void *context, int error, const struct redisReply *reply)
{
	if (!error && reply->type == REDIS_REPLY_ARRAY)
		take_epoch(context, text_of(reply, 1));
}

static void on_reply(void *context, int error, const struct redisReply *reply)
{
	struct pending *pending = context;
	struct cluster_answer answer = {.verdict = CLUSTER_UNKNOWN};
	struct arena *arena = shard_arena(pending->place->shard);

	if (!error && reply->type == REDIS_REPLY_ARRAY) {
		answer.verdict = verdict_of(reply);
		if (str_equal(text_of(reply, 0), STR("forgotten")))
			take_epoch(pending->place, text_of(reply, 1));
		read_claim(&answer, text_of(reply, 1));
		answer.state = text_of(reply, 2);
		answer.seq = number_of(reply, 3);
		answer.fence = number_of(reply, 4);
		answer.handled_count = reply->elements > 5 ? reply->elements - 5 : 0;
		struct str *handled = arena_alloc(arena, (answer.handled_count + 1) * sizeof *handled);
		for (size_t i = 0; i < answer.handled_count; i++)
			handled[i] = text_of(reply, i + 5);
		answer.handled = handled;
	}
	end(pending, &answer);
}

static void deliver_unknown(struct mail *mail, struct shard *shard)
{
	struct pending *pending = LIST_OF(mail, struct pending, mail);
	const struct cluster_answer unknown = {.verdict = CLUSTER_UNKNOWN};

	(void)shard;
	if (pending->place)
		end(pending, &unknown);
	else
		free(pending);
}

static void discard_unknown(struct mail *mail)
{
	free(LIST_OF(mail, struct pending, mail));
}

static void answer_unknown(struct pending *pending)
{
	pending->mail.deliver = deliver_unknown;
	pending->mail.discard = discard_unknown;
	shard_post(pending->place->shard, shard_index(pending->place->shard), &pending->mail);
}

/* ---- questions ---- */

static int ask_for_claim(struct place *place, const struct cluster_ask *ask, struct pending *pending)
{
	const struct str keys[] = {
		join(place, STR("singleton:"), ask->name),
		join(place, STR("singleton-meta:"), ask->name),
		join(place, STR("singleton-state:"), ask->name),
		join(place, STR("singleton-answers:"), ask->name),
		join(place, STR("epoch"), STR("")),
	};
	char epoch[ID_LEN + 1];

	id_make(epoch);
	const struct str arguments[] = {
		ask->verb == CLUSTER_CLAIM ? STR("claim") : STR("look"),
		str_of(place->port->id),
		ask->component_id,
		ask->insists ? STR("1") : STR("0"),
		number(place, (uint64_t)place->cluster->adapter.lease_ms),
		number(place, (uint64_t)place->cluster->ttl),
		join(place, STR("state:"), STR("")),
		str_of(place->epoch),
		{epoch, ID_LEN},
		shard_clock(place->shard)->mono_ms < place->held_until_ms ? STR("1") : STR("0"),
	};

	return redis_link_eval(place->link, &cluster_script_claim, keys, 5, arguments, 10, on_reply, pending);
}

struct frame_text { /* what stands around a state */
	struct str head;
	struct str tail;
};

/* {"state":...,"updatedAt":N,...}: ours knows its component, too. */
static struct frame_text singleton_frame(const struct place *place, const struct cluster_ask *ask)
{
	struct buf tail;

	buf_init(&tail, SIZE_MAX);
	buf_printf(&tail, ",\"updatedAt\":%lld,\"componentId\":\"%.*s\",\"seq\":%llu}",
		   (long long)shard_clock(place->shard)->wall_ms, STR_ARG(ask->component_id),
		   (unsigned long long)ask->seq);
	return (struct frame_text){STR("{\"state\":"), take(place, &tail)};
}

/* {"componentName":"Board","state":...,"instanceId":"nodeA_01","updatedAt":N,"seq":N} */
static struct frame_text component_frame(const struct place *place, const struct cluster_ask *ask)
{
	struct buf head, tail;

	buf_init(&head, SIZE_MAX);
	buf_append_str(&head, STR("{\"componentName\":"));
	json_write_string(&head, ask->name);
	buf_append_str(&head, STR(",\"state\":"));
	buf_init(&tail, SIZE_MAX);
	buf_printf(&tail, ",\"instanceId\":\"%s\",\"updatedAt\":%lld,\"seq\":%llu}", place->port->id,
		   (long long)shard_clock(place->shard)->wall_ms, (unsigned long long)ask->seq);
	return (struct frame_text){take(place, &head), take(place, &tail)};
}

static int ask_to_keep(struct place *place, const struct cluster_ask *ask, struct pending *pending)
{
	static const struct str verbs[] = {
		[CLUSTER_KEEP] = {"keep", 4}, [CLUSTER_SAVE] = {"save", 4}, [CLUSTER_RELEASE] = {"release", 7}};
	const struct frame_text singleton = singleton_frame(place, ask), component = component_frame(place, ask);
	const size_t count = HEAD_ARGUMENTS + ask->handled_count + ask->message_count;
	const struct str keys[] = {
		join(place, STR("singleton:"), ask->name),       join(place, STR("singleton-meta:"), ask->name),
		join(place, STR("singleton-state:"), ask->name), join(place, STR("singleton-answers:"), ask->name),
		join(place, STR("state:"), ask->component_id),
	};
	const struct str head[HEAD_ARGUMENTS] = {
		verbs[ask->verb],
		claim_text(place, ask),
		number(place, ask->fence),
		ask->revive ? STR("1") : STR("0"),
		number(place, (uint64_t)place->cluster->adapter.lease_ms),
		number(place, (uint64_t)place->cluster->ttl),
		ask->component_id,
		number(place, ask->seq),
		ask->state.len ? ask->state : STR(""),
		singleton.head,
		singleton.tail,
		component.head,
		component.tail,
		ask->forget ? STR("1") : STR("0"),
		number(place, ask->handled_count),
		join(place, STR("delta"), STR("")),
		ask->handled_all ? STR("1") : STR("0"),
	};
	struct str *arguments = arena_alloc(shard_arena(place->shard), count * sizeof *arguments);

	memcpy(arguments, head, sizeof head);
	for (size_t i = 0; i < ask->handled_count; i++)
		arguments[HEAD_ARGUMENTS + i] = ask->handled[i];
	for (size_t i = 0; i < ask->message_count; i++)
		arguments[HEAD_ARGUMENTS + ask->handled_count + i] = ask->messages[i];
	return redis_link_eval(place->link, &cluster_script_keep, keys, 5, arguments, (unsigned)count, on_reply,
			       pending);
}

static void ask_redis(struct cluster_adapter *adapter, struct cluster_port *port, struct cluster_ask *ask)
{
	struct place *place = port->link;
	struct pending *pending = mem_alloc(sizeof *pending);

	(void)adapter;
	pending->place = place;
	pending->ask = ask;
	list_append(&place->pending, &pending->link);
	int rc = ask->verb == CLUSTER_CLAIM || ask->verb == CLUSTER_LOOK ? ask_for_claim(place, ask, pending)
									 : ask_to_keep(place, ask, pending);
	if (rc < 0)
		answer_unknown(pending);
}

/* ---- channels ---- */

static void hear(struct place *place, struct str message)
{
	place->port->heard(place->port, message);
}

static void on_action(struct redis_channel *channel, struct str message)
{
	hear(LIST_OF(channel, struct place, actions), message);
}

static void on_delta(struct redis_channel *channel, struct str message)
{
	hear(LIST_OF(channel, struct place, deltas), message);
}

static void on_actions_ready(struct redis_channel *channel)
{
	struct place *place = LIST_OF(channel, struct place, actions);
	const struct str key = join(place, STR("epoch"), STR(""));
	char epoch[ID_LEN + 1];

	id_make(epoch);
	/* If it cannot be asked, the next claim finds out. */
	(void)!redis_link_eval(place->link, &cluster_script_epoch, &key, 1, &(struct str){epoch, ID_LEN}, 1, on_epoch,
			       place);
	place->port->restored(place->port);
}

static void on_deltas_ready(struct redis_channel *channel)
{
	struct place *place = LIST_OF(channel, struct place, deltas);
	place->port->restored(place->port);
}

static void hear_deltas(struct cluster_adapter *adapter, struct cluster_port *port, bool on)
{
	struct place *place = port->link;

	(void)adapter;
	if (on == place->hears_deltas)
		return;
	place->hears_deltas = on;
	if (on)
		redis_link_subscribe(place->link, &place->deltas, join(place, STR("delta"), STR("")));
	else
		redis_link_unsubscribe(place->link, &place->deltas);
}

/* What cannot be sent is lost, as a message may be. */
static void tell(struct cluster_adapter *adapter, struct cluster_port *port, struct str id, struct str message)
{
	struct place *place = port->link;
	int rc = redis_link_publish(place->link, join(place, STR("actions:"), id), message);

	(void)adapter;
	(void)rc;
}

static void open_port(struct cluster_adapter *adapter, struct shard *shard, struct cluster_port *port)
{
	struct redis_cluster *cluster = cluster_of(adapter);
	struct place *place = mem_alloc(sizeof *place);

	place->cluster = cluster;
	place->port = port;
	place->shard = shard;
	place->link = cluster->links[shard_index(shard)];
	assert_always(place->link); /* it was started before */
	place->actions.ready = on_actions_ready;
	place->actions.message = on_action;
	place->deltas.ready = on_deltas_ready;
	place->deltas.message = on_delta;
	list_init(&place->pending);
	port->link = place;
	redis_link_subscribe(place->link, &place->actions, join(place, STR("actions:"), str_of(port->id)));
}

static void close_port(struct cluster_adapter *adapter, struct cluster_port *port)
{
	struct place *place = port->link;
	const struct cluster_answer unknown = {.verdict = CLUSTER_UNKNOWN};

	redis_link_unsubscribe(place->link, &place->actions);
	redis_link_forget(place->link, place);
	hear_deltas(adapter, port, false);
	list_for_each_safe (link, &place->pending) {
		struct pending *pending = LIST_OF(link, struct pending, link);
		struct cluster_ask *ask = pending->ask;
		redis_link_forget(place->link, pending);
		list_remove(&pending->link);
		pending->place = NULL;
		if (!pending->mail.deliver) /* else its mail frees it */
			free(pending);
		ask->answered(ask, &unknown);
	}
	free(place);
	port->link = NULL;
}

static const struct cluster_adapter_ops ops = {open_port, close_port, hear_deltas, ask_redis, tell};

/* ---- the adapter ---- */

struct cluster_adapter *redis_cluster_adapter_new(struct redis_node *node, const struct redis_cluster_options *options)
{
	struct redis_cluster *cluster = mem_alloc(sizeof *cluster + node->options.shards * sizeof cluster->links[0]);

	cluster->adapter.ops = &ops;
	cluster->adapter.lease_ms = options->lease_ms ? options->lease_ms : LEASE_MS;
	cluster->node = node;
	cluster->ttl = options->ttl;
	buf_init(&cluster->prefix, SIZE_MAX);
	buf_printf(&cluster->prefix, "%scluster:", node->options.prefix);
	redis_node_add_script(node, &cluster_script_claim);
	redis_node_add_script(node, &cluster_script_keep);
	redis_node_add_script(node, &cluster_script_epoch);
	return &cluster->adapter;
}

void redis_cluster_adapter_free(struct cluster_adapter *adapter)
{
	if (!adapter)
		return;
	buf_deinit(&cluster_of(adapter)->prefix);
	free(cluster_of(adapter));
}

void redis_cluster_adapter_start(struct cluster_adapter *adapter, struct redis_link *link)
{
	cluster_of(adapter)->links[shard_index(redis_link_shard(link))] = link;
}

void redis_cluster_adapter_stop(struct cluster_adapter *adapter, struct redis_link *link)
{
	cluster_of(adapter)->links[shard_index(redis_link_shard(link))] = NULL;
}
