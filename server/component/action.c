#include "server/component/action.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"
#include "server/component/action_rate.h"
#include "server/component/call.h"
#include "server/component/callable.h"
#include "server/component/instance.h"
#include "server/component/trace.h"
#include "server/schema/schema.h"

enum { REFUSAL_BYTES = 4096 };

/* Why the action cannot be called, in the protocol's words. */
static void refuse(live_component *self, struct str name, const live_action *action, struct live_reply *reply)
{
	const live_definition *api = self->definition->api;

	if (name_is_blocked(name))
		live_reply_error(reply, "Action '%.*s' is not callable", STR_ARG(name));
	else if (!api->actions)
		live_reply_error(reply, "Action '%.*s' is not callable - component has no publicActions defined",
				 STR_ARG(name));
	else if (!action && str_equal(name, STR("setValue")))
		live_reply_error(reply,
				 "Action '%.*s' exists on '%s' but is not listed in publicActions. Add it to: static "
				 "publicActions = [..., '%.*s']",
				 STR_ARG(name), api->name, STR_ARG(name));
	else if (!action || name_is_universal(name))
		live_reply_error(reply, "Action '%.*s' is not callable", STR_ARG(name));
	else
		live_reply_error(reply, "Action '%.*s' not found on component", STR_ARG(name));
}

/* The action to run, or NULL with the refusal in reply. */
static const live_action *find_callable(live_component *self, struct str name, struct live_reply *reply)
{
	const live_action *action = definition_action(self->definition, name);

	if (!action || !definition_is_callable(self->definition, action)) {
		refuse(self, name, action, reply);
		return NULL;
	}
	if (reply->call->asker || action_rate_take(self, reply->call->client, action))
		return action;
	const live_rate_limit *limit = self->definition->api->rate_limit;
	live_reply_error(reply, "Action rate limit exceeded (max %u calls per %lldms)", limit->max_calls,
			 (long long)limit->window_ms);
	return NULL;
}

/* Checks payload against the action's schema, if it has one, and puts the one with its defaults in *whole, which is the
 * caller's; false with the refusal in reply. */
static bool apply_schema(live_component *self, const live_action *action, const live_value *payload,
			 const live_value **whole, struct live_reply *reply)
{
	const struct schema *schema = definition_schema(self->definition, action);
	struct buf message;

	if (!schema)
		return true;
	buf_init(&message, REFUSAL_BYTES);
	int rc = schema_apply(schema, payload, "payload", whole, &message);
	if (rc < 0)
		live_reply_error(reply, "Action '%s' payload validation failed: %.*s", action->name,
				 STR_ARG(buf_str(&message)));
	buf_deinit(&message);
	return rc == 0;
}

/* Lets on_action have its say: whether the action may run. */
static bool ask_hook(live_component *self, const live_action *action, const live_value *payload,
		     struct live_reply *reply)
{
	if (!self->definition->api->on_action)
		return true;
	struct shard_job before = instance_enter(self, "onAction");
	int rc = self->definition->api->on_action(self, action->name, payload, reply);
	instance_leave(self, before);
	if (rc == 0)
		return true;
	if (rc == LIVE_CANCEL) {
		live_reply_error(reply, "Action '%s' was cancelled", action->name);
		return false;
	}
	/* The reference tells twice: that the check failed, and what the hook said. */
	struct buf *out = &self->home->out.scratch;
	char text[256];
	snprintf(text, sizeof text, "Action '%s' failed pre-validation", action->name);
	encode_error_push(out, &self->sender, str_of(action->name), str_of(text));
	instance_push(self, scratch_take(self->home));
	return false;
}

/* Runs the author's function; one that held the shard for long is named. */
static int run_watched(live_component *self, const live_action *action, struct call *call, const live_value *payload,
		       struct live_reply *reply)
{
	struct shard_job before = instance_enter(self, action->name);
	int rc = action->run(self, payload, reply);
	int64_t took_ns = clock_now_mono_ns() - call->began_ns;
	int64_t held_ms = took_ns / 1000000;

	instance_leave(self, before);
	if (!reply->deferred)
		call->took_ns = took_ns;
	if (held_ms > self->home->settings->action_slow_ms)
		log_warn(self->definition->api->name, "action '%s' held its shard for %lld ms", action->name,
			 (long long)held_ms);
	return rc;
}

void action_run(live_component *self, struct call *call, const live_value *payload)
{
	call->began_ns = clock_now_mono_ns();
	struct live_reply reply = {.call = call, .component = self};
	const live_action *action = find_callable(self, call->action, &reply);
	const live_value *whole = NULL; /* the payload that its schema made */
	int rc = -1;

	counter_add(&self->home->counters.actions, 1);
	self->action_count++;
	self->active_s = (uint32_t)(call->began_ns / 1000000000);
	if (trace_wants(self, LIVE_LOG_MESSAGES))
		trace_called(self, call->action, payload);
	if (action && !apply_schema(self, action, payload, &whole, &reply))
		action = NULL;
	if (whole)
		payload = whole;
	if (action && ask_hook(self, action, payload, &reply) && !self->is_dead) {
		live_value_unref(reply.result);
		reply.result = NULL;
		rc = run_watched(self, action, call, payload, &reply);
	}
	live_value_unref(whole);
	call_end(&reply, rc);
}

/* Names by which a client's merge would reach into a prototype. */
static bool is_reserved(struct str key)
{
	return str_equal(key, STR("__proto__")) || str_equal(key, STR("constructor")) ||
	       str_equal(key, STR("prototype"));
}

int live_action_set_value(live_component *self, const live_value *payload, live_reply *reply)
{
	const live_value *key = live_get(payload, "key");
	const live_value *value = live_get(payload, "value");

	if (!live_as_string(key))
		return live_reply_error(reply, "setValue requires a key");
	struct str name = {live_as_string(key), live_len(key)};
	if (is_reserved(name))
		return live_reply_error(reply, "setValue rejected: '%.*s' is a reserved key", STR_ARG(name));
	live_set_state(self, live_with_len(NULL, name.ptr, name.len, live_value_ref(value)));
	live_reply_value(reply, live_object("success", live_bool(true), "key", live_value_ref(key), "value",
					    live_value_ref(value), NULL));
	return 0;
}

/* ---- properties ---- */

/* What was written, or a plain no when it named a key that was too large to write. */
static const char *taken_refusal(live_component *self)
{
	const char *text = scratch_take(self->home).ptr;

	return text ? text : "PROPERTY_UPDATE rejected";
}

static const char *refuse_unknown(live_component *self, struct str key)
{
	const struct definition *definition = self->definition;
	struct buf *out = &self->home->out.scratch;
	const char *separator = "";

	buf_printf(out, "PROPERTY_UPDATE rejected: '%.*s' is not an updatable field of '%s'. Allowed: [", STR_ARG(key),
		   definition->api->name);
	if (definition->api->updatable) {
		for (const char *const *name = definition->api->updatable; *name; name++, separator = ", ")
			buf_printf(out, "%s%s", separator, *name);
	} else {
		for (live_iter it = {0}; live_next(definition->default_state, &it); separator = ", ")
			buf_printf(out, "%s%.*s", separator, (int)it.key_len, it.key);
	}
	buf_printf(out, "]. Declare it in 'static defaultState' or 'static updatableFields' to allow client writes.");
	buf_append_char(out, 0);
	return taken_refusal(self);
}

/* Whether a client may write the property key: NULL, or the text of the refusal in the tick's memory. */
static const char *check_property(live_component *self, struct str key)
{
	struct buf *out = &self->home->out.scratch;

	if (is_reserved(key)) {
		buf_printf(out, "PROPERTY_UPDATE rejected: '%.*s' is a reserved key%c", STR_ARG(key), 0);
		return taken_refusal(self);
	}
	if (key.len && *key.ptr == '$') {
		buf_printf(
			out,
			"PROPERTY_UPDATE rejected: '%.*s' is server-only ($-prefixed fields cannot be written by the "
			"client). Use a server action to mutate it.%c",
			STR_ARG(key), 0);
		return taken_refusal(self);
	}
	return definition_is_updatable(self->definition, key) ? NULL : refuse_unknown(self, key);
}

const char *action_set_property(live_component *self, struct str key, const live_value *value)
{
	const char *refusal = check_property(self, key);

	if (refusal)
		return refusal;
	const live_value *patch = live_with_len(NULL, key.ptr, key.len, live_value_ref(value));
	instance_set_state(self, patch);
	live_value_unref(patch);
	return NULL;
}

const char *action_set_state(live_component *self, const live_value *state)
{
	const char *refusal = NULL;

	for (live_iter it = {0}; !refusal && live_next(state, &it);)
		refusal = check_property(self, (struct str){it.key, it.key_len});
	if (!refusal)
		instance_set_state(self, state);
	return refusal;
}
