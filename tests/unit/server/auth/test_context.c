#include <live/auth.h>
#include <pthread.h>

#include "unit/core/core_test.h"

static const live_value *json(const char *text)
{
	const live_value *value = live_from_json(text, strlen(text), NULL, 0);
	ck_assert_msg(value != NULL, "%s", text);
	return value;
}

START_TEST(signed_on)
{
	const live_auth *auth = live_auth_new(
		json("{\"id\":\"u1\",\"roles\":[\"admin\",\"editor\"],\"permissions\":[\"read\"],\"name\":\"Ann\"}"),
		"secret");
	ck_assert(live_auth_is_authenticated(auth));
	ck_assert_str_eq(live_auth_user_id(auth), "u1");
	ck_assert_str_eq(live_auth_token(auth), "secret");
	ck_assert_str_eq(live_as_string(live_get(live_auth_user(auth), "name")), "Ann");
	ck_assert_int_gt(live_auth_time_ms(auth), 1500000000000);
	ck_assert(live_auth_has_role(auth, "admin"));
	ck_assert(!live_auth_has_role(auth, "adm"));
	ck_assert(!live_auth_has_role(auth, "admins"));
	ck_assert(!live_auth_has_role(auth, ""));
	ck_assert(!live_auth_has_role(auth, NULL));
	ck_assert(!live_auth_has_role(auth, "read"));
	ck_assert(live_auth_has_permission(auth, "read"));
	ck_assert(!live_auth_has_permission(auth, "admin"));
	ck_assert(live_auth_has_any_role(auth, LIVE_NAMES("guest", "editor")));
	ck_assert(!live_auth_has_any_role(auth, LIVE_NAMES("guest", "owner")));
	ck_assert(live_auth_has_all_roles(auth, LIVE_NAMES("editor", "admin")));
	ck_assert(!live_auth_has_all_roles(auth, LIVE_NAMES("editor", "owner")));
	ck_assert(live_auth_has_any_permission(auth, LIVE_NAMES("write", "read")));
	ck_assert(live_auth_has_all_permissions(auth, LIVE_NAMES("read")));
	ck_assert(!live_auth_has_all_permissions(auth, LIVE_NAMES("read", "write")));
	live_auth_unref(auth);
}
END_TEST

/* Any of none is false, all of none is true: when the lists are empty and when there are none. */
START_TEST(nothing_asked)
{
	const char *const users[] = {"{\"id\":\"u\"}", "{\"id\":\"u\",\"roles\":[],\"permissions\":[]}",
				     "{\"id\":\"u\",\"roles\":[\"a\"],\"permissions\":[\"b\"]}"};
	for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
		const live_auth *auth = live_auth_new(json(users[i]), NULL);
		ck_assert_ptr_null(live_auth_token(auth));
		for (int null = 0; null < 2; null++) {
			const char *const *none = null ? NULL : LIVE_NAMES(NULL);
			ck_assert(!live_auth_has_any_role(auth, none));
			ck_assert(!live_auth_has_any_permission(auth, none));
			ck_assert(live_auth_has_all_roles(auth, none));
			ck_assert(live_auth_has_all_permissions(auth, none));
		}
		ck_assert_int_eq(live_auth_has_all_roles(auth, LIVE_NAMES("a")), i == 2);
		live_auth_unref(auth);
	}
}
END_TEST

START_TEST(not_signed_on)
{
	for (int null = 0; null < 2; null++) {
		const live_auth *auth = null ? NULL : live_auth_anonymous();
		ck_assert(!live_auth_is_authenticated(auth));
		ck_assert_ptr_null(live_auth_user(auth));
		ck_assert_ptr_null(live_auth_user_id(auth));
		ck_assert_ptr_null(live_auth_token(auth));
		ck_assert_int_eq(live_auth_time_ms(auth), 0);
		ck_assert(!live_auth_has_role(auth, "a") && !live_auth_has_permission(auth, "a"));
		ck_assert(!live_auth_has_any_role(auth, NULL) && !live_auth_has_any_permission(auth, NULL));
		ck_assert(!live_auth_has_all_roles(auth, NULL) && !live_auth_has_all_permissions(auth, NULL));
		ck_assert_ptr_eq(live_auth_ref(auth), auth);
		live_auth_unref(auth);
		live_auth_unref(auth);
	}
}
END_TEST

START_TEST(no_users)
{
	const char *const bad[] = {"null",
				   "[]",
				   "\"u1\"",
				   "{}",
				   "{\"id\":7}",
				   "{\"id\":\"\"}",
				   "{\"id\":\"u\",\"roles\":\"admin\"}",
				   "{\"id\":\"u\",\"roles\":null}",
				   "{\"id\":\"u\",\"roles\":[1]}",
				   "{\"id\":\"u\",\"permissions\":{}}",
				   "{\"id\":\"u\",\"permissions\":[\"a\",null]}"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(live_auth_new(json(bad[i]), "t") == NULL, "%s", bad[i]);
	ck_assert_ptr_null(live_auth_new(NULL, NULL));
}
END_TEST

static void *count_up_and_down(void *argument)
{
	const live_auth *auth = argument;
	for (int i = 0; i < 10000; i++) {
		live_auth_ref(auth);
		ck_assert(live_auth_has_role(auth, "a"));
		live_auth_unref(auth);
	}
	live_auth_unref(auth);
	return NULL;
}

START_TEST(many_threads)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	const live_auth *auth = live_auth_new(json("{\"id\":\"u\",\"roles\":[\"a\"]}"), "t");
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, count_up_and_down, (void *)(uintptr_t)live_auth_ref(auth)),
			0);
	live_auth_unref(auth);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

CORE_TESTS("auth context", signed_on, nothing_asked, not_signed_on, no_users, many_threads)
