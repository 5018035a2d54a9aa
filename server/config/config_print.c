/*
 * Settings as JSON (--print-config) and as the table in the docs (--print-docs).
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include <live/value.h>

#include "core/buf.h"
#include "core/json.h"
#include "server/config/config_table.h"

static const void *field(const struct config *config, const struct setting *setting)
{
	return (const char *)config + setting->offset;
}

static void write_list(struct buf *out, const struct text_list *list)
{
	buf_append_char(out, '[');
	for (unsigned i = 0; i < list->count; i++) {
		if (i)
			buf_append_str(out, STR(", "));
		json_write_string(out, list->items[i]);
	}
	buf_append_char(out, ']');
}

static void write_value(struct buf *out, const struct config *config, const struct setting *setting)
{
	const char *text;

	switch (setting->kind) {
	case SETTING_IS_NUMBER: json_write_int(out, *(const int64_t *)field(config, setting)); break;
	case SETTING_IS_FLAG: buf_printf(out, "%s", *(const bool *)field(config, setting) ? "true" : "false"); break;
	case SETTING_IS_LIST: write_list(out, field(config, setting)); break;
	case SETTING_IS_SECRET:
		text = *(char *const *)field(config, setting);
		json_write_string(out, *text ? STR("***") : STR(""));
		break;
	case SETTING_IS_TEXT:
	case SETTING_IS_CHOICE: json_write_string(out, str_of(*(char *const *)field(config, setting))); break;
	}
}

void config_print(const struct config *config, FILE *to)
{
	struct buf out;

	buf_init(&out, SIZE_MAX);
	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		buf_printf(&out, "%s\n  \"%s\": ", s == settings ? "{" : ",", s->name);
		write_value(&out, config, s);
	}
	buf_append_str(&out, STR("\n}\n"));
	fwrite(out.ptr, 1, out.len, to);
	buf_deinit(&out);
}

static void print_default(FILE *to, const struct setting *setting)
{
	switch (setting->kind) {
	case SETTING_IS_NUMBER: fprintf(to, "%" PRId64, setting->number); break;
	case SETTING_IS_FLAG: fprintf(to, "%s", setting->number ? "true" : "false"); break;
	case SETTING_IS_LIST:
	case SETTING_IS_SECRET: fprintf(to, "none"); break;
	case SETTING_IS_TEXT:
	case SETTING_IS_CHOICE:
		if (*setting->fallback)
			fprintf(to, "`%s`", setting->fallback);
		else
			fprintf(to, "none");
		break;
	}
}

static void print_range(FILE *to, const struct setting *setting)
{
	if (setting->kind == SETTING_IS_NUMBER)
		fprintf(to, "%" PRId64 " to %" PRId64 "%s%s", setting->min, setting->max, *setting->unit ? " " : "",
			setting->unit);
	else if (setting->kind == SETTING_IS_FLAG)
		fprintf(to, "true, false");
	else if (setting->kind == SETTING_IS_CHOICE)
		for (const char *at = setting->choices; *at; at++)
			fprintf(to, *at == '|' ? ", " : "%c", *at);
	else
		fprintf(to, setting->kind == SETTING_IS_LIST ? "a list" : "text");
}

void config_print_docs(FILE *to)
{
	fprintf(to, "| setting | default | values | what it does |\n| --- | --- | --- | --- |\n");
	for (const struct setting *s = settings; s < settings + setting_count; s++) {
		fprintf(to, "| `%s` | ", s->name);
		print_default(to, s);
		fprintf(to, " | ");
		print_range(to, s);
		fprintf(to, " | %s |\n", s->why);
	}
}
