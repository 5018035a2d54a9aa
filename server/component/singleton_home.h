/*
 * singleton_home - what the home of a singleton does with requests: the part that is the same whether the instance is
 * here or not. Private to the singleton files.
 *
 * Threads: [shard] of the home.
 */
#ifndef SERVER_COMPONENT_SINGLETON_HOME_H
#define SERVER_COMPONENT_SINGLETON_HOME_H

#include <live/component.h>

#include "core/str.h"
#include "server/component/audience.h"
#include "server/component/singleton_mail.h"

/* Makes the instance of audience, with state (given away) and id (empty: a new one), for those clients that it has
 * already and for the one whose mount request is (NULL: none), which is answered. */
void singleton_make(struct audience *audience, const live_value *state, struct str id,
		    struct singleton_request *request);
/* Answers a mount with the state as it is; signed_state may be empty. */
void singleton_answer_mount(struct audience *audience, struct singleton_request *request, const live_value *state,
			    struct str signed_state);
/* Answers a request, of whatever kind, with an error. */
void singleton_refuse(struct component_shard *here, struct singleton_request *request, struct str error);
/* The client believed in a singleton that has ended. */
void singleton_refuse_lost(struct component_shard *here, struct singleton_request *request);
/* Calls on_client_join. */
void singleton_tell_join(live_component *self, const char *connection, unsigned clients);

#endif
