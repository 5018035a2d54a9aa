/*
 * Rooms on real threads: what the tests by hand prove, here for ThreadSanitizer, and with everything under way at the
 * end.
 */
#include "pubsub/rooms.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "pubsub/memory_adapter.h"
#include "stage/stage.h"
#include "unit/shard/shard_test.h"

enum { SHARDS = 3, ROOMS = 4, GUESTS = 12, STEPS = 400, UPDATES = 100, ALL_UPDATES = SHARDS * UPDATES };

static const char *const room_ids[ROOMS] = {"red", "green", "blue", "black"};

struct guest {
	struct room_member member;
	int room;
	unsigned last[SHARDS]; /* number of each shard's last event in this membership, 0: none yet */
	uint64_t version;      /* of the state, as told */
};

struct party { /* one shard's; nobody else touches it but for is_done */
	struct shard *shard;
	struct rooms *rooms;
	struct mail step;
	struct guest guests[GUESTS];
	unsigned sent[ROOMS];
	uint64_t random;
	unsigned steps_left;
	unsigned answers_due;
	int64_t sum; /* of all shards, as read at the end */
	_Atomic bool is_done;
};

static struct party parties[SHARDS];
static _Atomic uint64_t received; /* so that a test that tests nothing shows */

/* ---- hooks ---- */

static struct frame *party_encode(const struct room_event *event)
{
	return frame_new(event->data);
}

static void guest_receive(struct guest *guest, const struct room_event *event)
{
	unsigned shard;
	unsigned number;

	if (event->kind == ROOM_EVENT_STATE) {
		ck_assert_uint_eq(event->version, guest->version + 1);
		guest->version = event->version;
	}
	if (event->kind != ROOM_EVENT_CUSTOM)
		return;
	struct str bytes = frame_bytes(event->wire);
	char text[32];
	snprintf(text, sizeof text, "%.*s", STR_ARG(bytes));
	ck_assert_int_eq(sscanf(text, "[%u,%u]", &shard, &number), 2);
	ck_assert(guest->last[shard] == 0 || number == guest->last[shard] + 1);
	guest->last[shard] = number;
	atomic_fetch_add_explicit(&received, 1, memory_order_relaxed);
}

static void party_deliver(struct rooms *rooms, struct room_view *view, struct room_event *event)
{
	uint64_t excluded = rooms_excluded_serial(rooms, event);

	for (struct room_member *member = room_view_next_member(view, NULL); member;
	     member = room_view_next_member(view, member)) {
		if (member->serial != excluded)
			guest_receive(LIST_OF(member, struct guest, member), event);
		else if (event->kind == ROOM_EVENT_STATE)
			LIST_OF(member, struct guest, member)->version = event->version;
	}
}

static void party_joined(struct rooms *rooms, struct room_member *member, const char *error)
{
	(void)rooms;
	ck_assert_ptr_null(error);
	LIST_OF(member, struct guest, member)->version = room_view_version(member->view);
}

static const struct rooms_hooks party_hooks = {
	.encode = party_encode, .deliver = party_deliver, .joined = party_joined};

/* ---- what guests do ---- */

static const live_value *add_one(const live_value *state, const live_value *argument, const live_value **reply)
{
	(void)argument;
	*reply = NULL;
	return live_with(state, "sum", live_int(live_as_int(live_get(state, "sum"), 0) + 1));
}

static void count_answer(void *context, const char *error, const live_value *value)
{
	struct party *party = context;

	(void)value;
	ck_assert_ptr_null(error);
	party->answers_due--;
}

static unsigned below(struct party *party, unsigned bound)
{
	return stage_random_below(&party->random, bound);
}

static void emit(struct party *party, int room)
{
	char text[32];
	int len = snprintf(text, sizeof text, "[%u,%u]", shard_index(party->shard), ++party->sent[room]);
	const struct room_emit event = {
		.type = STR("room"), .room_id = str_of(room_ids[room]), .event = STR("x"), .data = {text, (size_t)len}};
	int rc = rooms_emit(party->rooms, &event);

	ck_assert_int_eq(rc, 0);
}

static void join(struct party *party, struct guest *guest)
{
	guest->room = (int)below(party, ROOMS);
	for (unsigned i = 0; i < SHARDS; i++)
		guest->last[i] = 0;
	int rc = rooms_join(party->rooms, &guest->member, str_of(room_ids[guest->room]), NULL);
	ck_assert_int_eq(rc, 0);
}

static void act(struct party *party)
{
	/* The first ones stay, so that there is always somebody in the first room, whose state is counted. */
	struct guest *guest = &party->guests[1 + below(party, GUESTS - 1)];

	switch (below(party, 6)) {
	case 0:
		if (guest->member.state == ROOM_MEMBER_OUT)
			join(party, guest);
		else
			rooms_leave(party->rooms, &guest->member);
		break;
	case 1:
		rooms_leave(party->rooms, &guest->member);
		join(party, guest);
		break;
	default: emit(party, (int)below(party, ROOMS)); break;
	}
}

static void step(struct mail *mail, struct shard *here)
{
	struct party *party = LIST_OF(mail, struct party, step);

	if (!party->rooms)
		return; /* mail that arrives in the shard's last tick, after the end */
	if (party->steps_left > 0) {
		party->steps_left--;
		act(party);
		if (party->steps_left % (STEPS / UPDATES) == 0) {
			party->answers_due++;
			rooms_update(party->rooms, str_of(room_ids[0]), add_one, NULL, (struct room_origin){0},
				     count_answer, party);
		}
	}
	if (party->steps_left == 0 && party->answers_due == 0)
		atomic_store(&party->is_done, true);
	else
		shard_post(here, shard_index(here), &party->step);
}

static void party_begin(struct shard *shard, void *argument)
{
	struct party *party = &parties[shard_index(shard)];
	const struct rooms_options options = {.adapter = memory_adapter(), .hooks = &party_hooks};

	(void)argument;
	party->shard = shard;
	party->rooms = rooms_new(shard, &options);
	party->random += shard_index(shard);
	party->step.deliver = step;
	for (int i = 0; i < GUESTS; i++)
		party->guests[i].member.id = STR("guest");
	int rc = rooms_join(party->rooms, &party->guests[0].member, str_of(room_ids[0]), NULL);
	ck_assert_int_eq(rc, 0);
	shard_post(shard, shard_index(shard), &party->step);
}

static void party_end(struct shard *shard, void *argument)
{
	struct party *party = &parties[shard_index(shard)];

	(void)argument;
	for (int i = 0; i < GUESTS; i++)
		rooms_leave(party->rooms, &party->guests[i].member);
	rooms_free(party->rooms);
	party->rooms = NULL;
}

static struct shard_group *begin(void)
{
	const struct shard_options options = {.count = SHARDS, .mailbox_depth = 65536, .mail_budget = 64};
	struct shard_group *group;
	uint64_t seed = stage_seed(0);
	int rc = shard_group_new(&group, &options);

	ck_assert_int_eq(rc, 0);
	for (int i = 0; i < SHARDS; i++) {
		parties[i].random = seed;
		parties[i].steps_left = STEPS;
	}
	rc = shard_group_start(group, party_begin, party_end, NULL);
	ck_assert_int_eq(rc, 0);
	return group;
}

/* ---- tests ---- */

static void take_sum(void *context, const char *error, const live_value *value)
{
	struct party *party = context;

	ck_assert_ptr_null(error);
	party->sum = live_as_int(live_get(value, "sum"), 0);
	atomic_store(&party->is_done, true);
}

static void ask(struct mail *mail, struct shard *here)
{
	struct party *party = LIST_OF(mail, struct party, step);

	rooms_get_state(party->rooms, str_of(room_ids[0]), take_sum, party);
	(void)here;
}

START_TEST(a_party)
{
	struct shard_group *group = begin();
	const struct room_emit outside = {
		.type = STR("default"), .room_id = STR("red"), .event = STR("x"), .data = STR("1")};

	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(rooms_emit_outside(shard_group_at(group, 0), &outside), 0);
	for (int i = 0; i < SHARDS; i++)
		await(atomic_load(&parties[i].is_done));
	/* All updates of all shards were answered; so all are in the state, wherever one asks. */
	for (int i = 0; i < SHARDS; i++) {
		atomic_store(&parties[i].is_done, false);
		parties[i].step.deliver = ask;
		shard_post_outside(shard_group_at(group, (unsigned)i), &parties[i].step);
		await(atomic_load(&parties[i].is_done));
		ck_assert_int_eq(parties[i].sum, ALL_UPDATES);
	}
	shard_group_stop(group);
	shard_group_free(group);
	ck_assert_uint_gt(atomic_load(&received), STEPS);
}
END_TEST

START_TEST(the_end_in_the_midst_of_it)
{
	struct shard_group *group = begin();

	await(atomic_load(&received) > UINT64_C(100) * (uint64_t)_i);
	shard_group_stop(group);
	shard_group_free(group);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, a_party, 0, 5);
	tcase_add_loop_test(tests, the_end_in_the_midst_of_it, 0, 5);
}

int main(void)
{
	return run_case("rooms_threads", add_tests);
}
