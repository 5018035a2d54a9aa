/** What a connection shows of itself. Snapshots: a change makes a new one. */
import type { State } from "./types";

export interface LiveAuth {
	authenticated: boolean;
	/** What the server told of the user, frozen; null when it told nothing. */
	session: State | null;
}

export interface LiveConnectionState {
	connected: boolean;
	connecting: boolean;
	error: string | null;
	connectionId: string | null;
	authenticated: boolean;
	auth: LiveAuth;
	/** The kind of transport in use, or null without a link. */
	transport: string | null;
}

/** A state's fields when there is no link; `error` is kept or set by who lost it. */
export const UNLINKED: Omit<LiveConnectionState, "error"> = Object.freeze({
	connected: false,
	connecting: false,
	connectionId: null,
	authenticated: false,
	auth: Object.freeze({ authenticated: false, session: null }),
	transport: null,
});

/** The fields that tell who is signed on. The session is shared with applications, hence frozen to its depths. */
export function authFields(authenticated: boolean, session: State | null): Partial<LiveConnectionState> {
	return { authenticated, auth: Object.freeze({ authenticated, session: deepFreeze(session) }) };
}

function deepFreeze<T>(value: T): T {
	if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
		Object.freeze(value);
		Object.values(value).forEach(deepFreeze);
	}
	return value;
}
