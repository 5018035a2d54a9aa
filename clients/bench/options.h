/*
 * options - the command line of liveshard-bench.
 *
 * One table gives names, ranges and the help text. Strings point into argv. Threads: [start], read-only afterwards.
 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "clients/bench/scenario.h"

#define OPTIONS_URLS_MAX 32
#define OPTIONS_PIDS_MAX 32

struct options {
	const struct scenario *scenario;
	struct numbers numbers;
	const char *urls[OPTIONS_URLS_MAX];
	size_t url_count;
	pid_t pids[OPTIONS_PIDS_MAX];
	size_t pid_count;
	const char *component;
	const char *action;
	const char *room;
	const char *json;  /* file for the result, "-" for standard output, NULL for none */
	const char *label; /* a name for the run, copied to the result */
	bool raw;          /* talk to liveshard-floor */
	bool quiet;
};

enum options_result {
	OPTIONS_RUN,
	OPTIONS_DONE,  /* help was asked for and given */
	OPTIONS_WRONG, /* told on standard error */
};

/* Reads the command line and fills in what follows from it. */
enum options_result options_parse(struct options *options, int argc, char **argv);

#endif
