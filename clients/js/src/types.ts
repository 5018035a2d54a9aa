/** The shapes that travel: frames from the server, frames to it, signed states. Data only. */

export type State = Record<string, unknown>;

/** A frame as the server sends it. Every field but `type` depends on the type; readers in readers.ts check them. */
export interface ServerFrame {
	type: string;
	componentId?: string;
	requestId?: string;
	success?: boolean;
	result?: unknown;
	error?: string;
	payload?: unknown;
	roomId?: string;
	event?: string;
	data?: unknown;
	timestamp?: number;
	[key: string]: unknown;
}

/** A frame as we send it. Fields that have no value are left out, never null. */
export interface ClientFrame {
	type: string;
	componentId?: string;
	requestId?: string;
	expectResponse?: boolean;
	payload?: unknown;
	[key: string]: unknown;
}

/** A component's state, signed by the server: opaque to us, kept to get the component back after a lost link. */
export interface SignedState {
	data: string;
	signature: string;
	timestamp: number;
	version: number;
	componentId: string;
	nonce?: string;
	compressed?: boolean;
	encrypted?: boolean;
}

/** What a client signs on with. `token` and `provider` are known names; providers may read any other. */
export interface LiveCredentials {
	token?: string;
	provider?: string;
	[key: string]: unknown;
}

export type Unsubscribe = () => void;

/** A plain object, as JSON and MessagePack make them: no array, no bytes, no null. */
export function isObject(value: unknown): value is Record<string, unknown> {
	return Object.prototype.toString.call(value) === "[object Object]";
}
