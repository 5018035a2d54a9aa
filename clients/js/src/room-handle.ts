/** What applications hold of a room: a small object over the manager, which reads the room's state by property. */
import type { RoomListener } from "./room";
import type { RoomManager } from "./rooms";
import type { State, Unsubscribe } from "./types";

export interface RoomMembers<S extends State = State> {
	readonly id: string;
	readonly joined: boolean;
	readonly state: S;
	/** Joins the room; does nothing when joined. `initialState` counts only if that creates the room. */
	join(initialState?: State): Promise<void>;
	leave(): Promise<void>;
	/** Sends an event to the other members. */
	emit(event: string, data?: unknown): void;
	on(event: string, listener: RoomListener): Unsubscribe;
	/** Listens to `sub:join`, `sub:leave`, `sub:lost` (not rejoined) and `state:change`. */
	onSystem(event: string, listener: RoomListener): Unsubscribe;
	/** Changes the room's state: here at once, then for all. */
	setState(updates: Partial<S>): void;
	removeAllListeners(event?: string): void;
}

/** Besides its members, a handle reads the room's state by property, and writes it by assignment. */
export type RoomHandle<S extends State = State> = RoomMembers<S> & S;
export type RoomProxy = ((roomId: string) => RoomHandle) & RoomMembers & State;

function makeMembers(manager: RoomManager, roomId: () => string): RoomMembers {
	return {
		get id() { return roomId(); },
		get joined() { return manager.room(roomId()).joined; },
		get state() { return manager.room(roomId()).state; },
		join: (initialState) => manager.join(roomId(), initialState),
		leave: () => manager.leave(roomId()),
		emit: (event, data) => manager.emit(roomId(), event, data),
		on: (event, listener) => manager.on(roomId(), event, listener),
		onSystem: (event, listener) => manager.on(roomId(), `$${event}`, listener),
		setState: (updates) => manager.setState(roomId(), updates),
		removeAllListeners: (event) => manager.room(roomId()).removeAllListeners(event),
	};
}

/** Wraps `target`: its members first, then the room's state. */
function withState<T extends object>(target: T, members: RoomMembers): T {
	return new Proxy(target, {
		get: (_, key) => {
			if (typeof key === "symbol")
				return undefined;
			/* A handle must not look like a promise, or `await` would call a state field. */
			if (key in members || key === "then")
				return members[key as keyof RoomMembers];
			return members.state[key];
		},
		set: (_, key, value) => {
			if (typeof key === "symbol" || key in members)
				return false;
			members.setState({ [key]: value });
			return true;
		},
	});
}

export function makeRoomHandle(manager: RoomManager, roomId: string): RoomHandle {
	const members = makeMembers(manager, () => roomId);
	return withState({}, members) as RoomHandle;
}

export function makeRoomProxy(manager: RoomManager, defaultRoom: string | undefined): RoomProxy {
	const members = makeMembers(manager, () => {
		if (defaultRoom === undefined)
			throw new Error("No default room set");
		return defaultRoom;
	});
	return withState((roomId: string) => makeRoomHandle(manager, roomId), members) as RoomProxy;
}
