/* What is said of files that will not do, and how long a context lives. */
#include "server/net/tls_context.h"

#include <fcntl.h>
#include <pthread.h>

#include "unit/server/net/tls_stage.h"

static struct made_files good;
static char error[512];

static void start(void)
{
	tls_files_make(&good, "one.test", NULL);
}

static void stop(void)
{
	tls_files_remove(&good);
}

static int try(const char *cert, const char *key, const char *ciphers)
{
	struct tls_context *context = NULL;
	const struct tls_files files = {.cert = cert, .key = key, .ciphers = ciphers};
	*error = 0;
	int rc = tls_context_new(&context, &files, error, sizeof error);
	tls_context_unref(context);
	ck_assert_ptr_null(strchr(error, '\n'));
	return rc;
}

START_TEST(good_files_are_taken)
{
	ck_assert_int_eq(try(good.cert, good.key, NULL), 0);
	ck_assert_int_eq(try(good.cert, good.key, ""), 0);
	ck_assert_int_eq(try(good.cert, good.key, "ECDHE-ECDSA-AES128-GCM-SHA256"), 0);
	ck_assert_str_eq(error, "");
}
END_TEST

START_TEST(a_missing_file_is_named)
{
	ck_assert_int_eq(try("/nowhere/cert.pem", good.key, NULL), -ENOENT);
	ck_assert_str_eq(error, "cannot read tls_cert /nowhere/cert.pem: No such file or directory");
	ck_assert_int_eq(try(good.cert, "/nowhere/key.pem", NULL), -ENOENT);
	ck_assert_str_eq(error, "cannot read tls_key /nowhere/key.pem: No such file or directory");
	ck_assert_int_eq(try(good.folder, good.key, NULL), -EISDIR);
}
END_TEST

START_TEST(what_is_no_pem_is_named)
{
	ck_assert_int_eq(try(good.key, good.key, NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "is no certificate in PEM form"));
	ck_assert_int_eq(try(good.cert, good.cert, NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "is no private key in PEM form"));
	ck_assert_int_eq(try("/dev/null", good.key, NULL), -EINVAL);
}
END_TEST

START_TEST(a_key_of_another_certificate_is_refused)
{
	struct made_files other;
	char expected[512];
	tls_files_make(&other, "two.test", NULL);
	ck_assert_int_eq(try(good.cert, other.key, NULL), -EINVAL);
	snprintf(expected, sizeof expected, "tls_key %s does not belong to tls_cert %s", other.key, good.cert);
	ck_assert_str_eq(error, expected);
	tls_files_remove(&other);
}
END_TEST

START_TEST(nobody_is_asked_for_a_passphrase)
{
	struct made_files sealed;
	tls_files_make(&sealed, "one.test", "secret");
	ck_assert_int_eq(try(sealed.cert, sealed.key, NULL), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "without a passphrase"));
	tls_files_remove(&sealed);
}
END_TEST

START_TEST(unknown_ciphers_are_refused)
{
	ck_assert_int_eq(try(good.cert, good.key, "ROT13"), -EINVAL);
	ck_assert_ptr_nonnull(strstr(error, "tls_ciphers 'ROT13'"));
}
END_TEST

START_TEST(a_short_error_is_cut)
{
	struct tls_context *context;
	char small[8];
	const struct tls_files files = {.cert = "/nowhere", .key = good.key};
	ck_assert_int_eq(tls_context_new(&context, &files, small, sizeof small), -ENOENT);
	ck_assert_str_eq(small, "cannot ");
}
END_TEST

static void *use(void *argument)
{
	for (int i = 0; i < 1000; i++) {
		struct tls_context *mine = tls_context_ref(argument);
		SSL *ssl = tls_context_open(mine, NULL);
		ck_assert_ptr_nonnull(ssl);
		SSL_free(ssl);
		tls_context_unref(mine);
	}
	tls_context_unref(argument);
	return NULL;
}

START_TEST(threads_share_one)
{
	pthread_t threads[4];
	struct tls_context *context = tls_stage_context(&good);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, use, tls_context_ref(context)), 0);
	tls_context_unref(context);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

static void add_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, good_files_are_taken);
	tcase_add_test(tests, a_missing_file_is_named);
	tcase_add_test(tests, what_is_no_pem_is_named);
	tcase_add_test(tests, a_key_of_another_certificate_is_refused);
	tcase_add_test(tests, nobody_is_asked_for_a_passphrase);
	tcase_add_test(tests, unknown_ciphers_are_refused);
	tcase_add_test(tests, a_short_error_is_cut);
	tcase_add_test(tests, threads_share_one);
}

int main(void)
{
	return run_tests("tls_context", add_tests);
}
