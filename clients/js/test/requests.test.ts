import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeServer, settle } from "./support";

async function connected() {
	const server = new FakeServer();
	const connection = server.connect();
	await server.link.establish();
	return { server, connection };
}

test("replies find their requests whatever the order, and are not seen by components", async () => {
	const { server, connection } = await connected();
	const seen: string[] = [];
	connection.registerComponent("c1", (frame) => seen.push(frame.type));
	const first = connection.sendMessageAndWait({ type: "A", requestId: "mine", expectResponse: false });
	const second = connection.sendMessageAndWait({ type: "B" });
	const [a, b] = server.link.sent;
	assert.match(a.requestId, /^[A-Za-z0-9_-]{8}$/);
	assert.equal(a.expectResponse, true);
	assert.notEqual(a.requestId, b.requestId);
	const reply = { type: "MESSAGE_RESPONSE", success: true, componentId: "c1" };
	await server.link.push({ ...reply, requestId: b.requestId, result: 2 });
	await server.link.push({ ...reply, requestId: a.requestId, result: 1 });
	assert.equal((await first).result, 1);
	assert.equal((await second).result, 2);
	assert.deepEqual(seen, []);
});

test("a failure rejects with its text", async () => {
	const { server, connection } = await connected();
	const failures: [object, string][] = [
		[{ type: "ACTION_RESPONSE", success: false, error: "no" }, "no"],
		[{ type: "MESSAGE_RESPONSE", success: false }, "Request failed"],
		[{ type: "ERROR", success: undefined, error: "bad" }, "bad"],
		[{ type: "ERROR", success: undefined, payload: { error: "worse" } }, "worse"],
	];
	for (const [answer, message] of failures) {
		const request = assert.rejects(connection.sendMessageAndWait({ type: "A" }), { message });
		await server.link.reply("A", answer);
		await request;
	}
});

test("a lost component is reported as a reply, for the caller to bring it back", async () => {
	const { server, connection } = await connected();
	const request = connection.sendMessageAndWait({ type: "A" });
	await server.link.reply("A", { success: false, error: "COMPONENT_REHYDRATION_REQUIRED:c1" });
	assert.equal((await request).success, false);
});

test("no reply in time rejects, and a late one is ignored", async () => {
	const { server, connection } = await connected();
	const request = assert.rejects(connection.sendMessageAndWait({ type: "A" }, 700), {
		message: "Request timeout after 700ms",
	});
	await server.clock.advance(699);
	assert.ok(server.clock.pending.includes(1));
	await server.clock.advance(1);
	await request;
	await server.link.reply("A", {});
});

test("binary requests carry their id inside, and name themselves in the timeout", async () => {
	const { server, connection } = await connected();
	const bytes = new Uint8Array([1, 2, 3]);
	const answered = connection.sendBinaryAndWait(bytes, "chunk-up-0");
	assert.deepEqual(server.link.sent[0], bytes);
	await server.link.push({ type: "FILE_UPLOAD_PROGRESS", requestId: "chunk-up-0", progress: 50 });
	assert.equal((await answered).progress, 50);
	const unanswered = assert.rejects(connection.sendBinaryAndWait(bytes.buffer, "chunk-up-1", 20), {
		message: "Binary request timeout after 20ms",
	});
	await server.clock.advance(20);
	await unanswered;
});

test("upload replies without a request id are found by what they speak of", async () => {
	const { server, connection } = await connected();
	const chunk = connection.sendBinaryAndWait(new Uint8Array(1), "chunk-up-3");
	await server.link.push({ type: "FILE_UPLOAD_PROGRESS", uploadId: "up", chunkIndex: 3, progress: 10 });
	assert.equal((await chunk).progress, 10);
});

test("closing rejects what is in flight at once", async () => {
	const { server, connection } = await connected();
	const request = assert.rejects(connection.sendMessageAndWait({ type: "A" }), {
		message: "Connection lost (1001: Server shutting down)",
	});
	await server.link.lose(1001, "Server shutting down");
	await request;
	assert.deepEqual(server.clock.pending, [1000], "only the retry is left, no timeout");
});

test("nothing is sent while not connected", async () => {
	const server = new FakeServer();
	const connection = server.connect();
	const refused = { message: "WebSocket is not connected" };
	await assert.rejects(connection.sendMessage({ type: "A" }), refused);
	await assert.rejects(connection.sendMessageAndWait({ type: "A" }), refused);
	await assert.rejects(connection.sendBinaryAndWait(new Uint8Array(1), "x"), refused);
	assert.deepEqual(server.clock.pending, []);
});

test("destroy rejects what is in flight and connects no more", async () => {
	const { server, connection } = await connected();
	const request = assert.rejects(connection.sendMessageAndWait({ type: "A" }), { message: "Connection destroyed" });
	connection.destroy();
	await request;
	await settle();
	assert.ok(server.link.closed);
	assert.deepEqual(server.clock.pending, []);
});
