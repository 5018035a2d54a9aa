/** Reads what a server frame carries, checking it. A frame that does not have the expected shape reads as null. */
import { isSignedState } from "./signed-state";
import { isObject, type ServerFrame, type SignedState, type State } from "./types";

export interface MountResult {
	componentId: string;
	initialState: State;
	signedState: SignedState | null;
}

export interface FullState {
	state: State;
	signedState: SignedState | null;
}

export interface AuthPayload {
	authenticated: boolean;
	session: State | null;
	error: string | null;
}

export interface RoomPush {
	roomId: string;
	event: string;
	data: unknown;
}

const objectOr = <T>(value: unknown, fallback: T): State | T => (isObject(value) ? value : fallback);
const signedOrNull = (value: unknown): SignedState | null => (isSignedState(value) ? value : null);

/** The reply to a mount. */
export function readMountResult(frame: ServerFrame): MountResult | null {
	const result = objectOr(frame.result, null);
	if (typeof result?.componentId !== "string" || result.componentId === "")
		return null;
	return {
		componentId: result.componentId,
		initialState: objectOr(result.initialState, {}),
		signedState: signedOrNull(result.signedState),
	};
}

/** The reply to a rehydration: the id the component has from now on. */
export function readRehydrateResult(frame: ServerFrame): { newComponentId: string } | null {
	const result = objectOr(frame.result, null);
	const id = result?.newComponentId;
	return frame.success === true && typeof id === "string" && id !== "" ? { newComponentId: id } : null;
}

export function readStateUpdate(frame: ServerFrame): FullState | null {
	const payload = objectOr(frame.payload, null);
	return isObject(payload?.state) ? { state: payload.state, signedState: signedOrNull(payload.signedState) } : null;
}

/** A rehydrated component's first push has the fields of a STATE_UPDATE, and the two ids besides. */
export const readStateRehydrated = readStateUpdate;

export function readStateDelta(frame: ServerFrame): State | null {
	return objectOr(objectOr(frame.payload, null)?.delta, null);
}

export function readStateSignature(frame: ServerFrame): SignedState | null {
	return signedOrNull(objectOr(frame.payload, null)?.signedState);
}

export function readBroadcast(frame: ServerFrame): { type: string; data: unknown } | null {
	const payload = objectOr(frame.payload, null);
	return typeof payload?.type === "string" ? { type: payload.type, data: payload.data } : null;
}

/** The text of an ERROR push or of a failed reply: `error`, else `payload.error`. */
export function readErrorMessage(frame: ServerFrame, fallback = "Unknown error"): string {
	const inPayload = objectOr(frame.payload, null)?.error;
	if (typeof frame.error === "string")
		return frame.error;
	return typeof inPayload === "string" ? inPayload : fallback;
}

export function readAuthPayload(frame: ServerFrame): AuthPayload {
	const payload = objectOr(frame.payload, null);
	return {
		authenticated: (payload?.authenticated ?? frame.authenticated) === true,
		session: objectOr(payload?.session, null),
		error: typeof payload?.error === "string" ? payload.error : null,
	};
}

/** The room's state in the reply to ROOM_JOIN: `payload.state`, else `state`. */
export function readRoomJoinResponse(frame: ServerFrame): { state: State } | null {
	if (frame.type !== "ROOM_JOINED" && frame.success !== true)
		return null;
	const state = objectOr(frame.payload, null)?.state ?? frame.state;
	return { state: objectOr(state, {}) };
}

/** A push of a room: event, state change, system event or a join the server made by itself. */
export function readRoomPush(frame: ServerFrame): RoomPush | null {
	if (typeof frame.roomId !== "string")
		return null;
	return { roomId: frame.roomId, event: typeof frame.event === "string" ? frame.event : "", data: frame.data };
}

/** The changed fields in the data of a ROOM_STATE push: `state`, else the data itself. */
export function readRoomChanges(data: unknown): State {
	const changes = objectOr(data, {} as State);
	return objectOr(changes.state, changes);
}
