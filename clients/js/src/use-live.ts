/** The short way to a live component, for pages without a framework: one call, one shared connection for each address. */
import { LiveComponentHandle, type LiveComponentOptions } from "./component";
import { LiveConnection } from "./connection";
import { defaultEndpoint } from "./endpoint";
import { callSafely, Listeners } from "./listeners";
import type { State, Unsubscribe } from "./types";

const connections = new Map<string, LiveConnection>();
const connectionListeners = new Listeners<[boolean]>();

export interface UseLiveOptions extends Omit<LiveComponentOptions, "initialState"> {
	/** The server's address; by default the page's own host. */
	url?: string;
}

export interface LiveComponent<S extends State = State> {
	call<R = unknown>(action: string, payload?: unknown): Promise<R>;
	/** Calls back with the new state, and with the delta that made it or null. */
	on(callback: (state: S, delta: State | null) => void): Unsubscribe;
	onError(callback: (error: string) => void): Unsubscribe;
	readonly state: S;
	readonly mounted: boolean;
	readonly componentId: string | null;
	readonly error: string | null;
	destroy(): void;
	readonly handle: LiveComponentHandle<S>;
}

/** The connection that all components of `url` share; made when it is first asked for. */
export function getConnection(url = defaultEndpoint()): LiveConnection {
	let connection = connections.get(url);
	if (!connection) {
		connection = new LiveConnection({ url });
		connections.set(url, connection);
		followConnection(connection);
	}
	return connection;
}

/** Calls back when a shared connection opens (true) or is lost (false); at once, too, if there is one already. */
export function onConnectionChange(callback: (connected: boolean) => void): Unsubscribe {
	const [first] = connections.values();
	if (first)
		callSafely(callback, first.state.connected);
	return connectionListeners.add(callback);
}

export function useLive<S extends State = State>(
	name: string, initialState: S, options: UseLiveOptions = {},
): LiveComponent<S> {
	const { url, ...componentOptions } = options;
	const handle = new LiveComponentHandle<S>(getConnection(url), name, { ...componentOptions, initialState });
	return {
		call: (action, payload) => handle.call(action, payload),
		on: (callback) => handle.onStateChange(callback),
		onError: (callback) => handle.onError(callback),
		get state() { return handle.state; },
		get mounted() { return handle.mounted; },
		get componentId() { return handle.componentId; },
		get error() { return handle.error; },
		destroy: () => handle.destroy(),
		handle,
	};
}

function followConnection(connection: LiveConnection): void {
	let connected = connection.state.connected;
	connection.onStateChange((state) => {
		if (state.connected === connected)
			return;
		connected = state.connected;
		connectionListeners.emit(connected);
	});
}
