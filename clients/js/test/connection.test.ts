import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeServer, settle } from "./support";

test("states of a link: connecting, connected, established, lost", async () => {
	const server = new FakeServer();
	const connection = server.connect();
	assert.equal(connection.state.connecting, true);
	assert.equal(connection.state.transport, "fake");
	await server.link.accept();
	assert.equal(connection.state.connected, true);
	assert.equal(connection.state.connecting, false);
	assert.equal(connection.state.connectionId, null);
	await server.link.push({ type: "CONNECTION_ESTABLISHED", connectionId: "q7Zt_0Lm", authenticated: true });
	assert.equal(connection.state.connectionId, "q7Zt_0Lm");
	assert.equal(connection.state.authenticated, true);
	await server.link.lose();
	assert.equal(connection.state.connected, false);
	assert.equal(connection.state.connectionId, null);
	assert.equal(connection.state.authenticated, false);
});

test("connect does nothing while connecting or open", async () => {
	const server = new FakeServer();
	const connection = server.connect({ autoConnect: false });
	assert.equal(server.links.length, 0);
	connection.connect();
	connection.connect();
	await server.link.accept();
	connection.connect();
	assert.equal(server.links.length, 1);
});

test("retries wait 1, 2, 4, 8, 16, 16 ... seconds, and an opened link starts over", async () => {
	const server = new FakeServer();
	server.connect();
	for (const delay of [1000, 2000, 4000, 8000, 16000, 16000, 16000]) {
		await server.link.lose();
		assert.deepEqual(server.clock.pending, [delay]);
		const links = server.links.length;
		await server.clock.advance(delay);
		assert.equal(server.links.length, links + 1);
	}
	await server.link.accept();
	await server.link.lose();
	assert.deepEqual(server.clock.pending, [1000]);
});

test("a finite limit of retries gives up", async () => {
	const server = new FakeServer();
	const connection = server.connect({ maxReconnectAttempts: 2, reconnectInterval: 10 });
	for (let i = 0; i < 2; i++) {
		await server.link.lose();
		await server.clock.advance(16000);
	}
	await server.link.lose();
	assert.equal(connection.state.error, "Max reconnection attempts reached");
	assert.deepEqual(server.clock.pending, []);
	assert.equal(server.links.length, 3);
});

test("4003 stops for good", async () => {
	const server = new FakeServer();
	const connection = server.connect();
	await server.link.accept();
	await server.link.lose(4003, "Origin not allowed");
	assert.equal(connection.state.error, "Connection rejected: origin not allowed");
	assert.deepEqual(server.clock.pending, []);
});

test("disconnect stays disconnected; what the old link still says is not heard", async () => {
	const server = new FakeServer();
	const connection = server.connect();
	await server.link.establish();
	connection.disconnect();
	assert.ok(server.link.closed);
	assert.equal(connection.state.connected, false);
	await server.link.push({ type: "CONNECTION_ESTABLISHED", connectionId: "ghost" });
	await server.link.lose(1000);
	assert.equal(connection.state.connectionId, null);
	assert.deepEqual(server.clock.pending, []);
});

test("reconnect opens a new link after 100 ms", async () => {
	const server = new FakeServer();
	const connection = server.connect();
	await server.link.establish();
	connection.reconnect();
	assert.deepEqual(server.clock.pending, [100]);
	await server.clock.advance(100);
	assert.equal(server.links.length, 2);
});

test("a listener that disconnects while a link is being made leaves no link behind", () => {
	const server = new FakeServer();
	const connection = server.connect({ autoConnect: false });
	connection.onStateChange((state) => state.connecting && connection.disconnect());
	connection.connect();
	assert.equal(connection.getTransport(), null);
	assert.equal(connection.state.connecting, false);
});

test("one PING for each interval, and three that cannot be sent replace the link", async () => {
	const server = new FakeServer();
	const connection = server.connect({ heartbeatInterval: 30000 });
	const errors: (string | null)[] = [];
	connection.onStateChange((state) => errors.push(state.error));
	await server.link.establish();
	await server.clock.advance(60000);
	assert.deepEqual(server.link.sent, [{ type: "PING" }, { type: "PING" }]);
	server.link.failSends = true;
	await server.clock.advance(60000);
	server.link.failSends = false;
	await server.clock.advance(30000);
	assert.equal(server.links.length, 1, "a ping that got through starts the count over");
	server.link.failSends = true;
	await server.clock.advance(90000);
	assert.ok(errors.includes("Heartbeat failed"));
	await server.clock.advance(100);
	assert.equal(server.links.length, 2);
	assert.ok(server.links[0]!.closed);
});

test("signs on after CONNECTION_ESTABLISHED, and again on every link", async () => {
	const server = new FakeServer();
	const connection = server.connect({ auth: { token: "abc" } });
	for (let i = 0; i < 2; i++) {
		await server.link.accept();
		assert.deepEqual(server.link.received("AUTH"), []);
		await server.link.push({ type: "CONNECTION_ESTABLISHED", connectionId: "q7Zt_0Lm" });
		assert.deepEqual(server.link.received("AUTH")[0].payload, { token: "abc" });
		await server.link.reply("AUTH", {
			type: "AUTH_RESPONSE",
			payload: { authenticated: true, session: { id: "u1", roles: ["admin"] } },
		});
		assert.equal(connection.state.authenticated, true);
		assert.ok(Object.isFrozen((connection.state.auth.session as any).roles));
		await server.link.lose();
		assert.deepEqual(connection.state.auth, { authenticated: false, session: null });
		await server.clock.advance(1000);
	}
});

test("credentials without any value are not sent", async () => {
	const server = new FakeServer();
	server.connect({ auth: { token: "" } });
	await server.link.establish();
	assert.deepEqual(server.link.sent, []);
});

test("authenticate tells whether it worked, never rejects, and what worked is used on the next link", async () => {
	const server = new FakeServer();
	const connection = server.connect();
	await server.link.establish();
	const refused = connection.authenticate({ token: "bad" });
	const payload = { authenticated: false, error: "Authentication failed" };
	await server.link.reply("AUTH", { type: "AUTH_RESPONSE", success: false, payload });
	assert.equal(await refused, false);
	const silent = connection.authenticate({ token: "slow" });
	await server.clock.advance(5000);
	assert.equal(await silent, false);
	const taken = connection.authenticate({ token: "good" });
	await server.link.reply("AUTH", { type: "AUTH_RESPONSE", payload: { authenticated: true } });
	assert.equal(await taken, true);
	await server.link.lose();
	assert.equal(await connection.authenticate({ token: "good" }), false, "no link, no rejection");
	await server.clock.advance(1000);
	await server.link.establish();
	assert.deepEqual(server.link.received("AUTH")[0].payload, { token: "good" });
});

test("what is not JSON sets an error and nothing else", async () => {
	const server = new FakeServer();
	const connection = server.connect();
	await server.link.establish();
	await server.link.push("{oops");
	assert.equal(connection.state.error, "Failed to parse message");
	assert.equal(connection.state.connected, true);
	for (const odd of ["null", "3", "[1, null]", '{"no":"type"}'])
		await server.link.push(odd);
});

test("a transport that cannot even start counts as a link that closed", async () => {
	const { WebSocketTransport } = await import("../src/websocket-transport");
	const closes: number[] = [];
	const none = (): void => {};
	new WebSocketTransport("nonsense:").open({
		onOpen: none, onText: none, onBinary: none, onClose: (code) => closes.push(code),
	});
	await settle();
	assert.deepEqual(closes, [1006]);
});
