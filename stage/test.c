/*
 * live/test.h, on a component_stage that is alone.
 */
#include <live/test.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/mem.h"
#include "server/component/instance.h"
#include "stage/component_stage.h"

struct live_test {
	struct component_stage *stage;
	const char *first; /* component */
	struct list mounted;
	const char *refusal; /* a loan from the messages */
	unsigned requests;
};

struct live_tested {
	struct list link;
	live_test *test;
	struct stage_client *client;
	char name[129];
	char room[65];
	const live_auth *auth; /* ours */
	const char *id;        /* a loan from the messages, like what follows */
	const live_value *reply;
	size_t looked_at; /* messages */
	size_t asked_at;  /* messages that there were before the last request */
	char request_id[16];
	char *text; /* ours: what live_tested_next returned */
	unsigned shard;
};

/* ---- the server ---- */

live_test *live_test_new_with(const live_test_options *options)
{
	live_test *test = mem_alloc(sizeof *test);

	test->stage = component_stage_new_alone(options->shards ? options->shards : 1,
						options->seed ? options->seed : 1, options->definitions);
	test->first = options->definitions[0]->name;
	test->refusal = "";
	list_init(&test->mounted);
	return test;
}

live_test *live_test_new(const live_definition *definition)
{
	return live_test_new_with(
		&(live_test_options){.definitions = (const live_definition *const[]){definition, NULL}});
}

void live_test_free(live_test *test)
{
	if (!test)
		return;
	component_stage_free(test->stage);
	list_for_each_safe (link, &test->mounted) {
		live_tested *tested = LIST_OF(link, live_tested, link);
		live_auth_unref(tested->auth);
		free(tested->text);
		free(tested);
	}
	free(test);
}

void live_test_run(live_test *test)
{
	do
		component_stage_run(test->stage);
	while (component_stage_work(test->stage));
}

void live_test_advance(live_test *test, int64_t ms)
{
	stage_advance(component_stage_steps(test->stage), ms);
}

int64_t live_test_now_ms(const live_test *test)
{
	return shard_clock(component_stage_shard(test->stage, 0)->shard)->wall_ms;
}

unsigned live_test_alive(const live_test *test)
{
	return component_stage_count(test->stage);
}

const char *live_test_refusal(const live_test *test)
{
	return test->refusal;
}

void live_test_failed(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
	fflush(NULL);
	_exit(1);
}

__attribute__((format(printf, 1, 2), noreturn)) static void end_program(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	fflush(NULL);
	_exit(1);
}

/* The test's own text, which must be JSON: an object if is_object. The caller owns it. */
static const live_value *parse(const char *text, bool is_object)
{
	char error[128];
	const live_value *value = live_from_json(text, strlen(text), error, sizeof error);

	if (!value)
		end_program("the test's own JSON is no good: %s: %s", error, text);
	if (is_object && live_value_type(value) != LIVE_OBJECT)
		end_program("the test's own JSON is no object: %s", text);
	return value;
}

/* ---- messages ---- */

/* Sends message (given away). */
static void send(live_tested *tested, const live_value *message)
{
	size_t len;
	char *text = live_to_json(message, &len);

	stage_client_send_text(tested->client, (struct str){text, len});
	free(text);
	live_value_unref(message);
}

static size_t count_messages(const live_tested *tested)
{
	size_t count = tested->asked_at;

	while (stage_client_at(tested->client, count))
		count++;
	return count;
}

static const live_value *find_reply(const live_tested *tested)
{
	const live_value *message;

	for (size_t i = tested->asked_at; (message = stage_client_at(tested->client, i)); i++)
		if (!strcmp(stage_text(message, "requestId"), tested->request_id))
			return message;
	return NULL;
}

/* Sends a request (given away) and does what is ready. NULL when there is no answer yet. */
static const live_value *ask(live_tested *tested, const live_value *request)
{
	snprintf(tested->request_id, sizeof tested->request_id, "test-%u", ++tested->test->requests);
	const live_value *whole = live_with(request, "requestId", live_string(tested->request_id));
	live_value_unref(request);
	tested->asked_at = count_messages(tested);
	send(tested, whole);
	component_stage_run(tested->test->stage);
	tested->reply = find_reply(tested);
	return tested->reply;
}

static const live_value *message_of(const char *type, const live_tested *tested)
{
	return live_object("type", live_string(type), "componentId", live_string(tested->id), "expectResponse",
			   live_bool(true), NULL);
}

/* message (given away) with value (given away) as key. */
static const live_value *with(const live_value *message, const char *key, const live_value *value)
{
	const live_value *larger = live_with(message, key, value);

	live_value_unref(message);
	return larger;
}

void live_tested_send(live_tested *tested, const char *message)
{
	const live_value *given = parse(message, true);

	if (!live_get(given, "componentId"))
		given = with(given, "componentId", live_string(tested->id));
	send(tested, given);
	component_stage_run(tested->test->stage);
}

/* Room events and broadcasts name who sent them, or whom they reach: only what names another component of the same
 * client is not about this one. */
static bool is_about(const live_tested *tested, const live_value *message)
{
	const char *id = stage_text(message, "componentId");

	return !*id || !strcmp(id, tested->id) || !strcmp(stage_text(message, "type"), "BROADCAST");
}

const char *live_tested_next(live_tested *tested, const char *type)
{
	const live_value *message;

	while ((message = stage_client_at(tested->client, tested->looked_at))) {
		tested->looked_at++;
		if (!is_about(tested, message) || (type && strcmp(stage_text(message, "type"), type)))
			continue;
		free(tested->text);
		tested->text = live_to_json(message, NULL);
		return tested->text;
	}
	return NULL;
}

unsigned live_tested_count(const live_tested *tested, const char *type)
{
	const live_value *message;
	unsigned count = 0;

	for (size_t i = 0; (message = stage_client_at(tested->client, i)); i++)
		count += is_about(tested, message) && !strcmp(stage_text(message, "type"), type);
	return count;
}

/* ---- mounting and going ---- */

static const live_value *list_names(const char *const *names)
{
	const live_value *list = live_array(0, NULL);

	for (; names && *names; names++) {
		const live_value *longer = live_append(list, live_string(*names));
		live_value_unref(list);
		list = longer;
	}
	return list;
}

static const live_auth *make_auth(const live_test_mount_options *options)
{
	if (!options->user && !options->roles && !options->permissions)
		return NULL;
	return live_auth_new(live_object("id", live_string(options->user ? options->user : "tester"), "roles",
					 list_names(options->roles), "permissions", list_names(options->permissions),
					 NULL),
			     NULL);
}

static void connect(live_tested *tested)
{
	tested->client = stage_client_new(tested->test->stage, tested->shard);
	tested->looked_at = tested->asked_at = 0;
	if (tested->auth)
		stage_client_sign_on(tested->client, live_auth_ref(tested->auth));
}

static bool ask_mount(live_tested *tested, const char *props)
{
	const live_value *payload = live_object("component", live_string(tested->name), NULL);

	if (props)
		payload = with(payload, "props", parse(props, true));
	if (*tested->room)
		payload = with(payload, "room", live_string(tested->room));
	tested->id = "mount";
	const live_value *reply = ask(tested, with(message_of("COMPONENT_MOUNT", tested), "payload", payload));
	tested->test->refusal = reply ? stage_text(reply, "error") : "it is not answered yet";
	tested->id = stage_text(reply, "result.componentId");
	return *tested->id;
}

live_tested *live_test_mount(live_test *test, const live_test_mount_options *options)
{
	live_tested *tested = mem_alloc(sizeof *tested);

	tested->test = test;
	tested->shard = options->shard;
	tested->auth = make_auth(options);
	snprintf(tested->name, sizeof tested->name, "%s", options->component ? options->component : test->first);
	snprintf(tested->room, sizeof tested->room, "%s", options->room ? options->room : "");
	list_append(&test->mounted, &tested->link);
	if (options->with)
		tested->client = options->with->client;
	else
		connect(tested);
	return ask_mount(tested, options->props) ? tested : NULL;
}

void live_tested_unmount(live_tested *tested)
{
	ask(tested, message_of("COMPONENT_UNMOUNT", tested));
}

void live_tested_disconnect(live_tested *tested)
{
	stage_client_vanish(tested->client);
	component_stage_run(tested->test->stage);
}

/* The newest signed state that the client was given, or NULL. */
static const live_value *last_signed(const live_tested *tested)
{
	const live_value *found = NULL, *message;

	for (size_t i = 0; (message = stage_client_at(tested->client, i)); i++) {
		const live_value *state = live_path(message, "payload.signedState");
		if (state && !strcmp(stage_text(message, "componentId"), tested->id))
			found = state;
	}
	return found;
}

int live_tested_come_back(live_tested *tested)
{
	live_test_advance(tested->test, 1000);
	const live_value *payload = live_object("component", live_string(tested->name), "signedState",
						live_value_ref(last_signed(tested)), NULL);
	if (*tested->room)
		payload = with(payload, "room", live_string(tested->room));
	live_tested_disconnect(tested);
	connect(tested);
	const live_value *reply = ask(tested, with(message_of("COMPONENT_REHYDRATE", tested), "payload", payload));
	const char *id = stage_text(reply, "result.newComponentId");
	if (!*id)
		return -1;
	tested->id = id;
	return 0;
}

const char *live_tested_id(const live_tested *tested)
{
	return tested->id;
}

/* ---- calling ---- */

static int outcome_of(const live_value *reply)
{
	if (!reply)
		return 1;
	return live_as_bool(live_get(reply, "success")) ? 0 : -1;
}

int live_tested_act(live_tested *tested, const char *action, const char *payload)
{
	const live_value *call = with(message_of("CALL_ACTION", tested), "action", live_string(action));

	if (payload)
		call = with(call, "payload", parse(payload, false));
	ask(tested, call);
	while (!tested->reply && component_stage_work(tested->test->stage)) {
		component_stage_run(tested->test->stage);
		tested->reply = find_reply(tested);
	}
	return outcome_of(tested->reply);
}

int live_tested_outcome(live_tested *tested)
{
	if (!tested->reply) {
		component_stage_run(tested->test->stage);
		tested->reply = find_reply(tested);
	}
	return outcome_of(tested->reply);
}

const live_value *live_tested_result(live_tested *tested)
{
	live_tested_outcome(tested);
	return live_get(tested->reply, "result");
}

const char *live_tested_error(live_tested *tested)
{
	live_tested_outcome(tested);
	return stage_text(tested->reply, "error");
}

/* ---- looking ---- */

live_component *live_tested_instance(live_tested *tested)
{
	struct component_shard *here;

	for (unsigned i = 0; (here = component_stage_shard(tested->test->stage, i)); i++) {
		list_for_each (link, &here->instances) {
			live_component *instance = LIST_OF(link, live_component, link);
			if (str_equal(instance->sender.id, str_of(tested->id)))
				return instance;
		}
	}
	return NULL;
}

bool live_tested_is_alive(const live_tested *tested)
{
	return live_tested_instance((live_tested *)(uintptr_t)tested) != NULL;
}

const live_value *live_tested_state(live_tested *tested)
{
	live_component *instance = live_tested_instance(tested);

	if (!instance)
		return NULL;
	const live_value *held = stage_client_state(tested->client, tested->id);
	if (!live_equal(held, live_state(instance)))
		end_program("the client holds %s\nbut its state is %s", live_to_json(held, NULL),
			    live_to_json(live_state(instance), NULL));
	live_value_unref(held);
	return live_state(instance);
}

bool live_tested_is(live_tested *tested, const char *state)
{
	const live_value *wanted = parse(state, true);
	const live_value *found = live_tested_state(tested);
	bool is_equal = found && live_equal(wanted, found);

	if (!is_equal) {
		char *text = live_to_json(found, NULL);
		fprintf(stderr, "the state is %s\nand not      %s\n", text, state);
		free(text);
	}
	live_value_unref(wanted);
	return is_equal;
}
