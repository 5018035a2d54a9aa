/*
 * Random sessions of clients of all five generations, beside a model of what each should hold (test_model_world.h).
 *
 *	TEST_SEED=N      only session N
 *	TEST_TELL=1      print all that is sent and received
 *	TEST_SESSIONS=N  so many sessions of new seeds besides the fixed ones (1)
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "unit/core/core_test.h"
#include "unit/server/component/test_model_world.h"

enum { STEPS = 600 };

struct session {
	uint64_t seed;
	bool is_wrong;    /* the model makes a mistake (world_new) */
	bool does[STEPS]; /* the steps that are not left out */
};

/* Returns what was received; fails by ending the process. */
static uint64_t play(const struct session *session, bool is_told)
{
	struct world *world = world_new(session->seed, is_told, session->is_wrong);

	for (unsigned n = 0; n < STEPS; n++)
		if (session->does[n])
			world_step(world, n);
	world_check(world);
	uint64_t digest = world->digest;
	world_free(world);
	return digest;
}

enum loudness { QUIET, WITH_ERROR, TOLD };

/* Plays it in a process of its own: whether that ended well. */
static bool plays_well(const struct session *session, enum loudness loudness)
{
	int status;

	fflush(NULL);
	pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (!child) {
		if (loudness == QUIET && !freopen("/dev/null", "w", stderr))
			_exit(2);
		play(session, loudness == TOLD);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static unsigned count_steps(const struct session *session)
{
	unsigned count = 0;

	for (unsigned n = 0; n < STEPS; n++)
		count += session->does[n];
	return count;
}

/* Leaves out what the failure does not need: ever smaller runs of steps, as long as it still fails. */
static void shrink(struct session *session)
{
	for (unsigned size = STEPS / 2; size; size /= 2) {
		for (unsigned from = 0; from < STEPS; from += size) {
			struct session smaller = *session;
			for (unsigned n = from; n < from + size && n < STEPS; n++)
				smaller.does[n] = false;
			if (count_steps(&smaller) < count_steps(session) && !plays_well(&smaller, QUIET))
				*session = smaller;
		}
	}
}

static struct session whole_session(uint64_t seed)
{
	struct session session = {.seed = seed};

	for (unsigned n = 0; n < STEPS; n++)
		session.does[n] = true;
	return session;
}

static void play_seed(uint64_t seed)
{
	struct session session = whole_session(seed);

	printf("session TEST_SEED=%llu\n", (unsigned long long)seed);
	if (plays_well(&session, getenv("TEST_TELL") ? TOLD : WITH_ERROR))
		return;
	shrink(&session);
	fprintf(stderr, "TEST_SEED=%llu fails; it is enough that\n", (unsigned long long)seed);
	plays_well(&session, TOLD);
	ck_abort_msg("TEST_SEED=%llu fails", (unsigned long long)seed);
}

START_TEST(test_sessions)
{
	static const uint64_t fixed[] = {1, 2, 3, 4};
	const char *sessions = getenv("TEST_SESSIONS");
	uint64_t chances = test_seed();

	if (getenv("TEST_SEED")) {
		play_seed(chances);
		return;
	}
	for (unsigned i = 0; i < sizeof fixed / sizeof *fixed; i++)
		play_seed(fixed[i]);
	for (unsigned long left = sessions ? strtoul(sessions, NULL, 10) : 1; left; left--)
		play_seed(chances++);
}
END_TEST

/* The same seed is the same session, to the last byte that is received: or no failure could be looked into. */
START_TEST(test_repeats)
{
	struct session session = whole_session(test_seed());
	uint64_t first = play(&session, false);

	ck_assert_uint_eq(play(&session, false), first);
	session.seed++;
	ck_assert_uint_ne(play(&session, false), first);
}
END_TEST

/* A model that is wrong about one thing is found out, and the steps that show it are few. */
START_TEST(test_finds_what_is_wrong)
{
	struct session session = whole_session(7);

	session.is_wrong = true;
	ck_assert(!plays_well(&session, QUIET));
	shrink(&session);
	ck_assert_uint_le(count_steps(&session), 4);
	ck_assert(!plays_well(&session, QUIET));
	session.is_wrong = false;
	ck_assert(plays_well(&session, QUIET));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("component model");
	TCase *all = tcase_create("component model");
	tcase_set_timeout(all, 280);
	tcase_add_test(all, test_sessions);
	tcase_add_test(all, test_repeats);
	tcase_add_test(all, test_finds_what_is_wrong);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
