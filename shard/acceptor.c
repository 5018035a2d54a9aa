#include "shard/acceptor.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/id.h"
#include "core/log.h"
#include "core/mem.h"
#include "shard/base.h"
#include "shard/listen.h"
#include "shard/padded.h"
#include "shard/shard.h"
#include "shard/thread.h"

/* After how long a pause ends if its cause has: connections are closed all the time, descriptors seldom come back soon.
 */
enum { FULL_PAUSE_MS = 20, STARVED_PAUSE_MS = 100 };

struct listener {
	struct listener *next;
	struct acceptor *acceptor;
	int fd;
	struct event *event;
	void *tag;
	char *path; /* of a unix socket, else NULL */
	dev_t device;
	ino_t inode; /* these two tell whether the file at path is still ours */
};

/* The way to one shard. */
struct accept_lane {
	alignas(CACHE_LINE) uint64_t sent; /* the acceptor's own */
	/* Written by the shard after on_accept (release), read by the acceptor (acquire): who sees a socket taken sees
	 * it in the shard's load. */
	alignas(CACHE_LINE) _Atomic uint64_t taken;
};

struct acceptor {
	struct shard_group *group;
	unsigned shard_count;
	struct acceptor_options options;
	struct accept_lane *lanes;
	unsigned next_shard; /* whose turn it is; among equals, too */
	bool is_starved;     /* of descriptors: since an accept failed, until one succeeds */
	struct listener *listeners;
	struct event_base *base;
	struct event *resume; /* timer: looks whether the cause of a pause is gone */
	int stop_fd;          /* an eventfd; a write ends the thread */
	struct event *stop_event;
	bool has_thread;
	pthread_t thread;
	struct acceptor_counters counters;
};

struct socket_mail {
	struct mail mail;
	struct acceptor *acceptor;
	struct accepted accepted;
};

/* ---- dealing out ---- */

/* The connections of a shard, with those on their way. One that is just being taken may count twice, never not at all.
 */
static uint64_t expected_load(const struct acceptor *acceptor, unsigned index)
{
	const struct accept_lane *lane = &acceptor->lanes[index];
	uint64_t on_way = lane->sent - atomic_load_explicit(&lane->taken, memory_order_acquire);
	return on_way + counter_read(&shard_counters(shard_group_at(acceptor->group, index))->load);
}

/* Pages leave connections behind that only wait for a next request: counted as clients, they would hide where those
 * are. */
static uint64_t idle_load(const struct acceptor *acceptor, unsigned index)
{
	const struct shard_counters *counters = shard_counters(shard_group_at(acceptor->group, index));
	uint64_t idle = counter_read(&counters->idle), load = counter_read(&counters->load);

	return idle < load ? idle : load;
}

static bool is_full(const struct acceptor *acceptor)
{
	if (acceptor->options.max_connections == 0)
		return false;
	uint64_t total = 0;
	for (unsigned i = 0; i < acceptor->shard_count; i++)
		total += expected_load(acceptor, i);
	return total >= acceptor->options.max_connections;
}

/* The least loaded; among equals the one whose turn is next. */
static unsigned choose_least(const struct acceptor *acceptor)
{
	unsigned best = 0;
	uint64_t best_load = UINT64_MAX;
	for (unsigned i = 0; i < acceptor->shard_count; i++) {
		unsigned index = (acceptor->next_shard + i) % acceptor->shard_count;
		uint64_t load = expected_load(acceptor, index) - idle_load(acceptor, index);
		if (load < best_load) {
			best_load = load;
			best = index;
		}
	}
	return best;
}

static unsigned choose_shard(struct acceptor *acceptor)
{
	unsigned index = acceptor->next_shard;
	if (acceptor->options.policy == ACCEPT_RANDOM)
		index = id_random_below(acceptor->shard_count);
	else if (acceptor->options.policy == ACCEPT_LEAST_CONNECTIONS)
		index = choose_least(acceptor);
	acceptor->next_shard = (index + 1) % acceptor->shard_count;
	return index;
}

static void deliver_socket(struct mail *mail, struct shard *here)
{
	struct socket_mail *socket_mail = LIST_OF(mail, struct socket_mail, mail);
	struct acceptor *acceptor = socket_mail->acceptor;
	acceptor->options.on_accept(here, &socket_mail->accepted, acceptor->options.argument);
	free(socket_mail);

	_Atomic uint64_t *taken = &acceptor->lanes[shard_index(here)].taken;
	uint64_t before = atomic_load_explicit(taken, memory_order_relaxed);
	atomic_store_explicit(taken, before + 1, memory_order_release);
}

static void discard_socket(struct mail *mail)
{
	struct socket_mail *socket_mail = LIST_OF(mail, struct socket_mail, mail);
	close(socket_mail->accepted.fd);
	free(socket_mail);
}

static void deal_out(struct acceptor *acceptor, const struct accepted *accepted)
{
	struct socket_mail *socket_mail = mem_alloc(sizeof *socket_mail);
	socket_mail->mail.deliver = deliver_socket;
	socket_mail->mail.discard = discard_socket;
	socket_mail->acceptor = acceptor;
	socket_mail->accepted = *accepted;

	unsigned index = choose_shard(acceptor);
	acceptor->lanes[index].sent++;
	shard_post_outside(shard_group_at(acceptor->group, index), &socket_mail->mail);
}

/* ---- accepting and pausing ---- */

static void set_resume(struct acceptor *acceptor, int delay_ms)
{
	struct timeval delay = {.tv_usec = delay_ms * 1000L};
	int rc = evtimer_add(acceptor->resume, &delay);
	assert_always(rc == 0);
}

/* Leaves the sockets in the system's queue for a while: there they cost nothing, and their clients wait. */
static void pause_for(struct acceptor *acceptor, int delay_ms)
{
	for (struct listener *listener = acceptor->listeners; listener; listener = listener->next)
		event_del(listener->event);
	set_resume(acceptor, delay_ms);
}

static void on_resume(int fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct acceptor *acceptor = argument;
	if (is_full(acceptor)) {
		set_resume(acceptor, FULL_PAUSE_MS);
		return;
	}
	for (struct listener *listener = acceptor->listeners; listener; listener = listener->next) {
		int rc = event_add(listener->event, NULL);
		assert_always(rc == 0);
	}
}

static void pause_full(struct acceptor *acceptor)
{
	counter_add(&acceptor->counters.paused, 1);
	log_warn("acceptor", "at the limit of %llu connections: accepting none until one is closed",
		 (unsigned long long)acceptor->options.max_connections);
	pause_for(acceptor, FULL_PAUSE_MS);
}

static void pause_starved(struct acceptor *acceptor, int error)
{
	if (!acceptor->is_starved) {
		acceptor->is_starved = true;
		counter_add(&acceptor->counters.paused, 1);
		log_warn("acceptor", "cannot accept: %s; trying again now and then", strerror(error));
	}
	pause_for(acceptor, STARVED_PAUSE_MS);
}

/* Whether the next accept may succeed. */
static bool handle_failure(struct acceptor *acceptor, int error)
{
	if (error == EAGAIN)
		return false;
	if (error == EINTR)
		return true;
	counter_add(&acceptor->counters.failed, 1);
	if (error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS) {
		pause_starved(acceptor, error);
		return false;
	}
	/* A connection that ended in the queue, or an error of its network that Linux reports here: the next may be
	 * fine. */
	log_debug("acceptor", "accept: %s", strerror(error));
	return true;
}

/* Whether there may be more. */
static bool accept_one(struct listener *listener)
{
	struct acceptor *acceptor = listener->acceptor;
	if (is_full(acceptor)) {
		pause_full(acceptor);
		return false;
	}
	struct accepted accepted = {.listener_tag = listener->tag, .peer_len = sizeof accepted.peer};
	accepted.fd = accept4(listener->fd, (struct sockaddr *)&accepted.peer, &accepted.peer_len,
			      SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (accepted.fd < 0)
		return handle_failure(acceptor, errno);
	if (acceptor->is_starved) {
		acceptor->is_starved = false;
		log_info("acceptor", "accepting again");
	}
	counter_add(&acceptor->counters.accepted, 1);
	deal_out(acceptor, &accepted);
	return true;
}

static void on_acceptable(int fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	struct listener *listener = argument;
	unsigned left = listener->acceptor->options.batch;
	while (left > 0 && accept_one(listener))
		left--;
	log_flush();
}

/* ---- birth ---- */

static void on_stop(int fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(argument);
}

static int open_loop(struct acceptor *acceptor)
{
	acceptor->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (acceptor->stop_fd < 0)
		return -errno;
	int rc = base_new(&acceptor->base);
	if (rc < 0)
		return rc;
	acceptor->resume = evtimer_new(acceptor->base, on_resume, acceptor);
	acceptor->stop_event = event_new(acceptor->base, acceptor->stop_fd, EV_READ, on_stop, acceptor->base);
	if (!acceptor->resume || !acceptor->stop_event || event_add(acceptor->stop_event, NULL) < 0)
		return -ENOMEM;
	return 0;
}

int acceptor_new(struct acceptor **out, struct shard_group *group, const struct acceptor_options *options)
{
	if (options->batch < 1 || !options->on_accept)
		return -EINVAL;
	struct acceptor *acceptor = mem_alloc(sizeof *acceptor);
	acceptor->group = group;
	acceptor->shard_count = shard_group_count(group);
	acceptor->options = *options;
	acceptor->lanes = padded_alloc(acceptor->shard_count * sizeof *acceptor->lanes);
	int rc = open_loop(acceptor);
	if (rc < 0) {
		acceptor_free(acceptor);
		return rc;
	}
	*out = acceptor;
	return 0;
}

static int add_listener(struct acceptor *acceptor, int fd, void *tag, struct listener **out)
{
	assert_always(!acceptor->has_thread);
	struct listener *listener = mem_alloc(sizeof *listener);
	*listener = (struct listener){.acceptor = acceptor, .fd = fd, .tag = tag};
	listener->event = event_new(acceptor->base, fd, EV_READ | EV_PERSIST, on_acceptable, listener);
	if (!listener->event || event_add(listener->event, NULL) < 0) {
		if (listener->event)
			event_free(listener->event);
		free(listener);
		return -ENOMEM;
	}
	listener->next = acceptor->listeners;
	acceptor->listeners = listener;
	if (out)
		*out = listener;
	return 0;
}

int acceptor_listen_tcp(struct acceptor *acceptor, const char *host, unsigned port, void *tag, unsigned *bound_port)
{
	int fds[LISTEN_MOST];
	unsigned count;
	int rc = listen_tcp(host, port, fds, &count, bound_port);
	if (rc < 0)
		return rc;
	unsigned added = 0;
	while (added < count && (rc = add_listener(acceptor, fds[added], tag, NULL)) == 0)
		added++;
	while (added < count)
		close(fds[added++]);
	return rc;
}

/* The file at path is the listener's to remove. */
static void own_file(struct listener *listener, const char *path)
{
	struct stat status;
	if (lstat(path, &status) < 0)
		return;
	listener->path = mem_strndup(path, strlen(path));
	listener->device = status.st_dev;
	listener->inode = status.st_ino;
}

int acceptor_listen_unix(struct acceptor *acceptor, const char *path, void *tag)
{
	int fd;
	int rc = listen_unix(path, &fd);
	if (rc < 0)
		return rc;
	struct listener *listener;
	rc = add_listener(acceptor, fd, tag, &listener);
	if (rc < 0) {
		unlink(path);
		close(fd);
		return rc;
	}
	own_file(listener, path);
	return 0;
}

int acceptor_listen_fd(struct acceptor *acceptor, int fd, void *tag)
{
	int rc = listen_adopt(fd);
	return rc < 0 ? rc : add_listener(acceptor, fd, tag, NULL);
}

int acceptor_take_over(struct acceptor *acceptor, int fd, void *tag)
{
	struct sockaddr_un address = {0};
	socklen_t len = sizeof address;
	struct listener *listener;
	int rc = listen_adopt(fd);
	if (rc == 0)
		rc = add_listener(acceptor, fd, tag, &listener);
	if (rc < 0)
		return rc;
	if (getsockname(fd, (struct sockaddr *)&address, &len) == 0 && address.sun_family == AF_UNIX &&
	    len < sizeof address && *address.sun_path)
		own_file(listener, address.sun_path);
	return 0;
}

void acceptor_each_fd(const struct acceptor *acceptor, void (*each)(void *argument, int fd, void *tag), void *argument)
{
	for (const struct listener *listener = acceptor->listeners; listener; listener = listener->next)
		each(argument, listener->fd, listener->tag);
}

void acceptor_keep_files(struct acceptor *acceptor)
{
	for (struct listener *listener = acceptor->listeners; listener; listener = listener->next) {
		free(listener->path);
		listener->path = NULL;
	}
}

/* ---- life and death ---- */

static void acceptor_main(void *argument)
{
	struct acceptor *acceptor = argument;
	event_base_dispatch(acceptor->base);
}

int acceptor_start(struct acceptor *acceptor)
{
	assert_always(!acceptor->has_thread);
	int rc = thread_start(&acceptor->thread, "acceptor", acceptor_main, acceptor);
	acceptor->has_thread = rc == 0;
	return rc;
}

static void listener_free(struct listener *listener)
{
	struct stat status;
	if (listener->path && lstat(listener->path, &status) == 0 && status.st_dev == listener->device &&
	    status.st_ino == listener->inode)
		unlink(listener->path);
	event_free(listener->event);
	close(listener->fd);
	free(listener->path);
	free(listener);
}

void acceptor_stop(struct acceptor *acceptor)
{
	if (acceptor->has_thread) {
		uint64_t one = 1;
		ssize_t written = write(acceptor->stop_fd, &one, sizeof one);
		assert_always(written == sizeof one);
		pthread_join(acceptor->thread, NULL);
		acceptor->has_thread = false;
	}
	while (acceptor->listeners) {
		struct listener *listener = acceptor->listeners;
		acceptor->listeners = listener->next;
		listener_free(listener);
	}
}

void acceptor_free(struct acceptor *acceptor)
{
	if (!acceptor)
		return;
	acceptor_stop(acceptor);
	if (acceptor->stop_event)
		event_free(acceptor->stop_event);
	if (acceptor->resume)
		event_free(acceptor->resume);
	if (acceptor->base)
		event_base_free(acceptor->base);
	if (acceptor->stop_fd >= 0)
		close(acceptor->stop_fd);
	free(acceptor->lanes);
	free(acceptor);
}

const struct acceptor_counters *acceptor_counters(const struct acceptor *acceptor)
{
	return &acceptor->counters;
}
