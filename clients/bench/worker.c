#include "clients/bench/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "clients/bench/climb.h"
#include "clients/bench/clock.h"
#include "clients/bench/load.h"
#include "clients/bench/session.h"

#define EVENTS_PER_TURN 512

void worker_poke(struct worker *worker)
{
	uint64_t one = 1;

	/* Only fails when the counter is full, and then it is being waited for anyway. */
	if (write(worker->wake_fd, &one, sizeof one) < 0)
		return;
}

static void poke_take(struct worker *worker)
{
	uint64_t count;

	if (read(worker->wake_fd, &count, sizeof count) < 0)
		return;
}

static void slow_wake(struct worker *worker)
{
	for (uint32_t i = 0; i < worker->client_count; i++)
		if (worker->clients[i]->is_slow && worker->clients[i]->fd >= 0)
			client_watch(worker->clients[i], worker->epoll_fd, true);
}

static void order_obey(struct worker *worker, const struct order *order)
{
	switch (order->kind) {
	case ORDER_CLIMB: climb_start(worker, order); break;
	case ORDER_ACTIONS:
	case ORDER_EVENTS:
	case ORDER_ROUND: load_start(worker, order); break;
	case ORDER_HALT:
		climb_halt(worker);
		load_halt(worker);
		break;
	case ORDER_WAKE: slow_wake(worker); break;
	case ORDER_QUIT: worker->quit = true; break;
	case ORDER_NONE: break;
	}
}

/* The main thread gives no new order before all have taken up the last, so the order stands still meanwhile. */
static void order_look(struct worker *worker)
{
	unsigned number = atomic_load_explicit(&worker->bench->order_number, memory_order_acquire);

	if (number == atomic_load_explicit(&worker->order_seen, memory_order_relaxed))
		return;
	order_obey(worker, &worker->bench->order);
	atomic_store_explicit(&worker->order_seen, number, memory_order_release);
}

/* Waits for events until `due_ns` at the latest. Returns how many there are. */
static int events_wait(struct worker *worker, struct epoll_event *events, uint64_t now_ns, uint64_t due_ns)
{
	uint64_t wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;
	struct timespec timeout = {(time_t)(wait_ns / NS_PER_SECOND), (long)(wait_ns % NS_PER_SECOND)};

	return epoll_pwait2(worker->epoll_fd, events, EVENTS_PER_TURN, due_ns == UINT64_MAX ? NULL : &timeout, NULL);
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;
	struct epoll_event events[EVENTS_PER_TURN];

	/* The default lets timers be 50 µs late, which would be most of the latency measured at low load. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	while (!worker->quit) {
		uint64_t now_ns = clock_now_ns();
		uint64_t climb_ns = climb_tick(worker, now_ns);
		uint64_t load_ns = load_tick(worker, now_ns);
		int count = events_wait(worker, events, now_ns, climb_ns < load_ns ? climb_ns : load_ns);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr)
				session_event(worker, events[i].data.ptr, events[i].events);
			else
				poke_take(worker);
		}
		order_look(worker);
	}
	return NULL;
}

int worker_start(struct worker *worker)
{
	struct epoll_event event = {.events = EPOLLIN};
	int rc;

	worker->scratch = bench_alloc(1, WORKER_SCRATCH);
	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->epoll_fd < 0 || worker->wake_fd < 0)
		return -errno;
	if (epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->wake_fd, &event) < 0)
		return -errno;
	rc = pthread_create(&worker->thread, NULL, worker_main, worker);
	return -rc;
}

void worker_join(struct worker *worker)
{
	pthread_join(worker->thread, NULL);
	close(worker->epoll_fd);
	close(worker->wake_fd);
	free(worker->scratch);
}
