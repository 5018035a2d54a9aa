/* The files of a new component: all of them or none, and never over another one. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/server/author/author_test.h"

static char folder[64];

static void make_folder(void)
{
	snprintf(folder, sizeof folder, "/tmp/skeleton-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static const char *path(const char *name)
{
	static char text[160];

	snprintf(text, sizeof text, "%s/%s", folder, name);
	return text;
}

static bool is_there(const char *name)
{
	return access(path(name), F_OK) == 0;
}

static void remove_folder(void)
{
	static const char *const names[] = {
		"to_do.c",        "test_to_do.c",        "CMakeLists.txt",        "README.md",
		"inside/to_do.c", "inside/test_to_do.c", "inside/CMakeLists.txt", "inside/README.md"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(path(names[i]));
	rmdir(path("inside"));
	ck_assert_int_eq(rmdir(folder), 0); /* nothing else was written */
}

static void assert_refused(const char *name, const char *into, int errnum, const char *text)
{
	char error[CONFIG_ERROR_SIZE] = "";

	ck_assert_int_eq(skeleton_write(name, into, error), -errnum);
	ck_assert_msg(strstr(error, text) != NULL, "%s", error);
	ck_assert_ptr_null(strchr(error, '\n'));
}

START_TEST(test_writes)
{
	char error[CONFIG_ERROR_SIZE];
	char text[4096] = "";

	make_folder();
	ck_assert_int_eq(skeleton_write("to_do", folder, error), 0);
	ck_assert(is_there("to_do.c") && is_there("test_to_do.c") && is_there("CMakeLists.txt") &&
		  is_there("README.md"));
	ck_assert_int_eq(skeleton_write("to_do", path("inside"), error), 0);
	FILE *file = fopen(path("to_do.c"), "re");
	ck_assert_uint_gt(fread(text, 1, sizeof text - 1, file), 0);
	fclose(file);
	ck_assert_ptr_nonnull(strstr(text, ".name = \"ToDo\""));
	ck_assert_ptr_null(strchr(text, '@'));
	remove_folder();
}
END_TEST

START_TEST(test_overwrites_nothing)
{
	static const char *const names[] = {"to_do.c", "test_to_do.c", "CMakeLists.txt", "README.md"};

	make_folder();
	for (size_t i = 0; i < 4; i++) {
		FILE *file = fopen(path(names[i]), "we");
		fputs("mine", file);
		fclose(file);
		assert_refused("to_do", folder, EEXIST, "File exists");
		for (size_t other = 0; other < 4; other++)
			ck_assert_int_eq(is_there(names[other]), other == i);
		struct stat found;
		ck_assert_int_eq(stat(path(names[i]), &found), 0);
		ck_assert_int_eq(found.st_size, 4);
		unlink(path(names[i]));
	}
	remove_folder();
}
END_TEST

START_TEST(test_names)
{
	char longest[70];
	char error[CONFIG_ERROR_SIZE];

	make_folder();
	memset(longest, 'x', sizeof longest);
	longest[65] = 0;
	static const char *const bad[] = {"", "a b", "../a", "a/b", "1a", "_a", "-a", "a.c", "\xc3\xa9", "a\n"};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_refused(bad[i], folder, EINVAL, "name is a letter");
	assert_refused(longest, folder, EINVAL, "name is a letter");
	longest[64] = 0;
	ck_assert_int_eq(skeleton_write(longest, folder, error), 0);
	char file[80];
	snprintf(file, sizeof file, "%s.c", longest);
	ck_assert_int_eq(unlink(path(file)), 0);
	snprintf(file, sizeof file, "test_%s.c", longest);
	ck_assert_int_eq(unlink(path(file)), 0);
	remove_folder();
}
END_TEST

START_TEST(test_folders)
{
	make_folder();
	assert_refused("to_do", path("no/such"), ENOENT, "cannot make the folder");
	assert_refused("to_do", "/dev/null", ENOTDIR, "cannot write");
	char far[5000];
	memset(far, 'f', sizeof far);
	far[sizeof far - 1] = 0;
	assert_refused("to_do", far, ENAMETOOLONG, "too long");
	remove_folder();
}
END_TEST

CORE_TESTS("skeleton", test_writes, test_overwrites_nothing, test_names, test_folders)
