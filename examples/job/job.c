/*
 * Job - slow work with a progress bar: done on the pool in steps, so that it can be cancelled and its shard never
 * waits.
 *
 * Which run a step is of is in private memory: the result of one that was cancelled meanwhile finds another number. How
 * far it is is in the state, so a client that lost its connection, or its server, goes on with the step it was at.
 */
#include <string.h>

#include <live/live.h>

enum { STEPS = 20, MAX_SIZE = 10000000 };

struct job {
	int64_t number; /* of the run */
};

/* A thread of the pool: {number, step, size}, and what the step found: the primes of its part. */
static const live_value *count_primes(const live_value *part)
{
	int64_t size = live_as_int(live_get(part, "size"), 0);
	int64_t step = live_as_int(live_get(part, "step"), 0);
	int64_t found = 0;

	for (int64_t n = size * step / STEPS + 1; n <= size * (step + 1) / STEPS; n++) {
		bool is_prime = n > 1;
		for (int64_t divisor = 2; is_prime && divisor * divisor <= n; divisor++)
			is_prime = n % divisor != 0;
		found += is_prime;
	}
	return live_with(part, "found", live_int(found));
}

static void finish_step(live_component *self, const live_value *part);

/* Gives part away. */
static void begin_step(live_component *self, const live_value *part)
{
	if (live_offload(self, count_primes, part, finish_step) == 0)
		return;
	live_set_state(self,
		       live_object("status", live_string("failed"), "error", live_string("The server is busy"), NULL));
}

static void finish_step(live_component *self, const live_value *part)
{
	const struct job *job = live_private(self);
	int64_t done = live_as_int(live_get(part, "step"), 0) + 1;

	if (live_as_int(live_get(part, "number"), 0) != job->number)
		return;
	live_set_state(self,
		       live_object("progress", live_int(done * 100 / STEPS), "found",
				   live_int(live_get_int(self, "found") + live_as_int(live_get(part, "found"), 0)),
				   "status", live_string(done < STEPS ? "running" : "done"), NULL));
	if (done < STEPS)
		begin_step(self, live_with(part, "step", live_int(done)));
}

static bool is_running(const live_component *self)
{
	return !strcmp(live_get_string(self, "status"), "running");
}

static bool is_size(int64_t size)
{
	return size >= STEPS && size <= MAX_SIZE;
}

/* From that step on, as the state says what to do. */
static void begin(live_component *self, int64_t step)
{
	struct job *job = live_private(self);

	begin_step(self, live_object("number", live_int(++job->number), "step", live_int(step), "size",
				     live_int(live_get_int(self, "size")), NULL));
}

/* {size}: counts the primes up to it. */
static int start(live_component *self, const live_value *payload, live_reply *reply)
{
	int64_t size = live_as_int(live_get(payload, "size"), 0);

	if (!is_size(size))
		return live_reply_error(reply, "size must be %d to %d", STEPS, MAX_SIZE);
	live_set_state(self, live_object("status", live_string("running"), "size", live_int(size), "progress",
					 live_int(0), "found", live_int(0), "error", live_null(), NULL));
	begin(self, 0);
	return 0;
}

static int cancel(live_component *self, const live_value *payload, live_reply *reply)
{
	struct job *job = live_private(self);

	(void)payload;
	if (!is_running(self))
		return live_reply_error(reply, "there is nothing to cancel");
	job->number++;
	live_set(self, "status", live_string("cancelled"));
	return 0;
}

/* What was being done went with the instance before. The state may have begun as a client's props: look at it. */
static void on_rehydrate(live_component *self, const live_value *previous)
{
	int64_t progress = live_get_int(self, "progress");

	(void)previous;
	if (!is_running(self))
		return;
	if (is_size(live_get_int(self, "size")) && progress >= 0 && progress < 100)
		begin(self, progress * STEPS / 100);
	else
		live_set(self, "status", live_string("cancelled"));
}

LIVE_COMPONENT{
	.name = "Job",
	.default_state = LIVE_JSON({"status" : "idle", "size" : 0, "progress" : 0, "found" : 0, "error" : null}),
	.updatable = (const char *const[]){NULL},
	.actions = LIVE_ACTIONS({"start", start}, {"cancel", cancel}),
	.private_size = sizeof(struct job),
	.on_rehydrate = on_rehydrate,
};
