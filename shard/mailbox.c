#include "shard/mailbox.h"

#include <errno.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/assert.h"
#include "shard/padded.h"

struct mailbox {
	/*
	 * The newest mail, linked back to the oldest; NULL when empty. Written by any thread (a push, with release) and
	 * by the owner (a take, with acquire); the pair carries what was written into the mail. A push onto another one
	 * keeps that one's release alive, since both are read-modify-write. Padded: all senders write here, nobody else
	 * should pay.
	 */
	alignas(CACHE_LINE) _Atomic(struct mail *) newest;
	alignas(CACHE_LINE) int eventfd; /* constant after the start */
};

struct mailbox *mailbox_new(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0)
		return NULL;

	struct mailbox *box = padded_alloc(sizeof *box);
	atomic_init(&box->newest, NULL);
	box->eventfd = fd;
	return box;
}

void mailbox_free(struct mailbox *box)
{
	if (!box)
		return;
	struct mail *mail = mailbox_take(box, NULL);
	while (mail) {
		struct mail *next = mail->next;
		if (mail->discard)
			mail->discard(mail);
		mail = next;
	}
	close(box->eventfd);
	free(box);
}

/* Turns the chain that starts at first round; returns its new start. */
static struct mail *chain_reverse(struct mail *first)
{
	struct mail *reversed = NULL;
	while (first) {
		struct mail *next = first->next;
		first->next = reversed;
		reversed = first;
		first = next;
	}
	return reversed;
}

static void ring(struct mailbox *box)
{
	uint64_t one = 1;
	ssize_t written = write(box->eventfd, &one, sizeof one);
	/* It could fail only if the count, which each hush sets to 0, reached 2^64 - 1. */
	assert_always(written == sizeof one);
}

bool mailbox_post(struct mailbox *box, struct mail *first, struct mail *last)
{
	/* Newest first, as the whole stack is: the owner then reverses all of it at once, and sees each chain in order.
	 */
	last->next = NULL;
	chain_reverse(first);

	struct mail *top = atomic_load_explicit(&box->newest, memory_order_relaxed);
	do {
		first->next = top;
	} while (!atomic_compare_exchange_weak_explicit(&box->newest, &top, last, memory_order_release,
							memory_order_relaxed));
	/* From here on the mail is the owner's; top is only compared, never followed. */
	if (top)
		return false;
	ring(box);
	return true;
}

struct mail *mailbox_take(struct mailbox *box, struct mail **newest)
{
	/* The owner looks often and mostly finds nothing: a load leaves the cache line shared. */
	struct mail *top = atomic_load_explicit(&box->newest, memory_order_relaxed);
	if (top)
		top = atomic_exchange_explicit(&box->newest, NULL, memory_order_acquire);
	if (newest)
		*newest = top;
	return chain_reverse(top);
}

int mailbox_fd(const struct mailbox *box)
{
	return box->eventfd;
}

void mailbox_hush(struct mailbox *box)
{
	uint64_t rings;
	ssize_t got = read(box->eventfd, &rings, sizeof rings);
	assert_always(got == sizeof rings || errno == EAGAIN);
}
