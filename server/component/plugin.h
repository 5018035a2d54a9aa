/*
 * plugin - components in shared objects: found in a folder, opened, checked, registered, and opened anew when their
 * file is another one.
 *
 * A plugin exports what LIVE_COMPONENT makes: the layout that it was built for, and its definition. What is opened is a
 * copy of the file that nobody else has, so a file that is built anew, in place or not, neither changes code that runs
 * nor passes for code that is open already. What one may get wrong: a registry points into its plugins, so nothing but
 * registry_free may follow plugins_close.
 *
 * Threads: [start], and after that one at a time, whoever that is (reload.h).
 */
#ifndef SERVER_COMPONENT_PLUGIN_H
#define SERVER_COMPONENT_PLUGIN_H

#include <stdbool.h>
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

/* What a look at a folder found. */
struct plugins_change {
	unsigned loaded; /* files that are new, or others than before */
	unsigned gone;
	unsigned failed; /* files that are no good: each was logged, and what was loaded of them before stays */
	struct registry *registry; /* all that there is now; NULL when that is what there was; given away */
};

/* Looks at a folder again: the next registry has what now has of no file, and what is in the folder. */
struct plugins_change plugins_look_again(struct plugins *plugins, const struct registry *now, const char *folder);
/* Closes those whose definition is in none of the registries (NULL-terminated), for which nothing may run any more. */
void plugins_sweep(struct plugins *plugins, const struct registry *const *registries);

#endif
