#include "server/auth/rule.h"

static bool is_empty(const char *const *names)
{
	return !names || !*names;
}

static void append_names(struct buf *to, const char *const *names)
{
	for (const char *const *name = names; *name; name++)
		buf_printf(to, "%s%s", name == names ? "" : ", ", *name);
}

static bool refuse_for(struct buf *reason, const char *const *names)
{

	append_names(reason, names);
	return false;
}

static bool may_mount(const live_auth_rule *rule, const live_auth *auth, struct buf *reason)
{
	const bool signed_on = live_auth_is_authenticated(auth);

	if (rule->required && !signed_on) {
		buf_append_str(reason, STR("Authentication required"));
		return false;
	}
	if (!is_empty(rule->roles) && !live_auth_has_any_role(auth, rule->roles)) {
		buf_append_str(reason, signed_on ? STR("Insufficient roles. Required one of: ")
						 : STR("Authentication required. Roles needed: "));
		return refuse_for(reason, rule->roles);
	}
	if (!is_empty(rule->permissions) && !live_auth_has_all_permissions(auth, rule->permissions)) {
		buf_append_str(reason, signed_on ? STR("Insufficient permissions. Required all: ")
						 : STR("Authentication required. Permissions needed: "));
		return refuse_for(reason, rule->permissions);
	}
	return true;
}

static bool may_act(const live_auth_rule *rule, const live_auth *auth, const char *action, struct buf *reason)
{
	bool asks = rule->required || !is_empty(rule->roles) || !is_empty(rule->permissions);

	if (asks && !live_auth_is_authenticated(auth)) {
		buf_printf(reason, "Authentication required for action '%s'", action);
		return false;
	}
	if (!is_empty(rule->roles) && !live_auth_has_any_role(auth, rule->roles)) {
		buf_printf(reason, "Insufficient roles for action '%s'. Required one of: ", action);
		return refuse_for(reason, rule->roles);
	}
	if (!is_empty(rule->permissions) && !live_auth_has_all_permissions(auth, rule->permissions)) {
		buf_printf(reason, "Insufficient permissions for action '%s'. Required all: ", action);
		return refuse_for(reason, rule->permissions);
	}
	return true;
}

bool auth_rule_holds(const live_auth_rule *rule, const live_auth *auth, const char *action, struct buf *reason)
{
	return action ? may_act(rule, auth, action, reason) : may_mount(rule, auth, reason);
}
