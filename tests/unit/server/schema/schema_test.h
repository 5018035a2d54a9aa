/*
 * schema_test - what the tests of schemas share: compiling and checking, with text on both sides.
 */
#ifndef UNIT_SERVER_SCHEMA_TEST_H
#define UNIT_SERVER_SCHEMA_TEST_H

#include <errno.h>

#include "server/schema/schema.h"
#include "unit/core/core_test.h"

static inline const live_value *value_of(const char *json)
{
	char error[128];
	const live_value *value = live_from_json(json, strlen(json), error, sizeof error);

	ck_assert_msg(value != NULL, "%s: %s", json, error);
	return value;
}

static inline struct schema *schema_of(const char *json)
{
	char error[SCHEMA_ERROR_SIZE];
	struct schema *schema;
	const live_value *source = value_of(json);

	int rc = schema_new(&schema, source, error);
	ck_assert_msg(rc == 0, "%s: %s", json, error);
	live_value_unref(source);
	return schema;
}

/* What schema says of value (a loan): "" when it fits, and then *whole is what it became. The text lives until the next
 * call. */
static inline const char *said_of(const struct schema *schema, const live_value *value, const live_value **whole)
{
	static char text[2048];
	struct buf message;

	buf_init(&message, sizeof text - 1);
	int rc = schema_apply(schema, value, "payload", whole, &message);
	ck_assert_int_eq(rc, message.len ? -EINVAL : 0);
	ck_assert_int_eq(*whole != NULL, rc == 0 && value != NULL);
	memcpy(text, message.ptr ? message.ptr : "", message.len);
	text[message.len] = 0;
	buf_deinit(&message);
	return text;
}

#endif
