/*
 * Rooms against a model: random joins, leaves, emits, sets and updates on one to five shards, stepped in random order.
 *
 * The home's order is taken from the adapter, which hears everything in that order. What a member saw must be a
 * contiguous part of that log, minus its own: from its joining on, up to its leaving or the end.
 */
#include "pubsub/rooms.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "unit/pubsub/room_stage.h"
#include "unit/shard/shard_test.h"

enum { ROOMS = 3, ACTORS = 12, STEPS = 400, LOG_MAX = 20000 };

static const char *const room_ids[ROOMS] = {"red", "green", "blue"};

struct entry {            /* of a room's log, in the home's order */
	char *line;       /* as members see it */
	uint64_t exclude; /* the serial of who does not, and its shard */
	unsigned shard;
};

struct room_log {
	struct entry entries[LOG_MAX];
	unsigned count;
	unsigned members;
	int64_t sum; /* of all updates asked for */
};

struct player {
	struct actor *actor;
	int room; /* it wants to be in, or -1 */
};

struct play {
	struct room_stage *stage;
	struct room_log logs[ROOMS];
	struct player players[ACTORS];
	uint64_t random;
	unsigned updates_asked;
	unsigned updates_answered;
};

static struct play *the_play; /* the adapter's functions get no context of ours */

static unsigned below(struct play *play, unsigned bound)
{
	return stage_random_below(&play->random, bound);
}

/* ---- the log ---- */

static struct room_log *log_of(struct str room_id)
{
	for (int i = 0; i < ROOMS; i++) {
		if (str_equal(str_of(room_ids[i]), room_id))
			return &the_play->logs[i];
	}
	ck_abort_msg("no such room");
}

static struct entry *log_add(struct room_log *log)
{
	ck_assert_uint_lt(log->count, LOG_MAX);
	return &log->entries[log->count++];
}

static void log_publish(struct room_adapter *adapter, struct rooms *rooms, const struct room_event *event)
{
	struct entry *entry = log_add(log_of(event->room_id));
	int len = asprintf(&entry->line, "%.*s %.*s", STR_ARG(event->name), STR_ARG(event->data));

	(void)adapter;
	(void)rooms;
	ck_assert_int_gt(len, 0);
	entry->exclude = event->exclude.serial;
	entry->shard = event->exclude.shard;
}

static void log_membership(struct room_adapter *adapter, struct rooms *rooms, struct str room_id, bool joined,
			   struct str member_id)
{
	struct room_log *log = log_of(room_id);
	struct entry *entry = log_add(log);

	(void)adapter;
	(void)rooms;
	log->members = joined ? log->members + 1 : log->members - 1;
	int len = asprintf(&entry->line, "$sub:%s {\"subscriberId\":\"%.*s\",\"count\":%u}", joined ? "join" : "leave",
			   STR_ARG(member_id), log->members);
	ck_assert_int_gt(len, 0);
}

static void log_open(struct room_adapter *adapter, struct rooms *rooms, struct str room_id)
{
	(void)adapter;
	rooms_adapter_opened(rooms, room_id, NULL);
}

static void log_close(struct room_adapter *adapter, struct rooms *rooms, struct str room_id)
{
	(void)adapter;
	(void)rooms;
	(void)room_id;
}

static const struct room_adapter_ops log_ops = {.open = log_open,
						.close = log_close,
						.publish_event = log_publish,
						.publish_state = log_publish,
						.publish_membership = log_membership,
						.remove = log_close};

/* ---- what players do ---- */

static const live_value *add_one(const live_value *state, const live_value *argument, const live_value **reply)
{
	(void)argument;
	*reply = NULL;
	return live_with(state, "sum", live_int(live_as_int(live_get(state, "sum"), 0) + 1));
}

static void count_answer(void *context, const char *error, const live_value *value)
{
	struct play *play = context;

	(void)value;
	ck_assert_ptr_null(error);
	play->updates_answered++;
}

/* Each membership is checked when it ends, since the next one begins a new diary. */
static void check_diary(struct play *play, struct player *player, bool quiet);

static void player_leave(struct play *play, struct player *player, bool quiet)
{
	check_diary(play, player, quiet);
	actor_leave(player->actor);
	player->room = -1;
}

static void player_act(struct play *play, struct player *player)
{
	struct actor *actor = player->actor;
	char text[96];

	if (player->room < 0) {
		player->room = (int)below(play, ROOMS);
		actor_join(actor, room_ids[player->room]);
		return;
	}
	const char *room_id = room_ids[player->room];
	switch (below(play, 8)) {
	case 0: player_leave(play, player, false); break;
	case 1:
		player_leave(play, player, false);
		player->room = (int)below(play, ROOMS);
		actor_join(actor, room_ids[player->room]);
		break;
	case 2:
		snprintf(text, sizeof text, "{\"k%u\":{\"v\":%u,\"w%u\":null}}", below(play, 3), below(play, 4),
			 below(play, 2));
		actor_set(actor, room_id, text);
		break;
	case 3:
		stage_enter(play->stage->stage, actor->shard);
		rooms_update(play->stage->rooms[actor->shard], str_of(room_id), add_one, NULL, (struct room_origin){0},
			     count_answer, play);
		play->updates_asked++;
		play->logs[player->room].sum++;
		break;
	default:
		snprintf(text, sizeof text, "{\"from\":\"%s\",\"n\":%u}", actor->id, below(play, 1000000));
		actor_emit(actor, room_id, "x", text);
		break;
	}
}

/* ---- the checks ---- */

/*
 * Whether the diary's lines, each once and in order, are the log from at on, but for those that exclude the member: up
 * to some point, and when all is quiet, up to the end.
 */
static bool matches_from(const struct room_log *log, unsigned at, const char *lines, const struct actor *actor,
			 bool quiet)
{
	for (; *lines || quiet; at++) {
		if (at == log->count)
			return !*lines;
		const struct entry *entry = &log->entries[at];
		size_t len = strlen(entry->line);

		if (entry->exclude == actor->member.serial && entry->shard == actor->shard)
			continue;
		if (strncmp(lines, entry->line, len) != 0 || lines[len] != '\n')
			return false;
		lines += len + 1;
	}
	return true;
}

static void check_diary(struct play *play, struct player *player, bool quiet)
{
	struct actor *actor = player->actor;
	struct room_log *log = &play->logs[player->room];
	char expected[96];
	unsigned at = 0;

	buf_append_char(&actor->diary, '\0');
	const char *lines = actor->diary.ptr;

	if (*lines) {
		ck_assert_int_eq(strncmp(lines, "JOINED ", 7), 0);
		lines = strchr(lines, '\n') + 1;
		/* Its own joining, by which the log tells where it begins, is not told to it; so look for all of them.
		 */
		snprintf(expected, sizeof expected, "$sub:join {\"subscriberId\":\"%s\"", actor->id);
		while (at < log->count && (strncmp(log->entries[at].line, expected, strlen(expected)) != 0 ||
					   !matches_from(log, at + 1, lines, actor, quiet)))
			at++;
		ck_assert_msg(at < log->count, "%s saw what the log does not hold:\n%s", actor->id, lines);
	}
	buf_reset(&actor->diary, 0);
}

/* When all is quiet: those in a room have one state and one count, and nobody waits. */
static void check_rest(struct play *play)
{
	for (int i = 0; i < ROOMS; i++) {
		const live_value *state = NULL;
		unsigned members = 0;

		for (int p = 0; p < ACTORS; p++) {
			struct actor *actor = play->players[p].actor;

			if (play->players[p].room != i)
				continue;
			members++;
			ck_assert_int_eq(actor->member.state, ROOM_MEMBER_IN);
			if (!state)
				state = room_view_state(actor->member.view);
			ck_assert(live_equal(state, room_view_state(actor->member.view)));
			ck_assert_int_eq(live_as_int(live_get(room_view_state(actor->member.view), "sum"), 0),
					 play->logs[i].sum);
			ck_assert_uint_eq(room_view_member_count(actor->member.view), play->logs[i].members);
		}
		ck_assert_uint_eq(members, play->logs[i].members);
	}
	ck_assert_uint_eq(play->updates_asked, play->updates_answered);
}

static void play_once(uint64_t seed, unsigned shards)
{
	struct play *play = the_play = mem_alloc(sizeof *play);

	play->random = seed;
	play->stage = room_stage_new(shards, seed, NULL);
	play->stage->adapter.ops = &log_ops;
	for (int p = 0; p < ACTORS; p++) {
		char id[16];

		snprintf(id, sizeof id, "p%d", p);
		play->players[p] = (struct player){actor_new(play->stage, below(play, shards), id), -1};
	}
	/* An update needs a room that exists: three stay all the time. */
	for (int i = 0; i < ROOMS; i++) {
		play->players[i].room = i;
		actor_join(play->players[i].actor, room_ids[i]);
	}
	room_stage_run(play->stage);
	for (unsigned step = 0; step < STEPS; step++) {
		struct player *player = &play->players[below(play, ACTORS - ROOMS) + ROOMS];

		player_act(play, player);
		if (below(play, 4) == 0)
			shard_step(stage_enter(play->stage->stage, below(play, shards)));
		if (below(play, 40) == 0)
			room_stage_run(play->stage);
	}
	room_stage_run(play->stage);
	check_rest(play);
	for (int p = 0; p < ACTORS; p++) { /* nothing is delivered in between: the log stays as it is */
		if (play->players[p].room >= 0)
			player_leave(play, &play->players[p], true);
		actor_free(play->players[p].actor);
	}
	room_stage_run(play->stage);
	for (int i = 0; i < ROOMS; i++) {
		ck_assert_uint_eq(play->logs[i].members, 0);
		for (unsigned at = 0; at < play->logs[i].count; at++)
			free(play->logs[i].entries[at].line);
	}
	room_stage_free(play->stage);
	free(play);
}

/* Each turn with a seed of its own, and one shard more than the last. */
START_TEST(members_see_the_homes_order)
{
	play_once(stage_seed(0), 1 + (unsigned)_i % 5);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_loop_test(tests, members_see_the_homes_order, 0, 40);
}

int main(void)
{
	return run_case("rooms_model", add_tests);
}
