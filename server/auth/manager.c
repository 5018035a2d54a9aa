#include "server/auth/manager.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { PROVIDERS_MAX = 64 }; /* retired ones too: a bit of retired each */

struct auth_manager {
	int64_t timeout_ms;
	live_auth_provider *providers; /* in the order of registration; their names are ours */
	unsigned count;
	/* Any thread writes these two, each shard reads them; nothing else hangs on their order. */
	_Atomic unsigned chosen;  /* the default, unless it is retired */
	_Atomic uint64_t retired; /* bit i: providers[i] is not asked any more */
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

static bool is_retired(const struct auth_manager *manager, unsigned at)
{
	return atomic_load_explicit(&manager->retired, memory_order_relaxed) >> at & 1;
}

/* The index of the provider of that name, or count. */
static unsigned index_of(const struct auth_manager *manager, const char *name)
{
	unsigned i = 0;

	while (i < manager->count && (is_retired(manager, i) || strcmp(manager->providers[i].name, name) != 0))
		i++;
	return i;
}

int auth_manager_register(struct auth_manager *manager, const live_auth_provider *provider)
{
	if (!provider->name || !*provider->name || !provider->authenticate)
		return -EINVAL;
	unsigned at = index_of(manager, provider->name);
	if (at == PROVIDERS_MAX)
		return -ENOSPC;
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
	atomic_fetch_or_explicit(&manager->retired, (uint64_t)1 << at, memory_order_relaxed);
	return 0;
}

int auth_manager_set_default(struct auth_manager *manager, const char *name)
{
	unsigned at = index_of(manager, name);

	if (at == manager->count)
		return -ENOENT;
	atomic_store_explicit(&manager->chosen, at, memory_order_relaxed);
	return 0;
}

/* The index of the default, or count. */
static unsigned default_index(const struct auth_manager *manager)
{
	unsigned at = atomic_load_explicit(&manager->chosen, memory_order_relaxed);

	if (at < manager->count && !is_retired(manager, at))
		return at;
	for (at = 0; at < manager->count && is_retired(manager, at);)
		at++;
	return at;
}

const live_auth_provider *auth_manager_default(const struct auth_manager *manager)
{
	unsigned at = default_index(manager);

	return at < manager->count ? &manager->providers[at] : NULL;
}

const live_auth_provider *auth_manager_find(const struct auth_manager *manager, const char *name)
{
	unsigned at = index_of(manager, name);

	return at < manager->count ? &manager->providers[at] : NULL;
}

const live_auth_provider *auth_manager_at(const struct auth_manager *manager, unsigned index)
{
	unsigned first = default_index(manager);

	if (index == 0)
		return first < manager->count ? &manager->providers[first] : NULL;
	for (unsigned at = 0; at < manager->count; at++) {
		if (at == first || is_retired(manager, at))
			continue;
		if (--index == 0)
			return &manager->providers[at];
	}
	return NULL;
}

int64_t auth_manager_timeout_ms(const struct auth_manager *manager)
{
	return manager->timeout_ms;
}
