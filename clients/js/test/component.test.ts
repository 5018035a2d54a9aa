import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveComponentHandle, type LiveComponentOptions } from "../src/component";
import { FakeServer, settle, signed } from "./support";

function start(options: LiveComponentOptions = {}) {
	const server = new FakeServer();
	const connection = server.connect();
	const handle = new LiveComponentHandle(connection, "Counter", options);
	return { server, connection, handle };
}

async function mounted(options: LiveComponentOptions = {}) {
	const parts = start({ initialState: { count: 0 }, ...options });
	await parts.server.link.establish();
	await parts.server.link.replyMount("c1", { count: 3 }, signed("c1"));
	return parts;
}

/** Loses the link and opens the next one. */
async function relink(server: FakeServer): Promise<void> {
	await server.link.lose();
	await server.clock.advance(1000);
	await server.link.establish();
}

test("mounts when the connection opens, before CONNECTION_ESTABLISHED", async () => {
	const { server, handle } = start({ initialState: { count: 1, local: true }, room: "lobby" });
	assert.equal(handle.mounting, false);
	await server.link.accept();
	assert.equal(handle.mounting, true);
	const [frame] = server.link.received("COMPONENT_MOUNT");
	assert.equal(frame.componentId, "mount-Counter");
	assert.deepEqual(frame.payload, { component: "Counter", props: { count: 1, local: true }, room: "lobby" });
	await server.link.replyMount("c1", { count: 7 }, signed("c1"));
	assert.equal(handle.mounted, true);
	assert.equal(handle.mounting, false);
	assert.equal(handle.componentId, "c1");
	assert.deepEqual(handle.state, { count: 7, local: true });
	assert.equal(handle.signedState?.version, 1);
});

test("pushes before the mount reply are not lost, and the reply has the last word", async () => {
	const { server, handle } = start();
	await server.link.establish();
	const errors: string[] = [];
	handle.onError((error) => errors.push(error));
	await server.link.push([
		{ type: "STATE_UPDATE", componentId: "c1", payload: { state: { n: 1 }, signedState: signed("c1", 4) } },
		{ type: "STATE_DELTA", componentId: "c1", payload: { delta: { n: 2 } } },
		{ type: "ERROR", componentId: "c1", payload: { error: "of onMount" } },
	]);
	await server.link.replyMount("c1", { n: 2 }, null);
	assert.deepEqual(handle.state, { n: 2 });
	assert.deepEqual(errors, ["of onMount"]);
	assert.equal(handle.signedState?.version, 4);
});

test("deltas, full states, signatures and errors", async () => {
	const { server, handle } = await mounted();
	const changes: unknown[] = [];
	handle.onStateChange((state, delta) => changes.push([state, delta]));
	await server.link.push({ type: "STATE_DELTA", componentId: "c1", payload: { delta: { map: { a: 1, b: 2 } } } });
	await server.link.push({ type: "STATE_DELTA", componentId: "c1", payload: { delta: { map: { a: null } } } });
	await server.link.push({ type: "STATE_UPDATE", componentId: "c1", payload: { state: { map: { c: 3 } } } });
	assert.deepEqual(changes, [
		[{ count: 3, map: { a: 1, b: 2 } }, { map: { a: 1, b: 2 } }],
		[{ count: 3, map: { b: 2 } }, { map: { a: null } }],
		[{ count: 0, map: { c: 3 } }, null],
	]);
	await server.link.push({ type: "STATE_SIGNATURE", componentId: "c1", payload: { signedState: signed("c1", 9) } });
	await server.link.push({ type: "STATE_SIGNATURE", componentId: "c1", payload: { signedState: { version: 10 } } });
	assert.equal(handle.signedState?.version, 9);
	await server.link.push({ type: "ERROR", componentId: "c1", error: "disk full" });
	assert.equal(handle.error, "disk full");
});

test("binary deltas need a decoder, which survives a reconnect", async () => {
	const { server, handle } = await mounted();
	const frame = (id: string, text: string): Uint8Array =>
		new Uint8Array([1, id.length, ...new TextEncoder().encode(id + text)]);
	await server.link.push(frame("c1", '{"x":1}'));
	assert.equal(handle.state.x, undefined);
	handle.setBinaryDecoder((payload) => JSON.parse(new TextDecoder().decode(payload)));
	await server.link.push(frame("c1", '{"x":5}'));
	assert.equal(handle.state.x, 5);
	await relink(server);
	await server.link.reply("COMPONENT_REHYDRATE", { result: { newComponentId: "c2" } });
	await server.link.push(frame("c2", '{"x":6}'));
	assert.equal(handle.state.x, 6);
});

test("calls resolve with the result and reject with the error", async () => {
	const { server, handle } = await mounted();
	const sum = handle.call<number>("add", { by: 2 });
	const [frame] = server.link.received("CALL_ACTION");
	assert.equal(frame.componentId, "c1");
	assert.equal(frame.action, "add");
	assert.deepEqual(frame.payload, { by: 2 });
	await server.link.reply("CALL_ACTION", { type: "ACTION_RESPONSE", result: 5 });
	assert.equal(await sum, 5);
	const refused = assert.rejects(handle.call("wipe"), { message: "Action 'wipe' is not callable" });
	const error = "Action 'wipe' is not callable";
	await server.link.reply("CALL_ACTION", { type: "ACTION_RESPONSE", success: false, error });
	await refused;
	const slow = assert.rejects(handle.call("slow"), { message: "Request timeout after 10000ms" });
	await server.clock.advance(10000);
	await slow;
	handle.fire("note", { a: 1 });
	const fired = server.link.received("CALL_ACTION").at(-1);
	assert.equal(fired.expectResponse, false);
	assert.equal(fired.requestId, undefined);
});

test("not mounted: calls are refused, fire reports an error", async () => {
	const { handle } = start();
	await assert.rejects(handle.call("add"), { message: "Component not mounted" });
	handle.fire("add");
	assert.equal(handle.error, "Component not mounted");
	await assert.rejects(handle.mount(), { message: "Cannot mount: not connected" });
});

test("after a lost link it goes on from the newest signed state, under its new id", async () => {
	const { server, handle } = await mounted();
	const ids: (string | null)[] = [];
	handle.onIdChange((id) => ids.push(id));
	await server.link.push({ type: "STATE_DELTA", componentId: "c1", payload: { delta: { count: 8 } } });
	await server.link.push({ type: "STATE_SIGNATURE", componentId: "c1", payload: { signedState: signed("c1", 2) } });
	await relink(server);
	assert.equal(handle.mounted, false);
	assert.deepEqual(handle.state, { count: 8 }, "the page keeps what it showed");
	const [request] = server.link.received("COMPONENT_REHYDRATE");
	assert.equal(request.componentId, "c1");
	assert.deepEqual(request.payload, { component: "Counter", signedState: signed("c1", 2) });
	await server.link.push({
		type: "STATE_REHYDRATED",
		componentId: "c2",
		payload: { state: { count: 8 }, signedState: signed("c2", 3), oldComponentId: "c1", newComponentId: "c2" },
	});
	await server.link.reply("COMPONENT_REHYDRATE", {
		type: "COMPONENT_REHYDRATED", componentId: "c1", result: { newComponentId: "c2" },
	});
	assert.equal(handle.componentId, "c2");
	assert.equal(handle.signedState?.version, 3);
	assert.deepEqual(handle.state, { count: 8 });
	assert.deepEqual(ids, [null, "c2"]);
	assert.deepEqual(server.link.received("COMPONENT_MOUNT"), []);
	const call = handle.call("get");
	assert.equal(server.link.received("CALL_ACTION")[0].componentId, "c2");
	await server.link.reply("CALL_ACTION", {});
	await call;
});

test("a refused or unanswered rehydration falls back to a mount", async () => {
	const { server, handle } = await mounted();
	await relink(server);
	await server.link.reply("COMPONENT_REHYDRATE", { success: false, error: "Invalid signature" });
	await server.link.replyMount("c2", { count: 0 }, signed("c2"));
	assert.equal(handle.componentId, "c2");
	assert.deepEqual(handle.state, { count: 0 });
	assert.equal(handle.error, null);
	await relink(server);
	await server.clock.advance(5000);
	await server.link.replyMount("c3", { count: 0 });
	assert.equal(handle.componentId, "c3");
});

test("a link lost during rehydration keeps the signed state for the next one", async () => {
	const { server, handle } = await mounted();
	await relink(server);
	assert.equal(server.link.received("COMPONENT_REHYDRATE").length, 1);
	await relink(server);
	assert.deepEqual(server.link.received("COMPONENT_REHYDRATE")[0].payload.signedState, signed("c1"));
	assert.equal(server.link.received("COMPONENT_MOUNT").length, 0);
	assert.equal(handle.error, null);
});

test("denied for want of sign-on, it attaches again once signed on, with its state", async () => {
	const { server, connection, handle } = await mounted();
	await relink(server);
	const error = "AUTH_DENIED: sign on first";
	await server.link.reply("COMPONENT_REHYDRATE", { success: false, error });
	assert.equal(handle.mounted, false);
	assert.equal(handle.error, error);
	void connection.authenticate({ token: "t" });
	await server.link.reply("AUTH", { payload: { authenticated: true } });
	assert.equal(server.link.received("COMPONENT_REHYDRATE").length, 2);
	await server.link.reply("COMPONENT_REHYDRATE", { result: { newComponentId: "c2" } });
	assert.equal(handle.componentId, "c2");
});

test("a failed or malformed mount is an error", async () => {
	const { server, handle } = start({ autoMount: false });
	await server.link.establish();
	assert.deepEqual(server.link.sent, []);
	const failed = assert.rejects(handle.mount(), { message: "Component 'Counter' not found" });
	await server.link.reply("COMPONENT_MOUNT", { success: false, error: "Component 'Counter' not found" });
	await failed;
	assert.equal(handle.error, "Component 'Counter' not found");
	const malformed = assert.rejects(handle.mount(), { message: "Malformed mount response" });
	await server.link.reply("COMPONENT_MOUNT", { result: { componentId: "" } });
	await malformed;
	assert.equal(handle.mounting, false);
});

test("calls that find the component gone bring it back, once for all of them", async () => {
	const { server, handle } = await mounted();
	const calls = [handle.call("a"), handle.call("b")];
	const gone = { success: false, error: "COMPONENT_REHYDRATION_REQUIRED:c1" };
	for (const { requestId } of server.link.received("CALL_ACTION"))
		await server.link.push({ type: "ACTION_RESPONSE", requestId, ...gone });
	assert.equal(server.link.received("COMPONENT_REHYDRATE").length, 1);
	await server.link.reply("COMPONENT_REHYDRATE", { result: { newComponentId: "c2" } });
	const repeated = server.link.received("CALL_ACTION").slice(2);
	assert.deepEqual(repeated.map((frame) => frame.componentId), ["c2", "c2"]);
	for (const { requestId, action } of repeated)
		await server.link.push({ type: "ACTION_RESPONSE", success: true, result: action, requestId });
	assert.deepEqual(await Promise.all(calls), ["a", "b"]);
});

test("unmount tells the server, also when the mount was still under way", async () => {
	const { server, handle } = await mounted();
	handle.unmount();
	assert.deepEqual(server.link.received("COMPONENT_UNMOUNT"), [{ type: "COMPONENT_UNMOUNT", componentId: "c1" }]);
	assert.equal(handle.mounted, false);
	await relink(server);
	assert.deepEqual(server.link.sent, [], "it stays unmounted");

	const early = assert.rejects(handle.mount());
	handle.unmount();
	await server.link.replyMount("c9");
	await early;
	assert.equal(handle.componentId, null);
	assert.equal(server.link.received("COMPONENT_UNMOUNT")[0].componentId, "c9");
});

test("destroy ends it for good", async () => {
	const { server, handle } = await mounted();
	handle.onStateChange(() => assert.fail("called"));
	handle.destroy();
	await server.link.push({ type: "STATE_DELTA", componentId: "c1", payload: { delta: { count: 9 } } });
	await relink(server);
	assert.deepEqual(server.link.sent, []);
	await settle();
});
