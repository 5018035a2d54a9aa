/* What Linux knows of this process (proc(5), getrusage(2)), under the names that Prometheus' own clients give it. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "server/monitor/metrics_write.h"

static void write_value(struct buf *out, const char *name, const char *type, const char *help, double value)
{
	buf_printf(out, "# HELP process_%s %s\n# TYPE process_%s %s\nprocess_%s %.17g\n", name, help, name, type, name,
		   value);
}

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void write_cpu(struct buf *out)
{
	struct rusage used;

	if (getrusage(RUSAGE_SELF, &used) == 0)
		write_value(out, "cpu_seconds_total", "counter", "Processor time, of user and system.",
			    seconds_of(used.ru_utime) + seconds_of(used.ru_stime));
}

/* The fields of /proc/self/stat behind the name, which may hold spaces and brackets: from the third on. */
static void write_memory(struct buf *out)
{
	unsigned long long begin = 0, size = 0, resident = 0;
	char line[1024];
	FILE *file = fopen("/proc/self/stat", "re");

	if (!file)
		return;
	size_t len = fread(line, 1, sizeof line - 1, file);
	fclose(file);
	line[len] = 0;
	const char *rest = strrchr(line, ')');
	if (!rest ||
	    sscanf(rest + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu %llu %llu",
		   &begin, &size, &resident) != 3)
		return;
	write_value(out, "virtual_memory_bytes", "gauge", "Address space in use.", (double)size);
	write_value(out, "resident_memory_bytes", "gauge", "Memory in use.",
		    (double)resident * (double)sysconf(_SC_PAGESIZE));

	unsigned long long boot = 0;
	file = fopen("/proc/stat", "re");
	if (!file)
		return;
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "btime %llu", &boot) == 1)
			break;
	fclose(file);
	write_value(out, "start_time_seconds", "gauge", "When the process began, in seconds since 1970.",
		    (double)boot + (double)begin / (double)sysconf(_SC_CLK_TCK));
}

static void write_descriptors(struct buf *out)
{
	struct rlimit limit;
	unsigned open_now = 0;
	DIR *folder = opendir("/proc/self/fd");

	if (folder) {
		while (readdir(folder))
			open_now++;
		closedir(folder);
		/* Not the two dots, nor the folder itself. */
		write_value(out, "open_fds", "gauge", "Descriptors that are open.", open_now > 3 ? open_now - 3 : 0);
	}
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		write_value(out, "max_fds", "gauge", "Descriptors that may be open.", (double)limit.rlim_cur);
}

void process_metrics_write(struct buf *out)
{
	write_cpu(out);
	write_memory(out);
	write_descriptors(out);
}
