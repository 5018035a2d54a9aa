#include "shard/wheel.h"

#include <limits.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"

/*
 * A moment is read as a number in base 64, and a timer lies on the level of the highest digit in which its moment
 * differs from the wheel's, in the slot of that digit. So all on one level come before all on the next, the slots of a
 * level come in their order, none wraps, and the 11 digits of 64 bits hold any moment there is. When the wheel reaches
 * a slot of a higher level, its timers no longer differ in that digit and go to lower levels.
 */
enum { DIGIT_BITS = 6, SLOTS = 1 << DIGIT_BITS, LEVELS = (64 + DIGIT_BITS - 1) / DIGIT_BITS };

/* How many timers of the first slot wheel_next_ms looks at to give an exact answer. */
enum { LOOK_AT_MOST = 16 };

struct wheel {
	int64_t now_ms; /* all before it has fired */
	/* Per level, a bit per slot that may hold timers: timer_disarm empties slots without clearing theirs. Together,
	 * since each tick looks at them all, and mostly at nothing else. */
	uint64_t used[LEVELS];
	struct list due; /* being fired by wheel_advance */
	struct list slots[LEVELS][SLOTS];
};

struct place {
	unsigned level;
	unsigned slot;
};

static struct timer *timer_of(struct list *link)
{
	return LIST_OF(link, struct timer, link);
}

/* Moves all of from, in order, to the end of to. */
static void list_splice(struct list *to, struct list *from)
{
	if (list_is_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

struct wheel *wheel_new(int64_t now_ms)
{
	struct wheel *wheel = mem_alloc(sizeof *wheel);
	wheel->now_ms = now_ms;
	list_init(&wheel->due);
	for (unsigned l = 0; l < LEVELS; l++) {
		for (unsigned s = 0; s < SLOTS; s++)
			list_init(&wheel->slots[l][s]);
	}
	return wheel;
}

static void disarm_all(struct list *slot)
{
	list_for_each_safe (link, slot)
		list_remove(link);
}

void wheel_free(struct wheel *wheel)
{
	if (!wheel)
		return;
	disarm_all(&wheel->due);
	for (unsigned l = 0; l < LEVELS; l++) {
		for (unsigned s = 0; s < SLOTS; s++)
			disarm_all(&wheel->slots[l][s]);
	}
	free(wheel);
}

void timer_init(struct timer *timer, void (*fire)(struct timer *self))
{
	list_init(&timer->link);
	timer->due_ms = 0;
	timer->fire = fire;
}

/* Where due_ms lies as seen from now_ms; what is past is as good as now. */
static struct place place_of(int64_t now_ms, int64_t due_ms)
{
	uint64_t due = (uint64_t)(due_ms > now_ms ? due_ms : now_ms);
	uint64_t differs = due ^ (uint64_t)now_ms;
	unsigned level = differs ? (63 - (unsigned)__builtin_clzll(differs)) / DIGIT_BITS : 0;
	return (struct place){level, (unsigned)(due >> level * DIGIT_BITS) % SLOTS};
}

/* Puts timer, which is on no list, where it belongs. */
static void wheel_place(struct wheel *wheel, struct timer *timer)
{
	struct place place = place_of(wheel->now_ms, timer->due_ms);
	wheel->used[place.level] |= UINT64_C(1) << place.slot;
	list_append(&wheel->slots[place.level][place.slot], &timer->link);
}

void timer_arm(struct wheel *wheel, struct timer *timer, int64_t due_ms)
{
	list_remove(&timer->link);
	timer->due_ms = due_ms;
	wheel_place(wheel, timer);
}

void timer_disarm(struct timer *timer)
{
	list_remove(&timer->link);
}

bool timer_is_armed(const struct timer *timer)
{
	return !list_is_empty(&timer->link);
}

/* The first slot that holds timers, in order of time; false when nothing is armed. */
static bool find_first(struct wheel *wheel, struct place *first)
{
	for (unsigned l = 0; l < LEVELS; l++) {
		while (wheel->used[l]) {
			unsigned s = (unsigned)__builtin_ctzll(wheel->used[l]);
			if (!list_is_empty(&wheel->slots[l][s])) {
				*first = (struct place){l, s};
				return true;
			}
			wheel->used[l] &= wheel->used[l] - 1;
		}
	}
	return false;
}

/* The moment at which the slot begins: the wheel's with this digit set and the lower ones 0. */
static int64_t place_begin(const struct wheel *wheel, struct place place)
{
	unsigned shift = place.level * DIGIT_BITS;
	uint64_t higher =
		shift + DIGIT_BITS < 64 ? (uint64_t)wheel->now_ms >> (shift + DIGIT_BITS) << (shift + DIGIT_BITS) : 0;
	return (int64_t)(higher | (uint64_t)place.slot << shift);
}

/* Puts all that is due at now_ms on the due list, in order, and sets the wheel to now_ms. */
static void collect_due(struct wheel *wheel, int64_t now_ms)
{
	struct place place;
	while (find_first(wheel, &place)) {
		int64_t begin = place_begin(wheel, place);
		if (begin > now_ms)
			break;
		struct list *slot = &wheel->slots[place.level][place.slot];
		wheel->used[place.level] &= ~(UINT64_C(1) << place.slot);
		wheel->now_ms = begin;
		if (place.level == 0) {
			list_splice(&wheel->due, slot);
			continue;
		}
		struct list finer;
		list_init(&finer);
		list_splice(&finer, slot);
		list_for_each_safe (link, &finer) {
			list_remove(link);
			wheel_place(wheel, timer_of(link));
		}
	}
	wheel->now_ms = now_ms;
}

unsigned wheel_advance(struct wheel *wheel, int64_t now_ms)
{
	if (now_ms < wheel->now_ms)
		return 0;
	collect_due(wheel, now_ms);

	unsigned fired = 0;
	while (!list_is_empty(&wheel->due)) {
		struct timer *timer = timer_of(wheel->due.next);
		list_remove(&timer->link);
		timer->fire(timer);
		fired++;
	}
	return fired;
}

int64_t wheel_next_ms(struct wheel *wheel)
{
	struct place place;
	if (!find_first(wheel, &place))
		return -1;
	int64_t begin = place_begin(wheel, place);
	if (place.level == 0)
		return begin;

	int64_t first_due = INT64_MAX;
	unsigned seen = 0;
	list_for_each (link, &wheel->slots[place.level][place.slot]) {
		if (++seen > LOOK_AT_MOST)
			return begin;
		int64_t due = timer_of(link)->due_ms;
		first_due = due < first_due ? due : first_due;
	}
	return first_due;
}
