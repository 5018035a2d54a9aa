#include "server/net/net_shard.h"

#include <stdlib.h>

#include "core/mem.h"
#include "server/net/connection_private.h"

struct net_shard *net_shard_new(struct shard *shard, const struct net_options *options)
{
	struct net_shard *net = mem_alloc(sizeof *net);
	net->shard = shard;
	if (options)
		net->options = *options;
	if (net->options.receive_bytes == 0)
		net->options.receive_bytes = 128 << 10;
	if (net->options.staging_keep_bytes == 0)
		net->options.staging_keep_bytes = 256 << 10;
	if (net->options.staging_limit_bytes == 0)
		net->options.staging_limit_bytes = 64 << 20;
	if (net->options.backlog_total_bytes == 0)
		net->options.backlog_total_bytes = 1 << 30;
	net->receive = mem_alloc(net->options.receive_bytes);
	buf_init(&net->staging, net->options.staging_limit_bytes);
	list_init(&net->dirty);
	net->flush.run = writer_flush_all;
	net->funeral.run = connection_end_all;
	net->goodbye.run = net_say_goodbye;
	list_init(&net->relief.link);
	net->relief.relieved = connection_relieve_all;
	for (int i = 0; i < CONN_LISTS; i++)
		list_init(&net->lists[i]);
	map_init(&net->hosts);
	return net;
}

static void close_at_once(struct connection *conn, void *argument)
{
	(void)argument;
	connection_close(conn, CONNECTION_AT_ONCE);
}

static void free_net(struct grave *grave)
{
	free((char *)grave - offsetof(struct net_shard, grave));
}

void net_shard_free(struct net_shard *net)
{
	if (!net)
		return;
	net->ending = true;
	net_shard_each(net, close_at_once, NULL);
	connection_end_all(&net->funeral, net->shard);
	connection_bury_all(net); /* the loop has ended, or does not know them any more */
	assert_always(net->count == 0);
	list_remove(&net->relief.link);
	for (int i = 0; i < NET_SLOTS; i++) {
		if (net->attachments[i])
			net->attachments[i]->free(net->attachments[i]);
	}
	map_deinit(&net->hosts);
	buf_deinit(&net->staging);
	free(net->receive);
	net->receive = NULL;
	net->grave.free = free_net;
	shard_bury(net->shard, &net->grave);
}

struct shard *net_shard_shard(const struct net_shard *net)
{
	return net->shard;
}

struct net_counters *net_shard_counters(struct net_shard *net)
{
	return &net->counters;
}

void net_shard_attach(struct net_shard *net, enum net_slot slot, struct net_attachment *attachment)
{
	assert_always(!net->attachments[slot]);
	net->attachments[slot] = attachment;
}

struct net_attachment *net_shard_attachment(const struct net_shard *net, enum net_slot slot)
{
	return net->attachments[slot];
}

size_t net_shard_count(const struct net_shard *net)
{
	return net->count;
}

static void say_goodbye(struct connection *conn, void *argument)
{
	(void)argument;
	/* It was accepted, so it is let in; its owner hears of the end when it hears of it. */
	if (conn->state == CONN_OPENING)
		return;
	if (connection_is_open(conn) && conn->ops->on_shutdown)
		conn->ops->on_shutdown(conn->owner, conn);
	else
		connection_close(conn, CONNECTION_AFTER_FLUSH);
}

void net_say_goodbye(struct tick_task *task, struct shard *here)
{
	(void)here;
	net_shard_each(LIST_OF(task, struct net_shard, goodbye), say_goodbye, NULL);
}

void net_shard_shutdown(struct net_shard *net)
{
	net->ending = true;
	net_shard_each(net, say_goodbye, NULL);
}

/* Who was asked goes to the end of the list, so that the next call finds others. */
void net_shard_shutdown_some(struct net_shard *net, size_t most)
{
	static const enum connection_state states[] = {CONN_OPEN, CONN_PRESSED};

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		struct list *head = &net->lists[states[i]];
		const struct list *last = head->prev;
		bool is_end = list_is_empty(head);
		for (; most > 0 && !is_end; most--) {
			struct list *link = head->next;
			is_end = link == last;
			list_remove(link);
			list_append(head, link);
			say_goodbye(LIST_OF(link, struct connection, link), NULL);
		}
	}
}

/* Lists change while they are walked, since visit may close connections (any of them): so each list is moved aside
 * whole and its members are put back one by one before they are visited. */
void net_shard_each(struct net_shard *net, void (*visit)(struct connection *, void *), void *argument)
{
	for (int state = 0; state < CONN_DYING; state++) {
		struct list aside;
		struct list *head = &net->lists[state];
		list_init(&aside);
		while (!list_is_empty(head)) {
			struct list *link = head->next;
			list_remove(link);
			list_append(&aside, link);
		}
		while (!list_is_empty(&aside)) {
			struct list *link = aside.next;
			list_remove(link);
			list_append(head, link);
			visit(LIST_OF(link, struct connection, link), argument);
		}
	}
}
