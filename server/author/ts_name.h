/*
 * ts_name - names for TypeScript: whether one may stand as it is, and identifiers made of a component's name, whatever
 * it is. What they return lives as long as the list. Threads: [start].
 */
#ifndef SERVER_AUTHOR_TS_NAME_H
#define SERVER_AUTHOR_TS_NAME_H

#include <stdbool.h>

#include "core/str.h"

struct ts_names; /* those that are in use */

struct ts_names *ts_names_new(void);
/* NULL is fine. */
void ts_names_free(struct ts_names *names);
/* An identifier for a component: the name itself when it is one, else what can be made of it ("to-do list": ToDoList).
 * Neither it nor it with State or Actions behind it was given out before or has a meaning of its own. */
const char *ts_names_add(struct ts_names *names, struct str component);
/* An identifier made of words and one more ("Todo add", "payload": TodoAddPayload) that was not given out before. */
const char *ts_names_add_word(struct ts_names *names, struct str words, struct str word);
/* Whether name may be the key of an object without quotes. */
bool ts_name_is_plain(struct str name);

#endif
