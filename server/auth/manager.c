#include "server/auth/manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

struct auth_manager {
	int64_t timeout_ms;
	live_auth_provider *providers; /* in the order of registration; their names are ours */
	unsigned count;
	unsigned chosen; /* the default, if there is one */
};

struct auth_manager *auth_manager_new(int64_t timeout_ms)
{
	struct auth_manager *manager = mem_alloc(sizeof *manager);

	manager->timeout_ms = timeout_ms;
	return manager;
}

static void free_provider(live_auth_provider *provider)
{
	if (provider->free)
		provider->free(provider->argument);
	free((char *)(uintptr_t)provider->name);
}

void auth_manager_free(struct auth_manager *manager)
{
	if (!manager)
		return;
	for (unsigned i = 0; i < manager->count; i++)
		free_provider(&manager->providers[i]);
	free(manager->providers);
	free(manager);
}

/* The index of the provider of that name, or count. */
static unsigned index_of(const struct auth_manager *manager, const char *name)
{
	unsigned i = 0;

	while (i < manager->count && strcmp(manager->providers[i].name, name) != 0)
		i++;
	return i;
}

int auth_manager_register(struct auth_manager *manager, const live_auth_provider *provider)
{
	if (!provider->name || !*provider->name || !provider->authenticate)
		return -EINVAL;
	unsigned at = index_of(manager, provider->name);
	if (at == manager->count) {
		manager->count++;
		manager->providers = mem_realloc(manager->providers, manager->count * sizeof *manager->providers);
	} else {
		free_provider(&manager->providers[at]);
	}
	manager->providers[at] = *provider;
	manager->providers[at].name = mem_strndup(provider->name, strlen(provider->name));
	return 0;
}

int auth_manager_unregister(struct auth_manager *manager, const char *name)
{
	unsigned at = index_of(manager, name);

	if (at == manager->count)
		return -ENOENT;
	free_provider(&manager->providers[at]);
	manager->count--;
	memmove(&manager->providers[at], &manager->providers[at + 1],
		(manager->count - at) * sizeof *manager->providers);
	if (manager->chosen == at)
		manager->chosen = 0;
	else if (manager->chosen > at)
		manager->chosen--;
	return 0;
}

int auth_manager_set_default(struct auth_manager *manager, const char *name)
{
	unsigned at = index_of(manager, name);

	if (at == manager->count)
		return -ENOENT;
	manager->chosen = at;
	return 0;
}

const live_auth_provider *auth_manager_default(const struct auth_manager *manager)
{
	return manager->count ? &manager->providers[manager->chosen] : NULL;
}

const live_auth_provider *auth_manager_find(const struct auth_manager *manager, const char *name)
{
	unsigned at = index_of(manager, name);

	return at < manager->count ? &manager->providers[at] : NULL;
}

unsigned auth_manager_count(const struct auth_manager *manager)
{
	return manager->count;
}

const live_auth_provider *auth_manager_at(const struct auth_manager *manager, unsigned index)
{
	if (index == 0)
		return auth_manager_default(manager);
	return &manager->providers[index <= manager->chosen ? index - 1 : index];
}

int64_t auth_manager_timeout_ms(const struct auth_manager *manager)
{
	return manager->timeout_ms;
}
