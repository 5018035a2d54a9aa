#include "server/component/callable.h"

/* Names that are never callable, listed or not (behaviour.md section 4). */
static const char *const blocked[] = {
	"constructor",
	"destroy",
	"executeAction",
	"getSerializableState",
	"onMount",
	"onDestroy",
	"onConnect",
	"onDisconnect",
	"onStateChange",
	"onRoomJoin",
	"onRoomLeave",
	"onRehydrate",
	"onAction",
	"onClientJoin",
	"onClientLeave",
	"setState",
	"sendBinaryDelta",
	"emit",
	"broadcast",
	"broadcastToRoom",
	"createStateProxy",
	"createDirectStateAccessors",
	"generateId",
	"setAuthContext",
	"_resetAuthContext",
	"$auth",
	"$private",
	"_privateState",
	"$persistent",
	"_inStateChange",
	"$room",
	"$rooms",
	"subscribeToRoom",
	"unsubscribeFromRoom",
	"emitRoomEvent",
	"onRoomEvent",
	"emitRoomEventWithState",
};

/* What every object of a JavaScript server has: not callable even when listed. */
static const char *const universal[] = {
	"toString",       "valueOf",          "hasOwnProperty",   "isPrototypeOf",    "propertyIsEnumerable",
	"toLocaleString", "__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__",
	"__proto__",
};

static bool is_among(const char *const *names, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_equal(str_of(names[i]), name))
			return true;
	return false;
}

#define IS_AMONG(names, name) is_among(names, sizeof(names) / sizeof(names)[0], name)

bool name_is_blocked(struct str name)
{
	return IS_AMONG(blocked, name) || (name.len && (*name.ptr == '_' || *name.ptr == '#'));
}

bool name_is_universal(struct str name)
{
	return IS_AMONG(universal, name);
}
