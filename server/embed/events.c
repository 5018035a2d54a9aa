/*
 * The event bus for the program: its handlers live at the home of their channel, where every event passes.
 */
#include <errno.h>
#include <stdlib.h>

#include <live/rooms.h>

#include "core/buf.h"
#include "core/json.h"
#include "core/mem.h"
#include "pubsub/rooms.h"
#include "server/embed/embed_private.h"
#include "server/embed/errand.h"
#include "server/embed/subscriptions.h"
#include "server/server_shard.h"

struct live_subscription {
	live_server *server;
	unsigned home;
	live_channel_fn *fn;
	void *argument;
	struct mail starting;
	/* From here on for the home alone. */
	struct list link;             /* server_shard->subscriptions, while it is there */
	struct room_handler *handler; /* NULL: none yet, or none any more */
	struct grave grave;
	const char *type, *room, *event;
	char texts[];
};

/* ---- starting ---- */

static void on_event(void *context, const struct room_event *event, const live_value *data)
{
	live_subscription *self = context;
	/* The event's name is not NUL-terminated. */
	char *name = mem_strndup(event->name.ptr, event->name.len);

	self->fn(self->argument, self->room, name, data);
	free(name);
}

static void start(struct mail *mail, struct shard *shard)
{
	live_subscription *self = LIST_OF(mail, live_subscription, starting);
	struct server_shard *here = server_shard_of(shard);

	if (!here)
		return;
	self->handler = rooms_on(here->components->rooms, str_of(self->type), str_of(self->room), str_of(self->event),
				 NULL, on_event, self);
	list_append(&here->subscriptions, &self->link);
}

static void discard_start(struct mail *mail)
{
	(void)mail; /* live_events_off frees it */
}

static const char *put(char **at, const char *text)
{
	char *copy = *at;
	size_t size = strlen(text) + 1;

	memcpy(copy, text, size);
	*at += size;
	return copy;
}

live_subscription *live_events_on(live_server *server, const char *type, const char *room, const char *event,
				  live_channel_fn *fn, void *argument)
{
	if (!live_server_is_running(server))
		return NULL;
	live_subscription *self = mem_alloc(sizeof *self + strlen(type) + strlen(room) + strlen(event) + 3);
	char *at = self->texts;

	self->server = server;
	self->type = put(&at, type);
	self->room = put(&at, room);
	self->event = put(&at, event);
	self->fn = fn;
	self->argument = argument;
	self->home = rooms_home_shard(str_of(type), str_of(room), live_server_shard_count(server));
	list_init(&self->link);
	self->starting.deliver = start;
	self->starting.discard = discard_start;
	/* By the mailbox, also from a shard, so that an end that is posted later never overtakes it. */
	shard_post_outside(shard_group_at(server->server->group, self->home), &self->starting);
	return self;
}

/* ---- ending ---- */

static void stop(live_subscription *self, struct server_shard *here)
{
	rooms_off(here->components->rooms, self->handler);
	self->handler = NULL;
	list_remove(&self->link);
}

struct ending {
	struct mail mail;
	live_subscription *subscription;
	live_done_fn *done;
	void *argument;
};

static void bury(struct grave *grave)
{
	free(LIST_OF(grave, live_subscription, grave));
}

static void finish(struct ending *ending, const char *error)
{
	if (ending->done)
		ending->done(ending->argument, error, NULL);
	free(ending);
}

static void deliver_end(struct mail *mail, struct shard *shard)
{
	struct ending *ending = LIST_OF(mail, struct ending, mail);
	live_subscription *self = ending->subscription;
	struct server_shard *here = server_shard_of(shard);

	if (self->handler && here)
		stop(self, here);
	self->grave.free = bury;
	shard_bury(shard, &self->grave);
	finish(ending, NULL);
}

static void discard_end(struct mail *mail)
{
	struct ending *ending = LIST_OF(mail, struct ending, mail);

	free(ending->subscription);
	finish(ending, NULL);
}

void live_events_off(live_subscription *subscription, live_done_fn *done, void *argument)
{
	struct ending *ending = mem_alloc(sizeof *ending);

	*ending = (struct ending){
		.mail = {.deliver = deliver_end, .discard = discard_end},
		.subscription = subscription,
		.done = done,
		.argument = argument,
	};
	shard_post_outside(shard_group_at(subscription->server->server->group, subscription->home), &ending->mail);
}

void subscriptions_end(struct server_shard *here)
{
	list_for_each_safe (link, &here->subscriptions)
		stop(LIST_OF(link, live_subscription, link), here);
}

/* ---- emitting ---- */

int live_events_emit(live_server *server, const char *type, const char *room, const char *event, const live_value *data)
{
	struct buf text;
	int rc = -ENOTCONN;

	buf_init(&text, SIZE_MAX / 2);
	json_write(&text, data);
	struct room_emit emit = {
		.type = str_of(type),
		.room_id = str_of(room),
		.event = str_of(event),
		.data = buf_str(&text),
	};
	if (live_server_is_running(server))
		rc = rooms_emit_outside(shard_group_at(server->server->group, 0), &emit);
	buf_deinit(&text);
	live_value_unref(data);
	return rc;
}

/* ---- all of a channel, and figures ---- */

static void visit_clear(struct errand_leg *leg, struct server_shard *here)
{
	struct str type = errand_text(leg, "type"), room = errand_text(leg, "room");
	int64_t count = 0;

	list_for_each_safe (link, &here->subscriptions) {
		live_subscription *self = LIST_OF(link, live_subscription, link);
		if (!str_equal(str_of(self->type), type) || !str_equal(str_of(self->room), room))
			continue;
		stop(self, here);
		count++;
	}
	errand_end(leg, NULL, live_int(count));
}

void live_events_clear(live_server *server, const char *type, const char *room, live_done_fn *done, void *argument)
{
	errand_send_to(server, rooms_home_shard(str_of(type), str_of(room), live_server_shard_count(server)),
		       &(struct errand_plan){
			       .visit = visit_clear,
			       .argument = live_object("type", live_string(type), "room", live_string(room), NULL),
			       .done = done,
			       .context = argument});
}

/* *object with key of it one more. */
static const live_value *count_one(const live_value *object, const char *key)
{
	return live_with(object, key, live_int(live_as_int(live_get(object, key), 0) + 1));
}

static void visit_stats(struct errand_leg *leg, struct server_shard *here)
{
	const live_value *rooms = live_object(NULL, NULL);

	list_for_each (link, &here->subscriptions) {
		const live_subscription *self = LIST_OF(link, live_subscription, link);
		const live_value *channel = live_stringf("%s:%s", self->type, self->room);
		const char *key = live_as_string(channel);
		const live_value *events = count_one(live_get(live_get(rooms, key), "events"), self->event);
		const live_value *next = live_with(rooms, key, live_object("events", events, NULL));
		live_value_unref(rooms);
		live_value_unref(channel);
		rooms = next;
	}
	errand_end(leg, NULL, rooms);
}

static const live_value *join_stats(const live_value *const *parts, unsigned count)
{
	const live_value *rooms = live_object(NULL, NULL);
	int64_t total = 0;

	for (unsigned i = 0; i < count; i++) {
		for (live_iter it = {0}; live_next(parts[i], &it);)
			for (live_iter event = {0}; live_next(live_get(it.value, "events"), &event);)
				total += live_as_int(event.value, 0);
		const live_value *more = live_merge(rooms, parts[i]);
		live_value_unref(rooms);
		rooms = more;
	}
	return live_object("totalSubscriptions", live_int(total), "rooms", rooms, NULL);
}

void live_events_stats(live_server *server, live_done_fn *done, void *argument)
{
	errand_send(server,
		    &(struct errand_plan){.visit = visit_stats, .join = join_stats, .done = done, .context = argument});
}
