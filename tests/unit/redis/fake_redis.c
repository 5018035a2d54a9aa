#include "unit/redis/fake_redis.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/buf.h"
#include "core/mem.h"
#include "redis/room_scripts.h"

enum { ARGS_MAX = 4096 };

struct command { /* or its answer, or a message */
	struct list link;
	const struct redis_script *script; /* NULL: a message to be published, args[1] */
	redis_answer *answer;
	void *context;
	unsigned count;
	struct str *args;
	struct buf text; /* of args; of an answer: as Redis writes it */
};

struct redis_link {
	struct shard *shard;
	struct redis_node *node;
	struct fake_redis *server; /* NULL: not connected */
	struct list at_server;
	struct list commands; /* on their way there */
	struct list answers;  /* on their way back */
	struct list messages;
	struct list watches;
	struct redis_channel *channel;
	bool is_ready_due; /* before the first message */
};

/* ---- commands ---- */

static struct command *command_new(const struct redis_script *script, const struct str *args, unsigned count)
{
	struct command *command = mem_alloc(sizeof *command);
	size_t at = 0;

	command->script = script;
	command->count = count;
	command->args = mem_alloc((count + 1) * sizeof *args);
	buf_init(&command->text, SIZE_MAX / 2);
	for (unsigned i = 0; i < count; i++)
		buf_append_str(&command->text, args[i]);
	for (unsigned i = 0; i < count; i++) {
		command->args[i] = (struct str){command->text.ptr + at, args[i].len};
		at += args[i].len;
	}
	return command;
}

static void command_free(struct command *command)
{
	list_remove(&command->link);
	buf_deinit(&command->text);
	free(command->args);
	free(command);
}

static struct command *oldest(struct list *list)
{
	return list_is_empty(list) ? NULL : LIST_OF(list->next, struct command, link);
}

static void free_all(struct list *list)
{
	list_for_each_safe (at, list)
		command_free(LIST_OF(at, struct command, link));
}

/* ---- what the scripts do ---- */

static uint64_t number_of(const struct command *command, unsigned index)
{
	char text[24];

	ck_assert_uint_lt(index, command->count);
	snprintf(text, sizeof text, "%.*s", STR_ARG(command->args[index]));
	return strtoull(text, NULL, 10);
}

static void put_text(struct buf *to, struct str text)
{
	buf_printf(to, "$%zu\r\n", text.len);
	buf_append_str(to, text);
	buf_append_str(to, STR("\r\n"));
}

static void put_number_text(struct buf *to, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, number);
	put_text(to, str_of(text));
}

/* version, lineage, state, signature, acks */
static void put_record(struct buf *to, const struct fake_record *record)
{
	put_number_text(to, record->version);
	put_text(to, str_of(record->lineage));
	if (record->has_state)
		put_text(to, str_of(record->state));
	else
		buf_append_str(to, STR("$-1\r\n"));
	put_text(to, STR(""));
	buf_printf(to, "*%u\r\n", 2 * record->ack_count);
	for (unsigned i = 0; i < record->ack_count; i++) {
		put_text(to, str_of(record->acks[i].origin));
		put_number_text(to, record->acks[i].commit);
	}
}

static uint64_t *ack_of(struct fake_record *record, struct str origin)
{
	for (unsigned i = 0; i < record->ack_count; i++) {
		if (str_equal(str_of(record->acks[i].origin), origin))
			return &record->acks[i].commit;
	}
	ck_assert_uint_lt(record->ack_count, FAKE_ACKS_MAX);
	snprintf(record->acks[record->ack_count].origin, ID_LEN + 1, "%.*s", STR_ARG(origin));
	record->acks[record->ack_count].commit = 0;
	return &record->acks[record->ack_count++].commit;
}

static void publish(struct fake_redis *server, struct str message)
{
	list_for_each_safe (at, &server->links) {
		struct redis_link *link = LIST_OF(at, struct redis_link, at_server);

		if (link->channel)
			list_append(&link->messages, &command_new(NULL, &message, 1)->link);
	}
}

static void carry_out_commit(struct fake_redis *server, const struct command *c, struct buf *to)
{
	struct fake_record *record = &server->record;
	bool restores = str_equal(c->args[9], STR("restore"));
	uint64_t pairs = number_of(c, 11);

	if (*ack_of(record, c->args[0]) == number_of(c, 1)) {
		buf_append_str(to, STR("*1\r\n$2\r\nok\r\n"));
		return;
	}
	if (record->version != number_of(c, 2) || !str_equal(str_of(record->lineage), c->args[3])) {
		buf_append_str(to, STR("*6\r\n$8\r\nconflict\r\n"));
		put_record(to, record);
		return;
	}
	if (!restores && record->rests_until_ms > server->now_ms) {
		buf_printf(to, "*2\r\n$4\r\nwait\r\n:%" PRId64 "\r\n", record->rests_until_ms - server->now_ms);
		return;
	}
	record->version = number_of(c, 4);
	record->has_state = true;
	ck_assert_uint_lt(c->args[6].len, FAKE_STATE_MAX);
	snprintf(record->lineage, sizeof record->lineage, "%.*s", STR_ARG(c->args[5]));
	snprintf(record->state, sizeof record->state, "%.*s", STR_ARG(c->args[6]));
	record->rests_until_ms = restores ? server->now_ms + (int64_t)number_of(c, 10) : 0;
	if (restores)
		record->ack_count = 0;
	else
		*ack_of(record, c->args[0]) = number_of(c, 1);
	unsigned at = 12;
	for (uint64_t i = 0; i < pairs; i++, at += 2)
		*ack_of(record, c->args[at]) = number_of(c, at + 1);
	for (at++; at < c->count; at++)
		publish(server, c->args[at]);
	server->commits += !restores;
	server->restores += restores;
	buf_append_str(to, STR("*1\r\n$2\r\nok\r\n"));
}

static void carry_out(struct fake_redis *server, const struct command *command, struct buf *to)
{
	if (!command->script) {
		publish(server, command->args[0]);
		buf_append_str(to, STR(":1\r\n"));
	} else if (command->script == &room_script_read) {
		buf_append_str(to, STR("*5\r\n"));
		put_record(to, &server->record);
	} else if (command->script == &room_script_commit) {
		carry_out_commit(server, command, to);
	} else if (command->script == &room_script_members) {
		buf_append_str(to, STR("*2\r\n*0\r\n*0\r\n"));
	} else if (command->script == &room_script_beat) {
		buf_append_str(to, STR("*2\r\n:0\r\n*0\r\n"));
	} else {
		publish(server, command->args[5]); /* a join or leave */
		buf_append_str(to, STR(":1\r\n"));
	}
}

void fake_redis_init(struct fake_redis *server)
{
	*server = (struct fake_redis){0};
	list_init(&server->links);
	list_init(&server->late);
}

void fake_redis_die(struct fake_redis *server, const struct fake_record *record)
{
	free_all(&server->late);
	ck_assert(list_is_empty(&server->links));
	server->record = record ? *record : (struct fake_record){0};
}

bool fake_redis_run_late(struct fake_redis *server)
{
	struct command *command = oldest(&server->late);
	struct buf answer;

	if (!command)
		return false;
	buf_init(&answer, SIZE_MAX / 2);
	carry_out(server, command, &answer);
	buf_deinit(&answer);
	command_free(command);
	return true;
}

/* ---- a link, as the test sees it ---- */

void fake_link_connect(struct redis_link *link, struct fake_redis *server)
{
	ck_assert_ptr_null(link->server);
	link->server = server;
	list_append(&server->links, &link->at_server);
	list_for_each_safe (at, &link->watches) {
		struct redis_watch *watch = LIST_OF(at, struct redis_watch, link);
		watch->changed(watch, true);
	}
	link->is_ready_due = true;
}

static void fail_all(struct list *list)
{
	list_for_each_safe (at, list) {
		struct command *command = LIST_OF(at, struct command, link);
		redis_answer *answer = command->answer;
		void *context = command->context;

		command_free(command);
		if (answer)
			answer(context, -ECONNRESET, NULL);
	}
}

void fake_link_disconnect(struct redis_link *link, unsigned late)
{
	struct fake_redis *server = link->server;
	struct list unknown;

	list_init(&unknown);
	link->server = NULL;
	list_remove(&link->at_server);
	free_all(&link->messages);
	if (link->channel)
		link->channel->is_live = false;
	list_for_each_safe (at, &link->commands) {
		struct command *command = LIST_OF(at, struct command, link);

		if (late == 0)
			break;
		late--;
		struct command *twin = command_new(command->script, command->args, command->count);
		list_append(&server->late, &twin->link);
	}
	for (struct command *command; (command = oldest(&link->answers));) {
		list_remove(&command->link);
		list_append(&unknown, &command->link);
	}
	for (struct command *command; (command = oldest(&link->commands));) {
		list_remove(&command->link);
		list_append(&unknown, &command->link);
	}
	fail_all(&unknown);
	list_for_each_safe (at, &link->watches) {
		struct redis_watch *watch = LIST_OF(at, struct redis_watch, link);
		watch->changed(watch, false);
	}
}

bool fake_link_is_connected(const struct redis_link *link)
{
	return link->server != NULL;
}

unsigned fake_link_pending(const struct redis_link *link)
{
	unsigned count = 0;

	list_for_each_safe (at, (struct list *)(uintptr_t)&link->commands)
		count++;
	return count;
}

bool fake_link_run(struct redis_link *link)
{
	struct command *command = oldest(&link->commands);
	struct buf answer;

	if (!command)
		return false;
	buf_init(&answer, SIZE_MAX / 2);
	carry_out(link->server, command, &answer);
	buf_deinit(&command->text);
	command->text = answer;
	list_remove(&command->link);
	list_append(&link->answers, &command->link);
	return true;
}

bool fake_link_answer(struct redis_link *link)
{
	struct command *command = oldest(&link->answers);
	void *reply = NULL;

	if (!command)
		return false;
	redisReader *reader = redisReaderCreate();
	ck_assert_int_eq(redisReaderFeed(reader, command->text.ptr, command->text.len), REDIS_OK);
	ck_assert_int_eq(redisReaderGetReply(reader, &reply), REDIS_OK);
	ck_assert_ptr_nonnull(reply);
	redis_answer *answer = command->answer;
	void *context = command->context;
	command_free(command);
	if (answer)
		answer(context, 0, reply);
	freeReplyObject(reply);
	redisReaderFree(reader);
	return true;
}

bool fake_link_hear(struct redis_link *link)
{
	struct command *message = oldest(&link->messages);

	if (link->is_ready_due && link->channel && link->server) {
		link->is_ready_due = false;
		link->channel->is_live = true;
		link->channel->ready(link->channel);
		return true;
	}
	if (!message)
		return false;
	list_remove(&message->link);
	list_init(&message->link);
	if (link->channel)
		link->channel->message(link->channel, message->args[0]);
	command_free(message);
	return true;
}

/* ---- a link, as redis/link.h has it ---- */

struct redis_link *redis_link_new(struct shard *shard, struct pool *pool, struct redis_node *node)
{
	struct redis_link *link = mem_alloc(sizeof *link);

	(void)pool;
	link->shard = shard;
	link->node = node;
	list_init(&link->commands);
	list_init(&link->answers);
	list_init(&link->messages);
	list_init(&link->watches);
	return link;
}

void redis_link_free(struct redis_link *link)
{
	if (link->server)
		list_remove(&link->at_server);
	free_all(&link->commands);
	free_all(&link->answers);
	free_all(&link->messages);
	free(link);
}

struct redis_node *redis_link_node(const struct redis_link *link)
{
	return link->node;
}

struct shard *redis_link_shard(const struct redis_link *link)
{
	return link->shard;
}

bool redis_link_is_up(const struct redis_link *link)
{
	return link->server != NULL;
}

int redis_link_send(struct redis_link *link, const struct str *args, unsigned count, redis_answer *answer,
		    void *context)
{
	(void)args; /* ZREM and DEL, which no test here looks at */
	(void)count;
	(void)answer;
	(void)context;
	return link->server ? 0 : -ENOTCONN;
}

int redis_link_eval(struct redis_link *link, const struct redis_script *script, const struct str *keys,
		    unsigned key_count, const struct str *args, unsigned arg_count, redis_answer *answer, void *context)
{
	(void)keys;
	(void)key_count;
	if (!link->server)
		return -ENOTCONN;
	struct command *command = command_new(script, args, arg_count);
	command->answer = answer;
	command->context = context;
	list_append(&link->commands, &command->link);
	return 0;
}

int redis_link_publish(struct redis_link *link, struct str channel, struct str message)
{
	(void)channel;
	if (!link->server)
		return -ENOTCONN;
	list_append(&link->commands, &command_new(NULL, &message, 1)->link);
	return 0;
}

static void forget(struct list *list, const void *context)
{
	list_for_each_safe (at, list) {
		struct command *command = LIST_OF(at, struct command, link);

		if (command->context == context)
			command->answer = NULL;
	}
}

void redis_link_forget(struct redis_link *link, const void *context)
{
	forget(&link->commands, context);
	forget(&link->answers, context);
}

void redis_link_subscribe(struct redis_link *link, struct redis_channel *channel, struct str name)
{
	(void)name;
	ck_assert_ptr_null(link->channel);
	link->channel = channel;
	link->is_ready_due = true;
}

void redis_link_unsubscribe(struct redis_link *link, struct redis_channel *channel)
{
	ck_assert_ptr_eq(link->channel, channel);
	link->channel = NULL;
	channel->is_live = false;
	free_all(&link->messages);
}

void redis_link_watch(struct redis_link *link, struct redis_watch *watch)
{
	list_append(&link->watches, &watch->link);
}

void redis_link_unwatch(struct redis_watch *watch)
{
	list_remove(&watch->link);
}
