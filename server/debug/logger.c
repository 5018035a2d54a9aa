#include "server/debug/logger.h"

#include <stdio.h>

#include "core/json.h"
#include "core/log.h"
#include "core/utf8.h"
#include "server/debug/category.h"
#include "server/debug/debug_tap.h"

static void print(const struct logger_line *line)
{
	char subject[128] = "";

	if (line->subject.component_id.ptr)
		snprintf(subject, sizeof subject, "%.*s %.*s", STR_ARG(line->subject.component_name),
			 STR_ARG(line->subject.component_id));
	log_line(line->warns ? LOG_WARN : LOG_INFO, *subject ? subject : NULL, "[%s] %.*s",
		 category_name(line->category), STR_ARG(line->text));
}

/* The text of an author need not be UTF-8, nor one that was cut in the middle of a character. */
static void put_text(struct buf *data, struct str text)
{
	struct buf repaired;

	if (utf8_check(text)) {
		json_write_string(data, text);
		return;
	}
	buf_init(&repaired, SIZE_MAX);
	utf8_append_repaired(&repaired, text);
	json_write_string(data, buf_str(&repaired));
	buf_deinit(&repaired);
}

static void tell(struct debug_tap *tap, const struct logger_line *line)
{
	struct buf *data = debug_begin(tap);

	if (!data)
		return;
	buf_printf(data, "{\"category\":\"%s\",\"level\":\"%s\",\"message\":", category_name(line->category),
		   line->warns ? "warn" : "info");
	put_text(data, line->text);
	if (line->details.ptr) {
		buf_append_str(data, STR(",\"details\":"));
		buf_append_str(data, line->details);
	}
	buf_append_char(data, '}');
	debug_end(tap, DEBUG_LOG, &line->subject);
}

void logger_tell(struct debug_tap *tap, const struct logger_line *line)
{
	if (line->prints)
		print(line);
	tell(tap, line);
}
