/*
 * rule - what a live_auth_rule says by itself: signed on, roles, permissions, with the reasons of behaviour.md section
 * 8 word for word. Its authorize function is asked elsewhere. Threads: [any].
 */
#ifndef SERVER_AUTH_RULE_H
#define SERVER_AUTH_RULE_H

#include <live/auth.h>

#include "core/buf.h"

/* Whether auth fulfils rule, to mount (action NULL) or to call action. If not, the reason is appended to reason. */
bool auth_rule_holds(const live_auth_rule *rule, const live_auth *auth, const char *action, struct buf *reason);

#endif
