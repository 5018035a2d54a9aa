/*
 * The files that a component begins with: templates in which @NAME@ is what the author called it, and @COMPONENT@ the
 * name that clients mount it by.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/author/author_private.h"

enum { NAME_MAX_BYTES = 64 };

static const char source[] = "/*\n"
			     " * @COMPONENT@ - say here what it is for.\n"
			     " */\n"
			     "#include <live/live.h>\n"
			     "\n"
			     "/* {by}: a payload comes from outside, so what it holds is checked. */\n"
			     "static int add(live_component *self, const live_value *payload, live_reply *reply)\n"
			     "{\n"
			     "\tint64_t by = live_as_int(live_get(payload, \"by\"), 0);\n"
			     "\n"
			     "\tif (by < 1 || by > 100)\n"
			     "\t\treturn live_reply_error(reply, \"by must be 1 to 100\");\n"
			     "\tlive_set(self, \"count\", live_int(live_get_int(self, \"count\") + by));\n"
			     "\treturn 0;\n"
			     "}\n"
			     "\n"
			     "LIVE_COMPONENT{\n"
			     "\t.name = \"@COMPONENT@\",\n"
			     "\t.default_state = LIVE_JSON({\"count\" : 0}),\n"
			     "\t.actions = LIVE_ACTIONS({\"add\", add}),\n"
			     "};\n";

static const char test_source[] =
	"/*\n"
	" * What @COMPONENT@ promises; <live/test.h> says what a test can do.\n"
	" */\n"
	"#include <string.h>\n"
	"\n"
	"#include <live/test.h>\n"
	"\n"
	"int main(void)\n"
	"{\n"
	"\tlive_test *test = live_test_new(&live_plugin_definition);\n"
	"\tlive_tested *tested = LIVE_TEST_MOUNT(test, .props = LIVE_JSON({\"count\" : 1}));\n"
	"\n"
	"\tLIVE_TEST(live_tested_act(tested, \"add\", LIVE_JSON({\"by\" : 2})) == 0);\n"
	"\tLIVE_TEST(live_tested_is(tested, LIVE_JSON({\"count\" : 3})));\n"
	"\tLIVE_TEST(live_tested_act(tested, \"add\", LIVE_JSON({\"by\" : 1000})) < 0);\n"
	"\tLIVE_TEST(!strcmp(live_tested_error(tested), \"by must be 1 to 100\"));\n"
	"\tLIVE_TEST(live_tested_come_back(tested) == 0);\n"
	"\tLIVE_TEST(live_tested_is(tested, LIVE_JSON({\"count\" : 3})));\n"
	"\tlive_test_free(test);\n"
	"\treturn 0;\n"
	"}\n";

static const char build[] = "# Builds @NAME@.so, for the folder that liveshard's --components names, and its test.\n"
			    "cmake_minimum_required(VERSION 3.16)\n"
			    "project(@NAME@ LANGUAGES C)\n"
			    "enable_testing()\n"
			    "set(CMAKE_C_STANDARD 11)\n"
			    "\n"
			    "# What liveshard installed: where CMake finds it, else where pkg-config does.\n"
			    "find_package(liveshard QUIET)\n"
			    "if(liveshard_FOUND)\n"
			    "\tset(headers liveshard::component)\n"
			    "\tset(library liveshard::test)\n"
			    "else()\n"
			    "\tfind_package(PkgConfig REQUIRED)\n"
			    "\tpkg_check_modules(LIVE REQUIRED IMPORTED_TARGET live)\n"
			    "\tpkg_check_modules(LIVE_TEST REQUIRED IMPORTED_TARGET live-test)\n"
			    "\tadd_library(headers INTERFACE)\n"
			    "\ttarget_include_directories(headers INTERFACE ${LIVE_INCLUDE_DIRS})\n"
			    "\tset(headers headers)\n"
			    "\tset(library PkgConfig::LIVE_TEST)\n"
			    "endif()\n"
			    "\n"
			    "add_library(component MODULE @NAME@.c)\n"
			    "target_link_libraries(component PRIVATE ${headers})\n"
			    "target_compile_options(component PRIVATE -Wall -Wextra)\n"
			    "set_target_properties(component PROPERTIES PREFIX \"\" OUTPUT_NAME @NAME@)\n"
			    "\n"
			    "add_executable(test_component @NAME@.c test_@NAME@.c)\n"
			    "target_link_libraries(test_component PRIVATE ${library})\n"
			    "target_compile_options(test_component PRIVATE -Wall -Wextra)\n"
			    "add_test(NAME @NAME@ COMMAND test_component)\n";

static const char readme[] =
	"# @COMPONENT@\n"
	"\n"
	"A live component: state and actions that a liveshard server keeps in step with its clients.\n"
	"\n"
	"    cmake -B build && cmake --build build\n"
	"    ctest --test-dir build\n"
	"    liveshard check build/@NAME@.so\n"
	"    liveshard --components build\n"
	"\n"
	"When liveshard is installed in a folder of its own, tell CMake: `-D CMAKE_PREFIX_PATH=FOLDER`.\n"
	"With `--watch` the server takes over what is built while it runs.\n"
	"In a page that loads `/live-client.js` from the server:\n"
	"\n"
	"    const component = FluxstackLive.useLive(\"@COMPONENT@\", { count: 0 });\n"
	"    component.on((state) => console.log(state.count));\n"
	"    await component.call(\"add\", { by: 1 });\n";

struct file {
	char path[PATH_MAX];
	const char *text;
};

static int check_name(const char *name, char error[CONFIG_ERROR_SIZE])
{
	size_t len = strlen(name);
	bool is_good = len <= NAME_MAX_BYTES && isalpha((unsigned char)*name);

	for (size_t i = 0; i < len; i++)
		is_good = is_good && (isalnum((unsigned char)name[i]) || name[i] == '_' || name[i] == '-');
	if (is_good)
		return 0;
	snprintf(error, CONFIG_ERROR_SIZE,
		 "a new component's name is a letter, then at most %d letters, digits, _ or -", NAME_MAX_BYTES - 1);
	return -EINVAL;
}

/* shared_counter is the component SharedCounter. */
static void name_component(char component[NAME_MAX_BYTES + 1], const char *name)
{
	bool begins_word = true;

	for (; *name; name++) {
		bool is_gap = *name == '_' || *name == '-';
		if (!is_gap)
			*component++ = begins_word ? (char)toupper((unsigned char)*name) : *name;
		begins_word = is_gap;
	}
	*component = 0;
}

static void fill(struct buf *out, const char *text, const char *name)
{
	char component[NAME_MAX_BYTES + 1];

	name_component(component, name);
	while (*text) {
		size_t len = strcspn(text, "@");
		buf_append(out, text, len);
		text += len;
		if (str_starts_with(str_of(text), STR("@NAME@"))) {
			buf_append_str(out, str_of(name));
			text += strlen("@NAME@");
		} else if (*text) {
			buf_append_str(out, str_of(component));
			text += strlen("@COMPONENT@");
		}
	}
}

static int write_file(const struct file *file, const char *name)
{
	struct buf text;
	FILE *to = fopen(file->path, "wxe");

	if (!to)
		return -errno;
	buf_init(&text, SIZE_MAX);
	fill(&text, file->text, name);
	int rc = fwrite(text.ptr, 1, text.len, to) == text.len ? 0 : -EIO;
	buf_deinit(&text);
	if (fclose(to) != 0)
		rc = -errno;
	if (rc < 0)
		unlink(file->path);
	return rc;
}

static int put_paths(struct file *files, size_t count, const char *folder, const char *name)
{
	static const char *const formats[] = {"%s/%s.c", "%s/test_%s.c", "%s/CMakeLists.txt", "%s/README.md"};

	for (size_t i = 0; i < count; i++)
		if (snprintf(files[i].path, PATH_MAX, formats[i], folder, name) >= PATH_MAX)
			return -ENAMETOOLONG;
	return 0;
}

int skeleton_write(const char *name, const char *folder, char error[CONFIG_ERROR_SIZE])
{
	struct file files[] = {{.text = source}, {.text = test_source}, {.text = build}, {.text = readme}};
	size_t count = sizeof files / sizeof files[0];
	size_t written = 0;
	int rc = check_name(name, error);

	if (rc < 0)
		return rc;
	rc = put_paths(files, count, folder, name);
	if (rc < 0) {
		snprintf(error, CONFIG_ERROR_SIZE, "the path of the folder is too long");
		return rc;
	}
	if (mkdir(folder, 0777) < 0 && errno != EEXIST) {
		rc = -errno;
		snprintf(error, CONFIG_ERROR_SIZE, "cannot make the folder %.200s: %s", folder, strerror(-rc));
		return rc;
	}
	while (rc == 0 && written < count) {
		rc = write_file(&files[written], name);
		if (rc == 0)
			written++;
	}
	if (rc < 0) {
		snprintf(error, CONFIG_ERROR_SIZE, "cannot write %.300s: %s", files[written].path, strerror(-rc));
		while (written)
			unlink(files[--written].path);
	}
	return rc;
}
