/*
 * liveshard-bench: load on a server of the protocol, every delivery checked. docs/benchmarks.md explains it.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/bench/bench.h"
#include "clients/bench/report.h"
#include "clients/bench/run.h"

enum exit_status {
	EXIT_WELL = 0,
	EXIT_FAILED = 1, /* something was lost, doubled, reordered or refused */
	EXIT_WRONG = 2,  /* wrong use, or a machine that does not allow it */
};

/* Writes the table, and the JSON object where it is wanted. */
static int result_write(const struct bench *bench, const struct run_result *result)
{
	const char *json = bench->options.json;
	FILE *file;

	if (json && !strcmp(json, "-")) {
		report_json(stdout, bench, result);
		return 0;
	}
	report_table(stdout, bench, result);
	if (!json)
		return 0;
	file = fopen(json, "w");
	if (!file) {
		fprintf(stderr, "liveshard-bench: cannot write %s: %s\n", json, strerror(errno));
		return -errno;
	}
	report_json(file, bench, result);
	return fclose(file) == 0 ? 0 : -errno;
}

int main(int argc, char **argv)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct options options;
	struct bench bench = {0};
	struct run_result *result;
	enum options_result parsed = options_parse(&options, argc, argv);
	int status = EXIT_WRONG;

	if (parsed != OPTIONS_RUN)
		return parsed == OPTIONS_DONE ? EXIT_WELL : EXIT_WRONG;
	sigaction(SIGPIPE, &ignore, NULL);
	result = bench_alloc(1, sizeof *result);
	if (bench_init(&bench, &options) == 0) {
		run_scenario(&bench, result);
		status = bench_has_failed(&bench) ? EXIT_FAILED : EXIT_WELL;
		if (status == EXIT_FAILED)
			fprintf(stderr, "liveshard-bench: FAILED: %s\n", bench.failure);
		if (result_write(&bench, result) < 0)
			status = EXIT_WRONG;
	}
	bench_deinit(&bench);
	free(result);
	return status;
}
