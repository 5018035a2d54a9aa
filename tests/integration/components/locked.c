/*
 * Locked<kind> - components for tests of who may mount what: built once for each kind, which says what it takes.
 */
#include <string.h>

#include <live/live.h>

#ifdef LOCKED_BY_ROLES
#define NAME "LockedByRoles"
#define RULE LIVE_AUTH(.roles = LIVE_NAMES("chief", "owner"))
#elif defined LOCKED_BY_PERMISSIONS
#define NAME "LockedByPermissions"
#define RULE LIVE_AUTH(.permissions = LIVE_NAMES("read", "write"))
#else
#define NAME "LockedByFunction"
#define RULE LIVE_AUTH(.authorize = authorize)

/* Says what the user's id asks for. */
static void authorize(const live_auth *auth, const char *component, const char *action, const live_value *payload,
		      live_auth_request *request)
{
	const char *user = live_auth_user_id(auth);

	(void)component;
	(void)action;
	(void)payload;
	if (!user)
		live_auth_deny(request, NULL);
	else if (!strcmp(user, "late"))
		live_auth_deny(request, "come back tomorrow");
	else if (!strcmp(user, "lost"))
		live_auth_fail(request, "the list is lost");
	else
		live_auth_allow(request);
}
#endif

LIVE_COMPONENT{.name = NAME, .auth = RULE};
