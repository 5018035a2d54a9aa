/*
 * mailbox - how one shard speaks to another.
 *
 * Any thread posts; only the owning shard takes. Mail of one sender arrives in the order it was posted. The post that
 * finds the box empty rings the owner's eventfd; no other post makes a system call. It is a stack that a chain is
 * pushed onto with one compare-and-swap and that the owner takes whole with one exchange and reverses: that same
 * operation tells whether the box was empty, so a wake-up is never lost nor doubled.
 */
#ifndef SHARD_MAILBOX_H
#define SHARD_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

struct mailbox;
struct shard;

struct mail {              /* embed it in what you send: posting then cannot fail */
	struct mail *next; /* the mailbox's while posted */
	uint32_t from;     /* the shard's: who sent it, so that mail in flight can be counted */
	/* [mail] Called on the receiver, which from then on owns self (and frees it, if it was allocated). */
	void (*deliver)(struct mail *self, struct shard *here);
	/* [mail] Instead of deliver, when the receiver ends before delivery: frees self. NULL when nothing is to be
	 * done. */
	void (*discard)(struct mail *self);
};

/* An empty box with an eventfd. NULL with errno when there is no descriptor. [start] */
struct mailbox *mailbox_new(void);
/* Discards what was not taken. NULL is fine. [start] */
void mailbox_free(struct mailbox *box);
/* [any] Posts the chain first..last (non-NULL, linked by next, oldest first). Gives it away. Never blocks. Returns
 * whether the box was empty, and the eventfd therefore written. */
bool mailbox_post(struct mailbox *box, struct mail *first, struct mail *last);
/* [shard] Takes all that was posted, oldest first, or NULL; *newest (may be NULL) gets the chain's end. The caller owns
 * the chain. */
struct mail *mailbox_take(struct mailbox *box, struct mail **newest);
/* [shard] The descriptor that becomes readable when the box is no longer empty. */
int mailbox_fd(const struct mailbox *box);
/* [shard] Silences the descriptor. Call it before mailbox_take, never after: a post in between must ring again. */
void mailbox_hush(struct mailbox *box);

#endif
