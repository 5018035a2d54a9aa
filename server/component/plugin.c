#include "server/component/plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "server/component/definition.h"

struct plugins {
	void **handles;
	size_t count;
};

struct plugins *plugins_new(void)
{
	return mem_alloc(sizeof(struct plugins));
}

void plugins_close(struct plugins *plugins)
{
	if (!plugins)
		return;
	while (plugins->count)
		dlclose(plugins->handles[--plugins->count]);
	free(plugins->handles);
	free(plugins);
}

__attribute__((format(printf, 3, 4))) static int refuse(char *error, size_t error_size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, error_size, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* What LIVE_COMPONENT exports, of a layout that we know. */
static const live_definition *find_definition(void *handle, const char *path, char *error, size_t error_size)
{
	const uint32_t *abi = dlsym(handle, "live_plugin_abi");
	const uint32_t *size = dlsym(handle, "live_plugin_size");
	const live_definition *definition = dlsym(handle, "live_plugin_definition");

	if (!abi || !size || !definition)
		refuse(error, error_size, "%s: no component in it (LIVE_COMPONENT is missing)", path);
	else if (*abi != LIVE_ABI || *size != sizeof *definition)
		refuse(error, error_size,
		       "%s: built for another <live/component.h> (version %u of %u bytes, this server has version %u "
		       "of %zu)",
		       path, *abi, *size, LIVE_ABI, sizeof *definition);
	else
		return definition;
	return NULL;
}

int plugins_load_file(struct plugins *plugins, struct registry *registry, const char *path, char *error,
		      size_t error_size)
{
	char reason[256];
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return refuse(error, error_size, "cannot load component: %s", dlerror());
	const live_definition *definition = find_definition(handle, path, error, error_size);
	if (!definition) {
		dlclose(handle);
		return -EINVAL;
	}
	if (registry_add(registry, definition, path, reason, sizeof reason) < 0) {
		dlclose(handle);
		return refuse(error, error_size, "%s: %s", path, reason);
	}
	plugins->handles = mem_realloc(plugins->handles, (plugins->count + 1) * sizeof *plugins->handles);
	plugins->handles[plugins->count++] = handle;
	return 0;
}

static int is_plugin(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > 3 && entry->d_name[0] != '.' && !strcmp(entry->d_name + len - 3, ".so");
}

int plugins_load_folder(struct plugins *plugins, struct registry *registry, const char *folder, char *error,
			size_t error_size)
{
	struct dirent **files;
	char path[PATH_MAX];
	int rc = 0;
	int count = scandir(folder, &files, is_plugin, alphasort);

	if (count < 0)
		return refuse(error, error_size, "cannot read the components folder %s: %s", folder, strerror(errno));
	for (int i = 0; i < count; i++) {
		if (rc == 0 && snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name) >= (int)sizeof path)
			rc = refuse(error, error_size, "%s: the path is too long", files[i]->d_name);
		if (rc == 0)
			rc = plugins_load_file(plugins, registry, path, error, error_size);
		free(files[i]);
	}
	free(files);
	return rc;
}
