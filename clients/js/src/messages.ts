/** Builds every frame a client sends. Fields without a value are dropped when the frame becomes JSON text. */
import type { ClientFrame, LiveCredentials, SignedState, State } from "./types";

export interface MountOptions {
	room?: string;
	userId?: string;
	debugLabel?: string;
}

function roomFrame(type: string, componentId: string, roomId: string, payload?: State): ClientFrame {
	return { type, componentId, roomId, payload, timestamp: Date.now() };
}

export const clientMessages = {
	mount: (componentId: string, component: string, props: State, options: MountOptions = {}): ClientFrame => ({
		type: "COMPONENT_MOUNT",
		componentId,
		payload: { component, props, ...options },
	}),

	unmount: (componentId: string): ClientFrame => ({ type: "COMPONENT_UNMOUNT", componentId }),

	rehydrate: (
		componentId: string, component: string, signedState: SignedState, options: MountOptions = {},
	): ClientFrame => ({
		type: "COMPONENT_REHYDRATE",
		componentId,
		payload: { component, signedState, room: options.room, userId: options.userId },
	}),

	callAction: (componentId: string, action: string, payload: unknown, expectResponse = true): ClientFrame => ({
		type: "CALL_ACTION",
		componentId,
		action,
		payload,
		expectResponse,
	}),

	propertyUpdate: (componentId: string, property: string, value: unknown): ClientFrame => ({
		type: "PROPERTY_UPDATE",
		componentId,
		property,
		payload: { value },
	}),

	auth: (credentials: LiveCredentials): ClientFrame => ({ type: "AUTH", payload: credentials }),

	roomJoin: (componentId: string, roomId: string, initialState?: State): ClientFrame =>
		roomFrame("ROOM_JOIN", componentId, roomId, { initialState }),

	roomLeave: (componentId: string, roomId: string): ClientFrame => roomFrame("ROOM_LEAVE", componentId, roomId),

	roomStateGet: (componentId: string, roomId: string): ClientFrame =>
		roomFrame("ROOM_STATE_GET", componentId, roomId),

	roomEmit: (componentId: string, roomId: string, event: string, data: unknown): ClientFrame =>
		roomFrame("ROOM_EMIT", componentId, roomId, { event, data }),

	roomStateSet: (componentId: string, roomId: string, state: State): ClientFrame =>
		roomFrame("ROOM_STATE_SET", componentId, roomId, { state }),

	ping: (): ClientFrame => ({ type: "PING" }),
};
