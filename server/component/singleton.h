/*
 * singleton - one instance for all clients of the node.
 *
 * It lives on the shard that its name hashes to. Every shard whose clients mounted it has a proxy: the list of their
 * parts. Between the two everything travels as mail, also on the same shard, so a client sees pushes and replies in the
 * order in which the singleton made them. Here are both ends: what the home does for its audience (singleton.c), and
 * what a client's shard does with its part (singleton_proxy.c). In a cluster the instance may live on another node; its
 * home here then stands for it (singleton_cluster.h), and clients' shards know nothing of that.
 *
 * Threads: [shard] of the first argument.
 */
#ifndef SERVER_COMPONENT_SINGLETON_H
#define SERVER_COMPONENT_SINGLETON_H

#include <stdbool.h>

#include <live/component.h>

#include "core/frame.h"
#include "core/str.h"
#include "server/component/instance.h"

struct call;
struct mount_request;

/* ---- at the home ---- */

/* Pushes to all clients, after the pending delta. */
void singleton_push(live_component *self, struct str json);
/* The state changed from before (borrowed) by delta (given away): it goes out at the end of the tick. */
void singleton_push_delta(live_component *self, const live_value *before, const live_value *delta);
/* Sends the pending delta now: a reply is about to follow. */
void singleton_flush(live_component *self);
/* Answers a call, behind all that the singleton has said before: result (a loan, may be NULL) or error (ptr NULL:
 * success). false: the result is too large for a message, and nobody was told. */
bool singleton_answer(live_component *self, const struct call *call, const live_value *result, struct str error);
/* Pushes to the clients of this node alone. */
void singleton_push_here(live_component *self, struct str json);
/* Pushes a room event that reached the singleton itself. */
void singleton_push_room(live_component *self, struct str shared);
/* Tells it of all its clients, one after the other, as if they came now. */
void singleton_tell_joins(live_component *self);
/* The instance ends: its clients' parts do too, unless it goes on elsewhere. */
void singleton_end(live_component *self);
/* How many clients have mounted it. */
unsigned singleton_clients(const live_component *self);

/* ---- at a client's shard ---- */

/* Mounts for client, which is held until the home has answered. seed: the state that it starts from when it does not
 * exist yet (a loan; NULL: the request's props). */
void singleton_mount(struct client *client, const struct definition *definition, const struct mount_request *request,
		     const live_value *seed);
/* The registry of here is another one: what clients of here mounted goes over to it (adopt.h). */
void singleton_adopt(struct component_shard *here);
/* Whether clients of here mounted a singleton of that registry. */
bool singleton_uses(const struct component_shard *here, const struct registry *registry);
/* Of what is mounted, be it an instance or a part in a singleton. */
const struct definition *mounted_definition(const struct mounted *mounted);
/* The client, which was too slow, has caught up: when changes passed it by, it is sent the whole state. */
void singleton_refresh(struct mounted *part);
/* The client lets go, or is gone. */
void singleton_detach(struct mounted *part);
/* Has the home run an action and answer; the client is held until then, so that answers come in the order of the
 * requests (not for a deferred one). payload is a loan. */
void singleton_call(struct mounted *part, const struct call *call, const live_value *payload);
/* Has the home write a property and answer, as above; request_id ptr NULL: none. value is a loan. */
void singleton_set_property(struct mounted *part, struct str component_id, struct str key, const live_value *value,
			    struct str request_id);
/* The same for all keys of state (a loan). */
void singleton_set_state(struct mounted *part, struct str component_id, const live_value *state, struct str request_id);

#endif
