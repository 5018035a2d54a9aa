#include "server/auth/rule.h"
#include "unit/server/auth/asked.h"

struct verdict {
	struct auth_check question;
	unsigned done;
	char reason[200]; /* "" for allowed */
};

static void note(struct auth_check *question, struct shard *here, const char *reason)
{
	struct verdict *verdict = LIST_OF(question, struct verdict, question);
	ck_assert_ptr_eq(here, shard_here());
	verdict->done++;
	snprintf(verdict->reason, sizeof verdict->reason, "%s", reason ? reason : "");
}

static void note_discard(struct auth_check *question)
{
	(void)question;
	ck_abort_msg("discarded");
}

/* ---- rules by themselves ---- */

#define AB LIVE_NAMES("a", "b")

static const struct {
	live_auth_rule rule;
	const char *role, *permission; /* of the client; role NULL: not signed on */
	const char *mount, *act;       /* the reasons; "" for allowed */
} rules[] = {
	{{0}, NULL, NULL, "", ""},
	{{0}, "x", "x", "", ""},
	{{.required = true}, NULL, NULL, "Authentication required", "Authentication required for action 'wipe'"},
	{{.required = true}, "x", "x", "", ""},
	{{.roles = AB},
	 NULL,
	 NULL,
	 "Authentication required. Roles needed: a, b",
	 "Authentication required for action 'wipe'"},
	{{.roles = AB},
	 "x",
	 "a",
	 "Insufficient roles. Required one of: a, b",
	 "Insufficient roles for action 'wipe'. Required one of: a, b"},
	{{.roles = AB}, "a", "x", "", ""},
	{{.roles = AB}, "b", "x", "", ""},
	{{.permissions = AB},
	 NULL,
	 NULL,
	 "Authentication required. Permissions needed: a, b",
	 "Authentication required for action 'wipe'"},
	{{.permissions = AB},
	 "a",
	 "a",
	 "Insufficient permissions. Required all: a, b",
	 "Insufficient permissions for action 'wipe'. Required all: a, b"},
	{{.permissions = LIVE_NAMES("a")}, "x", "a", "", ""},
	{{.required = true, .roles = AB},
	 NULL,
	 NULL,
	 "Authentication required",
	 "Authentication required for action 'wipe'"},
	{{.roles = LIVE_NAMES("a"), .permissions = LIVE_NAMES("p")},
	 NULL,
	 NULL,
	 "Authentication required. Roles needed: a",
	 "Authentication required for action 'wipe'"},
	{{.roles = LIVE_NAMES("a"), .permissions = LIVE_NAMES("p")},
	 "a",
	 "x",
	 "Insufficient permissions. Required all: p",
	 "Insufficient permissions for action 'wipe'. Required all: p"},
	{{.roles = LIVE_NAMES("a"), .permissions = LIVE_NAMES("p")},
	 "x",
	 "p",
	 "Insufficient roles. Required one of: a",
	 "Insufficient roles for action 'wipe'. Required one of: a"},
	{{.roles = LIVE_NAMES("a"), .permissions = LIVE_NAMES("p")}, "a", "p", "", ""},
	{{.roles = LIVE_NAMES(NULL), .permissions = LIVE_NAMES(NULL)}, NULL, NULL, "", ""},
};

START_TEST(reasons_of_rules)
{
	struct stage *stage = stage_new(1, 0);
	struct auth_manager *manager = auth_manager_new(1000);
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		const live_auth *auth =
			rules[i].role ? make_auth("u", rules[i].role, rules[i].permission) : live_auth_anonymous();
		struct verdict mount = {.question = {note, note_discard}}, act = mount;
		auth_check_component(manager, stage_enter(stage, 0), auth, "Panel", &rules[i].rule, NULL,
				     &mount.question);
		auth_check_action(manager, stage_enter(stage, 0), auth, "Panel", "wipe", &rules[i].rule, NULL,
				  &act.question);
		ck_assert(mount.done == 1 && act.done == 1);
		ck_assert_str_eq(mount.reason, rules[i].mount);
		ck_assert_str_eq(act.reason, rules[i].act);
		live_auth_unref(auth);
	}
	auth_manager_free(manager);
	stage_free(stage);
}
END_TEST

/* ---- authorize and the provider ---- */

static struct oracle own; /* what authorize below answers by */

static void authorize(const live_auth *auth, const char *component, const char *action, const live_value *payload,
		      live_auth_request *request)
{
	ck_assert(auth && !strcmp(component, "Panel") && (!action || !strcmp(action, "wipe")));
	ck_assert_int_eq(live_as_int(live_get(payload, "n"), 0), 1);
	oracle_ask(&own, request);
}

static void deny_plainly(const live_auth *auth, const char *component, const char *action, const live_value *payload,
			 live_auth_request *request)
{
	(void)auth, (void)component, (void)action, (void)payload;
	live_auth_deny(request, NULL);
}

static const live_auth_rule asks = {.authorize = authorize}, denies = {.authorize = deny_plainly}, empty;

enum kind { MOUNT, ACT, JOIN };

static const struct {
	enum kind kind;
	const live_auth_rule *rule;
	enum manner own, provider;
	unsigned own_asked, provider_asked;
	const char *reason;
} cases[] = {
	{MOUNT, NULL, DENY, DENY, 0, 0, ""},
	{MOUNT, &empty, DENY, DENY, 0, 0, ""},
	{MOUNT, &asks, ALLOW, DENY, 1, 0, ""},
	{MOUNT, &asks, DENY, ALLOW, 1, 0, "reason of its own"},
	{MOUNT, &asks, NOBODY, ALLOW, 1, 0, "Denied by custom authorize"},
	{MOUNT, &asks, FAIL, ALLOW, 1, 0, "Authorization error: out of order"},
	{MOUNT, &denies, ALLOW, ALLOW, 0, 0, "Denied by custom authorize"},
	{ACT, NULL, DENY, DENY, 0, 0, ""},
	{ACT, &empty, DENY, ALLOW, 0, 1, ""},
	{ACT, &empty, DENY, DENY, 0, 1, "Action 'wipe' denied by auth provider 'doorman'"},
	{ACT, &empty, DENY, FAIL, 0, 1, "Action 'wipe' authorization error: out of order"},
	{ACT, &asks, ALLOW, ALLOW, 1, 1, ""},
	{ACT, &asks, ALLOW, DENY, 1, 1, "Action 'wipe' denied by auth provider 'doorman'"},
	{ACT, &asks, DENY, ALLOW, 1, 0, "reason of its own"},
	{ACT, &asks, NOBODY, ALLOW, 1, 0, "Action 'wipe' denied by custom authorize"},
	{ACT, &asks, FAIL, ALLOW, 1, 0, "Action 'wipe' authorization error: out of order"},
	{ACT, &denies, ALLOW, ALLOW, 0, 0, "Action 'wipe' denied by custom authorize"},
	{JOIN, NULL, DENY, ALLOW, 0, 1, ""},
	{JOIN, NULL, DENY, DENY, 0, 1, "Access to room 'lobby' denied by auth provider 'doorman'"},
	{JOIN, NULL, DENY, NOBODY, 0, 1, "Access to room 'lobby' denied by auth provider 'doorman'"},
	{JOIN, NULL, DENY, FAIL, 0, 1, "Room authorization error: out of order"},
};

static void ask(struct stage *stage, const struct auth_manager *manager, enum kind kind, const live_auth_rule *rule,
		struct verdict *verdict)
{
	struct shard *here = stage_enter(stage, 0);
	const live_auth *auth = make_auth("u", NULL, NULL);
	const live_value *payload = json("{\"n\":1}");
	if (kind == MOUNT)
		auth_check_component(manager, here, auth, "Panel", rule, payload, &verdict->question);
	else if (kind == ACT)
		auth_check_action(manager, here, auth, "Panel", "wipe", rule, payload, &verdict->question);
	else
		auth_check_room(manager, here, auth, STR("lobby"), &verdict->question);
	live_value_unref(payload);
	live_auth_unref(auth);
}

static void answer_later(struct stage *stage, struct oracle *oracle, enum manner manner)
{
	live_auth_request *request = oracle->waiting;
	oracle->waiting = NULL;
	if (request) {
		stage_enter(stage, 1);
		oracle_answer(oracle, manner, request);
	}
	stage_run(stage);
}

/* Each case with answers at once, and with answers that come later, from another shard. */
START_TEST(who_has_the_last_word)
{
	struct stage *stage = stage_new(2, 0);
	for (size_t i = 0; i < 2 * (sizeof cases / sizeof cases[0]); i++) {
		const bool later = i & 1;
		struct oracle doorman = {.name = "doorman", .manner = later ? LATER : cases[i / 2].provider};
		struct oracle second = {.name = "second", .manner = DENY};
		struct auth_manager *manager = auth_manager_new(1000);
		struct verdict verdict = {.question = {note, note_discard}};
		own = (struct oracle){.name = "own", .manner = later ? LATER : cases[i / 2].own};
		add_oracle(manager, &doorman);
		add_oracle(manager, &second);
		ask(stage, manager, cases[i / 2].kind, cases[i / 2].rule, &verdict);
		if (later) {
			answer_later(stage, &own, cases[i / 2].own);
			answer_later(stage, &doorman, cases[i / 2].provider);
		}
		ck_assert_uint_eq(verdict.done, 1);
		ck_assert_str_eq(verdict.reason, cases[i / 2].reason);
		ck_assert_uint_eq(own.asked, cases[i / 2].own_asked);
		ck_assert_uint_eq(doorman.asked, cases[i / 2].provider_asked);
		ck_assert_uint_eq(second.asked, 0);
		auth_manager_free(manager);
	}
	stage_free(stage);
}
END_TEST

/* Who does not answer has not allowed. */
START_TEST(no_answer)
{
	static const char *const reasons[] = {"Authorization error: timed out",
					      "Action 'wipe' authorization error: timed out",
					      "Room authorization error: timed out"};
	for (enum kind kind = MOUNT; kind <= JOIN; kind++) {
		struct stage *stage = stage_new(1, 0);
		struct auth_manager *manager = auth_manager_new(50);
		struct oracle doorman = {.name = "doorman", .manner = LATER};
		struct verdict verdict = {.question = {note, note_discard}};
		own = (struct oracle){.name = "own", .manner = LATER};
		add_oracle(manager, &doorman);
		ask(stage, manager, kind, kind == JOIN ? NULL : &asks, &verdict);
		stage_advance(stage, 51);
		ck_assert_uint_eq(verdict.done, 1);
		ck_assert_str_eq(verdict.reason, reasons[kind]);
		oracle_free(&own);
		auth_manager_free(manager);
		stage_free(stage);
	}
}
END_TEST

START_TEST(nobody_to_ask)
{
	struct stage *stage = stage_new(1, 0);
	struct auth_manager *manager = auth_manager_new(1000);
	const live_auth_provider quiet = {.name = "quiet", .authenticate = oracle_authenticate};
	for (int with = 0; with < 2; with++) {
		for (enum kind kind = MOUNT; kind <= JOIN; kind++) {
			struct verdict verdict = {.question = {note, note_discard}};
			ask(stage, manager, kind, &empty, &verdict);
			ck_assert_uint_eq(verdict.done, 1);
			ck_assert_str_eq(verdict.reason, "");
		}
		ck_assert_int_eq(auth_manager_register(manager, &quiet), 0);
	}
	auth_manager_free(manager);
	stage_free(stage);
}
END_TEST

CORE_TESTS("auth check", reasons_of_rules, who_has_the_last_word, no_answer, nobody_to_ask)
