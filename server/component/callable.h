/*
 * callable - names that no client may call as an action, whatever a component lists (behaviour.md section 4, steps 5 to
 * 7).
 *
 * Asked once for each action of a definition, and for the words of a refusal. Threads: [any].
 */
#ifndef SERVER_COMPONENT_CALLABLE_H
#define SERVER_COMPONENT_CALLABLE_H

#include <stdbool.h>

#include "core/str.h"

/* Names of the component's own methods, and all that begin with _ or #. */
bool name_is_blocked(struct str name);
/* Names of methods that every object of a JavaScript server has. */
bool name_is_universal(struct str name);

#endif
