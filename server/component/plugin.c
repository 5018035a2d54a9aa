#include "server/component/plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/list.h"
#include "core/log.h"
#include "core/mem.h"
#include "server/component/definition.h"

struct plugin {
	struct list link; /* plugins->all */
	void *handle;
	int copy; /* what is open of it; -1: the file itself */
	const live_definition *definition;
	struct stat file; /* as it was when it was opened */
	bool is_current;  /* what is loaded of its path */
	char path[];
};

struct plugins {
	struct list all; /* the newest last */
};

struct plugins *plugins_new(void)
{
	struct plugins *plugins = mem_alloc(sizeof *plugins);

	list_init(&plugins->all);
	return plugins;
}

static void close_plugin(struct plugin *plugin)
{
	dlclose(plugin->handle);
	if (plugin->copy >= 0)
		close(plugin->copy);
	list_remove(&plugin->link);
	free(plugin);
}

void plugins_close(struct plugins *plugins)
{
	if (!plugins)
		return;
	list_for_each_safe (link, &plugins->all)
		close_plugin(LIST_OF(link, struct plugin, link));
	free(plugins);
}

/* ---- one file ---- */

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

/* A descriptor of a copy in memory, or -1. It bears the file's name, for those who look at the process from outside. */
static int copy_file(const char *path, const struct stat *file)
{
	const char *slash = strrchr(path, '/');
	int from = open(path, O_RDONLY | O_CLOEXEC);
	int copy = memfd_create(slash ? slash + 1 : path, MFD_CLOEXEC);
	off_t left = file->st_size;

	while (from >= 0 && copy >= 0 && left > 0) {
		ssize_t sent = sendfile(copy, from, NULL, (size_t)left);
		if (sent <= 0)
			break;
		left -= sent;
	}
	if (from >= 0)
		close(from);
	if (copy >= 0 && (from < 0 || left > 0)) {
		close(copy);
		copy = -1;
	}
	return copy;
}

/* The loader knows a library that it has by its inode, which a copy does not share, and by its name: so the copy keeps
 * its descriptor, which is in the name, for as long as it is open. Where there can be no copy the file
 * itself must do. */
static void *open_copy(const char *path, const struct stat *file, int *out, char *error, size_t error_size)
{
	char place[40];
	int copy = copy_file(path, file);

	snprintf(place, sizeof place, "/proc/self/fd/%d", copy);
	void *handle = dlopen(copy >= 0 ? place : path, RTLD_NOW | RTLD_LOCAL);
	const char *reason = handle ? NULL : dlerror();
	/* The place means nothing to whoever reads it. */
	if (reason && copy >= 0 && !strncmp(reason, place, strlen(place)))
		refuse(error, error_size, "cannot load component: %s%s", path, reason + strlen(place));
	else if (reason)
		refuse(error, error_size, "cannot load component: %s", reason);
	if (!handle && copy >= 0)
		close(copy);
	*out = copy;
	return handle;
}

static struct plugin *open_plugin(struct plugins *plugins, const char *path, char *error, size_t error_size)
{
	struct stat file;
	int copy;

	if (stat(path, &file) < 0) {
		refuse(error, error_size, "cannot load component: %s: %s", path, strerror(errno));
		return NULL;
	}
	void *handle = open_copy(path, &file, &copy, error, error_size);
	if (!handle)
		return NULL;
	const live_definition *definition = find_definition(handle, path, error, error_size);
	if (!definition) {
		dlclose(handle);
		if (copy >= 0)
			close(copy);
		return NULL;
	}
	struct plugin *plugin = mem_alloc(sizeof *plugin + strlen(path) + 1);
	memcpy(plugin->path, path, strlen(path) + 1);
	plugin->handle = handle;
	plugin->copy = copy;
	plugin->definition = definition;
	plugin->file = file;
	plugin->is_current = true;
	list_append(&plugins->all, &plugin->link);
	return plugin;
}

int plugins_load_file(struct plugins *plugins, struct registry *registry, const char *path, char *error,
		      size_t error_size)
{
	char reason[256];
	struct plugin *plugin = open_plugin(plugins, path, error, error_size);

	if (!plugin)
		return -EINVAL;
	if (registry_add(registry, plugin->definition, path, reason, sizeof reason) == 0)
		return 0;
	close_plugin(plugin);
	return refuse(error, error_size, "%s: %s", path, reason);
}

/* ---- a folder ---- */

static int is_plugin(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > 3 && entry->d_name[0] != '.' && !strcmp(entry->d_name + len - 3, ".so");
}

typedef int file_fn(void *context, const char *path, char *error, size_t error_size);

/* Calls each for every plugin's file, by name, until one is no good. */
static int walk_folder(const char *folder, file_fn *each, void *context, char *error, size_t error_size)
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
			rc = each(context, path, error, error_size);
		free(files[i]);
	}
	free(files);
	return rc;
}

struct loading {
	struct plugins *plugins;
	struct registry *registry;
};

static int load_each(void *context, const char *path, char *error, size_t error_size)
{
	struct loading *loading = context;

	return plugins_load_file(loading->plugins, loading->registry, path, error, error_size);
}

int plugins_load_folder(struct plugins *plugins, struct registry *registry, const char *folder, char *error,
			size_t error_size)
{
	return walk_folder(folder, load_each, &(struct loading){plugins, registry}, error, error_size);
}

/* ---- again ---- */

struct look {
	struct plugins *plugins;
	struct plugins_change change;
	bool only_same; /* the first of two rounds: who stays has his name before who comes */
};

static struct plugin *find_current(const struct plugins *plugins, const char *path)
{
	list_for_each (link, &plugins->all) {
		struct plugin *plugin = LIST_OF(link, struct plugin, link);
		if (plugin->is_current && !strcmp(plugin->path, path))
			return plugin;
	}
	return NULL;
}

static bool is_same_file(const struct plugin *plugin, const char *path)
{
	const struct stat *then = &plugin->file;
	struct stat now;

	return stat(path, &now) == 0 && now.st_ino == then->st_ino && now.st_dev == then->st_dev &&
	       now.st_size == then->st_size && now.st_mtim.tv_sec == then->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == then->st_mtim.tv_nsec;
}

/* Registers it again as it is. */
static void keep(struct look *look, const struct plugin *plugin)
{
	char reason[256];

	if (registry_add(look->change.registry, plugin->definition, plugin->path, reason, sizeof reason) < 0)
		log_error(NULL, "components: %s: %s", plugin->path, reason);
}

static int look_at(void *context, const char *path, char *error, size_t error_size)
{
	struct look *look = context;
	struct plugin *before = find_current(look->plugins, path);
	bool is_same = before && is_same_file(before, path);

	if (is_same != look->only_same)
		return 0;
	if (is_same) {
		keep(look, before);
		return 0;
	}
	if (before)
		before->is_current = false;
	if (plugins_load_file(look->plugins, look->change.registry, path, error, error_size) == 0) {
		look->change.loaded++;
		log_info(NULL, "components: %s is loaded%s", path, before ? " again" : "");
		return 0;
	}
	look->change.failed++;
	log_error(NULL, "components: %s%s", error, before ? "; what was loaded of it stays" : "");
	if (before) {
		before->is_current = true;
		keep(look, before);
	}
	return 0;
}

static bool is_of_folder(const struct look *look, const live_definition *definition, const char *folder)
{
	size_t len = strlen(folder);

	list_for_each (link, &look->plugins->all) {
		const struct plugin *plugin = LIST_OF(link, struct plugin, link);
		if (plugin->definition == definition)
			return !strncmp(plugin->path, folder, len) && plugin->path[len] == '/';
	}
	return false;
}

/* The program's own, and files that it loaded from elsewhere. */
static void keep_others(struct look *look, const struct registry *now, const char *folder)
{
	char reason[256];

	for (unsigned i = 0; i < registry_count(now); i++) {
		const struct definition *definition = registry_at(now, i);
		if (!is_of_folder(look, definition->api, folder) &&
		    registry_add(look->change.registry, definition->api, definition->source, reason, sizeof reason) < 0)
			log_error(NULL, "components: %s", reason);
	}
}

static bool is_registered(const struct registry *registry, const struct plugin *plugin)
{
	for (unsigned i = 0; i < registry_count(registry); i++)
		if (registry_at(registry, i)->api == plugin->definition)
			return true;
	return false;
}

/* Those whose files are not there any more. */
static void let_go(struct look *look)
{
	list_for_each (link, &look->plugins->all) {
		struct plugin *plugin = LIST_OF(link, struct plugin, link);
		if (!plugin->is_current || is_registered(look->change.registry, plugin))
			continue;
		plugin->is_current = false;
		look->change.gone++;
		log_info(NULL, "components: %s is gone; what is mounted of it lives on", plugin->path);
	}
}

struct plugins_change plugins_look_again(struct plugins *plugins, const struct registry *now, const char *folder)
{
	struct look look = {.plugins = plugins, .change.registry = registry_new(), .only_same = true};
	char error[512];

	keep_others(&look, now, folder);
	int rc = walk_folder(folder, look_at, &look, error, sizeof error);
	look.only_same = false;
	if (rc == 0)
		rc = walk_folder(folder, look_at, &look, error, sizeof error);
	if (rc == 0) {
		let_go(&look);
	} else {
		look.change.failed++;
		log_error(NULL, "components: %s; all stays as it was", error);
	}
	if (rc < 0 || !(look.change.loaded || look.change.gone)) {
		registry_free(look.change.registry);
		look.change.registry = NULL;
	}
	return look.change;
}

void plugins_sweep(struct plugins *plugins, const struct registry *const *registries)
{
	list_for_each_safe (link, &plugins->all) {
		struct plugin *plugin = LIST_OF(link, struct plugin, link);
		bool is_used = false;
		for (const struct registry *const *registry = registries; *registry; registry++)
			is_used = is_used || is_registered(*registry, plugin);
		if (!is_used)
			close_plugin(plugin);
	}
}
