/** The frames that a server sends as bytes: a component's own delta (0x01), a room's event (0x02) or state (0x03). */
import { decodeMessagePack } from "./msgpack";

export const BINARY_STATE_DELTA = 0x01;
export const BINARY_ROOM_EVENT = 0x02;
export const BINARY_ROOM_STATE = 0x03;

const MIN_ROOM_FRAME = 6;

export interface BinaryStateDelta {
	componentId: string;
	payload: Uint8Array;
}

export interface BinaryRoomFrame {
	type: typeof BINARY_ROOM_EVENT | typeof BINARY_ROOM_STATE;
	componentId: string;
	roomId: string;
	event: string;
	data: unknown;
}

const text = new TextDecoder();

/** Reads a 0x01 frame, or null when it is cut short. */
export function readBinaryStateDelta(frame: Uint8Array): BinaryStateDelta | null {
	const end = 2 + (frame[1] ?? 0);
	if (frame.length < 3 || frame.length < end)
		return null;
	return { componentId: text.decode(frame.subarray(2, end)), payload: frame.subarray(end) };
}

/** Reads a 0x02 or 0x03 frame, or null when it is malformed. */
export function readBinaryRoomFrame(frame: Uint8Array): BinaryRoomFrame | null {
	const type = frame[0];
	if (frame.length < MIN_ROOM_FRAME || (type !== BINARY_ROOM_EVENT && type !== BINARY_ROOM_STATE))
		return null;
	let at = 1;
	const readText = (lengthBytes: 1 | 2): string => {
		let length = frame[at++] ?? 0;
		if (lengthBytes === 2)
			length = length * 256 + (frame[at++] ?? 0);
		at += length;
		if (at > frame.length)
			throw new RangeError("room frame cut short");
		return text.decode(frame.subarray(at - length, at));
	};
	try {
		const componentId = readText(1);
		const roomId = readText(1);
		const event = readText(2);
		return { type, componentId, roomId, event, data: decodeMessagePack(frame.subarray(at)) };
	} catch {
		return null;
	}
}
