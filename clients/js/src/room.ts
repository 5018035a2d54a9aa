/** One room as this page knows it: whether it is in it, its state, and who listens. */
import { Listeners } from "./listeners";
import { mergeState } from "./merge";
import type { State, Unsubscribe } from "./types";

export type RoomListener = (data: never) => void;

export class Room {
	joined = false;
	state: State = {};
	/** The join under way, or null. */
	joining: Promise<State> | null = null;
	/** Given to join(); sent again with a rejoin, which may be what creates the room anew. */
	initialState: State | undefined;
	/** The server put the component into the room, and is the one to do so again. */
	joinedByServer = false;
	private readonly events = new Map<string, Listeners<[unknown]>>();

	constructor(readonly id: string) {}

	on(event: string, listener: RoomListener): Unsubscribe {
		let listeners = this.events.get(event);
		if (!listeners)
			this.events.set(event, (listeners = new Listeners()));
		return listeners.add(listener as (data: unknown) => void);
	}

	emitLocally(event: string, data: unknown): void {
		this.events.get(event)?.emit(data);
	}

	removeAllListeners(event?: string): void {
		if (event === undefined)
			this.events.clear();
		else
			this.events.delete(event);
	}

	/** Takes the room's whole state, as a join brings it. */
	enter(state: State): void {
		const known = this.state;
		this.joined = true;
		this.state = state;
		if (JSON.stringify(known) !== JSON.stringify(state))
			this.emitLocally("$state:change", state);
	}

	change(changes: State): void {
		this.state = mergeState(this.state, changes);
		this.emitLocally("$state:change", changes);
	}

	leave(): void {
		this.joined = false;
		this.joinedByServer = false;
		this.state = {};
	}
}
