/*
 * backups - a component's last few states, so that its author or an operator can look at them or go back.
 *
 * A state is immutable, so a backup is a reference, its version and its time; it is signed only when somebody asks
 * (signer_sign with those three). Embedded in the instance, gone with it; holds no memory until the first state.
 * Threads: [shard] of its owner.
 */
#ifndef SERVER_SECURITY_BACKUPS_H
#define SERVER_SECURITY_BACKUPS_H

#include <stdint.h>

#include <live/value.h>

enum { BACKUPS_MAX = 64 };

struct backup {
	const live_value *state;
	uint64_t version;
	int64_t wall_ms;
};

struct backups {
	struct backup *entries; /* NULL until the first */
	uint8_t max;
	uint8_t count;
	uint8_t newest; /* entries[newest], when count is not 0 */
};

/* max: how many to keep, 0 to BACKUPS_MAX. */
void backups_init(struct backups *backups, unsigned max);
/* Drops them all; usable again. */
void backups_deinit(struct backups *backups);
/* Keeps state (takes a reference), for which the oldest one goes when there are max. */
void backups_add(struct backups *backups, const live_value *state, uint64_t version, int64_t wall_ms);
/* The backup number age, 0 the newest; NULL when there are fewer. A loan until the next change. */
const struct backup *backups_at(const struct backups *backups, unsigned age);

#endif
