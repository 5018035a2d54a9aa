/*
 * pid_file - the file that tells which process serves.
 *
 * Written when it serves, so who waits for a change of the number waits for a server that answers; replaced whole, so
 * nobody reads half a number. Removed at the end by whose number it holds. Threads: [start].
 */
#ifndef SERVER_PID_FILE_H
#define SERVER_PID_FILE_H

#include <sys/types.h>

/* Writes this process's number. 0 or -errno. */
int pid_file_write(const char *path) __attribute__((warn_unused_result));
/* Removes it, unless another process has written it since. */
void pid_file_remove(const char *path);
/* 0 or -errno (-EINVAL: there is no number). */
int pid_file_read(const char *path, pid_t *pid) __attribute__((warn_unused_result));

#endif
