/* What others ask of the debugger: its events and a snapshot, as values. */
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "server/debug/debug_private.h"

enum { DEEPEST = 512 };

enum ask_kind { ASK_EVENTS, ASK_SNAPSHOT, ASK_CLEAR };

struct ask {
	struct mail mail;
	struct debug_question question;
	struct debug_hub *hub;
	enum ask_kind kind;
	debug_answer_fn *answer;
	void *context;
	unsigned limit;
	bool has_type;
	enum debug_type type;
	char component_id[]; /* NUL-terminated; empty: any */
};

static bool passes(const struct ask *ask, const struct kept_event *kept)
{
	return (!*ask->component_id || !strcmp(ask->component_id, kept->component_id)) &&
	       (!ask->has_type || ask->type == kept->type);
}

/* The number of the first of the last limit events that pass. */
static uint64_t first_wanted(const struct ask *ask)
{
	const struct debug_hub *hub = ask->hub;
	uint64_t number = counter_read(&hub->last);

	for (unsigned found = 0; number > hub->first; number--)
		if (passes(ask, debug_hub_kept(hub, number)) && ++found == ask->limit)
			return number;
	return hub->first + 1;
}

static const live_value *parse(struct str text)
{
	const live_value *value = NULL;

	if (json_parse(&value, text, &(struct json_limits){.max_depth = DEEPEST}, NULL) < 0)
		return NULL;
	return value;
}

static const live_value *wanted_events(const struct ask *ask)
{
	const struct debug_hub *hub = ask->hub;
	const live_value *all = live_array(0, NULL);

	for (uint64_t number = first_wanted(ask); number <= counter_read(&hub->last); number++) {
		const struct kept_event *kept = debug_hub_kept(hub, number);
		if (!passes(ask, kept))
			continue;
		const live_value *event = parse((struct str){frame_bytes(kept->message).ptr + kept->start, kept->len});
		if (!event)
			continue; /* nested deeper than values are read */
		const live_value *more = live_append(all, event);
		live_value_unref(all);
		all = more;
	}
	return all;
}

static void give(struct ask *ask, const live_value *answer)
{
	ask->answer(ask->context, answer);
	live_value_unref(answer);
	free(ask);
}

static void give_snapshot(struct debug_question *question, struct shard *here, struct str snapshot)
{
	(void)here;
	give(LIST_OF(question, struct ask, question), snapshot.ptr ? parse(snapshot) : NULL);
}

static void deliver_ask(struct mail *mail, struct shard *here)
{
	struct ask *ask = LIST_OF(mail, struct ask, mail);

	switch (ask->kind) {
	case ASK_EVENTS: give(ask, wanted_events(ask)); break;
	case ASK_SNAPSHOT: debug_snapshot_ask(ask->hub, here, &ask->question); break;
	case ASK_CLEAR:
		debug_hub_clear(ask->hub);
		free(ask);
		break;
	}
}

static void discard_ask(struct mail *mail)
{
	struct ask *ask = LIST_OF(mail, struct ask, mail);

	if (ask->answer)
		ask->answer(ask->context, NULL);
	free(ask);
}

static struct ask *new_ask(struct debug_hub *hub, enum ask_kind kind, const char *component_id)
{
	size_t len = component_id ? strlen(component_id) : 0;
	struct ask *ask = mem_alloc(sizeof *ask + len + 1);

	ask->mail.deliver = deliver_ask;
	ask->mail.discard = discard_ask;
	ask->question.done = give_snapshot;
	ask->hub = hub;
	ask->kind = kind;
	if (len)
		memcpy(ask->component_id, component_id, len);
	return ask;
}

void debug_get_events(struct debug_hub *hub, const struct debug_filter *filter, debug_answer_fn *answer, void *context)
{
	struct ask *ask = new_ask(hub, ASK_EVENTS, filter->component_id);

	ask->answer = answer;
	ask->context = context;
	ask->limit = filter->limit ? filter->limit : DEBUG_REPLAYED;
	ask->has_type = filter->type != NULL;
	ask->type = DEBUG_TYPES; /* none is of it */
	for (int type = 0; filter->type && type < DEBUG_TYPES; type++)
		if (!strcmp(filter->type, debug_type_name((enum debug_type)type).ptr))
			ask->type = (enum debug_type)type;
	shard_post_any(hub->group, DEBUG_OWNER, &ask->mail);
}

void debug_get_snapshot(struct debug_hub *hub, debug_answer_fn *answer, void *context)
{
	struct ask *ask = new_ask(hub, ASK_SNAPSHOT, NULL);

	ask->answer = answer;
	ask->context = context;
	shard_post_any(hub->group, DEBUG_OWNER, &ask->mail);
}

void debug_clear(struct debug_hub *hub)
{
	shard_post_any(hub->group, DEBUG_OWNER, &new_ask(hub, ASK_CLEAR, NULL)->mail);
}
