/*
 * plugin - components in shared objects: found in a folder, opened, checked, registered.
 *
 * A plugin exports what LIVE_COMPONENT makes: the layout that it was built for, and its definition. Plugins stay open
 * until plugins_close, after the last shard has ended. Threads: [start].
 */
#ifndef SERVER_COMPONENT_PLUGIN_H
#define SERVER_COMPONENT_PLUGIN_H

#include <stddef.h>

struct plugins;
struct registry;

/* None are open yet. Never NULL. */
struct plugins *plugins_new(void);
/* Closes all; their code is gone. NULL is fine. */
void plugins_close(struct plugins *plugins);
/* Opens one file and registers its component. 0, or -errno with one line of reason in error. */
int plugins_load_file(struct plugins *plugins, struct registry *registry, const char *path, char *error,
		      size_t error_size) __attribute__((warn_unused_result));
/* Opens every *.so of a folder, in order of their names. Stops at the first bad one. 0, or -errno with the reason. */
int plugins_load_folder(struct plugins *plugins, struct registry *registry, const char *folder, char *error,
			size_t error_size) __attribute__((warn_unused_result));

#endif
