#include <errno.h>
#include <pthread.h>

#include "unit/server/auth/asked.h"

struct who {
	struct auth_sign_on question;
	unsigned done, discarded;
	char id[32]; /* "" for anonymous */
};

static void note(struct auth_sign_on *question, struct shard *here, const live_auth *auth)
{
	struct who *who = LIST_OF(question, struct who, question);
	ck_assert_ptr_eq(here, shard_here());
	ck_assert_ptr_nonnull(auth);
	who->done++;
	snprintf(who->id, sizeof who->id, "%s", live_auth_is_authenticated(auth) ? live_auth_user_id(auth) : "");
}

static void note_discard(struct auth_sign_on *question)
{
	LIST_OF(question, struct who, question)->discarded++;
}

static struct who asking(void)
{
	return (struct who){.question = {note, note_discard}};
}

/* Asks on shard 0 and runs the stage. */
static void ask(struct stage *stage, const struct auth_manager *manager, const char *credentials, const char *provider,
		struct who *who)
{
	const live_value *value = json(credentials);
	auth_sign_on(manager, stage_enter(stage, 0), value, provider, &who->question);
	live_value_unref(value);
	stage_run(stage);
}

#define TOKEN "{\"token\":\"t\"}"

START_TEST(no_credentials)
{
	static const struct {
		const char *credentials;
		bool asks;
	} cases[] = {
		{"null", false},
		{"\"t\"", false},
		{"[1]", false},
		{"{}", false},
		{"{\"token\":\"\"}", false},
		{"{\"a\":null,\"b\":false,\"c\":0,\"d\":\"\",\"e\":-0.0}", false},
		{TOKEN, true},
		{"{\"a\":null,\"b\":true}", true},
		{"{\"a\":0.5}", true},
		{"{\"a\":-1}", true},
		{"{\"a\":[]}", true},
		{"{\"a\":{}}", true},
	};
	struct oracle one = {.name = "one", .manner = GRANT};
	struct auth_manager *manager = auth_manager_new(1000);
	struct stage *stage = stage_new(1, 0);
	struct who nobody = asking();
	ask(stage, manager, TOKEN, NULL, &nobody);
	ck_assert(nobody.done == 1 && !*nobody.id);
	add_oracle(manager, &one);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct who who = asking();
		one.asked = 0;
		ask(stage, manager, cases[i].credentials, NULL, &who);
		ck_assert_uint_eq(who.done, 1);
		ck_assert_uint_eq(one.asked, cases[i].asks);
		ck_assert_str_eq(who.id, cases[i].asks ? "one" : "");
	}
	auth_manager_free(manager);
	stage_free(stage);
	ck_assert_uint_eq(one.freed, 1);
}
END_TEST

/* Three providers in every combination of manners, each of them the default once; LATER answers are given in time. */
START_TEST(order_and_falling_through)
{
	const enum manner manners[] = {GRANT, GRANT_ANONYMOUS, NOBODY, DENY, ALLOW, FAIL, LATER};
	const char *const names[] = {"one", "two", "three"};
	enum { MANNERS = sizeof manners / sizeof manners[0], LATER_GRANTS = 1 };
	struct stage *stage = stage_new(2, 0);
	for (unsigned i = 0; i < 3 * MANNERS * MANNERS * MANNERS; i++) {
		struct auth_manager *manager = auth_manager_new(1000);
		struct oracle oracles[3];
		unsigned chosen = i % 3, rest = i / 3;
		for (unsigned n = 0; n < 3; n++, rest /= MANNERS) {
			oracles[n] = (struct oracle){.name = names[n], .manner = manners[rest % MANNERS]};
			add_oracle(manager, &oracles[n]);
		}
		ck_assert_int_eq(auth_manager_set_default(manager, names[chosen]), 0);
		const unsigned order[] = {chosen, chosen == 0, chosen == 2 ? 1 : 2};
		const char *expected = "";
		for (unsigned n = 0; n < 3 && !*expected; n++)
			if (oracles[order[n]].manner == GRANT || oracles[order[n]].manner == LATER)
				expected = names[order[n]];
		struct who who = asking();
		ask(stage, manager, TOKEN, NULL, &who);
		for (unsigned n = 0; n < 3; n++)
			if (oracles[n].waiting) {
				ck_assert_uint_eq(who.done, 0);
				stage_enter(stage, i & 1); /* from its own shard, or from another one */
				oracle_answer(&oracles[n], GRANT, oracles[n].waiting);
				oracles[n].waiting = NULL;
			}
		stage_run(stage);
		ck_assert_uint_eq(who.done, 1);
		ck_assert_str_eq(who.id, expected);
		bool decided = false;
		for (unsigned n = 0; n < 3; n++) {
			ck_assert_uint_eq(oracles[order[n]].asked, !decided);
			decided = decided || !strcmp(expected, names[order[n]]);
		}
		auth_manager_free(manager);
	}
	stage_free(stage);
}
END_TEST

START_TEST(only_the_one_named)
{
	struct oracle one = {.name = "one", .manner = GRANT}, two = {.name = "two", .manner = NOBODY};
	struct auth_manager *manager = auth_manager_new(1000);
	struct stage *stage = stage_new(1, 0);
	struct who a = asking(), b = asking(), c = asking();
	add_oracle(manager, &one);
	add_oracle(manager, &two);
	ask(stage, manager, TOKEN, "one", &a);
	ask(stage, manager, TOKEN, "two", &b);
	ask(stage, manager, TOKEN, "three", &c);
	ck_assert(a.done == 1 && !strcmp(a.id, "one"));
	ck_assert(b.done == 1 && !*b.id);
	ck_assert(c.done == 1 && !*c.id);
	ck_assert(one.asked == 1 && two.asked == 1);
	auth_manager_free(manager);
	stage_free(stage);
}
END_TEST

START_TEST(registering)
{
	struct oracle one = {.name = "one"}, two = {.name = "two"}, three = {.name = "three"}, other = {.name = "two"};
	struct auth_manager *manager = auth_manager_new(1000);
	ck_assert_ptr_null(auth_manager_default(manager));
	ck_assert_int_eq(auth_manager_set_default(manager, "one"), -ENOENT);
	ck_assert_int_eq(auth_manager_unregister(manager, "one"), -ENOENT);
	ck_assert_int_eq(auth_manager_register(manager, &(live_auth_provider){.name = "x"}), -EINVAL);
	ck_assert_int_eq(auth_manager_register(manager, &(live_auth_provider){.authenticate = oracle_authenticate}),
			 -EINVAL);
	add_oracle(manager, &one);
	add_oracle(manager, &two);
	add_oracle(manager, &three);
	ck_assert_str_eq(auth_manager_default(manager)->name, "one");
	add_oracle(manager, &other);
	ck_assert_uint_eq(two.freed, 1);
	ck_assert_ptr_nonnull(auth_manager_at(manager, 2));
	ck_assert_ptr_null(auth_manager_at(manager, 3));
	ck_assert_ptr_eq(auth_manager_find(manager, "two")->argument, &other);
	ck_assert_int_eq(auth_manager_set_default(manager, "three"), 0);
	ck_assert_int_eq(auth_manager_unregister(manager, "one"), 0);
	ck_assert_str_eq(auth_manager_default(manager)->name, "three");
	ck_assert_str_eq(auth_manager_at(manager, 1)->name, "two");
	ck_assert_int_eq(auth_manager_unregister(manager, "three"), 0);
	ck_assert_str_eq(auth_manager_default(manager)->name, "two");
	ck_assert_ptr_null(auth_manager_at(manager, 1));
	ck_assert_ptr_null(auth_manager_find(manager, "three"));
	ck_assert_int_eq(auth_manager_unregister(manager, "two"), 0);
	ck_assert_ptr_null(auth_manager_default(manager));
	ck_assert_uint_eq(one.freed + other.freed + three.freed, 0);
	auth_manager_free(manager);
	ck_assert(one.freed == 1 && other.freed == 1 && three.freed == 1);
	auth_manager_free(NULL);
}
END_TEST

/* One that does not answer is passed over; what it says after that comes to nothing. */
START_TEST(too_late)
{
	struct oracle one = {.name = "one", .manner = LATER}, two = {.name = "two", .manner = GRANT};
	struct auth_manager *manager = auth_manager_new(1000);
	struct stage *stage = stage_new(1, 0);
	struct who who = asking();
	add_oracle(manager, &one);
	add_oracle(manager, &two);
	ask(stage, manager, TOKEN, NULL, &who);
	stage_advance(stage, 999);
	ck_assert_uint_eq(who.done, 0);
	stage_advance(stage, 2);
	ck_assert_uint_eq(who.done, 1);
	ck_assert_str_eq(who.id, "two");
	live_auth_grant(one.waiting, make_auth("one", NULL, NULL));
	one.waiting = NULL;
	stage_run(stage);
	ck_assert_uint_eq(who.done, 1);
	auth_manager_free(manager);
	stage_free(stage);
}
END_TEST

/* The server ends while a provider has yet to answer: nothing is left, and nobody is told. */
START_TEST(ends_before)
{
	struct oracle one = {.name = "one", .manner = LATER};
	struct auth_manager *manager = auth_manager_new(1000);
	struct shard_group *group;
	struct who who = asking();
	const struct shard_options options = {.count = 1, .mailbox_depth = 8, .mail_budget = 8, .manual = true};
	ck_assert_int_eq(shard_group_new(&group, &options), 0);
	add_oracle(manager, &one);
	const live_value *credentials = json(TOKEN);
	shard_enter(shard_group_at(group, 0));
	auth_sign_on(manager, shard_group_at(group, 0), credentials, NULL, &who.question);
	shard_enter(NULL);
	live_value_unref(credentials);
	auth_manager_free(manager);
	shard_group_free(group);
	ck_assert(who.done == 0 && who.discarded == 1);
}
END_TEST

/* ---- answers from other threads, while the question is still being put ---- */

enum { ROUNDS = 400 };

struct hurry {
	pthread_t thread;
	live_auth_request *request;
	bool started;
};

static void *answer_at_once(void *argument)
{
	struct hurry *hurry = argument;
	live_auth_grant(hurry->request, make_auth("hurry", NULL, NULL));
	return NULL;
}

static void start_thread(void *argument, const live_value *credentials, live_auth_request *request)
{
	struct hurry *hurry = argument;
	(void)credentials;
	hurry->request = request;
	hurry->started = pthread_create(&hurry->thread, NULL, answer_at_once, hurry) == 0;
	ck_assert(hurry->started);
	for (volatile unsigned spin = 0; spin < 20000; spin++)
		; /* sometimes before this returns, sometimes after */
}

START_TEST(from_another_thread)
{
	struct hurry hurry = {.started = false};
	struct auth_manager *manager = auth_manager_new(60000);
	struct stage *stage = stage_new(2, 0);
	const live_auth_provider provider = {.name = "hurry", .argument = &hurry, .authenticate = start_thread};
	ck_assert_int_eq(auth_manager_register(manager, &provider), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct who who = asking();
		ask(stage, manager, TOKEN, NULL, &who);
		pthread_join(hurry.thread, NULL);
		stage_run(stage);
		ck_assert_uint_eq(who.done, 1);
		ck_assert_str_eq(who.id, "hurry");
	}
	auth_manager_free(manager);
	stage_free(stage);
}
END_TEST

CORE_TESTS("auth sign-on", no_credentials, order_and_falling_through, only_the_one_named, registering, too_late,
	   ends_before, from_another_thread)
