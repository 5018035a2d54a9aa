#include "clients/bench/server_stat.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clients/bench/clock.h"

/* Reads a small file of /proc whole, terminated. Its length, or negative errno. */
static ssize_t proc_read(char *out, size_t size, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = read(fd, out, size - 1);
	if (length < 0)
		length = -errno;
	else
		out[length] = 0;
	close(fd);
	return length;
}

int server_stat_cpu(pid_t pid, uint64_t *cpu_ns)
{
	struct timespec time;
	clockid_t clock;
	int rc = clock_getcpuclockid(pid, &clock);

	if (rc)
		return -rc;
	if (clock_gettime(clock, &time) < 0)
		return -errno;
	*cpu_ns = (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
	return 0;
}

int server_stat_resident(pid_t pid, uint64_t *bytes)
{
	char path[64], text[4096];
	const char *line;
	uint64_t pages;
	ssize_t length;

	snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
	length = proc_read(text, sizeof text, path);
	line = length > 0 ? strstr(text, "\nRss:") : NULL;
	if (line) {
		*bytes = strtoull(line + 5, NULL, 10) * 1024;
		return 0;
	}
	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	length = proc_read(text, sizeof text, path);
	if (length < 0)
		return (int)length;
	if (sscanf(text, "%*s %" SCNu64, &pages) != 1)
		return -EPROTO;
	*bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

/* User and system ticks are fields 14 and 15; the name before them may contain anything, so count from its end. */
static int ticks_read(pid_t pid, struct server_stat *out)
{
	char path[64], text[1024];
	const char *after_name;
	ssize_t length;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	length = proc_read(text, sizeof text, path);
	if (length < 0)
		return (int)length;
	after_name = strrchr(text, ')');
	if (!after_name || sscanf(after_name + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
				  &out->user_ticks, &out->system_ticks) != 2)
		return -EPROTO;
	return 0;
}

static void thread_read(pid_t pid, pid_t thread, struct server_thread *out)
{
	char path[96], text[128];
	ssize_t length;

	*out = (struct server_thread){.id = thread};
	snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)thread);
	if (proc_read(text, sizeof text, path) > 0)
		out->cpu_ns = strtoull(text, NULL, 10);
	snprintf(path, sizeof path, "/proc/%d/task/%d/comm", (int)pid, (int)thread);
	length = proc_read(text, sizeof text, path);
	if (length > 0) {
		text[strcspn(text, "\n")] = 0;
		snprintf(out->name, sizeof out->name, "%.15s", text);
	}
}

static int threads_read(pid_t pid, struct server_stat *out)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir)) && out->thread_count < SERVER_THREADS_MAX)
		if (entry->d_name[0] != '.')
			thread_read(pid, (pid_t)strtol(entry->d_name, NULL, 10), &out->threads[out->thread_count++]);
	closedir(dir);
	return 0;
}

int server_stat_read(pid_t pid, struct server_stat *out)
{
	int rc;

	*out = (struct server_stat){0};
	rc = server_stat_cpu(pid, &out->cpu_ns);
	if (rc == 0)
		rc = ticks_read(pid, out);
	if (rc == 0)
		rc = server_stat_resident(pid, &out->resident_bytes);
	if (rc == 0)
		rc = threads_read(pid, out);
	return rc;
}
