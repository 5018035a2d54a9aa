#include "server/component/reload.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/list.h"
#include "core/log.h"
#include "core/mem.h"
#include "pubsub/rooms.h"
#include "server/component/adopt.h"
#include "server/component/component_shard.h"
#include "server/component/definition.h"
#include "server/component/plugin.h"
#include "shard/pool.h"
#include "shard/shard.h"
#include "shard/watchdog.h"

enum {
	SETTLE_MS = 100,  /* without a change in the folder before it is looked at: linkers write in pieces */
	RETRY_MS = 100,   /* when the pool is full */
	ROUND_MS = 250,   /* between two rounds */
	QUIET_ROUNDS = 4, /* in which nobody needed a registry */
};

struct old_registry {
	struct list link; /* reloader->old */
	struct registry *registry;
	int64_t quiet_ms; /* since when nobody needs it, as far as we know */
	unsigned quiet;   /* rounds */
	uint64_t look;    /* of the watchdog, that has to pass after these; 0: not asked for yet */
	bool is_asked;    /* in this round */
	bool is_used;     /* said a shard */
	bool is_held; /* said a shard: no use of it since quiet_ms, but a room may do something of before that again */
};

struct round_mail;

struct seat { /* of a shard in the round; that shard's */
	unsigned heard;
	struct round_mail *question;
};

struct reloader {
	struct shard_group *group;
	struct pool *pool;
	struct plugins *plugins; /* the work's while is_working, else the home's */
	char *folder;            /* ours */
	bool watch;
	struct watchdog *watchdog;
	struct shard *home;
	struct registry *registry; /* ours */
	struct list old;           /* of struct old_registry */
	bool has_ended;

	struct work work; /* looks at the folder, or sweeps */
	bool is_working;
	bool sweeps;
	bool again;                   /* asked to look while it worked */
	struct plugins_change change; /* what was found */
	const struct registry **kept; /* ours: by the sweep */

	int folder_fd; /* inotify; -1: none */
	struct event *changed;
	struct timer settle; /* then look */
	struct timer rounds; /* then begin one */
	unsigned awaited;    /* shards in this round */
	struct seat seats[];
};

/* ---- work on the pool ---- */

static void run_work(struct work *work)
{
	struct reloader *self = LIST_OF(work, struct reloader, work);

	if (self->sweeps)
		plugins_sweep(self->plugins, self->kept);
	else
		self->change = plugins_look_again(self->plugins, self->registry, self->folder);
}

static bool begin_work(struct reloader *self, bool sweeps)
{
	self->sweeps = sweeps;
	self->is_working = pool_submit(self->pool, self->home, &self->work) == 0;
	return self->is_working;
}

static void look(struct reloader *self)
{
	if (self->is_working)
		self->again = true;
	else if (!begin_work(self, false))
		shard_timer_after(self->home, &self->settle, RETRY_MS);
}

static void on_settled(struct timer *timer)
{
	look(LIST_OF(timer, struct reloader, settle));
}

/* ---- the next registry ---- */

struct publication {
	struct mail mail;
	const struct registry *registry;
};

static void deliver_publication(struct mail *mail, struct shard *shard)
{
	struct publication *publication = LIST_OF(mail, struct publication, mail);

	if (component_shard_of(shard))
		adopt_registry(component_shard_of(shard), publication->registry);
	free(publication);
}

static void discard_publication(struct mail *mail)
{
	free(LIST_OF(mail, struct publication, mail));
}

static void publish(struct reloader *self, struct registry *next)
{
	struct old_registry *old = mem_alloc(sizeof *old);

	old->registry = self->registry;
	old->quiet_ms = shard_clock(self->home)->mono_ms;
	list_append(&self->old, &old->link);
	self->registry = next;
	for (unsigned i = 0; i < shard_group_count(self->group); i++) {
		struct publication *publication = mem_alloc(sizeof *publication);
		publication->mail.deliver = deliver_publication;
		publication->mail.discard = discard_publication;
		publication->registry = next;
		shard_post(self->home, i, &publication->mail);
	}
	if (!timer_is_armed(&self->rounds))
		shard_timer_after(self->home, &self->rounds, ROUND_MS);
}

static void deliver_work(struct mail *mail, struct shard *shard)
{
	struct reloader *self = LIST_OF(mail, struct reloader, work.done);

	(void)shard;
	self->is_working = false;
	if (self->has_ended)
		return;
	if (self->sweeps) {
		free(self->kept);
		self->kept = NULL;
	} else if (self->change.registry) {
		publish(self, self->change.registry);
		self->change.registry = NULL;
	}
	if (self->again) {
		self->again = false;
		look(self);
	}
}

static void discard_work(struct mail *mail)
{
	(void)mail; /* the reloader's own */
}

/* ---- rounds ---- */

/* From the home to a shard, and back as its answer. */
struct round_mail {
	struct mail mail;
	struct reloader *reloader;
	unsigned count;
	struct question {
		struct old_registry *old; /* the home's */
		const struct registry *registry;
		int64_t quiet_ms;
		bool is_used;
		bool is_held;
	} questions[];
};

struct nudge {
	struct mail mail;
	struct reloader *reloader;
};

static void discard_round_mail(struct mail *mail)
{
	free(LIST_OF(mail, struct round_mail, mail));
}

static void discard_nudge(struct mail *mail)
{
	free(LIST_OF(mail, struct nudge, mail));
}

static bool is_needed(const struct reloader *self, const struct old_registry *old)
{
	return old->quiet < QUIET_ROUNDS || !watchdog_has_passed(self->watchdog, old->look);
}

/* Frees those that nobody needs, and has the pool close what only they named. */
static void bury_old(struct reloader *self)
{
	size_t all = 0, kept = 0;

	list_for_each (link, &self->old) {
		all++;
		kept += is_needed(self, LIST_OF(link, struct old_registry, link));
	}
	if (kept == all)
		return;
	self->kept = mem_alloc((1 + kept + 1) * sizeof *self->kept); /* NULL ends it */
	self->kept[0] = self->registry;
	kept = 1;
	list_for_each_safe (link, &self->old) {
		struct old_registry *old = LIST_OF(link, struct old_registry, link);
		if (is_needed(self, old)) {
			self->kept[kept++] = old->registry;
			continue;
		}
		list_remove(&old->link);
		registry_free(old->registry);
		free(old);
	}
	if (!begin_work(self, true)) { /* the next sweep will close them */
		free(self->kept);
		self->kept = NULL;
	}
}

static void end_round_of(struct reloader *self, struct old_registry *old)
{
	if (old->is_used) {
		old->quiet_ms = shard_clock(self->home)->mono_ms;
		old->quiet = 0;
		old->look = 0;
	} else if (!old->is_held && ++old->quiet == QUIET_ROUNDS) {
		old->look = watchdog_ask(self->watchdog);
	}
}

static void finish_round(struct reloader *self)
{
	list_for_each (link, &self->old) {
		struct old_registry *old = LIST_OF(link, struct old_registry, link);
		if (old->is_asked)
			end_round_of(self, old);
		old->is_asked = old->is_used = old->is_held = false;
	}
	if (!self->is_working)
		bury_old(self);
	if (!list_is_empty(&self->old))
		shard_timer_after(self->home, &self->rounds, ROUND_MS);
}

static void deliver_answer(struct mail *mail, struct shard *shard)
{
	struct round_mail *answer = LIST_OF(mail, struct round_mail, mail);
	struct reloader *self = answer->reloader;

	(void)shard;
	for (unsigned i = 0; !self->has_ended && i < answer->count; i++) {
		const struct question *question = &answer->questions[i];
		question->old->is_used |= question->is_used;
		question->old->is_held |= question->is_held;
	}
	free(answer);
	if (--self->awaited == 0 && !self->has_ended)
		finish_round(self);
}

/* All mail that was on its way to this shard when the round began has come. */
static void answer(struct seat *seat, struct shard *shard)
{
	struct component_shard *here = component_shard_of(shard);
	struct round_mail *question = seat->question;

	for (unsigned i = 0; i < question->count; i++) {
		struct question *one = &question->questions[i];
		one->is_used = !here || adopt_uses(here, one->registry);
		one->is_held = !here || rooms_updates_since_ms(here->rooms) <= one->quiet_ms;
	}
	*seat = (struct seat){0};
	question->mail.deliver = deliver_answer;
	shard_post(shard, shard_index(question->reloader->home), &question->mail);
}

static void deliver_nudge(struct mail *mail, struct shard *shard)
{
	struct nudge *nudge = LIST_OF(mail, struct nudge, mail);
	struct seat *seat = &nudge->reloader->seats[shard_index(shard)];
	unsigned shards = shard_group_count(nudge->reloader->group);

	free(nudge);
	/* One of them came from here, thus after the question. */
	if (++seat->heard == shards)
		answer(seat, shard);
}

static void deliver_question(struct mail *mail, struct shard *shard)
{
	struct round_mail *question = LIST_OF(mail, struct round_mail, mail);
	struct reloader *reloader = question->reloader;

	reloader->seats[shard_index(shard)].question = question;
	for (unsigned i = 0; i < shard_group_count(reloader->group); i++) {
		struct nudge *nudge = mem_alloc(sizeof *nudge);
		nudge->mail.deliver = deliver_nudge;
		nudge->mail.discard = discard_nudge;
		nudge->reloader = reloader;
		shard_post(shard, i, &nudge->mail);
	}
}

static struct round_mail *new_question(struct reloader *self, unsigned count)
{
	struct round_mail *question = mem_alloc(sizeof *question + count * sizeof question->questions[0]);

	question->mail.deliver = deliver_question;
	question->mail.discard = discard_round_mail;
	question->reloader = self;
	list_for_each (link, &self->old) {
		struct old_registry *old = LIST_OF(link, struct old_registry, link);
		question->questions[question->count++] =
			(struct question){.old = old, .registry = old->registry, .quiet_ms = old->quiet_ms};
	}
	return question;
}

static void begin_round(struct timer *timer)
{
	struct reloader *self = LIST_OF(timer, struct reloader, rounds);
	unsigned count = 0;

	list_for_each (link, &self->old) {
		LIST_OF(link, struct old_registry, link)->is_asked = true;
		count++;
	}
	self->awaited = shard_group_count(self->group);
	for (unsigned i = 0; i < shard_group_count(self->group); i++)
		shard_post(self->home, i, &new_question(self, count)->mail);
}

/* ---- watching ---- */

static void on_folder(evutil_socket_t fd, short what, void *context)
{
	struct reloader *self = context;
	char changes[4096];

	(void)what;
	while (read(fd, changes, sizeof changes) > 0)
		;
	shard_timer_after(self->home, &self->settle, SETTLE_MS);
}

/* Files are complete when they are closed, or moved into the folder. */
static int watch_folder(struct reloader *self)
{
	self->folder_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (self->folder_fd < 0 ||
	    inotify_add_watch(self->folder_fd, self->folder,
			      IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR) < 0)
		return -errno;
	self->changed = event_new(shard_base(self->home), self->folder_fd, EV_READ | EV_PERSIST, on_folder, self);
	return self->changed && event_add(self->changed, NULL) == 0 ? 0 : -ENOMEM;
}

static void stop_watching(struct reloader *self)
{
	if (self->changed)
		event_free(self->changed);
	if (self->folder_fd >= 0)
		close(self->folder_fd);
	self->changed = NULL;
	self->folder_fd = -1;
}

/* ---- the whole ---- */

struct reloader *reloader_new(const struct reload_options *options)
{
	struct reloader *self = mem_alloc(sizeof *self + shard_group_count(options->group) * sizeof self->seats[0]);

	self->group = options->group;
	self->pool = options->pool;
	self->plugins = options->plugins;
	self->registry = options->registry;
	self->folder = mem_strndup(options->folder, strlen(options->folder));
	self->watch = options->watch;
	self->watchdog = options->watchdog;
	self->home = shard_group_at(options->group, 0);
	self->folder_fd = -1;
	self->work.run = run_work;
	self->work.done.deliver = deliver_work;
	self->work.done.discard = discard_work;
	list_init(&self->old);
	timer_init(&self->settle, on_settled);
	timer_init(&self->rounds, begin_round);
	return self;
}

void reloader_free(struct reloader *self)
{
	if (!self)
		return;
	list_for_each_safe (link, &self->old) {
		struct old_registry *old = LIST_OF(link, struct old_registry, link);
		registry_free(old->registry);
		free(old);
	}
	registry_free(self->registry);
	registry_free(self->change.registry);
	free(self->kept);
	free(self->folder);
	free(self);
}

void reloader_begin(struct reloader *self, struct shard *shard)
{
	if (shard != self->home || !self->watch || !*self->folder)
		return;
	int rc = watch_folder(self);
	if (rc == 0)
		return;
	log_warn(NULL, "components: the folder %s is not watched: %s", self->folder, strerror(-rc));
	stop_watching(self);
}

void reloader_end(struct reloader *self, struct shard *shard)
{
	if (shard != self->home)
		return;
	self->has_ended = true;
	timer_disarm(&self->settle);
	timer_disarm(&self->rounds);
	stop_watching(self);
}

struct asking {
	struct mail mail;
	struct reloader *reloader;
};

static void deliver_asking(struct mail *mail, struct shard *shard)
{
	struct asking *asking = LIST_OF(mail, struct asking, mail);

	(void)shard;
	if (!asking->reloader->has_ended)
		look(asking->reloader);
	free(asking);
}

static void discard_asking(struct mail *mail)
{
	free(LIST_OF(mail, struct asking, mail));
}

void reloader_ask(struct reloader *self)
{
	if (!*self->folder)
		return;
	struct asking *asking = mem_alloc(sizeof *asking);
	asking->mail.deliver = deliver_asking;
	asking->mail.discard = discard_asking;
	asking->reloader = self;
	shard_post_outside(self->home, &asking->mail);
}
