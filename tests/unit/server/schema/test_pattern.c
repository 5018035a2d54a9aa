/* Patterns: what matches, what is refused, and that nothing takes long. */
#include "server/schema/pattern.h"

#include <errno.h>

#include "core/mem.h"
#include "unit/core/core_test.h"

enum { PLENTY = 1 << 20 };

static int match_len(const char *text, const char *subject, size_t len)
{
	struct pattern *pattern;
	const char *problem;
	unsigned effort = PLENTY;

	int rc = pattern_new(&pattern, str_of(text), &problem);
	ck_assert_msg(rc == 0, "%s: %s", text, problem);
	rc = pattern_match(pattern, (struct str){subject, len}, &effort);
	pattern_free(pattern);
	return rc;
}

#define MATCHES(text, subject) \
	ck_assert_msg(match_len(text, subject, sizeof(subject) - 1) == 1, "%s on %s", text, subject)
#define MISSES(text, subject) \
	ck_assert_msg(match_len(text, subject, sizeof(subject) - 1) == 0, "%s on %s", text, subject)

START_TEST(test_characters)
{
	MATCHES("", "");
	MATCHES("", "abc");
	MATCHES("b", "abc");
	MISSES("d", "abc");
	MATCHES("^a.c$", "abc");
	MATCHES("^a.c$", "a\xc3\xa9\x63");
	MATCHES("^..$", "\xf0\x9f\x98\x80\xe2\x82\xac");
	MISSES("^a.c$", "a\nc");
	MISSES("^a.c$", "a\xe2\x80\xa8\x63"); /* a line separator */
	MATCHES("^\xc3\xa9+$", "\xc3\xa9\xc3\xa9");
	MATCHES("^\\u00e9\\u{20ac}$", "\xc3\xa9\xe2\x82\xac");
	MATCHES("^\\ud83d\\ude00$", "\xf0\x9f\x98\x80");
	MATCHES("^\\ud83d$", "\xed\xa0\xbd"); /* a lone surrogate is a character */
	MATCHES("^\\x41\\t\\n\\v\\f\\r\\0$", "A\t\n\v\f\r\0");
	MATCHES("^\\^\\$\\\\\\.\\*\\+\\?\\(\\)\\[\\]\\{\\}\\|\\/$", "^$\\.*+?()[]{}|/");
	MATCHES("a/b", "a/b");
}
END_TEST

START_TEST(test_classes)
{
	MATCHES("^[a-c]+$", "abcabc");
	MISSES("^[a-c]+$", "abd");
	MATCHES("^[^a-c]+$", "xyz\xc3\xa9");
	MISSES("^[^a-c]+$", "xay");
	MATCHES("^[\\d_-]+$", "12-3_");
	MATCHES("^[a\\-z]+$", "a-z");
	MISSES("^[a\\-z]+$", "b");
	MATCHES("^[\\]\\\\]+$", "]\\");
	MATCHES("^[\\b]$", "\b");
	MATCHES("^[-a]+$", "-a");
	MATCHES("^[a-]+$", "-a");
	MATCHES("^[^\\W\\d]+$", "abc_");
	MISSES("^[^\\W\\d]+$", "a1");
	MATCHES("^\\w+\\s\\d+\\S\\D\\W$", "ab_9 77xx-");
	MATCHES("^\\s+$", " \t\n\v\f\r\xc2\xa0\xe3\x80\x80\xef\xbb\xbf");
	MISSES("^\\s$", "\xe2\x80\x8b"); /* no white space in Unicode */
	MISSES("[]", "a");
	MATCHES("^[^]$", "\n");
	MATCHES("^[\xce\xb1-\xcf\x89]+$", "\xce\xbb\xce\xbf\xce\xb3\xce\xbf\xcf\x82");
}
END_TEST

START_TEST(test_repetition)
{
	MATCHES("^a*$", "");
	MATCHES("^a*$", "aaaa");
	MISSES("^a+$", "");
	MATCHES("^ab?c$", "ac");
	MATCHES("^ab?c$", "abc");
	MISSES("^ab?c$", "abbc");
	MATCHES("^a{3}$", "aaa");
	MISSES("^a{3}$", "aa");
	MISSES("^a{3}$", "aaaa");
	MATCHES("^a{2,}$", "aaaaa");
	MISSES("^a{2,}$", "a");
	MATCHES("^a{1,3}$", "aaa");
	MISSES("^a{1,3}$", "aaaa");
	MATCHES("^a{0}b$", "b");
	MISSES("^a{0}b$", "ab");
	MATCHES("^(ab|c){2,3}?d*?$", "abcabdd");
	MATCHES("^(?:a*)*$", "aaa");
	MATCHES("^(a|b*)*c$", "abbac");
	MATCHES("^((a{2}){3}){2}$", "aaaaaaaaaaaa");
	MISSES("^((a{2}){3}){2}$", "aaaaaaaaaaa");
	MATCHES("^()*$", "");
	MATCHES("^(|a)+$", "aa");
}
END_TEST

START_TEST(test_alternatives_and_edges)
{
	MATCHES("^(red|green|blue)$", "green");
	MATCHES("^(red|green|blue)$", "blue");
	MISSES("^(red|green|blue)$", "redgreen");
	MATCHES("a|", "x");
	MATCHES("^a|b$", "xb");
	MATCHES("^a|b$", "ax");
	MISSES("^a|b$", "xax");
	MATCHES("\\bcat\\b", "a cat!");
	MISSES("\\bcat\\b", "concat");
	MATCHES("\\Bcat\\b", "concat");
	MATCHES("^(?:(?:a|b)|(?:c|d))+$", "abcd");
	MATCHES("^$", "");
	MISSES("^$", "\n");
	MATCHES("x$|^y", "yz");
}
END_TEST

static const char *problem_of(const char *text)
{
	struct pattern *pattern;
	const char *problem = NULL;

	int rc = pattern_new(&pattern, str_of(text), &problem);
	ck_assert_msg(rc == -EINVAL && problem && !pattern, "%s was taken", text);
	return problem;
}

START_TEST(test_refusals)
{
	ck_assert_str_eq(problem_of("*a"), "has nothing to repeat");
	ck_assert_str_eq(problem_of("a**"), "has nothing to repeat");
	ck_assert_str_eq(problem_of("a|+"), "has nothing to repeat");
	ck_assert_str_eq(problem_of("^*"), "has nothing to repeat");
	ck_assert_str_eq(problem_of("\\b+"), "has nothing to repeat");
	ck_assert_str_eq(problem_of("(a"), "has a group without its end");
	ck_assert_str_eq(problem_of("a)"), "has a \")\" without its \"(\"");
	ck_assert_str_eq(problem_of("[a"), "has a class without its end");
	ck_assert_str_eq(problem_of("[z-a]"), "has a range whose ends do not fit");
	ck_assert_str_eq(problem_of("[\\d-z]"), "has a range whose ends do not fit");
	ck_assert_str_eq(problem_of("a\\"), "ends with a backslash");
	ck_assert_str_eq(problem_of("(a)\\1"), "has a back reference, which is not supported");
	ck_assert_str_eq(problem_of("(?=a)"), "has a group of a kind that is not supported");
	ck_assert_str_eq(problem_of("(?<n>a)"), "has a group of a kind that is not supported");
	ck_assert_str_eq(problem_of("\\p{L}"), "has \\p, which is not supported");
	ck_assert_str_eq(problem_of("\\q"), "has an escape that means nothing");
	ck_assert_str_eq(problem_of("\\-"), "has an escape that means nothing");
	ck_assert_str_eq(problem_of("\\x4"), "has an escape without its digits");
	ck_assert_str_eq(problem_of("\\u{110000}"), "has an escape without its digits");
	ck_assert_str_eq(problem_of("\\u{41"), "has an escape without its end");
	ck_assert_str_eq(problem_of("a{x}"), "has a quantifier without its number");
	ck_assert_str_eq(problem_of("a{1"), "has a quantifier without its end");
	ck_assert_str_eq(problem_of("a{3,1}"), "has a quantifier whose ends do not fit");
	ck_assert_str_eq(problem_of("a{1001}"), "repeats too often");
	ck_assert_str_eq(problem_of("((a{100}){100}){100}"), "is too large");
	ck_assert_str_eq(problem_of("a]"), "has a bracket that needs a backslash");
	ck_assert_str_eq(problem_of("{"), "has a bracket that needs a backslash");
	char many[200];
	memset(many, '(', sizeof many);
	many[sizeof many - 1] = 0;
	ck_assert_str_eq(problem_of(many), "has too many groups within groups");
	char *longest = mem_alloc(PATTERN_MAX_TEXT + 2);
	memset(longest, 'a', PATTERN_MAX_TEXT + 1);
	ck_assert_str_eq(problem_of(longest), "is too long");
	free(longest);
}
END_TEST

/* What makes other engines take years costs steps times characters here, and not more. */
START_TEST(test_cost)
{
	static const char *const patterns[] = {"^(a+)+$", "^(a|aa)+$", "(a*)*b", "^(a|a|a|a)*$", "(.*)(.*)(.*)(.*)x$"};
	enum { LENGTH = 2000 };
	char text[LENGTH + 1];
	struct pattern *pattern;
	const char *problem;

	memset(text, 'a', LENGTH);
	text[LENGTH] = '!';
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
		unsigned effort = PLENTY;
		ck_assert_int_eq(pattern_new(&pattern, str_of(patterns[i]), &problem), 0);
		ck_assert_int_eq(pattern_match(pattern, (struct str){text, sizeof text}, &effort), 0);
		ck_assert_uint_gt(effort, PLENTY - 60 * LENGTH);
		effort = 100;
		ck_assert_int_eq(pattern_match(pattern, (struct str){text, sizeof text}, &effort), -E2BIG);
		ck_assert_uint_eq(effort, 0);
		pattern_free(pattern);
	}
	pattern_free(NULL);
}
END_TEST

CORE_TESTS("schema: pattern", test_characters, test_classes, test_repetition, test_alternatives_and_edges,
	   test_refusals, test_cost)
