/* http_static - files, read at start and served from memory: what is not in the table cannot be asked for. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/mem.h"
#include "server/http/http_private.h"

enum { FILES_MAX_BYTES = 256 << 20, FOLDERS_MAX_DEPTH = 32, URL_MAX = 4096 };

/* ---- reading ---- */

static int read_all(int fd, char **out, size_t *out_len, size_t room)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > room)
		return -EFBIG;
	size_t len = (size_t)st.st_size;
	size_t got = 0;
	char *bytes = mem_alloc(len + 1);
	while (got < len) {
		ssize_t n = read(fd, bytes + got, len - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			free(bytes);
			return n < 0 ? -errno : -EIO;
		}
		got += (size_t)n;
	}
	*out = bytes;
	*out_len = len;
	return 0;
}

/* FNV-1a, 64 bits: an ETag needs no secrecy, only change. */
static uint64_t content_hash(const char *bytes, size_t len)
{
	uint64_t hash = 14695981039346656037u;
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * 1099511628211u;
	return hash;
}

static void free_file(struct file *file)
{
	free(file->url);
	free(file->bytes);
	free(file->cache_control);
	free(file);
}

/* Adds the open file under url. The first of a name stays. 0 or -errno. */
static int add_file(struct http_service *service, int fd, const char *url, const char *content_type,
		    const char *cache_control)
{
	struct file *file = mem_alloc(sizeof *file);
	int rc = read_all(fd, &file->bytes, &file->len, FILES_MAX_BYTES - service->file_bytes);
	if (rc < 0) {
		free(file);
		return rc;
	}
	file->url = mem_strndup(url, strlen(url));
	file->content_type = content_type;
	file->cache_control = cache_control ? mem_strndup(cache_control, strlen(cache_control)) : NULL;
	snprintf(file->etag, sizeof file->etag, "\"%zx-%016llx\"", file->len,
		 (unsigned long long)content_hash(file->bytes, file->len));
	if (map_add(&service->files, &file->by_url, str_of(file->url)) < 0) {
		free_file(file);
		return 0;
	}
	service->file_bytes += file->len;
	return 0;
}

int http_service_add_file(struct http_service *service, const char *url, const char *file, const char *content_type,
			  const char *cache_control)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = add_file(service, fd, url, content_type ? content_type : http_content_type(str_of(file)),
			  cache_control);
	close(fd);
	return rc;
}

struct folder {
	struct http_service *service;
	const char *cache_control;
	unsigned depth;
};

static int add_folder(const struct folder *folder, int fd, const char *url);

/* One name in a folder: a file, a folder, or nothing of ours. */
static int add_entry(const struct folder *folder, int dir, const char *url, const char *name)
{
	char full[URL_MAX];
	int wrote = snprintf(full, sizeof full, "%s%s", url, name);
	if (wrote < 0 || (size_t)wrote >= sizeof full - 1)
		return -ENAMETOOLONG;
	/* O_NOFOLLOW refuses links with ELOOP; O_NONBLOCK keeps a named pipe from holding us. */
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? 0 : -errno;
	struct stat st;
	int rc = fstat(fd, &st) < 0 ? -errno : 0;
	if (rc == 0 && S_ISDIR(st.st_mode)) {
		struct folder below = {folder->service, folder->cache_control, folder->depth + 1};
		full[wrote] = '/';
		full[wrote + 1] = '\0';
		return add_folder(&below, fd, full);
	}
	if (rc == 0 && S_ISREG(st.st_mode)) {
		const char *type = http_content_type(str_of(name));
		rc = add_file(folder->service, fd, full, type, folder->cache_control);
		if (rc == 0 && strcmp(name, "index.html") == 0)
			rc = lseek(fd, 0, SEEK_SET) < 0
				     ? -errno
				     : add_file(folder->service, fd, url, type, folder->cache_control);
	}
	close(fd);
	return rc;
}

/* Adds what is in the folder fd (closed here), whose URL ends with a slash. */
static int add_folder(const struct folder *folder, int fd, const char *url)
{
	DIR *dir = folder->depth < FOLDERS_MAX_DEPTH ? fdopendir(fd) : NULL;
	int rc = 0;
	if (!dir) {
		close(fd);
		return folder->depth < FOLDERS_MAX_DEPTH ? -errno : -ELOOP;
	}
	for (struct dirent *entry = readdir(dir); entry && rc == 0; entry = readdir(dir)) {
		if (entry->d_name[0] != '.')
			rc = add_entry(folder, dirfd(dir), url, entry->d_name);
	}
	closedir(dir);
	return rc;
}

int http_service_add_static(struct http_service *service, const char *url_prefix, const char *directory,
			    const char *cache_control)
{
	char url[URL_MAX];
	size_t len = strlen(url_prefix);
	const char *slash = len && url_prefix[len - 1] == '/' ? "" : "/";
	if (len > 1024)
		return -ENAMETOOLONG;
	snprintf(url, sizeof url, "%s%s", url_prefix, slash);
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	struct folder folder = {service, cache_control, 0};
	return add_folder(&folder, fd, url);
}

void http_static_free_all(struct http_service *service)
{
	for (struct map_entry *entry = map_first(&service->files), *next; entry; entry = next) {
		next = map_next(&service->files, entry);
		free_file(MAP_OF(entry, struct file, by_url));
	}
	map_deinit(&service->files);
}

/* ---- serving ---- */

const struct file *http_static_find(const struct http_service *service, struct str path)
{
	char decoded[URL_MAX];
	if (path.len > sizeof decoded || service->files.count == 0)
		return NULL;
	long len = http_percent_decode(path, false, decoded);
	if (len < 0)
		return NULL;
	struct map_entry *entry = map_find(&service->files, (struct str){decoded, (size_t)len});
	return entry ? MAP_OF(entry, struct file, by_url) : NULL;
}

/* If-None-Match (RFC 9110 section 13.1.2): weak comparison, "*" is any. */
static bool client_has(const struct http_request *request, const struct file *file)
{
	for (unsigned i = 0; i < request->header_count; i++) {
		const struct header *header = &request->headers[i];
		if (!http_equal_nocase(http_header_name(request, header), STR("If-None-Match")))
			continue;
		struct str value = http_header_value(request, header);
		char weak[sizeof file->etag + 2];
		snprintf(weak, sizeof weak, "W/%s", file->etag);
		if (str_equal(value, STR("*")) || http_list_has(value, str_of(file->etag)) ||
		    http_list_has(value, str_of(weak)))
			return true;
	}
	return false;
}

void http_static_reply(struct http_request *request)
{
	const struct file *file = request->file;
	http_reply_header(request, "ETag", str_of(file->etag));
	if (file->cache_control)
		http_reply_header(request, "Cache-Control", str_of(file->cache_control));
	http_reply_header(request, "X-Content-Type-Options", STR("nosniff"));
	if (client_has(request, file))
		http_reply(request, 304, NULL, (struct str){0});
	else
		http_reply_memory(request, 200, file->content_type, (struct str){file->bytes, file->len});
}
