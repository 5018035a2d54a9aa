#include "server/security/gzip.h"

#include <errno.h>
#include <zlib.h>

#include "core/base64.h"

enum {
	GZIP_WINDOW = 15 + 16, /* zlib's way to say: gzip, the largest window */
	STEP = 16 * 1024,
};

int gzip_pack_base64(struct buf *out, struct str text)
{
	z_stream z = {0};
	struct buf packed;
	int rc = 0;

	if (text.len > UINT32_MAX / 2)
		return -ENOSPC;
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	buf_init(&packed, SIZE_MAX);
	size_t bound = deflateBound(&z, text.len);
	z.next_out = (Bytef *)buf_room(&packed, bound);
	z.avail_out = (uInt)bound;
	z.next_in = (z_const Bytef *)(uintptr_t)text.ptr;
	z.avail_in = (uInt)text.len;
	if (!z.next_out || deflate(&z, Z_FINISH) != Z_STREAM_END)
		rc = -ENOMEM;
	packed.len = z.total_out;
	if (rc == 0) {
		base64_encode(out, buf_str(&packed));
		rc = buf_failed(out) ? -ENOSPC : 0;
	}
	deflateEnd(&z);
	buf_deinit(&packed);
	return rc;
}

static int inflate_into(struct buf *out, z_stream *z)
{
	int rc;

	do {
		char *room = buf_room(out, STEP);
		if (!room)
			return -ENOSPC;
		z->next_out = (Bytef *)room;
		z->avail_out = STEP;
		rc = inflate(z, Z_NO_FLUSH);
		out->len += STEP - z->avail_out;
	} while (rc == Z_OK && (z->avail_in || !z->avail_out));
	return rc == Z_STREAM_END && !z->avail_in ? 0 : rc == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
}

int gzip_unpack_base64(struct buf *out, struct str packed)
{
	z_stream z = {0};
	struct buf bytes;

	buf_init(&bytes, packed.len);
	int rc = packed.len > UINT32_MAX / 2 ? -EINVAL : base64_decode(&bytes, packed);
	if (rc == 0 && inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		rc = -ENOMEM;
	if (rc == 0) {
		z.next_in = (Bytef *)bytes.ptr;
		z.avail_in = (uInt)bytes.len;
		rc = inflate_into(out, &z);
		inflateEnd(&z);
	}
	buf_deinit(&bytes);
	return rc;
}
