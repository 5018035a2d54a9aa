#include <poll.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "server/component/cluster_shard.h"
#include "server/drain.h"
#include "server/embed/socket.h"
#include "server/server_private.h"

/* Clients are sent away in turns this far apart: close enough that nobody sees the steps, rare enough to cost nothing.
 */
enum { TURN_MS = 20, THOUSAND = 1000 };

/* ---- on a shard ---- */

struct drain {
	struct timer timer;
	struct server_shard *here;
	int64_t until_ms;
	uint64_t owed; /* thousandths of a client that should be gone by now: few clients are less than one a turn */
};

static void send_some(struct timer *timer)
{
	struct drain *drain = LIST_OF(timer, struct drain, timer);
	struct net_shard *net = drain->here->net;
	int64_t left_ms = drain->until_ms - shard_clock(drain->here->shard)->mono_ms;

	if (left_ms <= 0) {
		net_shard_shutdown(net);
		sockets_send_away(drain->here);
		return;
	}
	int64_t turn_ms = left_ms < TURN_MS ? left_ms : TURN_MS;
	drain->owed += net_shard_count(net) * THOUSAND * (uint64_t)turn_ms / (uint64_t)left_ms;
	net_shard_shutdown_some(net, drain->owed / THOUSAND);
	drain->owed %= THOUSAND;
	shard_timer_after(drain->here->shard, &drain->timer, turn_ms);
}

struct order { /* to a shard: send your clients away */
	struct mail mail;
	struct server *server;
	int64_t until_ms;
};

static void discard_order(struct mail *mail)
{
	struct order *order = LIST_OF(mail, struct order, mail);

	atomic_fetch_sub_explicit(&order->server->drain.orders, 1, memory_order_release);
	free(order);
}

static void begin_window(struct mail *mail, struct shard *shard)
{
	struct order *order = LIST_OF(mail, struct order, mail);
	struct server_shard *here = server_shard_of(shard);

	if (here && here->components->cluster)
		cluster_hand_over(here->components->cluster);
	if (here && !here->drain) {
		here->drain = mem_alloc(sizeof *here->drain);
		here->drain->here = here;
		here->drain->until_ms = order->until_ms;
		timer_init(&here->drain->timer, send_some);
		send_some(&here->drain->timer);
	}
	discard_order(mail);
}

void drain_free(struct drain *drain)
{
	if (!drain)
		return;
	timer_disarm(&drain->timer);
	free(drain);
}

/* ---- on the main thread ---- */

/* Whether nobody is here any more. What was accepted last is on its way to its shard before our order, so a shard that
 * has its order counts all that it ever gets. */
static bool is_empty(const struct server *server)
{
	uint64_t count = atomic_load_explicit(&server->drain.orders, memory_order_acquire);

	for (unsigned i = 0; i < shard_group_count(server->group); i++)
		count += counter_read(&shard_counters(shard_group_at(server->group, i))->load);
	return count == 0;
}

static void open_window(struct server *server)
{
	struct drain_plan *plan = &server->drain;

	if (server->transport.shutdown)
		server->transport.shutdown(server->transport.argument);
	plan->phase = DRAIN_WINDOW;
	plan->until_ms = clock_now_mono_ms() + plan->window_ms;
	atomic_store_explicit(&plan->orders, shard_group_count(server->group), memory_order_relaxed);
	for (unsigned i = 0; i < shard_group_count(server->group); i++) {
		struct order *order = mem_alloc(sizeof *order);
		order->mail.deliver = begin_window;
		order->mail.discard = discard_order;
		order->server = server;
		order->until_ms = plan->until_ms;
		shard_post_outside(shard_group_at(server->group, i), &order->mail);
	}
}

void drain_begin(struct server *server, int64_t delay_ms, int64_t window_ms)
{
	atomic_store_explicit(&server->is_ready, false, memory_order_relaxed);
	server->drain.phase = DRAIN_DELAY;
	server->drain.until_ms = clock_now_mono_ms() + delay_ms;
	server->drain.window_ms = window_ms;
	if (delay_ms == 0)
		open_window(server);
}

bool drain_step(struct server *server)
{
	struct drain_plan *plan = &server->drain;
	bool is_late = clock_now_mono_ms() >= plan->until_ms;

	switch (plan->phase) {
	case DRAIN_DELAY:
		if (is_late)
			open_window(server);
		break;
	case DRAIN_WINDOW:
		if (is_late || is_empty(server)) {
			plan->phase = DRAIN_GOODBYE;
			plan->until_ms = clock_now_mono_ms() + server->config->shutdown_ms;
		}
		break;
	case DRAIN_GOODBYE:
		if (is_late || is_empty(server))
			plan->phase = DRAIN_OVER;
		break;
	case DRAIN_NOT:
	case DRAIN_OVER: break;
	}
	return plan->phase == DRAIN_OVER;
}

void server_stop(struct server *server)
{
	if (!server->is_started)
		return;
	server->is_started = false;
	if (server->drain.phase == DRAIN_NOT)
		drain_begin(server, 0, 0);
	while (!drain_step(server))
		poll(NULL, 0, 5);
	shard_group_stop(server->group);
}

void server_leave(struct server *server, bool has_successor)
{
	const struct config *c = server->config;

	if (!server->is_started || server->drain.phase != DRAIN_NOT)
		return;
	if (has_successor && server->acceptor)
		acceptor_keep_files(server->acceptor);
	drain_begin(server, has_successor ? 0 : c->drain_delay_ms, c->drain_window_ms);
}

bool server_has_left(struct server *server)
{
	return !server->is_started || drain_step(server);
}

void server_hurry(struct server *server)
{
	server->drain.phase = DRAIN_OVER;
}

int64_t server_leave_ms(const struct server *server)
{
	const struct config *c = server->config;

	return c->drain_delay_ms + c->drain_window_ms + c->shutdown_ms;
}

int64_t server_longest_tick_ms(const struct server *server)
{
	int64_t longest = 0, now = clock_now_mono_ns();

	for (unsigned i = 0; i < shard_group_count(server->group); i++) {
		int64_t began = shard_tick_began_ns(shard_group_at(server->group, i));
		if (began && now - began > longest)
			longest = now - began;
	}
	return longest / 1000000;
}
