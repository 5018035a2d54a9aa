#include "server/embed/errand.h"

#include <stdlib.h>

#include "core/list.h"
#include "core/mem.h"
#include "server/embed/embed_private.h"

struct errand {
	live_server *server;
	struct errand_plan plan;
	unsigned count;
	_Atomic unsigned missing; /* legs not ended; who takes it to 0 sees what all others wrote (acquire, release) */
	struct errand_leg legs[];
};

const struct errand_plan *errand_plan(const struct errand_leg *leg)
{
	return &leg->errand->plan;
}

const live_value *errand_value(const struct errand_leg *leg, const char *key)
{
	return live_get(leg->errand->plan.argument, key);
}

struct str errand_text(const struct errand_leg *leg, const char *key)
{
	const live_value *value = errand_value(leg, key);
	const char *text = live_as_string(value);

	return (struct str){text, text ? live_len(value) : 0};
}

/* ---- the answer ---- */

static const char *first_error(const struct errand *errand)
{
	for (unsigned i = 0; i < errand->count; i++)
		if (errand->legs[i].error)
			return errand->legs[i].error;
	return NULL;
}

/* A new reference, or NULL: no leg has anything to say. */
static const live_value *join(const struct errand *errand)
{
	const live_value **parts = mem_alloc(errand->count * sizeof *parts);
	const live_value *result = NULL;
	const live_value *first = NULL;

	for (unsigned i = 0; i < errand->count; i++) {
		parts[i] = errand->legs[i].part;
		if (!first)
			first = parts[i];
	}
	if (errand->plan.join)
		result = errand->plan.join(parts, errand->count);
	else if (first)
		result = live_value_ref(first);
	free(parts);
	return result ? result : live_value_ref(errand->plan.nothing);
}

static void tell(const struct errand *errand)
{
	const char *error = first_error(errand);
	const live_value *result = error ? NULL : join(errand);

	if (!error && !result)
		error = errand->plan.missing;
	if (errand->plan.done)
		errand->plan.done(errand->plan.context, error, result);
	live_value_unref(result);
}

static void drop_plan(const struct errand_plan *plan)
{
	live_value_unref(plan->nothing);
	live_value_unref(plan->argument);
	live_auth_unref(plan->auth);
}

static void finish(struct errand *errand)
{
	tell(errand);
	for (unsigned i = 0; i < errand->count; i++) {
		live_value_unref(errand->legs[i].part);
		free(errand->legs[i].error);
	}
	drop_plan(&errand->plan);
	free(errand);
}

void errand_end(struct errand_leg *leg, const char *error, const live_value *part)
{
	struct errand *errand = leg->errand;

	list_remove(&leg->link); /* held ones end on their shard */
	leg->part = part;
	leg->error = error ? mem_strndup(error, strlen(error)) : NULL;
	if (atomic_fetch_sub_explicit(&errand->missing, 1, memory_order_acq_rel) == 1)
		finish(errand);
}

void errand_hold(struct errand_leg *leg, struct server_shard *here)
{
	list_append(&here->legs, &leg->link);
}

void errands_end(struct server_shard *here)
{
	while (!list_is_empty(&here->legs)) {
		struct errand_leg *leg = LIST_OF(here->legs.next, struct errand_leg, link);
		rooms_forget_answers(here->components->rooms, leg);
		errand_end(leg, ERRAND_ENDED, NULL);
	}
}

/* ---- the way ---- */

static void deliver(struct mail *mail, struct shard *shard)
{
	struct errand_leg *leg = LIST_OF(mail, struct errand_leg, mail);
	struct server_shard *here = server_shard_of(shard);

	if (here)
		leg->errand->plan.visit(leg, here);
	else
		errand_end(leg, ERRAND_ENDED, NULL);
}

static void discard(struct mail *mail)
{
	errand_end(LIST_OF(mail, struct errand_leg, mail), ERRAND_ENDED, NULL);
}

static struct errand *errand_new(live_server *server, const struct errand_plan *plan, unsigned count)
{
	struct errand *errand = mem_alloc(sizeof *errand + count * sizeof errand->legs[0]);

	errand->server = server;
	errand->plan = *plan;
	errand->count = count;
	atomic_init(&errand->missing, count);
	for (unsigned i = 0; i < count; i++) {
		errand->legs[i].mail.deliver = deliver;
		errand->legs[i].mail.discard = discard;
		errand->legs[i].errand = errand;
		list_init(&errand->legs[i].link);
	}
	return errand;
}

/* A server that does not run has nobody who could answer. */
static bool refuse(const live_server *server, const struct errand_plan *plan)
{
	if (live_server_is_running(server))
		return false;
	if (plan->done)
		plan->done(plan->context, ERRAND_ENDED, NULL);
	drop_plan(plan);
	return true;
}

void errand_send(live_server *server, const struct errand_plan *plan)
{
	if (refuse(server, plan))
		return;
	unsigned count = live_server_shard_count(server);
	struct errand *errand = errand_new(server, plan, count);

	/* It may be over before the last one is posted; a leg that was not posted keeps it alive until then. */
	for (unsigned i = 0; i < count; i++)
		shard_post_any(server->server->group, i, &errand->legs[i].mail);
}

void errand_send_to(live_server *server, unsigned shard, const struct errand_plan *plan)
{
	if (!refuse(server, plan))
		shard_post_any(server->server->group, shard, &errand_new(server, plan, 1)->legs[0].mail);
}

/* ---- lists ---- */

void errand_list_add(struct errand_list *list, const live_value *item)
{
	if ((list->count & (list->count - 1)) == 0)
		list->items = mem_realloc(list->items, (list->count ? 2 * list->count : 1) * sizeof *list->items);
	list->items[list->count++] = item;
}

const live_value *errand_list_end(struct errand_list *list)
{
	const live_value *array = live_array(list->count, list->items);

	free(list->items);
	*list = (struct errand_list){0};
	return array;
}

const live_value *errand_join_lists(const live_value *const *parts, unsigned count)
{
	struct errand_list all = {0};

	for (unsigned i = 0; i < count; i++)
		for (live_iter it = {0}; live_next(parts[i], &it);)
			errand_list_add(&all, live_value_ref(it.value));
	return errand_list_end(&all);
}
