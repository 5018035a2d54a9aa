import assert from "node:assert/strict";
import { test } from "node:test";
import { getConnection, onConnectionChange, useLive } from "../src/use-live";
import { settle } from "./support";

/** Just enough of the browser's WebSocket. */
class FakeSocket {
	static made: FakeSocket[] = [];
	readyState = 0;
	sent: any[] = [];
	onopen!: () => void;
	onmessage!: (event: { data: string }) => void;
	onclose!: (event: { code: number; reason: string }) => void;

	constructor(readonly url: string) {
		FakeSocket.made.push(this);
	}

	send(text: string): void {
		this.sent.push(JSON.parse(text));
	}

	close(): void {
		this.readyState = 3;
	}
}

Object.defineProperty(globalThis, "WebSocket", { value: FakeSocket, configurable: true });

test("components of one address share one connection", async () => {
	const changes: boolean[] = [];
	const stop = onConnectionChange((connected) => changes.push(connected));
	const a = useLive("A", { n: 0 });
	const b = useLive("B", {}, { autoMount: false });
	const other = useLive("C", {}, { url: "ws://other.test/live" });
	assert.deepEqual(FakeSocket.made.map(({ url }) => url), ["ws://localhost:3000/api/live/ws", "ws://other.test/live"]);
	assert.equal(getConnection(), getConnection("ws://localhost:3000/api/live/ws"));

	const [socket] = FakeSocket.made;
	socket!.readyState = 1;
	socket!.onopen();
	await settle();
	assert.deepEqual(changes, [true]);
	assert.deepEqual(socket!.sent.map(({ componentId }) => componentId), ["mount-A"]);

	const states: unknown[] = [];
	a.on((state) => states.push(state));
	const { requestId } = socket!.sent[0];
	const result = { componentId: "a1", initialState: { n: 4 } };
	socket!.onmessage({ data: JSON.stringify({ type: "MESSAGE_RESPONSE", success: true, result, requestId }) });
	await settle();
	assert.deepEqual(states, [{ n: 4 }]);
	assert.deepEqual([a.state.n, a.mounted, a.componentId, a.error], [4, true, "a1", null]);
	assert.equal(b.mounted, false);

	const late: boolean[] = [];
	onConnectionChange((connected) => late.push(connected))();
	assert.deepEqual(late, [true], "told at once of a connection that is there");

	stop();
	for (const component of [a, b, other])
		component.destroy();
	getConnection().destroy();
	getConnection("ws://other.test/live").destroy();
	assert.deepEqual(changes, [true]);
});
