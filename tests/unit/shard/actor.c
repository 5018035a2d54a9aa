#include "unit/shard/actor.h"

#include <check.h>
#include <string.h>

/* What happened, a letter each. */
static char diary[256];

void diary_note(char letter)
{
	size_t len = strlen(diary);
	ck_assert_uint_lt(len, sizeof diary - 1);
	diary[len] = letter;
	diary[len + 1] = '\0';
}

void diary_assert(const char *expected)
{
	ck_assert_str_eq(diary, expected);
	diary[0] = '\0';
}

static void act(struct actor *actor, struct shard *here)
{
	ck_assert_ptr_eq(shard_here(), here);
	diary_note(actor->letter);
	if (actor->then)
		actor->then(here);
}

static void actor_deliver(struct mail *mail, struct shard *here)
{
	act(LIST_OF(mail, struct actor, mail), here);
}

static void actor_discard(struct mail *mail)
{
	diary_note((char)(LIST_OF(mail, struct actor, mail)->letter + 'A' - 'a'));
}

static void actor_run(struct tick_task *task, struct shard *here)
{
	act(LIST_OF(task, struct actor, task), here);
}

static void actor_fire(struct timer *timer)
{
	act(LIST_OF(timer, struct actor, timer), shard_here());
}

static void actor_relieved(struct relief *relief, struct shard *here)
{
	act(LIST_OF(relief, struct actor, relief), here);
}

void actor_free(struct grave *grave)
{
	diary_note(LIST_OF(grave, struct actor, grave)->letter);
}

void actor_init(struct actor *actor, char letter, void (*then)(struct shard *here))
{
	*actor = (struct actor){.letter = letter, .then = then};
	actor->mail.deliver = actor_deliver;
	actor->mail.discard = actor_discard;
	actor->task.run = actor_run;
	actor->grave.free = actor_free;
	actor->relief.relieved = actor_relieved;
	list_init(&actor->relief.link);
	timer_init(&actor->timer, actor_fire);
}

struct shard_group *actor_group_new(unsigned mail_budget)
{
	struct shard_options options = {.count = 2, .mailbox_depth = 4, .mail_budget = mail_budget, .manual = true};
	struct shard_group *group;
	ck_assert_int_eq(shard_group_new(&group, &options), 0);
	return group;
}
