#include "redis/lookup.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "shard/pool.h"

struct lookup {
	struct work work;
	struct redis_place place;
	struct redis_addresses addresses;
	struct handle asker;
	redis_lookup_done *done;
	const char *error;
};

/* As getaddrinfo; with AI_NUMERICHOST it asks nobody. */
static const char *ask(const struct redis_place *place, int flags, struct redis_addresses *out)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
	struct addrinfo *found;
	char port[16];

	snprintf(port, sizeof port, "%u", place->port);
	int rc = getaddrinfo(place->host, port, &hints, &found);
	if (rc != 0)
		return gai_strerror(rc);
	out->count = 0;
	for (struct addrinfo *one = found; one && out->count < REDIS_ADDRESSES_MAX; one = one->ai_next) {
		if (one->ai_addrlen > sizeof out->list[0])
			continue;
		memcpy(&out->list[out->count], one->ai_addr, one->ai_addrlen);
		out->sizes[out->count++] = one->ai_addrlen;
	}
	freeaddrinfo(found);
	return out->count ? NULL : "it has no address";
}

static const char *address_of_path(const struct redis_place *place, struct redis_addresses *out)
{
	struct sockaddr_un *path = &out->list[0].path;

	if (strlen(place->host) >= sizeof path->sun_path)
		return "its path is too long for a socket";
	path->sun_family = AF_UNIX;
	memcpy(path->sun_path, place->host, strlen(place->host) + 1);
	out->sizes[0] = sizeof *path;
	out->count = 1;
	return NULL;
}

static void run(struct work *work)
{
	struct lookup *lookup = LIST_OF(work, struct lookup, work);

	lookup->error = ask(&lookup->place, 0, &lookup->addresses);
}

static void discard(struct mail *mail)
{
	free(LIST_OF(mail, struct lookup, work.done));
}

static void arrive(struct mail *mail, struct shard *here)
{
	struct lookup *lookup = LIST_OF(mail, struct lookup, work.done);
	void *asker = shard_handle_find(here, lookup->asker);

	if (asker)
		lookup->done(asker, &lookup->addresses, lookup->error);
	free(lookup);
}

void redis_lookup(struct shard *shard, struct pool *pool, const struct redis_place *place, struct handle asker,
		  redis_lookup_done *done)
{
	struct redis_addresses addresses = {0};
	void *who = shard_handle_find(shard, asker);

	if (place->port == 0) {
		const char *error = address_of_path(place, &addresses);
		done(who, &addresses, error);
		return;
	}
	if (ask(place, AI_NUMERICHOST, &addresses) == NULL) {
		done(who, &addresses, NULL);
		return;
	}
	struct lookup *lookup = mem_alloc(sizeof *lookup);
	lookup->work.run = run;
	lookup->work.done.deliver = arrive;
	lookup->work.done.discard = discard;
	lookup->place = *place;
	lookup->asker = asker;
	lookup->done = done;
	if (pool && pool_submit(pool, shard, &lookup->work) == 0)
		return;
	free(lookup);
	done(who, &addresses, "no thread is free to look its name up");
}
