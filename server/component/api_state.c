/*
 * The part of the author's API that tells who an instance is and changes its state: thin, over instance.h.
 */
#include "server/component/call.h"
#include "server/component/instance.h"
#include "server/component/trace.h"

const char *live_id(const live_component *self)
{
	return self->sender.id.ptr;
}

const char *live_name(const live_component *self)
{
	return self->definition->api->name;
}

const char *live_room(const live_component *self)
{
	return self->sender.room.len ? self->sender.room.ptr : NULL;
}

const char *live_user_id(const live_component *self)
{
	return self->sender.user_id.len ? self->sender.user_id.ptr : NULL;
}

const live_auth *live_auth_of(const live_component *self)
{
	return self->extra && self->extra->auth ? self->extra->auth : live_auth_anonymous();
}

void *live_private(live_component *self)
{
	return self->extra && self->extra->moved_memory ? self->extra->moved_memory : (char *)self + INSTANCE_HEAD;
}

unsigned live_shard(const live_component *self)
{
	return shard_index(self->home->shard);
}

unsigned live_shard_count(const live_component *self)
{
	return shard_group_count(shard_group_of(self->home->shard));
}

const char *live_node(const live_component *self)
{
	return self->home->settings->node;
}

int64_t live_now_ms(const live_component *self)
{
	return shard_clock(self->home->shard)->wall_ms;
}

void live_destroy(live_component *self)
{
	instance_destroy(self);
}

const live_value *live_state(const live_component *self)
{
	return self->state;
}

const live_value *live_state_get(const live_component *self, const char *key)
{
	return live_get(self->state, key);
}

int64_t live_get_int(const live_component *self, const char *key)
{
	return live_as_int(live_get(self->state, key), 0);
}

double live_get_double(const live_component *self, const char *key)
{
	return live_as_double(live_get(self->state, key), 0);
}

bool live_get_bool(const live_component *self, const char *key)
{
	return live_as_bool(live_get(self->state, key));
}

const char *live_get_string(const live_component *self, const char *key)
{
	const char *text = live_as_string(live_get(self->state, key));
	return text ? text : "";
}

void live_set_state(live_component *self, const live_value *patch)
{
	instance_set_state(self, patch);
	live_value_unref(patch);
}

void live_update_state(live_component *self, live_state_fn *patch, const live_value *argument)
{
	live_set_state(self, patch(self->state, argument));
	live_value_unref(argument);
}

void live_set(live_component *self, const char *key, const live_value *value)
{
	const live_value *patch = live_with(NULL, key, value);

	instance_change(self, patch, "proxy");
	live_value_unref(patch);
}

void live_emit(live_component *self, const char *type, const live_value *payload)
{
	struct str clean = call_clean_text(self->home, type);

	if (trace_wants(self, LIVE_LOG_MESSAGES))
		trace_pushed(self, clean);
	encode_emit(&self->home->out.scratch, &self->sender, clean, payload);
	instance_push(self, scratch_take(self->home));
	live_value_unref(payload);
}
