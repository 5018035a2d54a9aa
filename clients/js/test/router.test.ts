import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameRouter } from "../src/router";
import type { ServerFrame } from "../src/types";
import { FakeClock, FakeServer } from "./support";

const delta = (componentId: string, n: number): ServerFrame => ({ type: "STATE_DELTA", componentId, n });

test("pushes that come before their component wait for it, in order", () => {
	const router = new FrameRouter(new FakeClock());
	const seen: unknown[] = [];
	router.dispatch(delta("c1", 1));
	router.dispatch(delta("c2", 9));
	router.dispatch(delta("c1", 2));
	router.register("c1", (frame) => seen.push(frame.n));
	router.dispatch(delta("c1", 3));
	assert.deepEqual(seen, [1, 2, 3]);
});

test("they wait for 5 seconds", async () => {
	const clock = new FakeClock();
	const router = new FrameRouter(clock);
	const seen: unknown[] = [];
	router.dispatch(delta("c1", 1));
	await clock.advance(3000);
	router.dispatch(delta("c1", 2));
	await clock.advance(2001);
	router.register("c1", (frame) => seen.push(frame.n));
	assert.deepEqual(seen, [2]);
});

test("at most 32 for one id, the newest ones", () => {
	const router = new FrameRouter(new FakeClock());
	const seen: unknown[] = [];
	for (let n = 0; n < 40; n++)
		router.dispatch(delta("c1", n));
	router.register("c1", (frame) => seen.push(frame.n));
	assert.deepEqual(seen, Array.from({ length: 32 }, (_, i) => i + 8));
});

test("at most 64 ids, those that were spoken to last", () => {
	const router = new FrameRouter(new FakeClock());
	for (let n = 0; n < 65; n++)
		router.dispatch(delta(`c${n}`, n));
	const seen: unknown[] = [];
	for (let n = 0; n < 65; n++)
		router.register(`c${n}`, (frame) => seen.push(frame.n));
	assert.deepEqual(seen, Array.from({ length: 64 }, (_, i) => i + 1));
});

test("a broadcast goes to all but its sender, and is never kept", () => {
	const router = new FrameRouter(new FakeClock());
	const seen: string[] = [];
	for (const id of ["a", "b", "c"])
		router.register(id, () => seen.push(id));
	router.dispatch({ type: "BROADCAST", componentId: "b" });
	router.register("late", () => seen.push("late"));
	assert.deepEqual(seen, ["a", "c"]);
});

test("after unregistering nothing arrives", () => {
	const router = new FrameRouter(new FakeClock());
	router.register("a", () => assert.fail("called"));
	router.unregister("a");
	router.dispatch(delta("a", 1));
});

test("a batch is delivered in its order, and a throwing callback does not stop it", async (context) => {
	const reported = context.mock.method(console, "error", () => {});
	const server = new FakeServer();
	const connection = server.connect();
	await server.link.establish();
	const seen: unknown[] = [];
	connection.registerComponent("bad", () => {
		throw new Error("of the application");
	});
	connection.registerComponent("c1", (frame) => seen.push(frame.n));
	await server.link.push([delta("c1", 1), delta("bad", 0), delta("c1", 2), delta("c1", 3)]);
	assert.deepEqual(seen, [1, 2, 3]);
	assert.equal(reported.mock.callCount(), 1);
});

test("what waits is dropped with the link", async () => {
	const server = new FakeServer();
	const connection = server.connect();
	await server.link.establish();
	await server.link.push(delta("c1", 1));
	await server.link.lose();
	connection.registerComponent("c1", () => assert.fail("called"));
});
