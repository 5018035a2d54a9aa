/**
 * Keeps the newest signed state of a component over a page reload, in localStorage, under one key for each component
 * name. Where there is no storage (or it is full, or forbidden) all of this quietly does nothing.
 */
import { isSignedState, REHYDRATE_MAX_AGE } from "./signed-state";
import { isObject, type SignedState } from "./types";

const KEY_PREFIX = "fluxstack_component_";
const MAX_AGE = 24 * 60 * 60 * 1000;

export interface PersistedState {
	componentName: string;
	signedState: SignedState;
	room?: string;
	userId?: string;
	lastUpdate: number;
}

/** Runs `action` on the storage, or returns undefined without one: even looking at it may throw. */
function withStorage<T>(enabled: boolean, action: (storage: Storage) => T): T | undefined {
	if (!enabled)
		return undefined;
	try {
		return typeof localStorage === "undefined" ? undefined : action(localStorage);
	} catch {
		return undefined;
	}
}

export function persistState(
	enabled: boolean, name: string, signedState: SignedState, room?: string, userId?: string,
): void {
	const entry: PersistedState = { componentName: name, signedState, room, userId, lastUpdate: Date.now() };
	withStorage(enabled, (storage) => storage.setItem(KEY_PREFIX + name, JSON.stringify(entry)));
}

/** What was stored for `name` within the last 24 hours. What is older or unreadable is removed. */
export function getPersistedState(enabled: boolean, name: string): PersistedState | null {
	const entry = withStorage(enabled, (storage) => parseEntry(storage.getItem(KEY_PREFIX + name)));
	if (entry && entry.componentName === name && Date.now() - entry.lastUpdate <= MAX_AGE)
		return entry;
	clearPersistedState(enabled, name);
	return null;
}

/** What was stored for `name`, if it is young enough to ask the server to rehydrate it. */
export function getRehydratableState(enabled: boolean, name: string): PersistedState | null {
	const entry = getPersistedState(enabled, name);
	return entry && Date.now() - entry.lastUpdate <= REHYDRATE_MAX_AGE ? entry : null;
}

export function clearPersistedState(enabled: boolean, name: string): void {
	withStorage(enabled, (storage) => storage.removeItem(KEY_PREFIX + name));
}

function parseEntry(text: string | null): PersistedState | null {
	const entry: unknown = JSON.parse(text ?? "null");
	const valid = isObject(entry) && isSignedState(entry.signedState) && typeof entry.lastUpdate === "number";
	return valid ? (entry as unknown as PersistedState) : null;
}
