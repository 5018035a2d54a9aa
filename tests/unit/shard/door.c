#include "unit/shard/door.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "unit/shard/shard_test.h"

struct door door;

static void take(struct shard *here, const struct accepted *accepted, void *argument)
{
	ck_assert_ptr_eq(argument, &door.group);
	ck_assert_uint_lt(door.taken_count, DOOR_MOST);
	door.taken[door.taken_count++] = *accepted;
	door.taken_by[shard_index(here)]++;
	counter_add(&shard_counters(here)->load, 1);
}

void door_open(unsigned shards, enum accept_policy policy, uint64_t max_connections)
{
	struct shard_options shard_options = {
		.count = shards, .mailbox_depth = 100, .mail_budget = 100, .manual = true};
	ck_assert_int_eq(shard_group_new(&door.group, &shard_options), 0);
	struct acceptor_options options = {.policy = policy,
					   .batch = 4,
					   .max_connections = max_connections,
					   .on_accept = take,
					   .argument = &door.group};
	ck_assert_int_eq(acceptor_new(&door.acceptor, door.group, &options), 0);
}

void door_start(void)
{
	ck_assert_int_eq(acceptor_start(door.acceptor), 0);
}

void door_close(void)
{
	acceptor_free(door.acceptor);
	shard_group_free(door.group);
	for (unsigned i = 0; i < door.taken_count; i++)
		close(door.taken[i].fd);
}

static void step_all(void)
{
	for (unsigned i = 0; i < shard_group_count(door.group); i++)
		shard_step(shard_group_at(door.group, i));
}

uint64_t door_accepted(void)
{
	return counter_read(&acceptor_counters(door.acceptor)->accepted);
}

void door_await_taken(unsigned count)
{
	await((step_all(), door.taken_count >= count));
	ck_assert_uint_eq(door.taken_count, count);
}

int door_connect(const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_msg(connect(fd, address, len) == 0, "connect: %s", strerror(errno));
	return fd;
}

int door_connect_ipv4(unsigned port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return door_connect((struct sockaddr *)&address, sizeof address);
}
