#define PCRE2_CODE_UNIT_WIDTH 8
#include "server/schema/pattern.h"

#include <errno.h>
#include <pcre2.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"
#include "core/log.h"
#include "core/mem.h"
#include "server/schema/dialect.h"

enum {
	FIRST_STEPS = 8, /* do for most */
	MORE_STEPS = 4,  /* times as many, when they do not */
	STEP_COST = 2,   /* effort of a step, which is 20 ns, */
	STEP_BYTES = 16, /* and one more for so many bytes that it may go through */
};

/* No JIT: it needs memory that is written and run, which the systemd unit forbids, and it counts other steps. Texts of
 * values are UTF-8, and a lone surrogate in one is to be a character, as PCRE2 takes it when it does not look. */
#define COMPILE_OPTIONS                                                                                                \
	(PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_ALLOW_EMPTY_CLASS | \
	 PCRE2_NEVER_BACKSLASH_C)

struct pattern {
	pcre2_code *code;
	char *text;       /* as the author wrote it */
	atomic_bool told; /* that it took too many steps; any thread sets it */
};

/* ---- compiling ---- */

static pcre2_code *compile(struct str text, int *error, size_t *offset)
{
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);

	assert_always(context);
	pcre2_set_compile_extra_options(context, PCRE2_EXTRA_ALLOW_SURROGATE_ESCAPES);
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)(text.ptr ? text.ptr : ""), text.len, COMPILE_OPTIONS, error,
					 offset, context);
	pcre2_compile_context_free(context);
	return code;
}

/* PCRE2 would begin anew, with all its steps, at each place of the text. So where the pattern begins is made a part of
 * it, unless it begins at the start. */
static pcre2_code *compile_anchored(struct str text, int *error, size_t *offset)
{
	pcre2_code *code = compile(text, error, offset);
	uint32_t options;
	struct buf whole;

	if (!code)
		return NULL;
	pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
	if (options & PCRE2_ANCHORED)
		return code;
	pcre2_code_free(code);
	buf_init(&whole, SIZE_MAX);
	buf_printf(&whole, "^[^]*?(?:%.*s)", STR_ARG(text));
	code = compile(buf_str(&whole), error, offset);
	buf_deinit(&whole);
	return code;
}

static int refuse(char problem[PATTERN_PROBLEM_SIZE], const char *text, size_t offset)
{
	snprintf(problem, PATTERN_PROBLEM_SIZE, "%s, at offset %zu", text, offset);
	return -EINVAL;
}

int pattern_new(struct pattern **out, struct str text, char problem[PATTERN_PROBLEM_SIZE])
{
	char message[PATTERN_PROBLEM_SIZE];
	const char *reason = "too long";
	size_t offset = PATTERN_MAX_TEXT;
	pcre2_code *code = NULL;
	struct buf translated;
	int error;

	*out = NULL;
	buf_init(&translated, SIZE_MAX);
	if (text.len <= PATTERN_MAX_TEXT && dialect_translate(&translated, text, &reason, &offset) == 0) {
		code = compile_anchored(buf_str(&translated), &error, &offset);
		if (!code) {
			pcre2_get_error_message(error, (PCRE2_UCHAR *)message, sizeof message);
			reason = message;
			offset = dialect_origin(text, offset);
		}
	}
	buf_deinit(&translated);
	if (!code)
		return refuse(problem, reason, offset);
	*out = mem_alloc(sizeof **out);
	(*out)->code = code;
	(*out)->text = mem_strndup(text.ptr, text.len);
	return 0;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	pcre2_code_free(pattern->code);
	free(pattern->text);
	free(pattern);
}

/* ---- what a match needs, once in each thread ---- */

struct matcher {
	pcre2_match_data *data;
	pcre2_match_context *context;
};

static _Thread_local struct matcher matcher_here;
static pthread_key_t at_thread_end;

static void matcher_deinit(void *ended)
{
	struct matcher *matcher = ended;

	pcre2_match_data_free(matcher->data);
	pcre2_match_context_free(matcher->context);
	*matcher = (struct matcher){0};
}

__attribute__((constructor)) static void make_key(void)
{
	assert_always(pthread_key_create(&at_thread_end, matcher_deinit) == 0);
}

static struct matcher *matcher_of_thread(void)
{
	struct matcher *matcher = &matcher_here;

	if (matcher->data)
		return matcher;
	matcher->data = pcre2_match_data_create(1, NULL);
	matcher->context = pcre2_match_context_create(NULL);
	assert_always(matcher->data && matcher->context);
	pcre2_set_heap_limit(matcher->context, PATTERN_MAX_HEAP_KIB);
	assert_always(pthread_setspecific(at_thread_end, matcher) == 0);
	return matcher;
}

/* ---- matching ---- */

/* Once for each pattern: who sends such texts could send many. */
static void tell(struct pattern *pattern, size_t bytes)
{
	if (!atomic_exchange_explicit(&pattern->told, true, memory_order_relaxed))
		log_warn(NULL,
			 "the pattern %s takes too many steps on a text of %zu bytes, so what holds it is refused",
			 pattern->text, bytes);
}

int pattern_match(struct pattern *pattern, struct str text, unsigned *effort)
{
	struct matcher *matcher = matcher_of_thread();
	size_t cost = STEP_COST + text.len / STEP_BYTES;
	int rc = PCRE2_ERROR_MATCHLIMIT;

	for (uint32_t steps = FIRST_STEPS;
	     rc == PCRE2_ERROR_MATCHLIMIT && steps <= PATTERN_MAX_STEPS && steps * cost <= *effort;
	     steps *= MORE_STEPS) {
		*effort -= (unsigned)(steps * cost);
		pcre2_set_match_limit(matcher->context, steps);
		rc = pcre2_match(pattern->code, (PCRE2_SPTR)text.ptr, text.len, 0, PCRE2_NO_UTF_CHECK, matcher->data,
				 matcher->context);
	}
	if (rc >= 0)
		return 1;
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	tell(pattern, text.len);
	return -E2BIG;
}
