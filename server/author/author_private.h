/*
 * author_private - what the words of author.h do, each in a file of its own. Threads: [start].
 */
#ifndef SERVER_AUTHOR_AUTHOR_PRIVATE_H
#define SERVER_AUTHOR_AUTHOR_PRIVATE_H

#include "core/buf.h"
#include "server/component/definition.h"
#include "server/config/config.h"

/* All components as JSON. */
void manifest_write(struct buf *out, const struct registry *registry);
/* All components as a TypeScript module. */
void types_write(struct buf *out, const struct registry *registry);
/* Writes the files of a new component into folder, which is made when it is not there. None of them may be there. 0, or
 * -errno with one line in error; then none has been written. */
int skeleton_write(const char *name, const char *folder, char error[CONFIG_ERROR_SIZE])
	__attribute__((warn_unused_result));
/* Opens the plugin path and says what it is, in one line. 0, or -EINVAL with one line in error. */
int check_plugin(struct buf *out, const char *path, char error[CONFIG_ERROR_SIZE]) __attribute__((warn_unused_result));

#endif
