/* Who hears of events: the clients of the debugger, as its owner knows them. */
#include <stdlib.h>

#include "core/mem.h"
#include "server/debug/debug_private.h"

enum { MESSAGES_ON_THE_WAY = 2048 };

struct subscriber {       /* one client */
	struct list link; /* hub->subscribers */
	struct handle client;
	bool is_welcome; /* it has its snapshot and hears what happens */
};

static void drop(struct debug_hub *hub, struct subscriber *subscriber)
{
	list_remove(&subscriber->link);
	free(subscriber);
	counter_sub(&hub->clients, 1);
}

void debug_audience_free(struct debug_hub *hub)
{
	list_for_each_safe (link, &hub->subscribers)
		drop(hub, LIST_OF(link, struct subscriber, link));
}

/* ---- what they are told ---- */

struct news {
	struct mail mail;
	struct debug_hub *hub;
	struct handle client;
	struct frame *message; /* ours */
};

static void free_news(struct news *news)
{
	frame_unref(news->message);
	free(news);
}

static void discard_news(struct mail *mail)
{
	free_news(LIST_OF(mail, struct news, mail));
}

static void deliver_news(struct mail *mail, struct shard *here)
{
	struct news *news = LIST_OF(mail, struct news, mail);

	struct debug_listener *listener = shard_handle_find(here, news->client);

	counter_add(&news->hub->lanes[shard_index(here)].taken, 1);
	if (listener)
		listener->take(listener, frame_bytes(news->message));
	free_news(news);
}

static void send(struct debug_hub *hub, struct shard *here, struct handle client, struct frame *message)
{
	struct news *news = mem_alloc(sizeof *news);

	news->mail.deliver = deliver_news;
	news->mail.discard = discard_news;
	news->hub = hub;
	news->client = client;
	news->message = frame_ref(message);
	hub->lanes[client.shard].sent++;
	shard_post(here, client.shard, &news->mail);
}

void debug_audience_tell(struct debug_hub *hub, struct shard *here, struct frame *message)
{
	list_for_each (link, &hub->subscribers) {
		struct subscriber *subscriber = LIST_OF(link, struct subscriber, link);
		struct debug_lane *lane = &hub->lanes[subscriber->client.shard];
		if (!subscriber->is_welcome)
			continue;
		if (lane->sent - counter_read(&lane->taken) < MESSAGES_ON_THE_WAY)
			send(hub, here, subscriber->client, message);
		else
			counter_add(&hub->skipped, 1);
	}
}

/* {"type":type,...,"snapshot":snapshot,"timestamp":..} */
static struct frame *snapshot_message(struct debug_hub *hub, struct shard *here, const char *head, struct str snapshot)
{
	struct buf *out = &hub->scratch;

	buf_reset(out, DEBUG_SCRATCH_BYTES);
	buf_printf(out, "{\"type\":%s,\"snapshot\":", head);
	buf_append_str(out, snapshot);
	buf_printf(out, ",\"timestamp\":%lld}", (long long)shard_clock(here)->wall_ms);
	return frame_new(buf_str(out));
}

/* ---- coming and going ---- */

/* What a client that has just come, or was left behind, is told. */
struct visit {
	struct debug_question question;
	struct debug_hub *hub;
	struct handle client;
};

static void replay(struct debug_hub *hub, struct shard *here, struct handle client)
{
	uint64_t last = counter_read(&hub->last);
	uint64_t first = last - hub->first > DEBUG_REPLAYED ? last - DEBUG_REPLAYED : hub->first;

	for (uint64_t number = first + 1; number <= last; number++)
		send(hub, here, client, debug_hub_kept(hub, number)->message);
}

static struct subscriber *find(struct debug_hub *hub, struct handle client)
{
	list_for_each (link, &hub->subscribers) {
		struct subscriber *subscriber = LIST_OF(link, struct subscriber, link);
		struct handle known = subscriber->client;
		if (known.shard == client.shard && known.index == client.index && known.generation == client.generation)
			return subscriber;
	}
	return NULL;
}

static void show(struct debug_question *question, struct shard *here, struct str snapshot)
{
	struct visit *visit = LIST_OF(question, struct visit, question);
	struct debug_hub *hub = visit->hub;
	struct subscriber *subscriber = find(hub, visit->client);

	if (subscriber && snapshot.ptr) {
		bool is_new = !subscriber->is_welcome;
		struct frame *message = snapshot_message(
			hub, here, is_new ? "\"DEBUG_WELCOME\",\"enabled\":true" : "\"DEBUG_SNAPSHOT\"", snapshot);
		subscriber->is_welcome = true;
		send(hub, here, visit->client, message);
		frame_unref(message);
		if (is_new)
			replay(hub, here, visit->client);
	}
	free(visit);
}

static void ask_for(struct debug_hub *hub, struct shard *here, struct handle client)
{
	struct visit *visit = mem_alloc(sizeof *visit);

	visit->question.done = show;
	visit->hub = hub;
	visit->client = client;
	debug_snapshot_ask(hub, here, &visit->question);
}

static void heed(struct debug_hub *hub, struct shard *here, enum debug_wish wish, struct handle client)
{
	struct subscriber *subscriber = find(hub, client);

	if (wish == DEBUG_LEAVE) {
		if (subscriber)
			drop(hub, subscriber);
		return;
	}
	if (!subscriber && wish == DEBUG_SHOW)
		return;
	if (!subscriber) {
		subscriber = mem_alloc(sizeof *subscriber);
		subscriber->client = client;
		list_append(&hub->subscribers, &subscriber->link);
		counter_add(&hub->clients, 1);
	}
	ask_for(hub, here, client);
}

struct wish_mail {
	struct mail mail;
	struct debug_hub *hub;
	enum debug_wish wish;
	struct handle client;
};

static void deliver_wish(struct mail *mail, struct shard *here)
{
	struct wish_mail *wish = LIST_OF(mail, struct wish_mail, mail);

	heed(wish->hub, here, wish->wish, wish->client);
	free(wish);
}

static void discard_wish(struct mail *mail)
{
	free(LIST_OF(mail, struct wish_mail, mail));
}

void debug_wish(struct debug_hub *hub, struct shard *here, enum debug_wish wish, struct handle listener)
{
	struct wish_mail *mail = mem_alloc(sizeof *mail);

	mail->mail.deliver = deliver_wish;
	mail->mail.discard = discard_wish;
	mail->hub = hub;
	mail->wish = wish;
	mail->client = listener;
	shard_post(here, DEBUG_OWNER, &mail->mail);
}
