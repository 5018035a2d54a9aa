/*
 * adopt - a shard takes over the next registry while its components live.
 *
 * New mounts find the new definitions at once. A component whose author's table is the same as before goes on as if
 * nothing had happened; one of a new table is moved over to it when that table says so (move_on_reload), else it keeps
 * the old code until it leaves. What one may get wrong: an old registry, and the code behind it, may go only when
 * adopt_uses has said no on every shard and no mail names it any more (reload.h sees to that).
 *
 * Threads: [shard].
 */
#ifndef SERVER_COMPONENT_ADOPT_H
#define SERVER_COMPONENT_ADOPT_H

#include <stdbool.h>

#include <live/component.h>

struct audience;
struct component_shard;
struct definition;
struct registry;

/* From now on next is the registry of here. */
void adopt_registry(struct component_shard *here, const struct registry *next);
/* What takes definition's place in here's registry: the same table as it is now, or one that wants to be moved to; else
 * definition itself. */
const struct definition *adopt_successor(const struct component_shard *here, const struct definition *definition);
/* A mount was answered: if it was meant to be moved while it waited, it is now. */
void adopt_mounted(live_component *self);
/* An instance for audience is about to be made, which has none here: it is made by the newest code. */
void adopt_for_new(struct audience *audience);
/* Whether anything of here still needs registry, which is not the current one. */
bool adopt_uses(const struct component_shard *here, const struct registry *registry);

#endif
