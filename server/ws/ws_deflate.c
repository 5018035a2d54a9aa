/*
 * ws_deflate - permessage-deflate (RFC 7692): its negotiation, and messages through zlib.
 *
 * Without context takeover, which is how we negotiate unless told otherwise, one inflater and one deflater per window
 * size serve all connections of a shard, and a connection holds no zlib state. What inflates is bounded by the message
 * limit while it runs, so a bomb costs no more than a message.
 */
#include <stdlib.h>
#include <zlib.h>

#include "core/mem.h"
#include "server/ws/ws_private.h"

enum { KEEP_BYTES = 256 << 10, INFLATE_STEP = 16 << 10 };

static const unsigned char flush_tail[WS_FLUSH_TAIL] = {0x00, 0x00, 0xff, 0xff};

struct ws_deflate {
	z_stream *in; /* with takeover: this connection's own */
	z_stream *out;
	size_t own; /* ws_deflate_own */
	uint8_t server_bits;
	uint8_t client_bits;
	bool server_takeover;
	bool client_takeover;
};

struct shared_zlib { /* of a shard */
	struct net_attachment attachment;
	z_stream *in;
	z_stream *out[WS_WINDOW_MAX + 1];
	struct buf inflated;
	struct buf deflated;
};

/* ---- zlib's streams ---- */

static z_stream *inflater_new(int bits)
{
	z_stream *stream = mem_alloc(sizeof *stream);
	assert_always(inflateInit2(stream, -bits) == Z_OK);
	return stream;
}

static void inflater_free(z_stream *stream)
{
	if (stream)
		inflateEnd(stream);
	free(stream);
}

static z_stream *deflater_new(const struct ws_options *options, int bits)
{
	z_stream *stream = mem_alloc(sizeof *stream);
	int level = options->deflate_level ? options->deflate_level : 1;
	assert_always(deflateInit2(stream, level, Z_DEFLATED, -bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	return stream;
}

static void deflater_free(z_stream *stream)
{
	if (stream)
		deflateEnd(stream);
	free(stream);
}

static void free_shared(struct net_attachment *attachment)
{
	struct shared_zlib *shared =
		(struct shared_zlib *)((char *)attachment - offsetof(struct shared_zlib, attachment));
	inflater_free(shared->in);
	for (int i = 0; i <= WS_WINDOW_MAX; i++)
		deflater_free(shared->out[i]);
	buf_deinit(&shared->inflated);
	buf_deinit(&shared->deflated);
	free(shared);
}

static struct shared_zlib *shared_of(struct ws *ws)
{
	struct net_shard *net = connection_net(ws->conn);
	struct net_attachment *attachment = net_shard_attachment(net, NET_SLOT_DEFLATE);
	if (attachment)
		return (struct shared_zlib *)((char *)attachment - offsetof(struct shared_zlib, attachment));
	struct shared_zlib *shared = mem_alloc(sizeof *shared);
	shared->attachment.free = free_shared;
	buf_init(&shared->inflated, SIZE_MAX / 2);
	buf_init(&shared->deflated, SIZE_MAX / 2);
	net_shard_attach(net, NET_SLOT_DEFLATE, &shared->attachment);
	return shared;
}

/* ---- inflating ---- */

/* Inflates what is in stream's input, appending to out, at most limit bytes in all. */
static int inflate_piece(z_stream *stream, struct buf *out, size_t limit)
{
	for (;;) {
		size_t room = limit - out->len < INFLATE_STEP ? limit - out->len : INFLATE_STEP;
		unsigned char probe; /* at the limit, one byte more proves that it is too big */
		char *to = room ? buf_room(out, room) : (char *)&probe;
		if (!to)
			return -WS_TOO_BIG;
		stream->next_out = (unsigned char *)to;
		stream->avail_out = room ? (unsigned)room : 1;
		unsigned offered = stream->avail_out;
		int rc = inflate(stream, Z_SYNC_FLUSH);
		if (room == 0 && stream->avail_out == 0)
			return -WS_TOO_BIG;
		out->len += room ? offered - stream->avail_out : 0;
		if (rc == Z_STREAM_END) {
			/* A final block (BFINAL) ends zlib's stream, but not the peer's (RFC 7692 section 7.2.3.5),
			 * which goes on with the same window. To take that out and put it back would cost 64 KiB of
			 * copying for each of them, and a message may hold one in every two bytes. */
			if (inflateResetKeep(stream) != Z_OK)
				return -WS_INVALID_DATA;
		} else if (rc != Z_OK && rc != Z_BUF_ERROR) {
			return -WS_INVALID_DATA;
		}
		if (stream->avail_in == 0 && stream->avail_out > 0)
			return 0;
		if (rc == Z_BUF_ERROR)
			return -WS_INVALID_DATA;
	}
}

int ws_deflate_inflate(struct ws *ws, struct str compressed, char **bytes, size_t *len)
{
	struct shared_zlib *shared = shared_of(ws);
	struct ws_deflate *deflate = ws->deflate;
	z_stream **slot = deflate->client_takeover ? &deflate->in : &shared->in;
	size_t limit = ws_max_message(ws);

	if (!*slot)
		*slot = inflater_new(deflate->client_takeover ? deflate->client_bits : WS_WINDOW_MAX);
	z_stream *stream = *slot;
	buf_reset(&shared->inflated, KEEP_BYTES);
	(void)buf_room(&shared->inflated, 1);
	stream->next_in = (unsigned char *)(uintptr_t)compressed.ptr;
	stream->avail_in = (unsigned)compressed.len;
	int rc = inflate_piece(stream, &shared->inflated, limit);
	if (rc == 0) {
		stream->next_in = (unsigned char *)(uintptr_t)flush_tail;
		stream->avail_in = WS_FLUSH_TAIL;
		rc = inflate_piece(stream, &shared->inflated, limit);
	}
	/* zlib says by 128 that it stands between two blocks: otherwise the message was cut off inside one. */
	if (rc == 0 && !(stream->data_type & 128))
		rc = -WS_INVALID_DATA;
	if (!deflate->client_takeover)
		inflateReset(stream);
	*bytes = shared->inflated.ptr;
	*len = shared->inflated.len;
	return rc;
}

/* ---- deflating ---- */

/* Appends payload deflated and flushed, tail and all. False (and nothing appended) without memory. */
static bool deflate_into(struct ws *ws, z_stream *stream, struct str payload, struct buf *out)
{
	size_t bound = deflateBound(stream, payload.len) + 16;
	char *to = buf_room(out, bound);
	if (!to || payload.len > UINT32_MAX || bound > UINT32_MAX)
		return false;
	stream->next_in = (unsigned char *)(uintptr_t)payload.ptr;
	stream->avail_in = (unsigned)payload.len;
	stream->next_out = (unsigned char *)to;
	stream->avail_out = (unsigned)bound;
	int rc = deflate(stream, Z_SYNC_FLUSH);
	assert_always(rc == Z_OK && stream->avail_in == 0 && stream->avail_out > 0);
	size_t len = bound - stream->avail_out;
	assert_always(len >= WS_FLUSH_TAIL && memcmp(to + len - WS_FLUSH_TAIL, flush_tail, WS_FLUSH_TAIL) == 0);
	out->len += len;
	counter_add(&ws_counters(ws)->ws_deflates, 1);
	return true;
}

size_t ws_deflate_min_bytes(const struct ws *ws)
{
	return ws->options->deflate_min_bytes ? ws->options->deflate_min_bytes : 256;
}

unsigned ws_deflate_shared_bits(const struct ws *ws)
{
	return ws->deflate && !ws->deflate->server_takeover ? ws->deflate->server_bits : 0;
}

size_t *ws_deflate_own(struct ws *ws)
{
	return &ws->deflate->own;
}

struct str ws_deflate_blocks(struct ws *ws, struct str text)
{
	struct shared_zlib *shared = shared_of(ws);
	unsigned bits = ws->deflate->server_bits;
	buf_reset(&shared->deflated, KEEP_BYTES);
	if (!shared->out[bits])
		shared->out[bits] = deflater_new(ws->options, (int)bits);
	bool done = deflate_into(ws, shared->out[bits], text, &shared->deflated);
	deflateReset(shared->out[bits]);
	return done ? buf_str(&shared->deflated) : (struct str){NULL, 0};
}

/* The same through the peer's own window: whatever comes of it must be sent. */
static struct str deflate_with_takeover(struct ws *ws, struct str text)
{
	struct shared_zlib *shared = shared_of(ws);
	struct ws_deflate *deflate = ws->deflate;
	buf_reset(&shared->deflated, KEEP_BYTES);
	if (!deflate->out)
		deflate->out = deflater_new(ws->options, deflate->server_bits);
	bool done = deflate_into(ws, deflate->out, text, &shared->deflated);
	return done ? buf_str(&shared->deflated) : (struct str){NULL, 0};
}

bool ws_deflate_payload(struct ws *ws, struct buf *out, size_t from)
{
	struct str payload = {out->ptr + from, out->len - from};
	if (buf_failed(out) || payload.len < ws_deflate_min_bytes(ws))
		return false;
	bool takeover = ws->deflate->server_takeover;
	struct str blocks = takeover ? deflate_with_takeover(ws, payload) : ws_deflate_blocks(ws, payload);
	if (!blocks.ptr || (!takeover && blocks.len - WS_FLUSH_TAIL >= payload.len))
		return false;
	out->len = from;
	buf_append(out, blocks.ptr, blocks.len - WS_FLUSH_TAIL);
	return true;
}

void ws_deflate_free(struct ws_deflate *deflate)
{
	if (!deflate)
		return;
	inflater_free(deflate->in);
	deflater_free(deflate->out);
	free(deflate);
}

/* ---- negotiation ---- */

struct offer {
	bool server_no_takeover;
	bool client_no_takeover;
	bool has_client_bits;
	unsigned server_bits; /* 0: not named */
	unsigned client_bits;
};

/* Cuts text at the first mark outside quotes; the part before it is returned, trimmed. */
static struct str cut(struct str *text, char mark)
{
	bool quoted = false;
	size_t at = 0;
	for (; at < text->len && (quoted || text->ptr[at] != mark); at++) {
		if (text->ptr[at] == '"')
			quoted = !quoted;
	}
	struct str part = {text->ptr, at};
	size_t used = at + (at < text->len ? 1 : 0);
	text->ptr += used;
	text->len -= used;
	while (part.len && (part.ptr[0] == ' ' || part.ptr[0] == '\t')) {
		part.ptr++;
		part.len--;
	}
	while (part.len && (part.ptr[part.len - 1] == ' ' || part.ptr[part.len - 1] == '\t'))
		part.len--;
	return part;
}

/* A window size, 8 to 15, without leading zeros, perhaps in quotes; 0 when it is none. */
static unsigned window_bits(struct str value)
{
	if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
		value = (struct str){value.ptr + 1, value.len - 2};
	if (value.len == 1 && (value.ptr[0] == '8' || value.ptr[0] == '9'))
		return (unsigned)(value.ptr[0] - '0');
	if (value.len == 2 && value.ptr[0] == '1' && value.ptr[1] >= '0' && value.ptr[1] <= '5')
		return 10 + (unsigned)(value.ptr[1] - '0');
	return 0;
}

static bool take_flag(bool *flag, bool has_value)
{
	bool fine = !*flag && !has_value;
	*flag = true;
	return fine;
}

/* One parameter. False when the offer must be declined for it (RFC 7692 section 7.1: unknown, twice, or a bad value).
 */
static bool take_param(struct offer *offer, struct str param)
{
	bool has_value = param.len && memchr(param.ptr, '=', param.len);
	struct str name = cut(&param, '=');
	struct str value = cut(&param, '\0');
	if (str_equal(name, STR("server_no_context_takeover")))
		return take_flag(&offer->server_no_takeover, has_value);
	if (str_equal(name, STR("client_no_context_takeover")))
		return take_flag(&offer->client_no_takeover, has_value);
	if (str_equal(name, STR("server_max_window_bits"))) {
		if (offer->server_bits)
			return false;
		offer->server_bits = window_bits(value);
		return offer->server_bits >= WS_WINDOW_MIN; /* zlib cannot deflate with a window of 8 bits */
	}
	if (str_equal(name, STR("client_max_window_bits"))) {
		if (!take_flag(&offer->has_client_bits, false))
			return false;
		offer->client_bits = has_value ? window_bits(value) : WS_WINDOW_MAX;
		return offer->client_bits != 0;
	}
	return false;
}

static bool read_offer(struct offer *offer, struct str text)
{
	memset(offer, 0, sizeof *offer);
	if (text.len && text.ptr[text.len - 1] == ';')
		return false;
	if (!str_equal(cut(&text, ';'), STR("permessage-deflate")))
		return false;
	while (text.len) {
		if (!take_param(offer, cut(&text, ';')))
			return false;
	}
	return true;
}

static struct ws_deflate *accept_offer(const struct ws_options *options, const struct offer *offer, struct buf *answer)
{
	struct ws_deflate *deflate = mem_alloc(sizeof *deflate);
	unsigned bits = options->deflate_bits ? options->deflate_bits : WS_WINDOW_MAX;
	unsigned server_bits = offer->server_bits && offer->server_bits < bits ? offer->server_bits : bits;

	deflate->server_bits = (uint8_t)server_bits;
	deflate->client_bits = WS_WINDOW_MAX;
	deflate->server_takeover = options->deflate_takeover && !offer->server_no_takeover;
	deflate->client_takeover = options->deflate_takeover && !offer->client_no_takeover;
	buf_append_str(answer, STR("Sec-WebSocket-Extensions: permessage-deflate"));
	if (!deflate->server_takeover)
		buf_append_str(answer, STR("; server_no_context_takeover"));
	if (!deflate->client_takeover)
		buf_append_str(answer, STR("; client_no_context_takeover"));
	if (server_bits < WS_WINDOW_MAX || offer->server_bits)
		buf_printf(answer, "; server_max_window_bits=%u", server_bits);
	if (offer->has_client_bits && bits < offer->client_bits) {
		buf_printf(answer, "; client_max_window_bits=%u", bits);
		deflate->client_bits = (uint8_t)bits;
	}
	buf_append(answer, "\r\n", 2);
	return deflate;
}

struct ws_deflate *ws_deflate_negotiate(const struct ws_options *options, struct str offers, struct buf *answer)
{
	struct offer offer;
	while (offers.len) {
		if (read_offer(&offer, cut(&offers, ',')))
			return accept_offer(options, &offer, answer);
	}
	return NULL;
}
