#include "redis/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/log.h"
#include "core/mem.h"
#include "redis/dialer.h"
#include "redis/subscriptions.h"
#include "shard/shard.h"

enum {
	PROBE_MS = 1000, /* between two looks whether Redis takes writes again */
	EVAL_ARGS_MAX = 1 << 20,
};

struct redis_link {
	struct shard *shard;
	struct redis_node *node;
	struct redis_figures *figures;
	struct redis_dialer commands;
	struct redis_dialer channels;
	struct redis_subscriptions subscriptions;
	struct list watches;
	bool is_full;
	enum redis_state state;
	struct timer probe;
	struct grave grave;
};

static void probe_fire(struct timer *timer);
static const struct redis_dialer_ops command_ops;
static const struct redis_dialer_ops channel_ops;

struct redis_link *redis_link_new(struct shard *shard, struct pool *pool, struct redis_node *node)
{
	struct redis_link *link = mem_alloc(sizeof *link);

	assert_always(shard_index(shard) < node->options.shards);
	link->shard = shard;
	link->node = node;
	link->figures = &node->figures[shard_index(shard)];
	list_init(&link->watches);
	timer_init(&link->probe, probe_fire);
	redis_dialer_init(&link->commands, shard, pool, node, link->figures, false, &command_ops);
	redis_dialer_init(&link->channels, shard, pool, node, link->figures, true, &channel_ops);
	redis_subscriptions_init(&link->subscriptions, &link->channels.wire, link->figures);
	redis_dialer_start(&link->commands);
	redis_dialer_start(&link->channels);
	return link;
}

static void bury(struct grave *grave)
{
	free(LIST_OF(grave, struct redis_link, grave));
}

void redis_link_free(struct redis_link *link)
{
	if (!link)
		return;
	assert_always(list_is_empty(&link->watches));
	timer_disarm(&link->probe);
	redis_dialer_deinit(&link->commands);
	redis_dialer_deinit(&link->channels);
	redis_subscriptions_deinit(&link->subscriptions);
	/* What it wanted to write at the end of this tick is still queued there. */
	link->grave.free = bury;
	shard_bury(link->shard, &link->grave);
}

struct redis_node *redis_link_node(const struct redis_link *link)
{
	return link->node;
}

struct shard *redis_link_shard(const struct redis_link *link)
{
	return link->shard;
}

bool redis_link_is_up(const struct redis_link *link)
{
	return redis_dialer_is_up(&link->commands) && redis_dialer_is_up(&link->channels);
}

enum redis_state redis_link_state(const struct redis_link *link)
{
	return link->state;
}

/* ---- up and down ---- */

/* One line per change, not one per shard: the first link that goes down and the last that comes up speak for all. */
static void log_change(struct redis_link *link, enum redis_state before, const char *why)
{
	char where[REDIS_HOST_MAX + 16];

	if (link->state == REDIS_DOWN && before != REDIS_DOWN) {
		if (atomic_fetch_add_explicit(&link->node->down, 1, memory_order_relaxed) == 0)
			log_warn("redis", "down: %s; rooms go on within this node", why);
	} else if (before == REDIS_DOWN && link->state != REDIS_DOWN) {
		redis_place_print(&link->commands.place, where, sizeof where);
		if (atomic_fetch_sub_explicit(&link->node->down, 1, memory_order_relaxed) == 1)
			log_info("redis", "up again: %s", where);
	} else if (before == REDIS_CONNECTING && shard_index(link->shard) == 0) {
		redis_place_print(&link->commands.place, where, sizeof where);
		log_info("redis", "connected to %s as %s", where, link->node->origin);
	}
	if (link->state == REDIS_FULL && before != REDIS_FULL)
		log_warn("redis", "it refuses to write: %s", why);
	else if (before == REDIS_FULL && link->state == REDIS_UP)
		log_info("redis", "it writes again");
}

static void set_state(struct redis_link *link, const char *why)
{
	enum redis_state before = link->state;
	bool was_up = before == REDIS_UP || before == REDIS_FULL;
	bool is_up = redis_link_is_up(link);

	if (!is_up && before == REDIS_CONNECTING && !why)
		return; /* one of the two is there, the other not yet */
	link->state = !is_up ? REDIS_DOWN : link->is_full ? REDIS_FULL : REDIS_UP;
	if (link->state == before)
		return;
	atomic_store_explicit(&link->figures->state, link->state, memory_order_relaxed);
	log_change(link, before, why ? why : "");
	if (is_up == was_up)
		return;
	list_for_each_safe (one, &link->watches) {
		struct redis_watch *watch = LIST_OF(one, struct redis_watch, link);

		watch->changed(watch, is_up);
	}
}

void redis_link_watch(struct redis_link *link, struct redis_watch *watch)
{
	list_append(&link->watches, &watch->link);
}

void redis_link_unwatch(struct redis_watch *watch)
{
	list_remove(&watch->link);
}

/* ---- the connection for commands ---- */

static struct redis_link *link_of_commands(struct redis_dialer *dialer)
{
	return LIST_OF(dialer, struct redis_link, commands);
}

static void commands_up(struct redis_dialer *dialer)
{
	set_state(link_of_commands(dialer), NULL);
}

static void commands_down(struct redis_dialer *dialer, const char *why)
{
	struct redis_link *link = link_of_commands(dialer);

	link->is_full = false;
	timer_disarm(&link->probe);
	set_state(link, why);
}

static void commands_pushed(struct redis_dialer *dialer, const struct redisReply *reply)
{
	(void)reply;
	redis_dialer_renew(dialer, "it says what nobody asked for");
}

/* Errors that speak of Redis, not of the command. */
static void commands_refused(struct redis_dialer *dialer, const char *text)
{
	static const char *const gone[] = {"READONLY", "MASTERDOWN", "LOADING", "NOAUTH", "NOREPLICAS"};
	struct redis_link *link = link_of_commands(dialer);

	if (!strncmp(text, "OOM", 3) || !strncmp(text, "MISCONF", 7)) {
		link->is_full = true;
		set_state(link, text);
		if (!timer_is_armed(&link->probe))
			shard_timer_after(link->shard, &link->probe, PROBE_MS);
		return;
	}
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++) {
		if (!strncmp(text, gone[i], strlen(gone[i]))) {
			redis_dialer_renew(&link->channels, text);
			redis_dialer_renew(&link->commands, text);
			return;
		}
	}
}

static void probed(void *context, int error, const struct redisReply *reply)
{
	struct redis_link *link = context;

	(void)reply;
	if (error)
		return; /* refused again, or the connection is lost: that is dealt with elsewhere */
	link->is_full = false;
	set_state(link, NULL);
}

static void probe_fire(struct timer *timer)
{
	struct redis_link *link = LIST_OF(timer, struct redis_link, probe);
	char key[256];
	int len = snprintf(key, sizeof key, "%sprobe", link->node->options.prefix);
	const struct str set[] = {STR("SET"), {key, (size_t)len}, STR("1"), STR("PX"), STR("1000")};

	if (redis_link_send(link, set, 5, probed, link) < 0)
		shard_timer_after(link->shard, &link->probe, PROBE_MS);
}

static const struct redis_dialer_ops command_ops = {commands_up, commands_down, commands_pushed, commands_refused};

int redis_link_send(struct redis_link *link, const struct str *args, unsigned count, redis_answer *answer,
		    void *context)
{
	shard_assert_here(link->shard);
	if (!redis_dialer_is_up(&link->commands)) {
		counter_add(&link->figures->refused_down, 1);
		return -ENOTCONN;
	}
	return redis_wire_send(&link->commands.wire, args, count, answer, context);
}

int redis_link_eval(struct redis_link *link, const struct redis_script *script, const struct str *keys,
		    unsigned key_count, const struct str *args, unsigned arg_count, redis_answer *answer, void *context)
{
	char number[16];
	int len = snprintf(number, sizeof number, "%u", key_count);

	shard_assert_here(link->shard);
	if (!redis_dialer_is_up(&link->commands)) {
		counter_add(&link->figures->refused_down, 1);
		return -ENOTCONN;
	}
	unsigned count = 1 + key_count + arg_count;
	assert_always(count <= EVAL_ARGS_MAX);
	struct str *all = arena_alloc(shard_arena(link->shard), count * sizeof *all);
	all[0] = (struct str){number, (size_t)len};
	memcpy(all + 1, keys, key_count * sizeof *all);
	if (arg_count)
		memcpy(all + 1 + key_count, args, arg_count * sizeof *all);
	return redis_wire_eval(&link->commands.wire, script, all, count, answer, context);
}

void redis_link_forget(struct redis_link *link, const void *context)
{
	redis_wire_forget(&link->commands.wire, context);
}

int redis_link_publish(struct redis_link *link, struct str channel, struct str message)
{
	const struct str args[] = {STR("PUBLISH"), channel, message};

	return redis_link_send(link, args, 3, NULL, NULL);
}

/* ---- the connection for channels ---- */

static struct redis_link *link_of_channels(struct redis_dialer *dialer)
{
	return LIST_OF(dialer, struct redis_link, channels);
}

static void channels_up(struct redis_dialer *dialer)
{
	struct redis_link *link = link_of_channels(dialer);

	set_state(link, NULL);
	redis_subscriptions_begin(&link->subscriptions);
}

static void channels_down(struct redis_dialer *dialer, const char *why)
{
	struct redis_link *link = link_of_channels(dialer);

	redis_subscriptions_end(&link->subscriptions);
	set_state(link, why);
}

static void channels_pushed(struct redis_dialer *dialer, const struct redisReply *reply)
{
	redis_subscriptions_take(&link_of_channels(dialer)->subscriptions, reply);
}

static void channels_refused(struct redis_dialer *dialer, const char *text)
{
	(void)dialer;
	(void)text;
}

static const struct redis_dialer_ops channel_ops = {channels_up, channels_down, channels_pushed, channels_refused};

void redis_link_subscribe(struct redis_link *link, struct redis_channel *channel, struct str name)
{
	shard_assert_here(link->shard);
	redis_subscriptions_add(&link->subscriptions, channel, name);
}

void redis_link_unsubscribe(struct redis_link *link, struct redis_channel *channel)
{
	redis_subscriptions_remove(&link->subscriptions, channel);
}
