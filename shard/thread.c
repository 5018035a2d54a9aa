#include "shard/thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"

struct birth {
	char name[16];
	void (*run)(void *argument);
	void *argument;
};

static void *thread_main(void *argument)
{
	struct birth birth = *(struct birth *)argument;
	free(argument);
	pthread_setname_np(pthread_self(), birth.name);
	log_thread(birth.name);
	birth.run(birth.argument);
	log_flush();
	return NULL;
}

/* All signals but those that a thread brings upon itself, which must reach whoever reports crashes. */
static void fill_foreign_signals(sigset_t *set)
{
	static const int own[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
	sigfillset(set);
	for (unsigned i = 0; i < sizeof own / sizeof *own; i++)
		sigdelset(set, own[i]);
}

int thread_start(pthread_t *out, const char *name, void (*run)(void *argument), void *argument)
{
	struct birth *birth = mem_alloc(sizeof *birth);
	snprintf(birth->name, sizeof birth->name, "%s", name);
	birth->run = run;
	birth->argument = argument;

	/* A thread inherits the mask of its maker: set it here, so that not even the first signal goes astray. */
	sigset_t foreign;
	sigset_t before;
	fill_foreign_signals(&foreign);
	pthread_sigmask(SIG_BLOCK, &foreign, &before);
	int rc = pthread_create(out, NULL, thread_main, birth);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		free(birth);
	return -rc;
}
