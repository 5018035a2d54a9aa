/*
 * reload - new code for components while they are served.
 *
 * The reloader is an actor of shard 0. Asked to (SIGHUP, or a change in the folder that it watches), it has a thread of
 * the pool look at the components folder and open what is new (plugin.h), then mails the next registry to every shard,
 * which adopts it (adopt.h). A file that is no good changes nothing but the log.
 *
 * An old registry and the plugins that only it names are freed when nothing can need them: no shard has an instance or
 * work in flight by it, found so in several rounds, no room may do again what it asked for, and the watchdog has looked
 * since then. In a round every shard mails to every shard before it looks; what
 * was in flight between two shards at its beginning has been delivered at its end. Mail that names a definition may
 * bring forth more such mail, but never in so long a chain as there are rounds.
 *
 * What one may get wrong: a pointer to a definition, or to what it points to, kept where adopt_uses does not look.
 *
 * Threads: as tagged.
 */
#ifndef SERVER_COMPONENT_RELOAD_H
#define SERVER_COMPONENT_RELOAD_H

#include <stdbool.h>

struct plugins;
struct pool;
struct registry;
struct reloader;
struct shard;
struct shard_group;
struct watchdog;

struct reload_options {
	struct shard_group *group;
	struct pool *pool;
	struct plugins *plugins;   /* the reloader's to use from now on */
	struct registry *registry; /* the first; given away */
	const char *folder;        /* empty: there is nothing to look at */
	bool watch;                /* look when the folder changes */
	struct watchdog *watchdog; /* reads names that code has; NULL: none */
};

/* [start] Never NULL. */
struct reloader *reloader_new(const struct reload_options *options);
/* [start] The group must have been freed: what it had in flight is the reloader's. NULL is fine. Plugins stay open. */
void reloader_free(struct reloader *reloader);
/* [shard] A shard begins, or ends; called for each. */
void reloader_begin(struct reloader *reloader, struct shard *shard);
void reloader_end(struct reloader *reloader, struct shard *shard);
/* [any] Looks at the folder, soon. */
void reloader_ask(struct reloader *reloader);

#endif
