/*
 * report - the result of a run, for people (a table) and for programs (one JSON object).
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdio.h>

#include "clients/bench/run.h"

/* [start] Writes the table. */
void report_table(FILE *out, const struct bench *bench, const struct run_result *result);

/* [start] Writes the JSON object, one line. docs/benchmarks.md lists its fields. */
void report_json(FILE *out, const struct bench *bench, const struct run_result *result);

#endif
