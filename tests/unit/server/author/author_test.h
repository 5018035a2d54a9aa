/*
 * author_test - what is written of components that a test makes up.
 */
#ifndef UNIT_AUTHOR_TEST_H
#define UNIT_AUTHOR_TEST_H

#include "server/author/author_private.h"
#include "unit/core/core_test.h"

static inline int author_act(live_component *self, const live_value *payload, live_reply *reply)
{
	(void)self;
	(void)payload;
	(void)reply;
	return 0;
}

/* What write says of count components; the caller frees it. */
static inline char *author_written(void (*write)(struct buf *out, const struct registry *registry), size_t count,
				   const live_definition *components)
{
	struct registry *registry = registry_new();
	char error[CONFIG_ERROR_SIZE];
	struct buf out;

	for (size_t i = 0; i < count; i++)
		ck_assert_msg(registry_add(registry, &components[i], "here.so", error, sizeof error) == 0, "%s", error);
	buf_init(&out, SIZE_MAX);
	write(&out, registry);
	buf_append_char(&out, 0);
	registry_free(registry);
	ck_assert_msg(!buf_failed(&out), "the buffer failed");
	return out.ptr;
}

/* Fails unless the text that write makes of one component is, or holds, wanted. */
static inline void author_assert_holds(void (*write)(struct buf *out, const struct registry *registry),
				       const live_definition *component, const char *wanted)
{
	char *text = author_written(write, 1, component);

	ck_assert_msg(strstr(text, wanted) != NULL, "this is not in it:\n%s\nbut:\n%s", wanted, text);
	free(text);
}

#endif
