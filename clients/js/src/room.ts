/** One room as this page knows it: whether it is in it, its state, and who listens. */
import { Listeners } from "./listeners";
import { mergeState, patchState } from "./merge";
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
	/** What was written since a join was asked for: the state that comes with its answer is from before. Null: none is. */
	private early: State[] | null = null;
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

	/** A join has been asked for. */
	expect(): void {
		this.early = [];
	}

	/** Takes the room's whole state, as a join brings it. */
	enter(snapshot: State): void {
		const known = this.state;
		const state = (this.early ?? []).reduce(patchState, snapshot);
		this.early = null;
		this.joined = true;
		this.state = state;
		if (JSON.stringify(known) !== JSON.stringify(state))
			this.emitLocally("$state:change", state);
	}

	change(changes: State): void {
		this.state = mergeState(this.state, changes);
		this.emitLocally("$state:change", changes);
	}

	/** A change of our own, which does not come back: what the server will make of it. */
	write(updates: State): void {
		this.early?.push(updates);
		this.state = patchState(this.state, updates);
		this.emitLocally("$state:change", updates);
	}

	leave(): void {
		this.joined = false;
		this.joinedByServer = false;
		this.early = null;
		this.state = {};
	}
}
