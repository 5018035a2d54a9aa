/*
 * One plugin, opened as the server opens it.
 */
#include <stdio.h>
#include <string.h>

#include "server/author/author_private.h"
#include "server/component/plugin.h"

static void write_actions(struct buf *out, const struct definition *definition)
{
	unsigned count = 0;

	for (const live_action *action = definition->api->actions; action && action->name; action++) {
		if (!definition_is_callable(definition, action))
			continue;
		buf_printf(out, count++ ? ", %s" : "; actions: %s", action->name);
	}
	if (count == 0)
		buf_append_str(out, STR("; no actions"));
}

static void write_state(struct buf *out, const live_value *state)
{
	unsigned count = 0;

	for (live_iter it = {0}; live_next(state, &it);)
		buf_printf(out, count++ ? ", %.*s" : "; state: %.*s", (int)it.key_len, it.key);
	if (count == 0)
		buf_append_str(out, STR("; no state"));
}

int check_plugin(struct buf *out, const char *path, char error[CONFIG_ERROR_SIZE])
{
	struct plugins *plugins = plugins_new();
	struct registry *registry = registry_new();
	struct buf file;

	/* A name without a slash would be looked for among the system's libraries. */
	buf_init(&file, SIZE_MAX);
	buf_printf(&file, strchr(path, '/') ? "%s%c" : "./%s%c", path, 0);
	int rc = plugins_load_file(plugins, registry, file.ptr, error, CONFIG_ERROR_SIZE);
	if (rc == 0) {
		const struct definition *definition = registry_at(registry, 0);
		buf_printf(out, "%s: %s '%s'", path, definition->api->singleton ? "singleton" : "component",
			   definition->api->name);
		write_state(out, definition->default_state);
		write_actions(out, definition);
		buf_append_char(out, '\n');
	}
	buf_deinit(&file);
	registry_free(registry);
	plugins_close(plugins);
	return rc;
}
