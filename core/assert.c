#include "core/assert.h"

#include <stdio.h>
#include <stdlib.h>

void assert_failed(const char *expression, const char *file, int line)
{
	/* Straight to standard error: the log's buffer may be what is broken. */
	fprintf(stderr, "liveshard: %s:%d: broken invariant: %s\n", file, line, expression);
	abort();
}
