/*
 * What other nodes say about singletons: two nodes with a board that one owns and the other mirrors hear messages of
 * any shape, and states that somebody else stored. None breaks a node; the board answers its clients as ever; and what
 * the codec takes apart is an object.
 *
 * The input is steps, each ended by a NUL, by their first letter: "a" tells what follows to the owner's port, "m" to
 * the mirror's, "d" to all who hear deltas; "p" stores it as the board's state; "x" makes the store forget; "t" lets
 * time go by; "i" and "o" call an action on the mirror and the owner. In what follows @ is the owner's port, % the
 * mirror's, # the board.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/assert.h"
#include "core/mem.h"
#include "server/component/cluster_message.h"
#include "stage/cluster_stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SIZE = 4096 };

static int add(live_component *self, const live_value *payload, live_reply *reply)
{
	live_set(self, "total",
		 live_int((live_get_int(self, "total") + live_as_int(live_get(payload, "by"), 1)) % 1000));
	live_reply_value(reply, live_int(live_get_int(self, "total")));
	return 0;
}

static int fail(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	return live_reply_error(reply, "no");
}

static int end(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)payload;
	(void)reply;
	live_destroy(self);
	return 0;
}

static const live_definition board = {
	.name = "Board",
	.default_state = "{\"total\":0,\"note\":\"\"}",
	.singleton = true,
	.actions = LIVE_ACTIONS({"add", add}, {"fail", fail}, {"end", end}),
};

static struct cluster_stage *stage;
static struct stage_client *clients[2];
static char ids[2][64];
static int waits; /* that a run may still do: they take long */

/* text with the names that only this run knows; the caller frees it. */
static char *name_in(struct str text)
{
	char owner[64];
	struct buf out;

	snprintf(owner, sizeof owner, "%s", memory_cluster_owner(stage->cluster, "Board"));
	owner[strcspn(owner, ":")] = 0;
	buf_init(&out, SIZE_MAX);
	for (size_t i = 0; i < text.len; i++) {
		switch (text.ptr[i]) {
		case '@': buf_append_str(&out, str_of(owner)); break;
		case '%': buf_append_str(&out, str_of(memory_cluster_port(stage->cluster, 1, 0))); break;
		case '#': buf_append_str(&out, str_of(ids[0])); break;
		default: buf_append_char(&out, text.ptr[i]); break;
		}
	}
	buf_append_char(&out, 0);
	return out.ptr;
}

static void call(unsigned client, const char *action)
{
	stage_client_send(clients[client],
			  "{'type':'CALL_ACTION','componentId':'%s','action':'%s','payload':{},'requestId':'r'}",
			  ids[client], action);
}

static void check_codec(const char *text)
{
	const live_value *message = cluster_read(str_of(text));

	assert_always(!message || live_value_type(message) == LIVE_OBJECT);
	live_value_unref(message);
}

static void do_step(char kind, const char *text)
{
	char owner[96], value[96];

	check_codec(text);
	switch (kind) {
	case 'a':
		snprintf(owner, sizeof owner, "%s", memory_cluster_owner(stage->cluster, "Board"));
		owner[strcspn(owner, ":")] = 0;
		memory_cluster_tell(stage->cluster, owner, text);
		break;
	case 'm': memory_cluster_tell(stage->cluster, memory_cluster_port(stage->cluster, 1, 0), text); break;
	case 'd': memory_cluster_tell(stage->cluster, NULL, text); break;
	case 'p':
		snprintf(value, sizeof value, "elsewhere:%s", ids[0]);
		memory_cluster_put(stage->cluster, "Board", value, text);
		break;
	case 'x': memory_cluster_forget(stage->cluster); break;
	case 't':
		if (waits-- > 0)
			cluster_stage_advance(stage, *text ? STAGE_LEASE_MS + STAGE_HEARTBEAT_MS : STAGE_TIMEOUT_MS);
		break;
	case 'i': call(1, *text ? "fail" : "add"); break;
	case 'o': call(0, *text ? "end" : "add"); break;
	default: return;
	}
	cluster_stage_run(stage);
}

static void begin(void)
{
	waits = 2;
	stage = cluster_stage_new(2, 1, 1, (const live_definition *[]){&board, NULL});
	for (unsigned i = 0; i < 2; i++) {
		clients[i] = stage_client_new(stage->nodes[i].stage, 0);
		const char *id = stage_client_mount(clients[i], "Board", "{}");
		assert_always(id);
		snprintf(ids[i], sizeof ids[i], "%s", id);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > MAX_SIZE)
		return 0;
	begin();
	for (const char *at = (const char *)data, *last = at + size; at < last;) {
		const char *stop = memchr(at, 0, (size_t)(last - at));
		struct str step = {at, (size_t)((stop ? stop : last) - at)};
		if (step.len) {
			char *text = name_in((struct str){step.ptr + 1, step.len - 1});
			do_step(step.ptr[0], text);
			free(text);
		}
		at += step.len + 1;
	}
	stage_client_check(clients[0]);
	stage_client_check(clients[1]);
	cluster_stage_free(stage);
	return 0;
}
