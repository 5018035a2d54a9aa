import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeState, patchState } from "../src/merge";

test("scalars and arrays replace", () => {
	assert.deepEqual(mergeState({ n: 1, list: [1, 2], kept: true }, { n: 2, list: [3] }), { n: 2, list: [3], kept: true });
});

test("objects merge into objects at every depth", () => {
	const state = { a: { b: { c: 1, d: 2 }, e: 3 } };
	assert.deepEqual(mergeState(state, { a: { b: { c: 9 } } }), { a: { b: { c: 9, d: 2 }, e: 3 } });
});

test("null is a value at the top level and removes the key below it", () => {
	const state = { top: 1, players: { p1: { x: 1, y: 2 }, p2: { x: 3 } } };
	const merged = mergeState(state, { top: null, players: { p1: { y: null }, p2: null } });
	assert.deepEqual(merged, { top: null, players: { p1: { x: 1 } } });
});

test("undefined is ignored", () => {
	assert.deepEqual(mergeState({ a: 1, b: { c: 2 } }, { a: undefined, b: { c: undefined } }), { a: 1, b: { c: 2 } });
});

test("an object onto anything else is taken whole, with the nulls inside it", () => {
	assert.deepEqual(mergeState({ a: 1, b: [1], c: null }, { a: { x: null }, b: { y: 1 }, c: { z: 2 } }), {
		a: { x: null },
		b: { y: 1 },
		c: { z: 2 },
	});
});

test("bytes and dates are values, not objects to merge", () => {
	const bytes = new Uint8Array([1]);
	assert.equal(mergeState({ a: { b: 1 } } as Record<string, unknown>, { a: bytes }).a, bytes);
});

test("the old state stays as it was, and untouched parts are shared", () => {
	const state = { touched: { n: 1 }, untouched: { n: 2 } };
	const merged = mergeState(state, { touched: { n: 5 } });
	assert.equal(state.touched.n, 1);
	assert.notEqual(merged.touched, state.touched);
	assert.equal(merged.untouched, state.untouched);
});

test("a delta cannot reach a prototype", () => {
	const delta = JSON.parse('{"__proto__": {"polluted": 1}, "a": {"__proto__": {"polluted": 1}}}');
	const merged = mergeState({ a: {} } as Record<string, unknown>, delta);
	assert.equal((merged as any).polluted, undefined);
	assert.equal((merged.a as any).polluted, undefined);
	assert.equal(({} as any).polluted, undefined);
});

test("a patch is partial at the top level and complete below it, as the server takes it", () => {
	const state = { top: 1, players: { p1: { x: 1, y: 2, was: null }, p2: { x: 3 } }, list: [1] };
	assert.deepEqual(patchState(state, { top: null, players: { p1: { y: 5, was: null, is: null } }, list: [2] }), {
		top: null,
		players: { p1: { y: 5, was: null } },
		list: [2],
	});
	assert.deepEqual(patchState({ a: 1 }, { a: { n: null }, b: undefined }), { a: { n: null } });
	assert.deepEqual(state.players.p1, { x: 1, y: 2, was: null });
});
