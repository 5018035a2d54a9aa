/*
 * list - a doubly linked ring whose links are embedded in what is on it.
 *
 * The head is a link too. A link that is on no list points to itself (list_init), so list_remove may be called twice.
 * Owns nothing. Threads: the owner's alone.
 */
#ifndef CORE_LIST_H
#define CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next;
	struct list *prev;
};

#define LIST_OF(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))
/* The body may remove link itself when it uses the _safe form. */
#define list_for_each(link, head) for (struct list *link = (head)->next; link != (head); link = link->next)
#define list_for_each_safe(link, head)                                                    \
	for (struct list *link = (head)->next, *link##_next = link->next; link != (head); \
	     link = link##_next, link##_next = link->next)

static inline void list_init(struct list *link)
{
	link->next = link->prev = link;
}

static inline bool list_is_empty(const struct list *head)
{
	return head->next == head;
}

/* Adds link, which is on no list, at the end. */
static inline void list_append(struct list *head, struct list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

#endif
