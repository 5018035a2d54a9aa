#include "pubsub/memory_adapter.h"

static void memory_open(struct room_adapter *adapter, struct rooms *rooms, struct str room_id)
{
	(void)adapter;
	rooms_adapter_opened(rooms, room_id, NULL);
}

static void memory_forget(struct room_adapter *adapter, struct rooms *rooms, struct str room_id)
{
	(void)adapter;
	(void)rooms;
	(void)room_id;
}

static void memory_publish(struct room_adapter *adapter, struct rooms *rooms, const struct room_event *event)
{
	(void)adapter;
	(void)rooms;
	(void)event;
}

static void memory_publish_membership(struct room_adapter *adapter, struct rooms *rooms, struct str room_id,
				      bool joined, struct str member_id)
{
	(void)adapter;
	(void)rooms;
	(void)room_id;
	(void)joined;
	(void)member_id;
}

struct room_adapter *memory_adapter(void)
{
	static const struct room_adapter_ops ops = {
		.open = memory_open,
		.close = memory_forget,
		.publish_event = memory_publish,
		.publish_state = memory_publish,
		.publish_membership = memory_publish_membership,
		.remove = memory_forget,
	};
	static struct room_adapter adapter = {&ops};

	return &adapter;
}
