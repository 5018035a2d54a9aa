import { isObject, type SignedState } from "./types";

/** Older than this (ms), a stored signed state is not worth asking the server about. */
export const REHYDRATE_MAX_AGE = 60 * 60 * 1000;

export function isSignedState(value: unknown): value is SignedState {
	if (!isObject(value))
		return false;
	const optional = (key: string, type: string): boolean => value[key] === undefined || typeof value[key] === type;
	return (
		typeof value.data === "string" &&
		typeof value.signature === "string" &&
		typeof value.timestamp === "number" &&
		typeof value.version === "number" &&
		typeof value.componentId === "string" &&
		optional("nonce", "string") &&
		optional("compressed", "boolean") &&
		optional("encrypted", "boolean")
	);
}
