import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { LiveComponentHandle } from "../src/component";
import { clearPersistedState, getPersistedState, getRehydratableState, persistState } from "../src/persistence";
import { FakeServer, signed } from "./support";

const KEY = "fluxstack_component_Counter";
const HOUR = 60 * 60 * 1000;
const storage = new Map<string, string>();

beforeEach(() => {
	storage.clear();
	Object.defineProperty(globalThis, "localStorage", {
		configurable: true,
		value: {
			getItem: (key: string) => storage.get(key) ?? null,
			setItem: (key: string, value: string) => void storage.set(key, value),
			removeItem: (key: string) => void storage.delete(key),
		},
	});
});

function age(ms: number): void {
	storage.set(KEY, JSON.stringify({ ...JSON.parse(storage.get(KEY)!), lastUpdate: Date.now() - ms }));
}

test("what is stored comes back", () => {
	persistState(true, "Counter", signed("c1"), "lobby", "u1");
	const { lastUpdate, ...rest } = getPersistedState(true, "Counter")!;
	assert.deepEqual(rest, { componentName: "Counter", signedState: signed("c1"), room: "lobby", userId: "u1" });
	assert.equal(typeof lastUpdate, "number");
	clearPersistedState(true, "Counter");
	assert.equal(getPersistedState(true, "Counter"), null);
});

test("not enabled, or without a storage, nothing happens", () => {
	persistState(false, "Counter", signed("c1"));
	assert.equal(storage.size, 0);
	Object.defineProperty(globalThis, "localStorage", {
		configurable: true,
		get() { throw new Error("forbidden"); },
	});
	persistState(true, "Counter", signed("c1"));
	assert.equal(getPersistedState(true, "Counter"), null);
	clearPersistedState(true, "Counter");
});

test("a day is the limit for reading, an hour for rehydrating", () => {
	persistState(true, "Counter", signed("c1"));
	age(HOUR - 1000);
	assert.ok(getRehydratableState(true, "Counter"));
	age(HOUR + 1000);
	assert.equal(getRehydratableState(true, "Counter"), null);
	assert.ok(getPersistedState(true, "Counter"));
	age(24 * HOUR + 1000);
	assert.equal(getPersistedState(true, "Counter"), null);
	assert.equal(storage.size, 0);
});

test("what is not readable is removed", () => {
	for (const text of ["{oops", "null", '{"componentName":"Counter","signedState":{}}']) {
		storage.set(KEY, text);
		assert.equal(getPersistedState(true, "Counter"), null);
		assert.equal(storage.size, 0);
	}
});

test("a new page rehydrates what the last one left, and forgets it when refused", async () => {
	persistState(true, "Counter", signed("c0", 5));
	const server = new FakeServer();
	const handle = new LiveComponentHandle(server.connect(), "Counter", { persistState: true });
	await server.link.establish();
	assert.deepEqual(server.link.received("COMPONENT_REHYDRATE")[0].payload.signedState, signed("c0", 5));
	await server.link.reply("COMPONENT_REHYDRATE", { success: false, error: "State expired" });
	assert.equal(storage.size, 0);
	await server.link.replyMount("c1", {}, signed("c1"));
	assert.equal(handle.componentId, "c1");
	assert.deepEqual(getPersistedState(true, "Counter")?.signedState, signed("c1"));
});

test("what was left in another room is not taken up; without the option neither", async () => {
	persistState(true, "Counter", signed("c0"), "other");
	for (const options of [{ persistState: true, room: "lobby" }, { room: "other" }]) {
		const server = new FakeServer();
		new LiveComponentHandle(server.connect(), "Counter", options);
		await server.link.establish();
		assert.equal(server.link.received("COMPONENT_REHYDRATE").length, 0);
		assert.equal(server.link.received("COMPONENT_MOUNT").length, 1);
	}
});
