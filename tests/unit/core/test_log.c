#include "core/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "unit/core/core_test.h"

static int reader, writer;

/* Logs from level on into a pipe that read_log empties. */
static void start(enum log_level level)
{
	int ends[2];
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	reader = ends[0];
	writer = ends[1];
	log_setup(level, writer);
	log_thread("");
}

static const char *read_log(void)
{
	static char text[200000];
	size_t len = 0;
	ssize_t got;
	while ((got = read(reader, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = 0;
	return text;
}

static int count(const char *text, const char *what)
{
	int times = 0;
	for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
		times++;
	return times;
}

START_TEST(one_line_per_event)
{
	start(LOG_INFO);
	log_thread("shard 3");
	log_info("room lobby", "opened by %d", 7);
	log_warn(NULL, "full");
	ck_assert_str_eq(read_log(), "");
	log_flush();
	const char *text = read_log();
	ck_assert_int_eq(count(text, "\n"), 2);
	ck_assert_ptr_nonnull(strstr(text, "Z info  shard 3 room lobby: opened by 7\n"));
	ck_assert_ptr_nonnull(strstr(text, "Z warn  shard 3 full\n"));
	/* 2026-01-02T03:04:05.678Z */
	ck_assert_int_eq(text[10], 'T');
	ck_assert_int_eq(text[23], 'Z');
}
END_TEST

START_TEST(levels)
{
	start(LOG_WARN);
	ck_assert(!log_enabled(LOG_INFO));
	ck_assert(log_enabled(LOG_WARN));
	log_debug(NULL, "no");
	log_info(NULL, "no");
	log_flush();
	ck_assert_str_eq(read_log(), "");
	log_error(NULL, "at once");
	ck_assert_ptr_nonnull(strstr(read_log(), "error at once\n"));
}
END_TEST

START_TEST(nobody_forges_a_line)
{
	start(LOG_INFO);
	log_info("conn a\nb", "x\r\t\x1b[31m\x7f \xc2\x9b \xc3\xa9 \xff end");
	log_flush();
	const char *text = read_log();
	ck_assert_int_eq(count(text, "\n"), 1);
	ck_assert_ptr_nonnull(strstr(text, "conn a\\nb: x\\r\\t\\x1b[31m\\x7f \\xc2\\x9b \xc3\xa9 \\xff end\n"));
}
END_TEST

START_TEST(repeats_are_counted)
{
	start(LOG_INFO);
	for (int i = 0; i < 5; i++)
		log_info("a", "again");
	log_info("b", "again");
	log_flush();
	const char *text = read_log();
	ck_assert_int_eq(count(text, "a: again"), 1);
	ck_assert_int_eq(count(text, "repeated: 4\n"), 1);
	ck_assert_int_eq(count(text, "b: again"), 1);
	ck_assert_int_eq(count(text, "\n"), 3);
}
END_TEST

START_TEST(long_lines_are_cut)
{
	char huge[5000];
	memset(huge, 'x', sizeof huge - 1);
	huge[sizeof huge - 1] = 0;
	start(LOG_INFO);
	log_info("a", "%s", huge);
	log_info("b", "after");
	log_flush();
	const char *text = read_log();
	ck_assert_int_eq(count(text, "\n"), 2);
	ck_assert_uint_lt(strlen(text), 1200);
	ck_assert_ptr_nonnull(strstr(text, "b: after\n"));
}
END_TEST

START_TEST(many_lines_keep_whole)
{
	start(LOG_INFO);
	ck_assert_int_ge(fcntl(writer, F_SETPIPE_SZ, 1 << 20), 1 << 20);
	for (int i = 0; i < 2000; i++)
		log_info("a", "line number %d", i);
	log_flush();
	const char *text = read_log();
	ck_assert_int_eq(count(text, "\n"), 2000);
	ck_assert_int_eq(count(text, "Z info  a: line number "), 2000);
}
END_TEST

START_TEST(what_nobody_reads_is_counted)
{
	start(LOG_INFO);
	for (int i = 0; i < 5000; i++)
		log_info("a", "line number %d", i);
	log_flush();
	int kept = count(read_log(), "\n");
	ck_assert_int_lt(kept, 5000);
	log_info("a", "last");
	log_flush();
	log_flush();
	const char *text = read_log();
	const char *lost = strstr(text, "lost because nobody read them: ");
	ck_assert_ptr_nonnull(lost);
	int number;
	ck_assert_int_eq(sscanf(lost, "lost because nobody read them: %d", &number), 1);
	ck_assert_int_eq(number + kept + count(text, "line number") + 1, 5001);
}
END_TEST

static void *log_from_thread(void *unused)
{
	log_thread("a thread with a name that is too long");
	log_info(NULL, "hello");
	log_flush();
	return unused;
}

START_TEST(each_thread_its_own)
{
	pthread_t thread;
	start(LOG_INFO);
	log_info(NULL, "mine");
	ck_assert_int_eq(pthread_create(&thread, NULL, log_from_thread, NULL), 0);
	pthread_join(thread, NULL);
	const char *text = read_log();
	ck_assert_ptr_nonnull(strstr(text, "info  a thread with a hello\n"));
	ck_assert_ptr_null(strstr(text, "mine"));
	log_flush();
	ck_assert_ptr_nonnull(strstr(read_log(), "mine"));
}
END_TEST

CORE_TESTS("log", one_line_per_event, levels, nobody_forges_a_line, repeats_are_counted, long_lines_are_cut,
	   many_lines_keep_whole, what_nobody_reads_is_counted, each_thread_its_own)
