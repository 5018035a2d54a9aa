#include "clients/bench/options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clients/bench/message.h"

enum option_kind {
	OPTION_COUNT,
	OPTION_REAL,
	OPTION_TEXT,
	OPTION_FLAG,
	OPTION_URL,
	OPTION_PIDS,
};

struct option_row {
	const char *name;
	const char *value; /* its name in the help */
	enum option_kind kind;
	size_t at; /* in struct options */
	double min;
	double max;
	const char *help;
};

#define NUMBER(field) offsetof(struct options, numbers.field)
#define FIELD(field) offsetof(struct options, field)

/* clang-format off */
static const struct option_row rows[] = {
	{"url", "URL", OPTION_URL, 0, 0, 0, "ws://host:port[/path]; repeat it for several nodes (path: /api/live/ws)"},
	{"clients", "N", OPTION_COUNT, NUMBER(clients), 0, 1e6, "clients in all; 0: as many as one room has members"},
	{"members", "N", OPTION_COUNT, NUMBER(members), 0, 1e6, "members of each room; 0: no rooms"},
	{"senders", "N", OPTION_COUNT, NUMBER(senders), 0, 1e6, "how many members of each room send"},
	{"slow", "N", OPTION_COUNT, NUMBER(slow), 0, 1e6, "how many members of each room do not read"},
	{"rate", "R", OPTION_REAL, NUMBER(rate), 0, 1e7,
	 "open loop: events a second of each sender; for actions and climbs, a second in all; 0: closed loop"},
	{"in-flight", "K", OPTION_COUNT, NUMBER(in_flight), 0, 65536,
	 "closed loop: events of a sender (requests of a client) not yet received by all"},
	{"rounds", "N", OPTION_COUNT, NUMBER(rounds), 1, 1e6, "rounds of `everyone`"},
	{"concurrency", "N", OPTION_COUNT, NUMBER(concurrency), 1, 1e6, "clients climbing at the same time"},
	{"duration", "S", OPTION_REAL, NUMBER(duration), 0.01, 1e6, "seconds measured"},
	{"warmup", "S", OPTION_REAL, NUMBER(warmup), 0, 1e6, "seconds of the same load before them"},
	{"drain", "S", OPTION_REAL, NUMBER(drain), 0.1, 1e6, "seconds without progress before what is out counts as missing"},
	{"data", "BYTES", OPTION_COUNT, NUMBER(data_bytes), MESSAGE_DATA_MIN, 1 << 20, "size of an event's data"},
	{"threads", "N", OPTION_COUNT, NUMBER(threads), 1, 256, "threads of the generator"},
	{"sources", "N", OPTION_COUNT, NUMBER(sources), 0, 250,
	 "loopback source addresses to spread clients over; 0: leave it to the system"},
	{"component", "NAME", OPTION_TEXT, FIELD(component), 0, 0, "component to mount (Counter)"},
	{"action", "NAME", OPTION_TEXT, FIELD(action), 0, 0, "action to call (increment)"},
	{"room", "NAME", OPTION_TEXT, FIELD(room), 0, 0, "rooms are called NAME-0, NAME-1, ... (bench)"},
	{"server-pid", "PID[,PID]", OPTION_PIDS, 0, 0, 0, "processes whose CPU and memory are measured"},
	{"raw", NULL, OPTION_FLAG, FIELD(raw), 0, 0, "the server is liveshard-floor"},
	{"json", "FILE", OPTION_TEXT, FIELD(json), 0, 0, "write the result there; -: to standard output, instead of the table"},
	{"label", "TEXT", OPTION_TEXT, FIELD(label), 0, 0, "a name for this run, copied to the result"},
	{"quiet", NULL, OPTION_FLAG, FIELD(quiet), 0, 0, "no progress line"},
};
/* clang-format on */

static const size_t row_count = sizeof rows / sizeof *rows;

static void help_print(void)
{
	printf("usage: liveshard-bench SCENARIO --url ws://host:port [options]\n\n"
	       "Puts load on a server of the protocol, checks every delivery, and measures.\n"
	       "Exit status: 0 all well, 1 something was lost, doubled, reordered or refused, 2 wrong "
	       "use.\n\nscenarios\n");
	for (unsigned n = 0; scenario_at(n); n++)
		printf("  %-10s %s\n", scenario_at(n)->name, scenario_at(n)->summary);
	printf("\noptions\n");
	for (size_t i = 0; i < row_count; i++) {
		char head[40];

		snprintf(head, sizeof head, "--%s %s", rows[i].name, rows[i].value ? rows[i].value : "");
		printf("  %-22s %s\n", head, rows[i].help);
	}
	printf("  %-22s %s\n", "--help", "this text");
}

__attribute__((format(printf, 1, 2))) static enum options_result wrong(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "liveshard-bench: ");
	vfprintf(stderr, format, arguments);
	fprintf(stderr, " (--help tells more)\n");
	va_end(arguments);
	return OPTIONS_WRONG;
}

static bool number_read(const struct option_row *row, const char *text, double *out)
{
	char *end;

	errno = 0;
	*out = strtod(text, &end);
	if (errno || end == text || *end || !(*out >= row->min && *out <= row->max))
		return false;
	return row->kind == OPTION_REAL || *out == floor(*out);
}

static bool pids_read(struct options *options, const char *text)
{
	char *end;

	do {
		long pid = strtol(text, &end, 10);

		if (end == text || pid < 1 || pid > INT32_MAX || options->pid_count == OPTIONS_PIDS_MAX)
			return false;
		options->pids[options->pid_count++] = (pid_t)pid;
		text = end + 1;
	} while (*end == ',');
	return !*end;
}

/* False when `text` does not fit the row. */
static bool row_take(struct options *options, const struct option_row *row, const char *text)
{
	char *field = (char *)options + row->at;
	double number;

	switch (row->kind) {
	case OPTION_COUNT:
		if (!number_read(row, text, &number))
			return false;
		*(uint32_t *)(void *)field = (uint32_t)number;
		return true;
	case OPTION_REAL: return number_read(row, text, (double *)(void *)field);
	case OPTION_TEXT: *(const char **)(void *)field = text; return true;
	case OPTION_FLAG: *(bool *)field = true; return true;
	case OPTION_PIDS: return pids_read(options, text);
	case OPTION_URL:
		if (options->url_count == OPTIONS_URLS_MAX)
			return false;
		options->urls[options->url_count++] = text;
		return true;
	default: return false;
	}
}

static const struct option_row *row_find(const char *name, size_t length)
{
	for (size_t i = 0; i < row_count; i++)
		if (strlen(rows[i].name) == length && !strncmp(rows[i].name, name, length))
			return &rows[i];
	return NULL;
}

/* Takes `--name value`, `--name=value` or `--flag` at argv[*at], and moves on. */
static enum options_result argument_take(struct options *options, int argc, char **argv, int *at)
{
	const char *argument = argv[(*at)++];
	const char *equals = strchr(argument, '=');
	const struct option_row *row;
	const char *value = NULL;

	if (strncmp(argument, "--", 2) != 0)
		return wrong("what is %s?", argument);
	row = row_find(argument + 2, equals ? (size_t)(equals - argument - 2) : strlen(argument) - 2);
	if (!row)
		return wrong("there is no option %s", argument);
	if (row->kind != OPTION_FLAG) {
		value = equals ? equals + 1 : *at < argc ? argv[(*at)++] : NULL;
		if (!value)
			return wrong("%s needs a value", argument);
	}
	if (!row_take(options, row, value))
		return wrong("--%s cannot be %s", row->name, value);
	return OPTIONS_RUN;
}

/* Fills in what follows from the rest, and refuses what does not go together. */
static enum options_result options_complete(struct options *options)
{
	struct numbers *numbers = &options->numbers;
	enum scenario_kind kind = options->scenario->kind;
	bool has_events = kind == SCENARIO_EVENTS || kind == SCENARIO_ROUNDS;
	uint32_t readers = numbers->members > numbers->slow ? numbers->members - numbers->slow : 0;

	if (!options->url_count)
		return wrong("--url is missing");
	if (has_events && numbers->members < 2)
		return wrong("%s needs --members of at least 2", options->scenario->name);
	if (!numbers->clients)
		numbers->clients = numbers->members;
	if (!numbers->clients)
		return wrong("--clients is missing");
	if (has_events && !numbers->senders)
		numbers->senders = (uint32_t)options->url_count;
	if (numbers->senders > readers)
		numbers->senders = readers;
	if (has_events && !numbers->senders)
		return wrong("--slow leaves nobody to send");
	if (kind == SCENARIO_EVENTS && !numbers->in_flight && numbers->rate <= 0)
		return wrong("%s needs --rate or --in-flight", options->scenario->name);
	if (kind == SCENARIO_ACTIONS && !numbers->in_flight && numbers->rate <= 0)
		return wrong("actions need --rate or --in-flight");
	if (numbers->threads > numbers->clients)
		numbers->threads = numbers->clients;
	if (strlen(options->room) > MESSAGE_ROOM_MAX - 11)
		return wrong("--room %s is too long", options->room);
	return OPTIONS_RUN;
}

enum options_result options_parse(struct options *options, int argc, char **argv)
{
	int at = 2;

	*options = (struct options){.component = "Counter", .action = "increment", .room = "bench", .label = ""};
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			help_print();
			return OPTIONS_DONE;
		}
	if (argc < 2)
		return wrong("which scenario?");
	options->scenario = scenario_find(argv[1]);
	if (!options->scenario)
		return wrong("there is no scenario %s", argv[1]);
	scenario_numbers(options->scenario, &options->numbers);
	while (at < argc) {
		enum options_result result = argument_take(options, argc, argv, &at);

		if (result != OPTIONS_RUN)
			return result;
	}
	return options_complete(options);
}
