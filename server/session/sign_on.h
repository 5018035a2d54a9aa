/*
 * sign_on - who a client is: asked of the providers when it sends AUTH, or came with a token in its address
 * (protocol.md sections 2.3 and 10). The client is held until they have answered. Threads: [shard].
 */
#ifndef SERVER_SESSION_SIGN_ON_H
#define SERVER_SESSION_SIGN_ON_H

#include <live/value.h>

#include "core/str.h"

struct session;

/* Signs on with credentials (a loan, may be NULL) and answers AUTH_RESPONSE. request_id ptr NULL: none. */
void sign_on_by_message(struct session *session, const live_value *credentials, struct str request_id);
/* Signs on with a token, then greets; an empty token: greets at once, as nobody. */
void sign_on_by_token(struct session *session, struct str token);

#endif
