/* Patterns: what matches, what is refused, and that nothing takes long. */
#include "server/schema/pattern.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "unit/core/core_test.h"

enum { PLENTY = 1 << 20 };

static int match_len(const char *text, const char *subject, size_t len)
{
	struct pattern *pattern;
	char problem[PATTERN_PROBLEM_SIZE];
	unsigned effort = PLENTY;

	int rc = pattern_new(&pattern, str_of(text), problem);
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
	MATCHES("^[]*$", "");
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

/* What PCRE2 has besides what JSON Schema advises. */
START_TEST(test_captures_and_look_around)
{
	MATCHES("^(a|b)\\1$", "bb");
	MISSES("^(a|b)\\1$", "ab");
	MATCHES("^(?:(a)|b)\\1$", "b"); /* a group that took no part is empty */
	MATCHES("^(?<quote>['\"]).*\\k<quote>$", "'x'");
	MISSES("^(?<quote>['\"]).*\\k<quote>$", "'x\"");
	MATCHES("^(?=.*\\d)(?=.*[a-z]).{8,}$", "passw0rd");
	MISSES("^(?=.*\\d)(?=.*[a-z]).{8,}$", "password");
	MATCHES("^(?!admin$)\\w+$", "administrator");
	MISSES("^(?!admin$)\\w+$", "admin");
	MATCHES("(?<=\\$)\\d+", "$12");
	MISSES("(?<!-)\\b\\d", "-1");
	MATCHES("^\\p{Lu}\\p{L}+$", "\xc3\x89va");
	MISSES("^\\P{L}$", "\xc3\xa9");
	MISSES("^\\w$", "\xc3\xa9"); /* ASCII only, as in JavaScript */
	MATCHES("^\\S$", "\xc3\xa9");
	MISSES("^\\S$", "\xc2\xa0");
	MATCHES("^[\\S\\n]+$", "a\n\xe2\x80\x8b\xf0\x9f\x98\x80");
	MISSES("^[\\S\\n]+$", "a b");
	MISSES("^[\\S\\n]+$", "\xe2\x80\xa8");
	MATCHES("^[\\s\\d]+$", "1 2\xe3\x80\x80\x33");
	MATCHES("^[[:alpha]+$", "[:ph"); /* no name of a class */
	MATCHES("^[:alpha:]+$", ":p:");
	MATCHES("^[.+*?{}()|$]+$", ".+*?{}()|$");
	MATCHES("^\\v$", "\v");
	MISSES("^\\v$", "\n");
	MATCHES("^\\cJ$", "\n");
	MATCHES("^a+?b??c*?$", "aac");
	MATCHES("^[\\ud83d\\ude00-\\ud83d\\ude02]$", "\xf0\x9f\x98\x81");
}
END_TEST

static const char *problem_of(const char *text)
{
	static char problem[PATTERN_PROBLEM_SIZE];
	struct pattern *pattern;

	int rc = pattern_new(&pattern, str_of(text), problem);
	ck_assert_msg(rc == -EINVAL && !pattern, "%s was taken", text);
	return problem;
}

/* By PCRE2; where it is, is told in the author's own text. */
START_TEST(test_refusals)
{
	ck_assert_str_eq(problem_of("*a"), "quantifier does not follow a repeatable item, at offset 0");
	ck_assert_str_eq(problem_of("a|+"), "quantifier does not follow a repeatable item, at offset 2");
	ck_assert_str_eq(problem_of("^.\\s(a"), "missing closing parenthesis, at offset 6");
	ck_assert_str_eq(problem_of("a.)"), "unmatched closing parenthesis, at offset 2");
	ck_assert_str_eq(problem_of(".[a"), "missing terminating ] for character class, at offset 3");
	ck_assert_str_eq(problem_of(".[z-a]"), "range out of order in character class, at offset 4");
	ck_assert_str_eq(problem_of("a{3,1}"), "numbers out of order in {} quantifier, at offset 1");
	ck_assert_str_eq(problem_of("[\\d-z]"), "invalid range in character class, at offset 3");
	ck_assert_str_eq(problem_of("[\\s-z]"), "invalid range in character class, at offset 3");
	ck_assert_str_eq(problem_of("[\\S-z]"), "invalid range in character class, at offset 3");
	ck_assert_str_eq(problem_of("[a-\\s]"), "invalid range in character class, at offset 3");
	ck_assert_str_eq(problem_of("(a)\\2"), "reference to non-existent subpattern, at offset 3");
	ck_assert_str_eq(problem_of("(?<=a+)b"), "lookbehind assertion is not fixed length, at offset 0");
	ck_assert_str_eq(problem_of("a{65536}"), "number too big in {} quantifier, at offset 1");
	ck_assert_str_eq(problem_of("((a{1000}){1000}){1000}"), "regular expression is too large, at offset 23");
	ck_assert_str_eq(problem_of("\\p{Nonsense}"), "unknown property after \\P or \\p, at offset 12");
	char many[400];
	memset(many, '(', sizeof many);
	many[sizeof many - 1] = 0;
	ck_assert_str_eq(problem_of(many), "parentheses are too deeply nested, at offset 251");
	char *longest = mem_alloc(PATTERN_MAX_TEXT + 2);
	memset(longest, 'a', PATTERN_MAX_TEXT + 1);
	ck_assert_str_eq(problem_of(longest), "too long, at offset 1024");
	free(longest);
}
END_TEST

/* What PCRE2 would take, and ECMA-262 does not. */
START_TEST(test_refusals_of_the_dialect)
{
	static const char *const nothing[] = {"\\q", "\\-",  "\\A", "\\Z",  "\\z",   "\\h",       "\\R",
					      "\\K", "\\Qa", "\\G", "\\N",  "\\X",   "\\C",       "\\e",
					      "\\a", "\\g1", "\\_", "\\00", "[\\1]", "\\\xc3\xa9"};
	static const char *const kinds[] = {"(?>a)", "(?i)a", "(?|a)", "(?#a)", "(?R)", "(?P<n>a)", "(?'n'a)", "(?"};

	for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
		ck_assert_msg(str_starts_with(str_of(problem_of(nothing[i])), STR("an escape that means nothing, at")),
			      "%s: %s", nothing[i], problem_of(nothing[i]));
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		ck_assert_str_eq(problem_of(kinds[i]), "a group of a kind that there is not, at offset 0");
	ck_assert_str_eq(problem_of("a**"), "nothing to repeat, at offset 2");
	ck_assert_str_eq(problem_of("a++"), "nothing to repeat, at offset 2");
	ck_assert_str_eq(problem_of("a{2}+"), "nothing to repeat, at offset 4");
	ck_assert_str_eq(problem_of("(*UCP)a"), "nothing to repeat, at offset 0");
	ck_assert_str_eq(problem_of("a\\"), "a backslash at the end, at offset 1");
	ck_assert_str_eq(problem_of("a\\x4"), "an escape without its digits, at offset 1");
	ck_assert_str_eq(problem_of("\\u12"), "an escape without its digits, at offset 0");
	ck_assert_str_eq(problem_of("\\u{110000}"), "an escape without its digits, at offset 0");
	ck_assert_str_eq(problem_of("\\u{41"), "an escape without its end, at offset 0");
	ck_assert_str_eq(problem_of("a\\p{L"), "an escape without its end, at offset 1");
	ck_assert_str_eq(problem_of("\\pL}"), "an escape without its end, at offset 0");
	ck_assert_str_eq(problem_of("a{x}"), "a bracket that needs a backslash, at offset 1");
	ck_assert_str_eq(problem_of("a{1"), "a bracket that needs a backslash, at offset 1");
	ck_assert_str_eq(problem_of("a{1,2"), "a bracket that needs a backslash, at offset 1");
	ck_assert_str_eq(problem_of("a{"), "a bracket that needs a backslash, at offset 1");
	ck_assert_str_eq(problem_of("a]"), "a bracket that needs a backslash, at offset 1");
	ck_assert_str_eq(problem_of("}"), "a bracket that needs a backslash, at offset 0");
}
END_TEST

/* Reads what was logged, and begins anew. */
static void logged(int fd, char *out, size_t size)
{
	log_flush();
	ssize_t len = pread(fd, out, size - 1, 0);
	ck_assert_int_ge(len, 0);
	out[len] = 0;
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
}

/* What makes PCRE2 take years ends when its steps are spent, is told once for each pattern, and spends no more than
 * there is. */
START_TEST(test_cost)
{
	static const char *const patterns[] = {
		"^(a+)+$",        "(a+)+$",     "^(a|aa)+$", "^(a|a|a|a)*$", "(.*)(.*)(.*)(.*)(.*)[x-z]$",
		"^(?=(a+)+[bc])", "(?:a*)*[bc]"};
	static const size_t lengths[] = {40, 2000, 100000};
	char *text = mem_alloc(100001);
	int fd = memfd_create("log", MFD_CLOEXEC);
	char lines[512];
	char problem[PATTERN_PROBLEM_SIZE];
	struct pattern *pattern;

	log_setup(LOG_WARN, fd);
	for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
		ck_assert_int_eq(pattern_new(&pattern, str_of(patterns[i]), problem), 0);
		for (size_t k = 0; k < sizeof lengths / sizeof lengths[0]; k++) {
			unsigned effort = PLENTY;
			memset(text, 'a', lengths[k]);
			text[lengths[k]] = '!';
			int rc = pattern_match(pattern, (struct str){text, lengths[k] + 1}, &effort);
			ck_assert_msg(rc == -E2BIG, "%s on %zu: %d", patterns[i], lengths[k], rc);
			ck_assert_uint_le(effort, PLENTY);
			logged(fd, lines, sizeof lines);
			ck_assert_msg((k == 0) == (strstr(lines, patterns[i]) != NULL), "logged: %s", lines);
			effort = 10;
			ck_assert_int_eq(pattern_match(pattern, (struct str){text, lengths[k]}, &effort), -E2BIG);
			ck_assert_uint_eq(effort, 10);
		}
		pattern_free(pattern);
	}
	free(text);
	close(fd);
}
END_TEST

/* A step may go through all of the text: the longer it is, the more one costs. */
START_TEST(test_long_texts)
{
	enum { LENGTH = 500000 };
	char *text = mem_alloc(LENGTH);
	char problem[PATTERN_PROBLEM_SIZE];
	struct pattern *pattern;
	unsigned effort = PLENTY;

	memset(text, 'a', LENGTH);
	ck_assert_int_eq(pattern_new(&pattern, STR("^[a-z]+$"), problem), 0);
	ck_assert_int_eq(pattern_match(pattern, (struct str){text, LENGTH}, &effort), 1);
	pattern_free(pattern);
	effort = PLENTY;
	ck_assert_int_eq(pattern_new(&pattern, STR("a+$"), problem), 0);
	text[LENGTH - 1] = '!';
	ck_assert_int_eq(pattern_match(pattern, (struct str){text, LENGTH}, &effort), -E2BIG);
	pattern_free(pattern);
	free(text);
}
END_TEST

static void *match_often(void *argument)
{
	struct pattern *pattern = argument;

	for (unsigned i = 0; i < 1000; i++) {
		unsigned effort = PLENTY;
		ck_assert_int_eq(pattern_match(pattern, STR("(ab)((ab))"), &effort), 1);
		ck_assert_int_eq(pattern_match(pattern, STR("(ab)((ab)"), &effort), 0);
		effort = 30;
		ck_assert_int_eq(pattern_match(pattern, STR("abababababababababababab"), &effort), -E2BIG);
	}
	return NULL;
}

/* One pattern, several shards. */
START_TEST(test_threads)
{
	char problem[PATTERN_PROBLEM_SIZE];
	struct pattern *pattern;
	pthread_t threads[4];

	ck_assert_int_eq(pattern_new(&pattern, STR("^(?:(a|b)+|\\W)+[)>][)>]$"), problem), 0);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, match_often, pattern), 0);
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	pattern_free(pattern);
	pattern_free(NULL);
}
END_TEST

CORE_TESTS("schema: pattern", test_characters, test_classes, test_repetition, test_alternatives_and_edges,
	   test_captures_and_look_around, test_refusals, test_refusals_of_the_dialect, test_cost, test_long_texts,
	   test_threads)
