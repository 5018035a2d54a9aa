import assert from "node:assert/strict";
import { test } from "node:test";
import { LiveComponentHandle } from "../src/component";
import { FakeServer, signed } from "./support";

async function mounted() {
	const server = new FakeServer();
	const component = new LiveComponentHandle(server.connect(), "Chat", { room: "lobby" });
	await server.link.establish();
	await server.link.replyMount("c1", {}, signed("c1"));
	return { server, component, rooms: component.rooms };
}

async function joined(state: Record<string, unknown> = { topic: "hi" }) {
	const parts = await mounted();
	const room = parts.rooms.createHandle<any>("tea");
	const join = room.join({ topic: "first" });
	await parts.server.link.reply("ROOM_JOIN", {
		type: "ROOM_JOINED", success: undefined, payload: { roomId: "tea", state },
	});
	await join;
	return { ...parts, room };
}

const push = (type: string, event: string, data: unknown, componentId = "c1") =>
	({ type, componentId, roomId: "tea", event, data, timestamp: 1 });

test("join takes the room's state; joining twice asks once", async () => {
	const { server, rooms, room } = await joined();
	const [frame] = server.link.received("ROOM_JOIN");
	assert.equal(frame.componentId, "c1");
	assert.equal(frame.roomId, "tea");
	assert.deepEqual(frame.payload, { initialState: { topic: "first" } });
	assert.equal(typeof frame.timestamp, "number");
	assert.equal(room.joined, true);
	assert.deepEqual(room.state, { topic: "hi" });
	assert.deepEqual(rooms.getJoinedRooms(), ["tea"]);
	await room.join();
	assert.equal(server.link.received("ROOM_JOIN").length, 1);
});

test("a refused join rejects, and can be tried again", async () => {
	const { server, rooms } = await mounted();
	const room = rooms.createHandle("tea");
	const refused = assert.rejects(room.join(), { message: "Room is full" });
	await server.link.reply("ROOM_JOIN", { type: "ERROR", success: undefined, error: "Room is full" });
	await refused;
	assert.equal(room.joined, false);
	const again = room.join();
	await server.link.reply("ROOM_JOIN", { success: true, state: { a: 1 } });
	await again;
	assert.deepEqual(room.state, { a: 1 });
});

test("events, system events and state changes reach their listeners", async () => {
	const { server, room } = await joined({ topic: "hi", map: { a: 1, b: 2 } });
	const seen: unknown[] = [];
	room.on("msg", (data: unknown) => seen.push(data));
	const stop = room.onSystem("sub:join", (data: unknown) => seen.push(data));
	room.onSystem("state:change", (data: unknown) => seen.push(data));
	await server.link.push(push("ROOM_EVENT", "msg", { text: "yo" }));
	await server.link.push(push("ROOM_EVENT", "msg", { text: "not mine" }, "c7"));
	await server.link.push(push("ROOM_SYSTEM", "$sub:join", { count: 2 }));
	await server.link.push(push("ROOM_STATE", "$state:update", { state: { map: { a: null } } }));
	stop();
	await server.link.push(push("ROOM_SYSTEM", "$sub:join", { count: 3 }));
	assert.deepEqual(seen, [{ text: "yo" }, { count: 2 }, { map: { a: null } }]);
	assert.deepEqual(room.state, { topic: "hi", map: { b: 2 } });
});

test("binary room frames count like the others", async () => {
	const { server, room } = await joined({});
	const bytes = (hex: string) => Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16));
	const seen: unknown[] = [];
	room.on("msg", (data: unknown) => seen.push(data));
	await server.link.push(bytes("02" + "026331" + "03746561" + "00036d7367" + "81a16ecd012c"));
	await server.link.push(bytes("03" + "026331" + "03746561" + "0000" + "81a57374617465" + "81a474656d70cbbff8000000000000"));
	await server.link.push(bytes("02" + "026332" + "03746561" + "00036d7367" + "01"));
	await server.link.push(bytes("02" + "ff6331" + "03746561"));
	assert.deepEqual(seen, [{ n: 300 }]);
	assert.deepEqual(room.state, { temp: -1.5 });
});

test("emit and setState do not wait; setState shows at once", async () => {
	const { server, room } = await joined();
	room.emit("msg", { text: "yo" });
	assert.deepEqual(server.link.received("ROOM_EMIT")[0].payload, { event: "msg", data: { text: "yo" } });
	room.setState({ topic: "new" });
	assert.deepEqual(server.link.received("ROOM_STATE_SET")[0].payload, { state: { topic: "new" } });
	assert.equal(room.state.topic, "new");
	room.topic = "by assignment";
	assert.equal(room.topic, "by assignment");
	assert.deepEqual(server.link.received("ROOM_STATE_SET")[1].payload, { state: { topic: "by assignment" } });
});

test("what is written before a join is answered is kept: the answer's state is from before", async () => {
	const { server, rooms } = await mounted();
	const room = rooms.createHandle<any>("tea");
	const join = room.join();
	room.setState({ mine: { a: 1 }, topic: "new" });
	room.setState({ mine: { b: 2 } });
	await server.link.reply("ROOM_JOIN", {
		type: "ROOM_JOINED", success: undefined, payload: { roomId: "tea", state: { topic: "old", others: 1 } },
	});
	await join;
	assert.deepEqual(room.state, { topic: "new", others: 1, mine: { b: 2 } });
});

test("leave asks the server, and listeners stay for the next join", async () => {
	const { server, room } = await joined();
	const seen: unknown[] = [];
	room.on("msg", (data: unknown) => seen.push(data));
	const leave = room.leave();
	await server.link.reply("ROOM_LEAVE", { type: "ROOM_LEFT" });
	await leave;
	assert.equal(room.joined, false);
	assert.deepEqual(room.state, {});
	await room.leave();
	assert.equal(server.link.received("ROOM_LEAVE").length, 1);
	const join = room.join();
	await server.link.reply("ROOM_JOIN", { type: "ROOM_JOINED" });
	await join;
	await server.link.push(push("ROOM_EVENT", "msg", 1));
	room.removeAllListeners("msg");
	await server.link.push(push("ROOM_EVENT", "msg", 2));
	assert.deepEqual(seen, [1]);
});

test("without a component there is no joining", async () => {
	const server = new FakeServer();
	const component = new LiveComponentHandle(server.connect(), "Chat");
	const proxy = component.rooms.createProxy();
	await assert.rejects(proxy("tea").join(), { message: "Component not mounted" });
	assert.throws(() => proxy.emit("x"), { message: "No default room set" });
});

test("the proxy is the default room, and makes handles of others", async () => {
	const { server, rooms } = await mounted();
	const proxy = rooms.createProxy();
	assert.equal(proxy.id, "lobby");
	assert.equal(proxy("tea").id, "tea");
	const join = proxy.join();
	await server.link.reply("ROOM_JOIN", { type: "ROOM_JOINED", payload: { roomId: "lobby", state: { n: 1 } } });
	await join;
	assert.equal(proxy.n, 1);
	proxy.n = 2;
	assert.equal(rooms.createHandle("lobby").state.n, 2);
	assert.equal((proxy("tea") as any).then, undefined, "a handle is no promise");
});

async function comeBack(server: FakeServer): Promise<void> {
	await server.link.lose();
	await server.clock.advance(1000);
	await server.link.establish();
	await server.link.reply("COMPONENT_REHYDRATE", { result: { newComponentId: "c2" } });
}

test("joined rooms are joined again when the component is back", async () => {
	const { server, rooms, room } = await joined();
	const changes: unknown[] = [];
	room.onSystem("state:change", (data: unknown) => changes.push(data));
	const events: unknown[] = [];
	room.on("msg", (data: unknown) => events.push(data));
	await comeBack(server);
	const [request] = server.link.received("ROOM_JOIN");
	assert.equal(request.componentId, "c2");
	assert.deepEqual(request.payload, { initialState: { topic: "first" } });
	await server.link.reply("ROOM_JOIN", { type: "ROOM_JOINED", payload: { state: { topic: "meanwhile" } } });
	assert.deepEqual(changes, [{ topic: "meanwhile" }]);
	assert.deepEqual(rooms.getJoinedRooms(), ["tea"]);
	await server.link.push(push("ROOM_EVENT", "msg", 1, "c2"));
	assert.deepEqual(events, [1]);
});

test("a room that cannot be joined again is reported as lost", async () => {
	const { server, rooms, room } = await joined();
	const lost: unknown[] = [];
	room.onSystem("sub:lost", (data: unknown) => lost.push(data));
	await comeBack(server);
	await server.link.reply("ROOM_JOIN", { type: "ERROR", success: false, error: "Room is full" });
	assert.deepEqual(lost, [{ error: "Room is full" }]);
	assert.deepEqual(rooms.getJoinedRooms(), []);
});

test("a link lost during the rejoin leads to another rejoin", async () => {
	const { server, room } = await joined();
	room.onSystem("sub:lost", () => assert.fail("called"));
	await comeBack(server);
	await comeBack(server);
	assert.equal(server.link.received("ROOM_JOIN").length, 1);
	await server.link.reply("ROOM_JOIN", { type: "ROOM_JOINED", payload: { state: {} } });
	assert.equal(room.joined, true);
});

test("a room left while the link was down is not joined again", async () => {
	const { server, room } = await joined();
	await server.link.lose();
	await room.leave();
	await server.clock.advance(1000);
	await server.link.establish();
	await server.link.reply("COMPONENT_REHYDRATE", { result: { newComponentId: "c2" } });
	assert.deepEqual(server.link.received("ROOM_JOIN"), []);
});

test("a join that the server made is shown, and is the server's to repeat", async () => {
	const { server, rooms } = await mounted();
	await server.link.push(push("ROOM_JOINED", "$room:joined", { state: { n: 1 } }));
	assert.deepEqual(rooms.getJoinedRooms(), ["tea"]);
	assert.deepEqual(rooms.createHandle("tea").state, { n: 1 });
	await comeBack(server);
	assert.deepEqual(server.link.received("ROOM_JOIN"), []);
});

test("disposing leaves and forgets listeners; destroy leaves and keeps them", async () => {
	const { server, rooms, room } = await joined();
	const seen: unknown[] = [];
	room.on("msg", (data: unknown) => seen.push(data));
	rooms.destroy();
	assert.equal(server.link.received("ROOM_LEAVE").length, 1);
	await server.link.push(push("ROOM_EVENT", "msg", "unheard"));
	const join = room.join();
	await server.link.reply("ROOM_JOIN", { type: "ROOM_JOINED" });
	await join;
	await server.link.push(push("ROOM_EVENT", "msg", "heard"));
	rooms.disposeRoom("tea");
	await server.link.push(push("ROOM_EVENT", "msg", "unheard"));
	assert.deepEqual(seen, ["heard"]);
	rooms.disposeAll();
});
