/* The components of one shard, as the debugger's snapshot shows them (protocol.md section 18). */
#include "core/json.h"
#include "server/component/membership.h"
#include "server/component/trace.h"

static void put_rooms(struct buf *out, const live_component *self)
{
	bool is_first = true;

	list_for_each (link, &self->mounted.memberships) {
		const struct membership *membership = LIST_OF(link, struct membership, link);
		if (membership->member.state != ROOM_MEMBER_IN)
			continue;
		if (!is_first)
			buf_append_char(out, ',');
		is_first = false;
		json_write_string(out, membership->room_id);
	}
}

static void put_component(struct buf *out, const live_component *self)
{
	const struct trace_notes *notes = self->extra ? self->extra->notes : NULL;

	buf_append_str(out, STR("{\"componentId\":"));
	json_write_string(out, self->sender.id);
	buf_append_str(out, STR(",\"componentName\":"));
	json_write_string(out, self->definition->name);
	if (notes && notes->label.ptr) {
		buf_append_str(out, STR(",\"debugLabel\":"));
		json_write_string(out, notes->label);
	}
	buf_append_str(out, STR(",\"state\":"));
	debug_put_state(out, self->state);
	buf_append_str(out, STR(",\"rooms\":["));
	put_rooms(out, self);
	buf_printf(out,
		   "],\"mountedAt\":%lld,\"lastActivity\":%lld,\"actionCount\":%u,\"stateChangeCount\":%u,"
		   "\"errorCount\":%u}",
		   (long long)(notes ? notes->mounted_ms : 0), (long long)(notes ? notes->active_ms : 0),
		   self->action_count, self->state_change_count, (unsigned)self->error_count);
}

void trace_collect(struct shard *shard, struct buf *out, size_t limit)
{
	struct component_shard *here = component_shard_of(shard);

	if (!here) /* the server ends */
		return;
	list_for_each (link, &here->instances) {
		if (out->len)
			buf_append_char(out, ',');
		put_component(out, LIST_OF(link, live_component, link));
		if (out->len > limit)
			return;
	}
}
