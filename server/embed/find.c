#include "server/embed/find.h"

#include "server/component/instance.h"
#include "server/embed/errand.h"
#include "server/server_shard.h"
#include "server/session/session.h"

static live_component *find_component(struct server_shard *here, struct str id)
{
	list_for_each (link, &here->components->instances) {
		live_component *self = LIST_OF(link, live_component, link);
		if (str_equal(self->sender.id, id))
			return self;
	}
	return NULL;
}

static struct session *find_session(struct server_shard *here, struct str connection)
{
	for (struct session *at = session_next(&here->sessions, NULL); at; at = session_next(&here->sessions, at))
		if (str_equal(str_of(session_client(at)->id), connection))
			return at;
	return NULL;
}

live_component *find_asked_component(struct errand_leg *leg, struct server_shard *here)
{
	live_component *found = find_component(here, errand_text(leg, "component"));

	if (!found)
		errand_end(leg, NULL, NULL);
	return found;
}

struct session *find_asked_session(struct errand_leg *leg, struct server_shard *here)
{
	struct session *found = find_session(here, errand_text(leg, "connection"));

	if (!found)
		errand_end(leg, NULL, NULL);
	return found;
}
