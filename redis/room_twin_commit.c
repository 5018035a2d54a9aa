/* How a commit is put: the arguments of its script. */
#include "redis/room_twin.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/arena.h"
#include "redis/room_scripts.h"

enum {
	FIXED = 12, /* arguments before the acknowledgements */
};

struct words { /* the arguments, growing; texts are found by offset until all are there, since their buffer moves */
	struct buf text;
	size_t *ends;
	struct str *args;
	unsigned count;
};

static void end_word(struct words *words)
{
	words->ends[words->count++] = words->text.len;
}

static void put_text(struct words *words, struct str text)
{
	buf_append_str(&words->text, text);
	end_word(words);
}

static void put_number(struct words *words, uint64_t number)
{
	buf_printf(&words->text, "%" PRIu64, number);
	end_word(words);
}

static void put_state(struct words *words, struct room_twin *twin)
{
	const struct room_format *format = &twin->home->format;
	char hex[2 * ROOM_SIGNATURE_BYTES];
	size_t start = words->text.len;

	room_state_encode(&words->text, twin->commit.state, format);
	end_word(words);
	if (format->secret.len && !buf_failed(&words->text)) {
		const struct str state = {words->text.ptr + start, words->text.len - start};
		room_state_sign(hex, twin->id, twin->commit.version, state, format);
		put_text(words, (struct str){hex, sizeof hex});
	} else {
		end_word(words);
	}
}

static void put_change(struct words *words, struct room_twin *twin, const live_value *delta, uint64_t version)
{
	const struct twin_commit *commit = &twin->commit;
	const struct room_message message = {
		.type = ROOM_MESSAGE_STATE,
		.room_id = twin->id,
		.origin = room_twin_origin(twin),
		.updates = delta,
		.version = version,
		.lineage = str_of(commit->lineage),
		.after = str_of(version == commit->expected + 1 ? commit->expected_lineage : commit->lineage),
		.commit = version == commit->version ? commit->number : 0,
		.members = -1,
	};

	room_message_encode(&words->text, &message, &twin->home->format);
	end_word(words);
}

/* That the room was restored: follows nothing, so that all others read it. */
static void put_restored(struct words *words, struct room_twin *twin)
{
	const live_value *nothing = live_object(NULL, NULL);
	const struct room_message message = {
		.type = ROOM_MESSAGE_STATE,
		.room_id = twin->id,
		.origin = room_twin_origin(twin),
		.updates = nothing,
		.version = twin->commit.version,
		.lineage = str_of(twin->commit.lineage),
		.after = STR("-"),
		.members = -1,
	};

	room_message_encode(&words->text, &message, &twin->home->format);
	end_word(words);
	live_value_unref(nothing);
}

static void put_event(struct words *words, struct room_twin *twin, struct str name, struct str data)
{
	const struct room_message message = {
		.type = ROOM_MESSAGE_EVENT,
		.room_id = twin->id,
		.origin = room_twin_origin(twin),
		.event = name,
		.data = data,
		.members = -1,
	};

	room_message_encode(&words->text, &message, &twin->home->format);
	end_word(words);
}

static void put_messages(struct words *words, struct room_twin *twin, const struct room_batch *batch)
{
	uint64_t version = twin->commit.expected;
	const struct twin_item *item = twin->first;

	if (twin->commit.is_restore)
		put_restored(words, twin);
	for (unsigned i = 0; batch && i < batch->count; i++) {
		if (batch->items[i].delta)
			put_change(words, twin, batch->items[i].delta, ++version);
		else
			put_event(words, twin, batch->items[i].name, batch->items[i].data);
	}
	for (unsigned i = 0; i < twin->commit.items; i++, item = item->next) {
		if (item->kind == TWIN_STATE)
			put_change(words, twin, item->delta, ++version);
		else
			put_event(words, twin, item->name, item->data);
	}
}

/* Whose commits are in what we hold, up to which: who restores a room speaks for all. */
static void put_acknowledgements(struct words *words, const struct room_twin *twin)
{
	unsigned count = twin->acked > 0;

	if (!twin->commit.is_restore) {
		put_number(words, 0);
		return;
	}
	for (unsigned i = 0; i < twin->other_count; i++)
		count += twin->others[i].commit > 0;
	put_number(words, count);
	if (twin->acked) {
		put_text(words, room_twin_origin(twin));
		put_number(words, twin->acked);
	}
	for (unsigned i = 0; i < twin->other_count; i++) {
		if (twin->others[i].commit == 0)
			continue;
		put_text(words, str_of(twin->others[i].origin));
		put_number(words, twin->others[i].commit);
	}
}

static void put_all(struct words *words, struct room_twin *twin, const struct room_batch *batch)
{
	const struct twin_commit *commit = &twin->commit;

	put_text(words, room_twin_origin(twin));
	put_number(words, commit->number);
	put_number(words, commit->expected);
	put_text(words, str_of(commit->expected_lineage));
	put_number(words, commit->version);
	put_text(words, str_of(commit->lineage));
	put_state(words, twin);
	put_number(words, (uint64_t)twin->home->ttl);
	put_text(words, commit->is_restore ? STR("restore") : STR("commit"));
	put_number(words, TWIN_REST_MS);
	put_acknowledgements(words, twin);
	put_text(words, room_twin_key(twin, "ch:"));
	put_messages(words, twin, batch);
}

int room_twin_send_commit(struct room_twin *twin, const struct room_batch *batch, redis_answer *answer)
{
	struct redis_rooms *home = twin->home;
	const struct str keys[] = {room_twin_key(twin, "state:"), room_twin_key(twin, "meta:")};
	unsigned messages = batch ? batch->count : twin->commit.is_restore ? 1 : twin->commit.items;
	size_t most = FIXED + 2 * ((size_t)twin->other_count + 1) + 1 + messages;
	struct words words = {.ends = arena_alloc(shard_arena(home->shard), most * sizeof *words.ends),
			      .args = arena_alloc(shard_arena(home->shard), most * sizeof *words.args)};
	int rc = -ENOMEM;

	buf_init(&words.text, SIZE_MAX / 2);
	put_all(&words, twin, batch);
	if (!buf_failed(&words.text)) {
		size_t start = 0;
		for (unsigned i = 0; i < words.count; i++) {
			words.args[i] = (struct str){words.text.ptr + start, words.ends[i] - start};
			start = words.ends[i];
		}
		rc = redis_link_eval(home->link, &room_script_commit, keys, 2, words.args, words.count, answer, twin);
	}
	if (rc == 0)
		counter_add(&home->figures.sent, messages);
	buf_deinit(&words.text);
	return rc;
}
