/* Mail between shards: posting, delivering, and not letting one shard drown another. */
#include "shard/shard.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"
#include "shard/shard_private.h"

/* How often a pressed shard that has nothing else to do looks whether it still is: nobody tells it. */
enum { LOOK_EVERY_MS = 2 };

static void mail_queue_append(struct mail_queue *queue, struct mail *first, struct mail *last)
{
	last->next = NULL;
	if (queue->last)
		queue->last->next = first;
	else
		queue->first = first;
	queue->last = last;
}

/* The oldest, taken out, or NULL. */
static struct mail *mail_queue_take(struct mail_queue *queue)
{
	struct mail *mail = queue->first;
	if (!mail)
		return NULL;
	queue->first = mail->next;
	if (!queue->first)
		queue->last = NULL;
	return mail;
}

static void look_again(struct timer *timer)
{
	(void)timer; /* It woke the shard, whose tick looks. */
}

void shard_mail_init(struct shard *shard)
{
	size_t count = shard->group->options.count;
	shard->lanes = mem_alloc(count * sizeof *shard->lanes);
	shard->leaving = mem_alloc(count * sizeof *shard->leaving);
	shard->sent = padded_alloc(count * sizeof *shard->sent);
	shard->delivered = padded_alloc(count * sizeof *shard->delivered);
	list_init(&shard->waiting);
	timer_init(&shard->look, look_again);
}

void shard_mail_deinit(struct shard *shard)
{
	free(shard->lanes);
	free(shard->leaving);
	free(shard->sent);
	free(shard->delivered);
}

/* ---- pressure ---- */

static uint64_t in_flight(struct shard *here, unsigned to)
{
	struct lane *lane = &here->lanes[to];
	lane->seen_delivered = counter_read(&here->group->shards[to]->delivered[here->index]);
	return counter_read(&here->sent[to]) - lane->seen_delivered;
}

/* After one more was sent: presses the lane when too much is in flight. */
static void press(struct shard *here, unsigned to)
{
	struct lane *lane = &here->lanes[to];
	uint64_t depth = here->group->options.mailbox_depth;
	/* The last look is good enough until it says "too much": the receiver writes that cache line all the time. */
	if (lane->pressed || counter_read(&here->sent[to]) - lane->seen_delivered <= depth ||
	    in_flight(here, to) <= depth)
		return;
	lane->pressed = true;
	if (here->pressed_count++ == 0)
		counter_add(&here->counters.pressed, 1);
}

static void release_lanes(struct shard *here)
{
	uint64_t half = here->group->options.mailbox_depth / 2;
	for (unsigned to = 0; to < here->group->options.count; to++) {
		if (!here->lanes[to].pressed)
			continue;
		uint64_t left = in_flight(here, to);
		if (left == 0 || left < half) {
			here->lanes[to].pressed = false;
			here->pressed_count--;
		}
	}
}

unsigned shard_relieve(struct shard *shard)
{
	if (shard->pressed_count > 0)
		release_lanes(shard);
	if (list_is_empty(&shard->waiting))
		return 0;

	/* Those who ask again while being called wait behind a mark, for the next tick. */
	struct list mark;
	unsigned called = 0;
	list_append(&shard->waiting, &mark);
	while (shard->pressed_count == 0 && shard->waiting.next != &mark) {
		struct relief *relief = LIST_OF(shard->waiting.next, struct relief, link);
		list_remove(&relief->link);
		relief->relieved(relief, shard);
		called++;
	}
	list_remove(&mark);
	return called;
}

bool shard_is_pressed(const struct shard *here)
{
	shard_assert_here(here);
	return here->pressed_count > 0;
}

void shard_await_relief(struct shard *here, struct relief *relief)
{
	shard_assert_here(here);
	list_remove(&relief->link);
	list_append(&here->waiting, &relief->link);
}

/* ---- posting ---- */

void shard_post(struct shard *here, unsigned to, struct mail *mail)
{
	shard_assert_here(here);
	debug_assert(to < here->group->options.count);
	mail->from = here->index;
	counter_add(&here->sent[to], 1);
	press(here, to);
	if (to == here->index) {
		mail_queue_append(&here->arrived, mail, mail);
		return;
	}
	counter_add(&here->counters.mail_sent, 1);
	struct lane *lane = &here->lanes[to];
	if (!lane->leaving.first)
		here->leaving[here->leaving_count++] = to;
	mail_queue_append(&lane->leaving, mail, mail);
}

void shard_post_outside(struct shard *to, struct mail *mail)
{
	mail->from = FROM_OUTSIDE;
	mailbox_post(to->box, mail, mail);
}

void shard_post_any(struct shard_group *group, unsigned to, struct mail *mail)
{
	struct shard *here = shard_here();

	if (here && shard_group_of(here) == group)
		shard_post(here, to, mail);
	else
		shard_post_outside(shard_group_at(group, to), mail);
}

unsigned shard_post_leaving(struct shard *shard)
{
	unsigned chains = shard->leaving_count;
	for (unsigned i = 0; i < chains; i++) {
		unsigned to = shard->leaving[i];
		struct mail_queue chain = shard->lanes[to].leaving;
		shard->lanes[to].leaving = (struct mail_queue){NULL, NULL};
		if (mailbox_post(shard->group->shards[to]->box, chain.first, chain.last))
			counter_add(&shard->counters.wakeups, 1);
	}
	shard->leaving_count = 0;
	/* Whoever is pressed must look again by itself: the receiver does not know of it. */
	if (shard->pressed_count > 0 && !timer_is_armed(&shard->look))
		shard_timer_after(shard, &shard->look, LOOK_EVERY_MS);
	return chains;
}

/* ---- delivering ---- */

void shard_on_mailbox(int fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct shard *shard = argument;
	mailbox_hush(shard->box);
	struct mail *newest;
	struct mail *oldest = mailbox_take(shard->box, &newest);
	if (oldest)
		mail_queue_append(&shard->arrived, oldest, newest);
}

unsigned shard_deliver(struct shard *shard)
{
	unsigned count = 0;
	while (shard->mail_left > 0 && shard->arrived.first) {
		struct mail *mail = mail_queue_take(&shard->arrived);
		uint32_t from = mail->from;
		mail->deliver(mail, shard); /* and mail is gone */
		if (from != FROM_OUTSIDE)
			counter_add(&shard->delivered[from], 1);
		shard->mail_left--;
		count++;
	}
	counter_add(&shard->counters.mail_delivered, count);
	return count;
}

static unsigned discard_queue(struct mail_queue *queue)
{
	unsigned count = 0;
	for (struct mail *mail; (mail = mail_queue_take(queue)) != NULL; count++) {
		if (mail->discard)
			mail->discard(mail);
	}
	return count;
}

unsigned shard_discard_mail(struct shard *shard)
{
	struct mail_queue boxed = {NULL, NULL};
	boxed.first = mailbox_take(shard->box, &boxed.last);
	unsigned count = discard_queue(&shard->arrived) + discard_queue(&boxed);
	for (unsigned to = 0; to < shard->group->options.count; to++)
		count += discard_queue(&shard->lanes[to].leaving);
	shard->leaving_count = 0;
	return count;
}

/* ---- figures ---- */

uint64_t shard_mail_in_flight(const struct shard_group *group, unsigned from, unsigned to)
{
	debug_assert(from < group->options.count && to < group->options.count);
	uint64_t delivered = counter_read(&group->shards[to]->delivered[from]);
	uint64_t sent = counter_read(&group->shards[from]->sent[to]);
	/* A third thread may see the two in any order. */
	return sent > delivered ? sent - delivered : 0;
}
