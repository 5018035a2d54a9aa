/*
 * gate - what a client must be allowed before its message is handled: to mount a component, to call an action that has
 * a rule, to join a room (behaviour.md section 8).
 *
 * Most messages pass without a question. When somebody must be asked, the text of the message is kept, the client is
 * held, and when the answer is yes the message goes on as if it had just come. Threads: [shard].
 */
#ifndef SERVER_SESSION_GATE_H
#define SERVER_SESSION_GATE_H

#include <stdbool.h>

#include "core/str.h"

struct message;
struct session;

/* Whether message may be routed now. False: it was refused, or waits for an answer and is routed by itself after a yes.
 * text is what message was decoded from. */
bool gate_pass(struct session *session, const struct message *message, struct str text);

#endif
