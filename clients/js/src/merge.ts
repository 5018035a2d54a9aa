/**
 * How a delta meets a state. At the top level null is a value; below it null removes the key. Objects merge into
 * objects; everything else replaces. Nothing is changed in place: what a delta does not touch is shared by the old
 * and the new state, so `===` tells whether a part of the state changed.
 */
import { isObject, type State } from "./types";

/** JSON text can carry this key as an ordinary one; assigning it would swap the prototype instead. */
const POISON = "__proto__";

export function mergeState<S extends State>(state: S, delta: State): S {
	return mergeObject(state, delta, false) as S;
}

function mergeObject(target: State, source: State, nested: boolean): State {
	const merged: State = { ...target };
	for (const [key, value] of Object.entries(source)) {
		if (key === POISON || value === undefined)
			continue;
		if (value === null && nested)
			delete merged[key];
		else
			merged[key] = mergeValue(merged[key], value);
	}
	return merged;
}

function mergeValue(current: unknown, value: unknown): unknown {
	return isObject(value) && isObject(current) ? mergeObject(current, value, true) : value;
}

/**
 * What the server makes of `updates` to a room: partial at the top level, complete below it. So an object that takes the
 * place of an object loses the keys that are not in it; a null below the top stays only where one was.
 */
export function patchState<S extends State>(state: S, updates: State): S {
	const patched: State = { ...state };
	for (const [key, value] of Object.entries(updates)) {
		if (key !== POISON && value !== undefined)
			patched[key] = replaceValue(patched[key], value);
	}
	return patched as S;
}

function replaceValue(current: unknown, value: unknown): unknown {
	if (!isObject(value) || !isObject(current))
		return value;
	const replaced: State = {};
	for (const [key, inner] of Object.entries(value)) {
		const wasNull = current[key] === null;
		if (key !== POISON && inner !== undefined && (inner !== null || wasNull))
			replaced[key] = replaceValue(current[key], inner);
	}
	return replaced;
}
