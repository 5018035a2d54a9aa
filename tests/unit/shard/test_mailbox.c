#include "shard/mailbox.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/mem.h"
#include "unit/shard/shard_test.h"

struct letter {
	struct mail mail;
	unsigned sender;
	unsigned number;
};

static unsigned discarded;

static void discard_letter(struct mail *mail)
{
	discarded++;
	free(mail);
}

static struct letter *letter_new(unsigned sender, unsigned number)
{
	struct letter *letter = mem_alloc(sizeof *letter);
	letter->mail.discard = discard_letter;
	letter->sender = sender;
	letter->number = number;
	return letter;
}

/* Posts length letters as one chain, numbered from first. */
static bool post_chain(struct mailbox *box, unsigned sender, unsigned first, unsigned length)
{
	struct mail *oldest = &letter_new(sender, first)->mail;
	struct mail *newest = oldest;
	for (unsigned i = 1; i < length; i++) {
		newest->next = &letter_new(sender, first + i)->mail;
		newest = newest->next;
	}
	return mailbox_post(box, oldest, newest);
}

static bool is_readable(const struct mailbox *box)
{
	struct pollfd poll_fd = {.fd = mailbox_fd(box), .events = POLLIN};
	return poll(&poll_fd, 1, 0) == 1;
}

START_TEST(chains_come_out_oldest_first)
{
	struct mailbox *box = mailbox_new();
	unsigned lengths[] = {1, 3, 1, 1, 5, 2};
	unsigned total = 0;
	for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		post_chain(box, 0, total, lengths[i]);
		total += lengths[i];
	}

	struct mail *newest;
	struct mail *mail = mailbox_take(box, &newest);
	for (unsigned i = 0; i < total; i++) {
		ck_assert_uint_eq(((struct letter *)mail)->number, i);
		ck_assert((mail == newest) == (i == total - 1));
		struct mail *next = mail->next;
		free(mail);
		mail = next;
	}
	ck_assert_ptr_null(mail);
	ck_assert_ptr_null(mailbox_take(box, &newest));
	ck_assert_ptr_null(newest);
	mailbox_free(box);
}
END_TEST

START_TEST(only_the_post_into_an_empty_box_rings)
{
	struct mailbox *box = mailbox_new();
	ck_assert(!is_readable(box));
	ck_assert(post_chain(box, 0, 0, 2));
	ck_assert(is_readable(box));
	ck_assert(!post_chain(box, 0, 2, 1));

	/* Hushed but not taken yet: a post does not ring, since the take that follows gets it. */
	mailbox_hush(box);
	ck_assert(!is_readable(box));
	ck_assert(!post_chain(box, 0, 3, 1));
	ck_assert(!is_readable(box));

	struct mail *mail = mailbox_take(box, NULL);
	for (unsigned i = 0; i < 4; i++) {
		struct mail *next = mail->next;
		free(mail);
		mail = next;
	}
	ck_assert(post_chain(box, 0, 4, 1));
	ck_assert(is_readable(box));
	mailbox_hush(box);
	mailbox_hush(box); /* with nothing to silence */
	mailbox_free(box);
}
END_TEST

START_TEST(free_discards_what_was_not_taken)
{
	struct mailbox *box = mailbox_new();
	post_chain(box, 0, 0, 7);
	struct mail silent = {.discard = NULL};
	mailbox_post(box, &silent, &silent);
	mailbox_free(box);
	ck_assert_uint_eq(discarded, 7);
	mailbox_free(NULL);
}
END_TEST

enum { SENDERS = 8, PER_SENDER = 20000 };

struct sender {
	pthread_t thread;
	struct mailbox *box;
	unsigned index;
	unsigned rings;
};

static void *send_all(void *argument)
{
	struct sender *sender = argument;
	for (unsigned number = 0; number < PER_SENDER;) {
		unsigned length = 1 + (number * 7 + sender->index) % 16;
		if (length > PER_SENDER - number)
			length = PER_SENDER - number;
		sender->rings += post_chain(sender->box, sender->index, number, length);
		number += length;
	}
	return NULL;
}

START_TEST(many_senders_lose_nothing_and_wake_exactly)
{
	struct mailbox *box = mailbox_new();
	struct sender senders[SENDERS];
	for (unsigned i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){.box = box, .index = i};
		pthread_create(&senders[i].thread, NULL, send_all, &senders[i]);
	}

	unsigned next_number[SENDERS] = {0};
	unsigned takes = 0;
	for (unsigned total = 0; total < SENDERS * PER_SENDER;) {
		/* The one that sleeps on a lost wake-up would sleep here for ever. */
		struct pollfd poll_fd = {.fd = mailbox_fd(box), .events = POLLIN};
		ck_assert_int_eq(poll(&poll_fd, 1, DEADLINE_MS), 1);
		mailbox_hush(box);
		struct mail *mail = mailbox_take(box, NULL);
		takes += mail != NULL;
		while (mail) {
			struct letter *letter = (struct letter *)mail;
			mail = mail->next;
			ck_assert_uint_eq(letter->number, next_number[letter->sender]);
			next_number[letter->sender]++;
			total++;
			free(letter);
		}
	}

	unsigned rings = 0;
	for (unsigned i = 0; i < SENDERS; i++) {
		pthread_join(senders[i].thread, NULL);
		rings += senders[i].rings;
	}
	/* Each take that found something ended one stay of the box in the state "not empty", which one ring began. */
	ck_assert_uint_eq(rings, takes);
	ck_assert_ptr_null(mailbox_take(box, NULL));
	mailbox_free(box);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_test(tests, chains_come_out_oldest_first);
	tcase_add_test(tests, only_the_post_into_an_empty_box_rings);
	tcase_add_test(tests, free_discards_what_was_not_taken);
	tcase_add_test(tests, many_senders_lose_nothing_and_wake_exactly);
}

int main(void)
{
	return run_case("mailbox", add_tests);
}
