/*
 * returns - how often a client has come back: of the connections of one client, the number of this one.
 *
 * A client has no name of its own on the wire. But when it comes back it presents signed state, and in it the id of a
 * component that it had. So a connection that had come back, and ends, leaves its number under the id of one of its
 * components, at the shard that the id's hash chooses; the next one that presents that id takes it from there. The last
 * RETURNS_KEPT of a shard are kept. A client that came back for the first time, or from another node, finds nothing:
 * its number is 1. What one may get wrong: whoever comes back before its old connection is known to be gone finds
 * nothing, too. It is a figure for people who watch, and nothing may hang on it.
 *
 * Owner: component_shard. Threads: [shard].
 */
#ifndef SERVER_COMPONENT_RETURNS_H
#define SERVER_COMPONENT_RETURNS_H

#include "core/str.h"

struct client;
struct component_shard;
struct returns;

enum { RETURNS_KEPT = 1024 };

struct returns *returns_new(void);
/* NULL is fine. */
void returns_free(struct returns *returns);
/* The client presented a state of the component with that id that this server had signed: tells its came_back now, and
 * once more when its number is known to be larger. */
void returns_note(struct client *client, struct str component_id);
/* The client, which had come back that often, is going: leaves its number for the next time. */
void returns_leave(struct client *client, unsigned times);

#endif
