#include "clients/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clients/bench/clock.h"

#define DEFAULT_PATH "/api/live/ws"
#define SPARE_FILES 64

/* Cuts ws://host[:port][/path] into its parts. False when it is no such thing. */
static bool url_cut(const char *url, char host[128], char port[8], struct endpoint *out)
{
	const char *at = url;
	size_t whole, name;
	const char *colon;

	if (strncmp(at, "ws://", 5) != 0)
		return false;
	at += 5;
	whole = strcspn(at, "/");
	if (!whole || whole >= sizeof out->host)
		return false;
	memcpy(out->host, at, whole);
	out->host[whole] = 0;
	colon = strchr(out->host, ':');
	name = colon ? (size_t)(colon - out->host) : whole;
	memcpy(host, out->host, name);
	host[name] = 0;
	if (snprintf(port, 8, "%s", colon ? colon + 1 : "80") >= 8)
		return false;
	at += whole;
	return snprintf(out->path, sizeof out->path, "%s", *at ? at : DEFAULT_PATH) < (int)sizeof out->path;
}

static int endpoint_resolve(struct endpoint *out, const char *url)
{
	struct addrinfo wanted = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	char host[128], port[8];

	if (!url_cut(url, host, port, out) || getaddrinfo(host, port, &wanted, &found) != 0) {
		fprintf(stderr, "liveshard-bench: cannot use the URL %s\n", url);
		return -EINVAL;
	}
	memcpy(&out->address, found->ai_addr, sizeof out->address);
	freeaddrinfo(found);
	return 0;
}

/* One descriptor for each client. 0 or -EMFILE. */
static int files_allow(uint32_t clients)
{
	rlim_t needed = (rlim_t)clients + SPARE_FILES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < needed) {
		limit.rlim_cur = needed;
		if (limit.rlim_max < needed)
			limit.rlim_max = needed;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
			fprintf(stderr, "liveshard-bench: %u clients need %llu files (ulimit -n)\n", clients,
				(unsigned long long)needed);
			return -EMFILE;
		}
	}
	return 0;
}

/* A power of two that holds `count`. */
static uint32_t ring_size(uint32_t count)
{
	uint32_t size = 16;

	while (size < count)
		size *= 2;
	return size;
}

static void client_prepare(struct bench *bench, uint32_t index)
{
	const struct numbers *numbers = &bench->options.numbers;
	struct client *client = &bench->clients[index];
	uint32_t members = numbers->members ? numbers->members : 1;

	*client = (struct client){
		.fd = -1,
		.index = index,
		.room = index / members,
		.member = index % members,
		.endpoint = index % (uint32_t)bench->options.url_count,
		.is_slow = numbers->members && index % members >= members - numbers->slow,
	};
	sequence_init(&client->sequence, numbers->senders);
	if (bench->options.scenario->kind == SCENARIO_ACTIONS) {
		client->asked_mask = ring_size(numbers->in_flight) - 1;
		client->asked_ns = bench_alloc(client->asked_mask + 1, sizeof *client->asked_ns);
	}
	if (bench->options.scenario->kind == SCENARIO_EVENTS && numbers->in_flight && bench_is_sender(bench, client)) {
		uint32_t size = ring_size(numbers->in_flight);

		client->flight = bench_alloc(1, sizeof *client->flight + size * sizeof client->flight->left[0]);
		client->flight->mask = size - 1;
	}
}

static void worker_prepare(struct bench *bench, uint32_t index)
{
	const struct numbers *numbers = &bench->options.numbers;
	struct worker *worker = &bench->workers[index];

	worker->bench = bench;
	worker->index = index;
	worker->clients = bench_alloc(numbers->clients / numbers->threads + 1, sizeof(struct client *));
	for (uint32_t i = index; i < numbers->clients; i += numbers->threads)
		worker->clients[worker->client_count++] = &bench->clients[i];
	histogram_init(&worker->latency);
	histogram_init(&worker->remote);
	histogram_init(&worker->lag);
	message_writer_init(&worker->writer, bench->start_ns + index);
}

int bench_init(struct bench *bench, const struct options *options)
{
	const struct numbers *numbers = &options->numbers;
	int rc = files_allow(numbers->clients);

	*bench = (struct bench){.options = *options, .start_ns = clock_now_ns()};
	if (rc < 0)
		return rc;
	bench->endpoints = bench_alloc(options->url_count, sizeof *bench->endpoints);
	for (size_t i = 0; i < options->url_count && rc == 0; i++)
		rc = endpoint_resolve(&bench->endpoints[i], options->urls[i]);
	if (rc < 0)
		return rc;
	bench->clients = bench_alloc(numbers->clients, sizeof *bench->clients);
	for (uint32_t i = 0; i < numbers->clients; i++)
		client_prepare(bench, i);
	bench->workers = aligned_alloc(64, numbers->threads * sizeof *bench->workers);
	if (!bench->workers)
		return -ENOMEM;
	memset(bench->workers, 0, numbers->threads * sizeof *bench->workers);
	for (uint32_t i = 0; i < numbers->threads; i++)
		worker_prepare(bench, i);
	return 0;
}

void bench_deinit(struct bench *bench)
{
	for (uint32_t i = 0; bench->clients && i < bench->options.numbers.clients; i++)
		client_deinit(&bench->clients[i]);
	for (uint32_t i = 0; bench->workers && i < bench->options.numbers.threads; i++) {
		message_writer_deinit(&bench->workers[i].writer);
		buffer_deinit(&bench->workers[i].out);
		free(bench->workers[i].load.senders);
		free(bench->workers[i].clients);
	}
	free(bench->workers);
	free(bench->clients);
	free(bench->endpoints);
}

void bench_fail(struct bench *bench, const char *format, ...)
{
	int well = BENCH_WELL;
	va_list arguments;

	if (!atomic_compare_exchange_strong(&bench->failing, &well, BENCH_WRITING))
		return;
	va_start(arguments, format);
	vsnprintf(bench->failure, sizeof bench->failure, format, arguments);
	va_end(arguments);
	atomic_store(&bench->failing, BENCH_FAILED);
}

bool bench_has_failed(const struct bench *bench)
{
	return atomic_load_explicit(&bench->failing, memory_order_acquire) == BENCH_FAILED;
}

uint32_t bench_room_members(const struct bench *bench, uint32_t room)
{
	const struct numbers *numbers = &bench->options.numbers;
	uint32_t first = room * numbers->members;
	uint32_t rest = numbers->clients - first;

	return rest < numbers->members ? rest : numbers->members;
}

uint32_t bench_room_readers(const struct bench *bench, uint32_t room)
{
	const struct numbers *numbers = &bench->options.numbers;
	uint32_t members = bench_room_members(bench, room);
	uint32_t reading = numbers->members - numbers->slow;

	return members < reading ? members : reading;
}

bool bench_is_sender(const struct bench *bench, const struct client *client)
{
	return bench->options.numbers.members && client->member < bench->options.numbers.senders;
}
