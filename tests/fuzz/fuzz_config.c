/*
 * Whatever a config file holds: it is read, or refused with one line; what was read is within its range and is printed
 * as JSON.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <live/value.h>

#include "core/assert.h"
#include "server/config/config_table.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void check_ranges(const struct config *config)
{
	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		const int64_t *number = (const int64_t *)(const void *)((const char *)config + s->offset);
		assert_always(s->kind != SETTING_IS_NUMBER || (*number >= s->min && *number <= s->max));
	}
}

static void check_print(const struct config *config)
{
	char *text = NULL;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	config_print(config, file);
	fclose(file);
	const live_value *all = live_from_json(text, len, NULL, 0);
	assert_always(live_len(all) == setting_count);
	live_value_unref(all);
	free(text);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char error[CONFIG_ERROR_SIZE] = "";
	struct config config;
	char path[64];
	int fd = memfd_create("config", 0);

	assert_always(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	config_init(&config);
	int rc = config_read_file(&config, path, error);
	assert_always((rc < 0) == (*error != 0));
	check_ranges(&config);
	check_print(&config);
	config_deinit(&config);
	close(fd);
	return 0;
}
