/*
 * fake_redis - a Redis that a test carries out by hand, and links to it that are made of lists.
 *
 * Linked in place of redis/link.c. It knows one room, and the scripts of redis/room_scripts.h by what they do. Every
 * command, answer and message stays where it is until the test moves it on, so a test decides each interleaving: what
 * is carried out before a connection ends and what after it, whose answer is lost, what is forgotten. A server's record
 * may be replaced by an older one, or by none. Threads: the test's alone.
 */
#ifndef TESTS_UNIT_REDIS_FAKE_REDIS_H
#define TESTS_UNIT_REDIS_FAKE_REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/id.h"
#include "core/list.h"
#include "redis/link.h"

enum { FAKE_ACKS_MAX = 32, FAKE_STATE_MAX = 16384 };

struct fake_record { /* what a server has of the room */
	bool has_state;
	char state[FAKE_STATE_MAX];
	uint64_t version;
	char lineage[ID_LEN + 1];
	int64_t rests_until_ms;
	unsigned ack_count;
	struct {
		char origin[ID_LEN + 1];
		uint64_t commit;
	} acks[FAKE_ACKS_MAX];
};

struct fake_redis {
	struct fake_record record;
	struct list links; /* that are connected */
	struct list late;  /* commands of connections that ended, which are carried out yet */
	int64_t now_ms;
	unsigned commits; /* carried out */
	unsigned restores;
};

void fake_redis_init(struct fake_redis *server);
/* All connections end, and what was under way is lost. record (a loan; NULL: none) is what the next one has. */
void fake_redis_die(struct fake_redis *server, const struct fake_record *record);
/* Carries out the oldest command of an ended connection; false: there is none. */
bool fake_redis_run_late(struct fake_redis *server);

/* The link's side; the shard of the link is entered by the test before each of these. */

/* Connects; the node is told. */
void fake_link_connect(struct redis_link *link, struct fake_redis *server);
/* Ends the connection. The first late of the commands that were not carried out yet still will be. */
void fake_link_disconnect(struct redis_link *link, unsigned late);
bool fake_link_is_connected(const struct redis_link *link);
/* The server carries out the next command; its answer lies on the way. false: there is none. */
bool fake_link_run(struct redis_link *link);
/* The next answer, or message, arrives. false: there is none. */
bool fake_link_answer(struct redis_link *link);
bool fake_link_hear(struct redis_link *link);
/* Commands that were not carried out. */
unsigned fake_link_pending(const struct redis_link *link);

#endif
