#include "server/pid_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

int pid_file_write(const char *path)
{
	char aside[PATH_MAX];

	if (snprintf(aside, sizeof aside, "%s.%ld", path, (long)getpid()) >= (int)sizeof aside)
		return -ENAMETOOLONG;
	FILE *file = fopen(aside, "we");
	if (!file)
		return -errno;
	int rc = fprintf(file, "%ld\n", (long)getpid()) < 0 ? -EIO : 0;
	if (fclose(file) != 0)
		rc = -errno;
	if (rc == 0 && rename(aside, path) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(aside);
	return rc;
}

void pid_file_remove(const char *path)
{
	pid_t pid;

	if (pid_file_read(path, &pid) == 0 && pid == getpid())
		unlink(path);
}

int pid_file_read(const char *path, pid_t *pid)
{
	long number = 0;
	FILE *file = fopen(path, "re");

	if (!file)
		return -errno;
	int got = fscanf(file, "%ld", &number);
	fclose(file);
	if (got != 1 || number < 1 || number > INT_MAX)
		return -EINVAL;
	*pid = (pid_t)number;
	return 0;
}
