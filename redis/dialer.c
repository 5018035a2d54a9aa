#include "redis/dialer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/id.h"
#include "core/log.h"

static void connected(struct redis_wire *wire);
static void closed(struct redis_wire *wire, const char *why);
static void pushed(struct redis_wire *wire, const struct redisReply *reply);
static void refused(struct redis_wire *wire, const char *text);
static void timer_fire(struct timer *timer);

static struct redis_dialer *dialer_of(struct redis_wire *wire)
{
	return LIST_OF(wire, struct redis_dialer, wire);
}

void redis_dialer_init(struct redis_dialer *dialer, struct shard *shard, struct pool *pool,
		       const struct redis_node *node, struct redis_figures *figures, bool is_subscriber,
		       const struct redis_dialer_ops *ops)
{
	static const struct redis_wire_ops wire_ops = {connected, closed, pushed, refused};

	*dialer = (struct redis_dialer){.node = node,
					.pool = pool,
					.ops = ops,
					.is_subscriber = is_subscriber,
					.place = node->target.places[0]};
	redis_wire_init(&dialer->wire, shard, node, figures, &wire_ops);
	timer_init(&dialer->timer, timer_fire);
	dialer->handle = shard_handle_open(shard, dialer);
	/* Not all shards and nodes to the same sentinel. */
	dialer->sentinel = id_random_below(node->target.place_count);
}

void redis_dialer_deinit(struct redis_dialer *dialer)
{
	shard_handle_close(dialer->wire.shard, dialer->handle);
	timer_disarm(&dialer->timer);
	redis_wire_deinit(&dialer->wire);
	dialer->state = DIALER_IDLE;
}

/* ---- failing and trying again ---- */

static bool has_sentinels(const struct redis_dialer *dialer)
{
	return dialer->node->target.master[0] != 0;
}

/* The next pause: twice as long as the one before, less up to half of it by chance. */
static int64_t next_pause(struct redis_dialer *dialer)
{
	const struct redis_options *options = &dialer->node->options;
	int64_t pause = dialer->pause_ms ? dialer->pause_ms * 2 : options->retry_min_ms;

	if (pause > options->retry_max_ms)
		pause = options->retry_max_ms;
	dialer->pause_ms = pause;
	return pause - (int64_t)id_random_below((uint32_t)(pause / 2) + 1);
}

/* Ends the attempt or the connection, and tries again later. */
static void fail(struct redis_dialer *dialer, int error, const char *why)
{
	char line[REDIS_ERROR_SIZE + REDIS_HOST_MAX];
	char where[REDIS_HOST_MAX + 16];
	const struct redis_place *place = &dialer->place;

	if (dialer->asks_sentinel)
		place = &dialer->node->target.places[dialer->sentinel];
	redis_place_print(place, where, sizeof where);
	snprintf(line, sizeof line, "%s%s: %s", dialer->asks_sentinel ? "sentinel " : "", where, why);
	if (dialer->asks_sentinel)
		dialer->sentinel = (dialer->sentinel + 1) % dialer->node->target.place_count;
	counter_add(&dialer->wire.figures->failures, 1);
	dialer->address++; /* if the name has another one, that is next */
	dialer->state = DIALER_WAITING;
	shard_timer_after(dialer->wire.shard, &dialer->timer, next_pause(dialer));
	redis_wire_close(&dialer->wire, error);
	dialer->ops->down(dialer, line);
}

void redis_dialer_renew(struct redis_dialer *dialer, const char *why)
{
	if (dialer->state == DIALER_CONNECTED || dialer->state == DIALER_SIGNING)
		fail(dialer, -ECONNRESET, why);
}

/* ---- signing on ---- */

static void sign_answer(void *context, int error, const struct redisReply *reply)
{
	struct redis_dialer *dialer = context;
	char why[REDIS_ERROR_SIZE];

	if (dialer->state != DIALER_SIGNING)
		return; /* an answer before this one ended it */
	if (error == -EREMOTEIO) {
		snprintf(why, sizeof why, "it refuses us: %.200s", reply->str);
		fail(dialer, -ECONNRESET, why);
	} else if (error == 0 && --dialer->sign_left == 0) {
		timer_disarm(&dialer->timer);
		dialer->state = DIALER_CONNECTED;
		dialer->pause_ms = 0;
		dialer->address = 0;
		dialer->wire.is_subscriber = dialer->is_subscriber;
		counter_add(&dialer->wire.figures->connects, 1);
		dialer->ops->up(dialer);
	}
}

static void role_answer(void *context, int error, const struct redisReply *reply)
{
	struct redis_dialer *dialer = context;
	bool is_master = error == 0 && reply->type == REDIS_REPLY_ARRAY && reply->elements > 0 &&
			 reply->element[0]->type == REDIS_REPLY_STRING && !strcmp(reply->element[0]->str, "master");

	if (dialer->state == DIALER_SIGNING && error == 0 && !is_master)
		fail(dialer, -ECONNRESET, "it is not the master");
	else
		sign_answer(context, error, reply);
}

/* What a subscriber may do without: Redis answers an error, and nothing is lost. */
static void optional_answer(void *context, int error, const struct redisReply *reply)
{
	sign_answer(context, error == -EREMOTEIO ? 0 : error, reply);
}

static void sign(struct redis_dialer *dialer, const struct str *args, unsigned count, redis_answer *answer)
{
	if (redis_wire_send(&dialer->wire, args, count, answer, dialer) == 0)
		dialer->sign_left++;
}

static void sign_on(struct redis_dialer *dialer)
{
	const struct redis_target *target = &dialer->node->target;
	char name[64];
	char database[16];
	int name_len = snprintf(name, sizeof name, "liveshard-%s", dialer->node->origin);
	int database_len = snprintf(database, sizeof database, "%u", target->database);
	const struct str auth[] = {STR("AUTH"), str_of(target->user), str_of(target->password)};
	const struct str auth_default[] = {STR("AUTH"), str_of(target->password)};
	const struct str select[] = {STR("SELECT"), {database, (size_t)database_len}};
	const struct str set_name[] = {STR("CLIENT"), STR("SETNAME"), {name, (size_t)name_len}};
	const struct str role[] = {STR("ROLE")};
	const struct str exists[] = {STR("EXISTS"), str_of(dialer->node->options.prefix)};

	dialer->sign_left = 0;
	if (target->user[0])
		sign(dialer, auth, 3, sign_answer);
	else if (target->password[0])
		sign(dialer, auth_default, 2, sign_answer);
	if (target->database)
		sign(dialer, select, 2, sign_answer);
	sign(dialer, set_name, 3, optional_answer);
	if (has_sentinels(dialer))
		sign(dialer, role, 1, role_answer);
	if (!dialer->is_subscriber) {
		for (unsigned i = 0; i < dialer->node->script_count; i++) {
			const struct str load[] = {STR("SCRIPT"), STR("LOAD"), dialer->node->scripts[i]->text};
			sign(dialer, load, 3, sign_answer);
		}
	}
	/* The last: it is refused while Redis loads its data, or when it wants a password. */
	sign(dialer, exists, 2, sign_answer);
}

/* ---- the sentinels ---- */

static void look_up(struct redis_dialer *dialer, const struct redis_place *place);

static void sentinel_answer(void *context, int error, const struct redisReply *reply)
{
	struct redis_dialer *dialer = context;
	char why[REDIS_ERROR_SIZE];

	if (dialer->state != DIALER_ASKING || (error && error != -EREMOTEIO))
		return;
	if (error) {
		snprintf(why, sizeof why, "it refuses us: %.200s", reply->str);
		fail(dialer, -ECONNRESET, why);
		return;
	}
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || reply->element[0]->type != REDIS_REPLY_STRING ||
	    reply->element[1]->type != REDIS_REPLY_STRING || reply->element[0]->len > REDIS_HOST_MAX) {
		snprintf(why, sizeof why, "it knows no master '%.100s'", dialer->node->target.master);
		fail(dialer, -ECONNRESET, why);
		return;
	}
	snprintf(dialer->place.host, sizeof dialer->place.host, "%s", reply->element[0]->str);
	dialer->place.port = (unsigned)strtoul(reply->element[1]->str, NULL, 10);
	dialer->asks_sentinel = false;
	redis_wire_close(&dialer->wire, -ECONNRESET);
	look_up(dialer, &dialer->place);
}

static void ask_sentinel(struct redis_dialer *dialer)
{
	const struct str ask[] = {STR("SENTINEL"), STR("get-master-addr-by-name"), str_of(dialer->node->target.master)};

	if (redis_wire_send(&dialer->wire, ask, 3, sentinel_answer, dialer) < 0)
		fail(dialer, -ECONNRESET, "its connection is full");
}

/* ---- connecting ---- */

static void looked_up(void *asker, const struct redis_addresses *addresses, const char *error)
{
	struct redis_dialer *dialer = asker;

	if (dialer->state != DIALER_LOOKING)
		return; /* the deadline was sooner */
	if (error) {
		fail(dialer, -ECONNRESET, error);
		return;
	}
	unsigned which = dialer->address % addresses->count;
	dialer->state = dialer->asks_sentinel ? DIALER_ASKING : DIALER_SIGNING;
	dialer->wire.is_subscriber = false;
	int rc = redis_wire_open(&dialer->wire, &addresses->list[which].any, addresses->sizes[which]);
	if (rc < 0)
		fail(dialer, -ECONNRESET, strerror(-rc));
}

static void look_up(struct redis_dialer *dialer, const struct redis_place *place)
{
	dialer->state = DIALER_LOOKING;
	shard_timer_after(dialer->wire.shard, &dialer->timer, dialer->node->options.connect_ms);
	redis_lookup(dialer->wire.shard, dialer->pool, place, dialer->handle, looked_up);
}

void redis_dialer_start(struct redis_dialer *dialer)
{
	dialer->asks_sentinel = has_sentinels(dialer);
	look_up(dialer, dialer->asks_sentinel ? &dialer->node->target.places[dialer->sentinel] : &dialer->place);
}

static void timer_fire(struct timer *timer)
{
	struct redis_dialer *dialer = LIST_OF(timer, struct redis_dialer, timer);

	if (dialer->state == DIALER_WAITING)
		redis_dialer_start(dialer);
	else if (dialer->state != DIALER_IDLE && dialer->state != DIALER_CONNECTED)
		fail(dialer, -ETIMEDOUT,
		     dialer->state == DIALER_LOOKING ? "its name is not found in time" : "it does not answer");
}

/* ---- what the wire says ---- */

static void connected(struct redis_wire *wire)
{
	struct redis_dialer *dialer = dialer_of(wire);

	if (dialer->state == DIALER_ASKING)
		ask_sentinel(dialer);
	else
		sign_on(dialer);
}

static void closed(struct redis_wire *wire, const char *why)
{
	struct redis_dialer *dialer = dialer_of(wire);

	if (dialer->state != DIALER_WAITING && dialer->state != DIALER_IDLE)
		fail(dialer, -ECONNRESET, why);
}

static void pushed(struct redis_wire *wire, const struct redisReply *reply)
{
	struct redis_dialer *dialer = dialer_of(wire);

	if (dialer->state == DIALER_CONNECTED)
		dialer->ops->pushed(dialer, reply);
}

static void refused(struct redis_wire *wire, const char *text)
{
	struct redis_dialer *dialer = dialer_of(wire);

	if (dialer->state == DIALER_CONNECTED)
		dialer->ops->refused(dialer, text);
}
