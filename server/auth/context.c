/*
 * The context of a client: live_auth of <live/auth.h>.
 */
#include <live/auth.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"

struct live_auth {
	_Atomic uint32_t refs;         /* any thread; the release of a drop pairs with the acquire of the last */
	bool is_authenticated;         /* false for the one that is anonymous, which is not counted */
	const live_value *user;        /* an object */
	const live_value *roles;       /* a loan from user, or NULL */
	const live_value *permissions; /* the same */
	int64_t time_ms;
	bool has_token;
	char token[]; /* NUL-terminated */
};

static const struct live_auth anonymous;

/* Strings in an array, or nothing at all. */
static bool is_list_of_names(const live_value *list)
{
	if (!list)
		return true;
	for (live_iter it = {0}; live_next(list, &it);)
		if (!live_as_string(it.value))
			return false;
	return live_value_type(list) == LIVE_ARRAY;
}

static bool is_user(const live_value *user)
{
	return live_as_string(live_get(user, "id")) && live_len(live_get(user, "id")) &&
	       is_list_of_names(live_get(user, "roles")) && is_list_of_names(live_get(user, "permissions"));
}

const live_auth *live_auth_new(const live_value *user, const char *token)
{
	if (!is_user(user)) {
		live_value_unref(user);
		return NULL;
	}
	size_t size = token ? strlen(token) + 1 : 1;
	struct live_auth *auth = mem_alloc(sizeof *auth + size);
	atomic_init(&auth->refs, 1);
	auth->is_authenticated = true;
	auth->user = user;
	auth->roles = live_get(user, "roles");
	auth->permissions = live_get(user, "permissions");
	auth->time_ms = clock_now_wall_ms();
	auth->has_token = token;
	if (token)
		memcpy(auth->token, token, size);
	return auth;
}

const live_auth *live_auth_anonymous(void)
{
	return &anonymous;
}

const live_auth *live_auth_ref(const live_auth *auth)
{
	if (auth && auth->is_authenticated)
		atomic_fetch_add_explicit(&((struct live_auth *)(uintptr_t)auth)->refs, 1, memory_order_relaxed);
	return auth;
}

void live_auth_unref(const live_auth *auth)
{
	struct live_auth *mine = (struct live_auth *)(uintptr_t)auth;

	if (!auth || !auth->is_authenticated || atomic_fetch_sub_explicit(&mine->refs, 1, memory_order_acq_rel) > 1)
		return;
	live_value_unref(mine->user);
	free(mine);
}

bool live_auth_is_authenticated(const live_auth *auth)
{
	return auth && auth->is_authenticated;
}

const live_value *live_auth_user(const live_auth *auth)
{
	return auth ? auth->user : NULL;
}

const char *live_auth_user_id(const live_auth *auth)
{
	return auth ? live_as_string(live_get(auth->user, "id")) : NULL;
}

const char *live_auth_token(const live_auth *auth)
{
	return auth && auth->has_token ? auth->token : NULL;
}

int64_t live_auth_time_ms(const live_auth *auth)
{
	return auth ? auth->time_ms : 0;
}

static bool has(const live_value *list, const char *name)
{
	size_t len = name ? strlen(name) : 0;

	for (live_iter it = {0}; name && live_next(list, &it);)
		if (live_len(it.value) == len && !memcmp(live_as_string(it.value), name, len))
			return true;
	return false;
}

static bool has_any(const live_value *list, const char *const *names)
{
	for (; names && *names; names++)
		if (has(list, *names))
			return true;
	return false;
}

static bool has_all(const live_auth *auth, const live_value *list, const char *const *names)
{
	for (; names && *names; names++)
		if (!has(list, *names))
			return false;
	return live_auth_is_authenticated(auth);
}

bool live_auth_has_role(const live_auth *auth, const char *role)
{
	return auth && has(auth->roles, role);
}

bool live_auth_has_permission(const live_auth *auth, const char *permission)
{
	return auth && has(auth->permissions, permission);
}

bool live_auth_has_any_role(const live_auth *auth, const char *const *roles)
{
	return auth && has_any(auth->roles, roles);
}

bool live_auth_has_all_roles(const live_auth *auth, const char *const *roles)
{
	return auth && has_all(auth, auth->roles, roles);
}

bool live_auth_has_any_permission(const live_auth *auth, const char *const *permissions)
{
	return auth && has_any(auth->permissions, permissions);
}

bool live_auth_has_all_permissions(const live_auth *auth, const char *const *permissions)
{
	return auth && has_all(auth, auth->permissions, permissions);
}
