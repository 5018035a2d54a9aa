#include "clients/bench/inbox.h"

#include <errno.h>

/* A whole message out of the last of its fragments. */
static int fragments_finish(struct inbox *inbox, inbox_deliver deliver, void *owner)
{
	uint8_t opcode = inbox->fragment_opcode;
	int rc;

	inbox->fragment_opcode = 0;
	rc = deliver(owner, opcode, inbox->message.bytes, inbox->message.length);
	buffer_deinit(&inbox->message);
	return rc;
}

static int frame_take(struct inbox *inbox, const struct frame *frame, inbox_deliver deliver, void *owner)
{
	bool in_fragments = inbox->fragment_opcode != 0;

	if (frame->opcode >= FRAME_CLOSE)
		return deliver(owner, frame->opcode, frame->payload, frame->length);
	if ((frame->opcode == FRAME_CONTINUATION) != in_fragments)
		return -EPROTO;
	if (!in_fragments && frame->final)
		return deliver(owner, frame->opcode, frame->payload, frame->length);
	if (!in_fragments)
		inbox->fragment_opcode = frame->opcode;
	if (inbox->message.length + frame->length > FRAME_PAYLOAD_MAX)
		return -EMSGSIZE;
	buffer_append(&inbox->message, frame->payload, frame->length);
	return frame->final ? fragments_finish(inbox, deliver, owner) : 0;
}

/* Hands on all whole frames in `bytes`; `*used` tells how far they reach. */
static int frames_take(struct inbox *inbox, uint8_t *bytes, size_t length, size_t *used, inbox_deliver deliver,
		       void *owner)
{
	*used = 0;
	while (*used < length) {
		struct frame frame;
		ssize_t size = frame_parse(bytes + *used, length - *used, FRAME_FROM_SERVER, &frame);
		int rc;

		if (size <= 0)
			return (int)size;
		rc = frame_take(inbox, &frame, deliver, owner);
		if (rc)
			return rc;
		*used += (size_t)size;
	}
	return 0;
}

int inbox_feed(struct inbox *inbox, uint8_t *bytes, size_t length, inbox_deliver deliver, void *owner)
{
	size_t used;
	int rc;

	if (inbox->tail.length) {
		buffer_append(&inbox->tail, bytes, length);
		rc = frames_take(inbox, inbox->tail.bytes, inbox->tail.length, &used, deliver, owner);
		if (rc)
			return rc;
		if (used == inbox->tail.length)
			buffer_deinit(&inbox->tail);
		else
			buffer_consume(&inbox->tail, used);
		return 0;
	}
	rc = frames_take(inbox, bytes, length, &used, deliver, owner);
	if (!rc && used < length)
		buffer_append(&inbox->tail, bytes + used, length - used);
	return rc;
}

void inbox_deinit(struct inbox *inbox)
{
	buffer_deinit(&inbox->tail);
	buffer_deinit(&inbox->message);
	inbox->fragment_opcode = 0;
}
