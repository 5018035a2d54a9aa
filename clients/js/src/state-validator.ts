/**
 * Compares a state that was changed here with the one that came from the server. Purely local: nothing of it goes over
 * the wire. For programs that let their users go on while the link is down, and want to show or mend what differs.
 */
import { isObject, type State } from "./types";

export type StateSource = "client" | "server" | "mount";

export interface StateValidation {
	/** Of the data, by {@link StateValidator.generateChecksum}. */
	checksum: string;
	version: number;
	/** Milliseconds since 1970. */
	timestamp: number;
	source: StateSource;
}

export interface StateConflict {
	/** The top-level key whose values differ. */
	property: string;
	clientValue: unknown;
	serverValue: unknown;
	timestamp: number;
	resolved: boolean;
}

/** Whose value holds where both have changed one: `smart` takes the larger of two numbers, else the server's. */
export type MergeStrategy = "client" | "server" | "smart";

export interface ValidatedState<T extends State = State> {
	data: T;
	validation: StateValidation;
	conflicts: StateConflict[];
	status: "synced" | "conflict" | "disconnected";
}

/** JSON in which the order of keys says nothing. */
function sortedJson(value: unknown): string {
	return JSON.stringify(value, (_key, part: unknown) =>
		isObject(part) ? Object.fromEntries(Object.keys(part).sort().map((key) => [key, part[key]])) : part) ?? "";
}

function winner(client: unknown, server: unknown, strategy: MergeStrategy): unknown {
	if (strategy === "client")
		return client;
	if (strategy === "smart" && typeof client === "number" && typeof server === "number")
		return Math.max(client, server);
	return server;
}

export class StateValidator {
	/** 32 bits of a rolling hash over the state's JSON, in hex: equal states have equal ones, whatever their order. */
	static generateChecksum(state: unknown): string {
		const text = sortedJson(state);
		let hash = 0;
		for (let i = 0; i < text.length; i++)
			hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
		return Math.abs(hash).toString(16);
	}

	static createValidation(state: unknown, source: StateSource = "client"): StateValidation {
		return { checksum: this.generateChecksum(state), version: 1, timestamp: Date.now(), source };
	}

	/** One conflict for each key that both have with different values, but for those in `exclude`. */
	static detectConflicts(
		client: State, server: State, exclude: readonly string[] = ["lastUpdated", "version"],
	): StateConflict[] {
		const timestamp = Date.now();
		return Object.keys(client)
			.filter((key) => Object.prototype.hasOwnProperty.call(server, key) && !exclude.includes(key))
			.filter((key) => sortedJson(client[key]) !== sortedJson(server[key]))
			.map((property) => ({
				property, clientValue: client[property], serverValue: server[property], timestamp, resolved: false,
			}));
	}

	/** The client's state with what the server has beside it, and with one of the two values for each conflict. */
	static mergeStates<T extends State>(
		client: T, server: T, conflicts: readonly StateConflict[], strategy: MergeStrategy = "smart",
	): T {
		const resolved = conflicts.map(({ property, clientValue, serverValue }) =>
			[property, winner(clientValue, serverValue, strategy)]);
		return { ...client, ...server, ...Object.fromEntries(resolved) };
	}

	/** Whether the data still is what the checksum was made of. */
	static validateState(state: ValidatedState): boolean {
		return this.generateChecksum(state.data) === state.validation.checksum;
	}

	/** The same state with a new checksum, the next version and the time of now. */
	static updateValidation<T extends State>(state: ValidatedState<T>, source: StateSource = "client"): ValidatedState<T> {
		const version = state.validation.version + 1;
		return { ...state, validation: { ...this.createValidation(state.data, source), version }, status: "synced" };
	}

	/** {@link validateState} by its older name. */
	static validate(state: ValidatedState): boolean {
		return this.validateState(state);
	}

	/** {@link mergeStates} by its older name, with the conflicts that it finds itself. */
	static resolveConflicts<T extends State>(client: T, server: T, strategy: MergeStrategy = "smart"): T {
		return this.mergeStates(client, server, this.detectConflicts(client, server), strategy);
	}
}
