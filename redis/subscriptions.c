#include "redis/subscriptions.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"

enum {
	PACE_MS = 10,
	BATCH_MAX = 256, /* channels in one command */
};

struct redis_subscription {
	struct map_entry by_name;
	struct list waiting;           /* on the list of those to be asked for, or on none */
	struct redis_channel *channel; /* NULL: it is on its way out */
	bool was_live;                 /* before the connection was lost */
	unsigned unconfirmed;          /* SUBSCRIBE and UNSUBSCRIBE that were sent and not confirmed */
	struct str name;
	char bytes[];
};

static void pace_fire(struct timer *timer);

void redis_subscriptions_init(struct redis_subscriptions *all, struct redis_wire *wire, struct redis_figures *figures)
{
	*all = (struct redis_subscriptions){.wire = wire, .figures = figures};
	map_init(&all->by_name);
	list_init(&all->waiting);
	timer_init(&all->pace, pace_fire);
}

static void subscription_free(struct redis_subscriptions *all, struct redis_subscription *one)
{
	map_remove(&all->by_name, &one->by_name);
	list_remove(&one->waiting);
	free(one);
}

void redis_subscriptions_deinit(struct redis_subscriptions *all)
{
	struct map_entry *next;

	timer_disarm(&all->pace);
	for (struct map_entry *entry = map_first(&all->by_name); entry; entry = next) {
		struct redis_subscription *one = MAP_OF(entry, struct redis_subscription, by_name);

		next = map_next(&all->by_name, entry);
		assert_always(!one->channel);
		subscription_free(all, one);
	}
	map_deinit(&all->by_name);
}

static void set_live(struct redis_subscriptions *all, struct redis_channel *channel, bool is_live)
{
	if (channel->is_live && !is_live)
		counter_sub(&all->figures->channels_live, 1);
	else if (!channel->is_live && is_live)
		counter_add(&all->figures->channels_live, 1);
	channel->is_live = is_live;
}

/* ---- asking ---- */

static void pace(struct redis_subscriptions *all)
{
	if (!timer_is_armed(&all->pace))
		shard_timer_after(all->wire->shard, &all->pace, PACE_MS);
}

/* Asks for the first of those that wait; returns how many. */
static unsigned ask_some(struct redis_subscriptions *all, unsigned most)
{
	struct str args[1 + BATCH_MAX] = {STR("SUBSCRIBE")};
	unsigned count = 0;

	if (most > BATCH_MAX)
		most = BATCH_MAX;
	list_for_each (link, &all->waiting) {
		if (count == most)
			break;
		args[1 + count++] = LIST_OF(link, struct redis_subscription, waiting)->name;
	}
	if (count == 0 || redis_wire_send_quiet(all->wire, args, 1 + count) < 0)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		struct redis_subscription *one = LIST_OF(all->waiting.next, struct redis_subscription, waiting);

		list_remove(&one->waiting);
		one->unconfirmed++;
	}
	return count;
}

static void pace_fire(struct timer *timer)
{
	struct redis_subscriptions *all = LIST_OF(timer, struct redis_subscriptions, pace);
	unsigned left = all->wire->node->options.subscribe_rate * PACE_MS / 1000 + 1;

	while (left) {
		unsigned asked = ask_some(all, left);

		if (asked == 0)
			break;
		left -= asked;
	}
	if (!list_is_empty(&all->waiting) && all->wire->is_subscriber && redis_wire_is_open(all->wire))
		pace(all);
}

void redis_subscriptions_begin(struct redis_subscriptions *all)
{
	for (struct map_entry *entry = map_first(&all->by_name); entry; entry = map_next(&all->by_name, entry)) {
		struct redis_subscription *one = MAP_OF(entry, struct redis_subscription, by_name);

		list_remove(&one->waiting);
		list_append(&all->waiting, &one->waiting);
	}
	pace(all);
}

void redis_subscriptions_end(struct redis_subscriptions *all)
{
	struct map_entry *next;

	timer_disarm(&all->pace);
	for (struct map_entry *entry = map_first(&all->by_name); entry; entry = next) {
		struct redis_subscription *one = MAP_OF(entry, struct redis_subscription, by_name);

		next = map_next(&all->by_name, entry);
		one->unconfirmed = 0;
		if (!one->channel) {
			subscription_free(all, one);
			continue;
		}
		one->was_live |= one->channel->is_live;
		set_live(all, one->channel, false);
	}
}

/* ---- channels ---- */

static struct redis_subscription *find(const struct redis_subscriptions *all, struct str name)
{
	struct map_entry *entry = map_find(&all->by_name, name);

	return entry ? MAP_OF(entry, struct redis_subscription, by_name) : NULL;
}

void redis_subscriptions_add(struct redis_subscriptions *all, struct redis_channel *channel, struct str name)
{
	struct redis_subscription *one = find(all, name);

	assert_always(!channel->subscription && (!one || !one->channel));
	if (!one) {
		one = mem_alloc(sizeof *one + name.len);
		memcpy(one->bytes, name.ptr, name.len);
		one->name = (struct str){one->bytes, name.len};
		list_init(&one->waiting);
		int rc = map_add(&all->by_name, &one->by_name, one->name);
		assert_always(rc == 0);
	}
	one->channel = channel;
	channel->subscription = one;
	channel->is_live = false; /* not counted as such: it is not subscribed */
	one->was_live = false;
	counter_add(&all->figures->channels, 1);
	bool is_alone = list_is_empty(&all->waiting);
	list_append(&all->waiting, &one->waiting);
	if (all->wire->is_subscriber && redis_wire_is_open(all->wire) && (!is_alone || ask_some(all, 1) == 0))
		pace(all);
}

void redis_subscriptions_remove(struct redis_subscriptions *all, struct redis_channel *channel)
{
	struct redis_subscription *one = channel->subscription;

	if (!one)
		return;
	channel->subscription = NULL;
	set_live(all, channel, false);
	one->channel = NULL;
	counter_sub(&all->figures->channels, 1);
	if (list_is_empty(&one->waiting)) { /* it was asked for */
		const struct str args[] = {STR("UNSUBSCRIBE"), one->name};

		if (redis_wire_send_quiet(all->wire, args, 2) == 0)
			one->unconfirmed++;
		/* Else Redis sends us what nobody hears until the next reconnect: better than not to forget it. */
	}
	list_remove(&one->waiting);
	if (one->unconfirmed == 0)
		subscription_free(all, one);
}

/* ---- what comes ---- */

static struct str text_of(const struct redisReply *reply)
{
	return (struct str){reply->str, reply->len};
}

static void confirm(struct redis_subscriptions *all, struct redis_subscription *one)
{
	if (!one || one->unconfirmed == 0 || --one->unconfirmed > 0)
		return;
	if (!one->channel) {
		subscription_free(all, one);
	} else if (list_is_empty(&one->waiting)) {
		set_live(all, one->channel, true);
		if (one->was_live)
			counter_add(&all->figures->resubscribed, 1);
		one->was_live = false;
		one->channel->ready(one->channel);
	}
}

void redis_subscriptions_take(struct redis_subscriptions *all, const struct redisReply *reply)
{
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 || reply->element[0]->type != REDIS_REPLY_STRING ||
	    reply->element[1]->type != REDIS_REPLY_STRING)
		return; /* an answer to PING, or a refusal: then the channel stays unconfirmed */
	struct str what = text_of(reply->element[0]);
	struct redis_subscription *one = find(all, text_of(reply->element[1]));

	if (!str_equal(what, STR("message"))) {
		confirm(all, one);
		return;
	}
	counter_add(&all->figures->messages, 1);
	if (one && one->channel && one->channel->is_live && reply->element[2]->type == REDIS_REPLY_STRING)
		one->channel->message(one->channel, text_of(reply->element[2]));
}
