/*
 * server_stat - what a server process has used, as the operating system counts it.
 *
 * CPU time is read from the process's CPU clock, which counts nanoseconds for all its threads, living and ended; the
 * split into user and system comes from /proc/PID/stat in ticks of 10 ms and is scaled to that total. Threads are read
 * from /proc/PID/task. What people get wrong: on loopback the sender's CPU also pays for the receiver's half of TCP, so
 * a figure is only comparable with the floor measured the same way. Threads: [any].
 */
#ifndef BENCH_SERVER_STAT_H
#define BENCH_SERVER_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVER_THREADS_MAX 128

struct server_thread {
	pid_t id;
	char name[16];
	uint64_t cpu_ns;
};

struct server_stat {
	uint64_t cpu_ns;
	uint64_t user_ticks;
	uint64_t system_ticks;
	uint64_t resident_bytes;
	size_t thread_count; /* of `threads`: at most SERVER_THREADS_MAX */
	struct server_thread threads[SERVER_THREADS_MAX];
};

/* CPU time of all threads of `pid` so far, in nanoseconds. 0, or negative errno when there is no such process. */
int server_stat_cpu(pid_t pid, uint64_t *cpu_ns);

/* Resident memory in bytes; exact (smaps_rollup) when the kernel gives it. 0 or negative errno. */
int server_stat_resident(pid_t pid, uint64_t *bytes);

/* Everything. 0 or negative errno. */
int server_stat_read(pid_t pid, struct server_stat *out);

#endif
