#include "server/security/backups.h"

#include <stdlib.h>

#include "core/assert.h"
#include "core/mem.h"

void backups_init(struct backups *backups, unsigned max)
{
	assert_always(max <= BACKUPS_MAX);
	*backups = (struct backups){.max = (uint8_t)max};
}

void backups_deinit(struct backups *backups)
{
	for (unsigned i = 0; i < backups->count; i++)
		live_value_unref(backups->entries[i].state);
	free(backups->entries);
	backups_init(backups, backups->max);
}

void backups_add(struct backups *backups, const live_value *state, uint64_t version, int64_t wall_ms)
{
	if (!backups->max)
		return;
	if (!backups->entries)
		backups->entries = mem_alloc(backups->max * sizeof *backups->entries);
	unsigned at = backups->count ? (backups->newest + 1u) % backups->max : 0;
	if (backups->count < backups->max)
		backups->count++;
	else
		live_value_unref(backups->entries[at].state);
	backups->entries[at] = (struct backup){live_value_ref(state), version, wall_ms};
	backups->newest = (uint8_t)at;
}

const struct backup *backups_at(const struct backups *backups, unsigned age)
{
	if (age >= backups->count)
		return NULL;
	return &backups->entries[(backups->newest + backups->max - age) % backups->max];
}
