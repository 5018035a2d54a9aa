/*
 * gzip - text packed as base64 of gzip (RFC 1952), for signed states. Unpacking stops at the buffer's limit, so a small
 * bomb stays small. Threads: [any].
 */
#ifndef SERVER_SECURITY_GZIP_H
#define SERVER_SECURITY_GZIP_H

#include "core/buf.h"
#include "core/str.h"

/* Appends base64(gzip(text)). 0, or -ENOMEM, -ENOSPC. */
int gzip_pack_base64(struct buf *out, struct str text) __attribute__((warn_unused_result));
/* Appends gunzip(base64 decoded packed). 0, -EINVAL for what is neither, -ENOSPC when it outgrows out's limit, -ENOMEM.
 */
int gzip_unpack_base64(struct buf *out, struct str packed) __attribute__((warn_unused_result));

#endif
