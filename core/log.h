/*
 * log - one line per event, written to standard error at the end of the tick.
 *
 * Each thread collects its lines in a buffer of its own; log_flush writes them with one call (the shard's tick calls
 * it; a thread without a tick calls it after each piece of work). Lines of level error are flushed at once. A line that
 * repeats the last one is counted, not printed, and the count follows when another line comes or 5 seconds later. User
 * data never goes to info or above. Control characters in what is logged are escaped, so nobody forges a line.
 *
 * Threads: [any], each for itself; log_setup [start].
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* From which level lines are printed, and to which descriptor (2 unless a test says otherwise). [start] */
void log_setup(enum log_level level, int fd);
/* Names this thread in its lines ("shard 3"); at most 15 bytes are kept. */
void log_thread(const char *name);
bool log_enabled(enum log_level level);
/* subject: who it is about ("room lobby", "conn q7Zt_0Lm"), or NULL. */
void log_line(enum log_level level, const char *subject, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Writes what this thread collected. A short or failed write drops the lines and counts them; it never blocks for long.
 */
void log_flush(void);

#define log_debug(subject, ...) (log_enabled(LOG_DEBUG) ? log_line(LOG_DEBUG, subject, __VA_ARGS__) : (void)0)
#define log_info(subject, ...) log_line(LOG_INFO, subject, __VA_ARGS__)
#define log_warn(subject, ...) log_line(LOG_WARN, subject, __VA_ARGS__)
#define log_error(subject, ...) log_line(LOG_ERROR, subject, __VA_ARGS__)

#endif
