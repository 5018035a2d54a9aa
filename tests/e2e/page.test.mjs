/** The example page in two windows and on a phone, over a restart of the server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "./house.mjs";
import { Server } from "./server.mjs";

const { server, open, openOnTwoShards } = serve();

test("the page loads from the server alone, and tells its shard", { timeout: 60000 }, async () => {
	const window = await open();
	const shard = await window.shard();
	assert.ok(shard >= 0 && shard < Server.SHARDS, `shard ${shard}`);
	assert.equal(await window.get("shards").locator("li").count(), Server.SHARDS);
	const elsewhere = window.requested.filter((url) => !url.startsWith(`${server.url}/`) && !url.startsWith("data:"));
	assert.deepEqual(elsewhere, []);
	const time = await window.get("clock-time").textContent();
	await window.page.waitForFunction(
		(old) => document.querySelector('[data-testid="clock-time"]').textContent !== old, time);
});

test("a counter is private to its window", { timeout: 60000 }, async () => {
	const [a, b] = [await open(), await open()];
	for (const clicks of [1, 2, 3]) {
		await a.get("counter-increment").click();
		await a.shows("counter-value", clicks);
	}
	await a.get("counter-decrement").click();
	await a.shows("counter-value", 2);
	await b.get("counter-decrement").click();
	await b.shows("counter-value", -1);
	await a.shows("counter-value", 2);
	await a.get("counter-reset").click();
	await a.shows("counter-value", 0);
});

test("windows on two shards share the counter and the chat", { timeout: 120000 }, async () => {
	const [a, b] = await openOnTwoShards();
	await a.shows("shared-viewers", "2 windows");
	await b.shows("shared-viewers", "2 windows");
	await a.get("shared-reset").click();
	await b.shows("shared-value", 0);
	await a.get("shared-increment").click();
	await b.shows("shared-value", 1);
	await a.shows("shared-last-user", "you");
	await b.get("shared-increment").click();
	await a.shows("shared-value", 2);
	await b.shows("shared-last-user", "you");

	await a.joinChat("Ana", "tea");
	await b.joinChat("Ben", "tea");
	await a.say("is the kettle on?");
	await b.showsMessage("is the kettle on?");
	await b.say("<b>it is</b> ☕");
	await a.showsMessage("<b>it is</b> ☕");
	for (const window of [a, b])
		for (const name of ["Ana", "Ben"])
			await window.get("chat-users").getByText(name, { exact: true }).waitFor();

	await b.get("chat-leave").click();
	await b.get("chat-join").waitFor();
	await a.get("chat-users").getByText("Ben", { exact: true }).waitFor({ state: "detached" });
});

test("a reload keeps the seat in the chat", { timeout: 60000 }, async () => {
	const window = await open();
	await window.joinChat("Cleo", "reload");
	await window.say("before");
	await window.showsMessage("before");
	await window.page.reload();
	await window.shows("chat-current-room", "reload");
	await window.get("chat-users").getByText("Cleo", { exact: true }).waitFor();
});

test("a restart of the server: both windows come back by themselves, with what was theirs", { timeout: 120000 },
	async () => {
		const [a, b] = await openOnTwoShards();
		for (const [window, name, clicks] of [[a, "Ana", 3], [b, "Ben", 5]]) {
			for (let click = 1; click <= clicks; click++)
				await window.get("counter-increment").click();
			await window.shows("counter-value", clicks);
			await window.joinChat(name, "restart");
			await window.hears("a signature of the count", signatureOf("Counter", ({ count }) => count === clicks));
			await window.hears("a signature of the seat", signatureOf("ChatRoom", (s) => s.currentRoom === "restart"));
			window.expectDowntime();
		}

		assert.equal(await server.stop(), 0, "the server's exit code");
		await Promise.all([a.isReconnecting(), b.isReconnecting()]);
		assert.ok(await a.get("counter-increment").isDisabled());
		await server.start();
		await Promise.all([a.isConnected(), b.isConnected()]);

		await a.shows("shared-viewers", "2 windows");
		await a.shows("counter-value", 3);
		await b.shows("counter-value", 5);
		await a.get("counter-increment").click();
		await a.shows("counter-value", 4);

		await b.get("shared-reset").click();
		await a.shows("shared-value", 0);
		await a.get("shared-increment").click();
		await b.shows("shared-value", 1);

		for (const window of [a, b]) {
			await window.shows("chat-current-room", "restart");
			for (const name of ["Ana", "Ben"])
				await window.get("chat-users").getByText(name, { exact: true }).waitFor();
		}
		await a.say("still here");
		await b.showsMessage("still here");
		await b.say("me too");
		await a.showsMessage("me too");
	});

test("rooms of the client: events and state reach the others, also after a restart", { timeout: 120000 }, async () => {
	const [a, b] = await openOnTwoShards();
	for (const { page } of [a, b])
		await page.evaluate(joinPlainRoom);
	await a.page.evaluate(() => room.emit("greeting", { text: "hello" }));
	await b.page.waitForFunction(() => heard.includes("hello"));
	await b.page.evaluate(() => room.setState({ topic: "tea", nested: { b: 1 } }));
	await a.page.waitForFunction(() => room.state.topic === "tea" && room.state.nested.b === 1);

	[a, b].forEach((window) => window.expectDowntime());
	assert.equal(await server.stop(), 0, "the server's exit code");
	await Promise.all([a.isReconnecting(), b.isReconnecting()]);
	await server.start();
	for (const { page } of [a, b])
		await page.waitForFunction(() => rejoined);
	await b.page.evaluate(() => room.emit("greeting", { text: "again" }));
	await a.page.waitForFunction(() => heard.includes("again"));
});

test("things to do: the server says what is wrong with them", { timeout: 60000 }, async () => {
	const window = await open();
	const add = async (title, priority = "") => {
		await window.get("todo-text").fill(title);
		await window.get("todo-priority").selectOption(priority);
		await window.get("todo-add").click();
	};
	const refused = "Action 'add' payload validation failed: payload.";
	await add(" ");
	await window.shows("todo-error", `${refused}title: must match \\S`);
	await add("x".repeat(81));
	await window.shows("todo-error", `${refused}title: must have at most 80 characters`);
	await add("paint the fence", "yesterday");
	await window.shows("todo-error", `${refused}priority: must be one of "low", "normal", "high"`);
	assert.equal(await window.get("todo-item").count(), 0);

	await add("paint the fence", "high");
	await window.shows("todo-error", "");
	const item = window.get("todo-item");
	await item.getByText("paint the fence").waitFor();
	await item.getByText("high", { exact: true }).waitFor();
	await add("water the roses");
	await item.nth(1).getByText("water the roses").waitFor();
	await item.first().getByRole("checkbox").click();
	await window.page.locator(".things .done").waitFor();
	await item.first().getByRole("button").click();
	await window.page.waitForFunction(() => document.querySelectorAll('[data-testid="todo-item"]').length === 1);
	assert.match(await item.textContent(), /water the roses/);
});

test("the admin panel: nobody in without a sign-on, and not everybody may do everything", { timeout: 60000 }, async () => {
	const [ada, bob] = [await open(), await open()];
	const signOn = async (window, token) => {
		await window.get("admin-token").fill(token);
		await window.get("admin-enter").click();
	};
	await ada.shows("admin-refusal", "The server says: AUTH_DENIED: Authentication required");
	assert.equal(await ada.get("admin-text").isVisible(), false);
	await signOn(ada, "example-nobody");
	await ada.shows("admin-error", "That token is not known here.");
	await signOn(ada, "example-guest");
	await ada.shows("admin-refusal", "The server says: AUTH_DENIED: Insufficient roles. Required one of: admin");
	await signOn(ada, "example-ada");
	await ada.shows("admin-tag", "Ada");
	await signOn(bob, "example-bob");
	await bob.shows("admin-tag", "Bob");

	await bob.get("admin-text").fill("the kettle is new");
	await bob.get("admin-announce").click();
	await ada.shows("admin-notices", "the kettle is new bob");
	await bob.get("admin-wipe").click();
	await bob.shows("admin-error",
		"AUTH_DENIED: Insufficient permissions for action 'wipe'. Required all: notices.wipe");
	await ada.get("admin-wipe").click();
	await bob.shows("admin-notices", "");
});

test("a sign-on outlives a restart of the server", { timeout: 60000 }, async () => {
	const window = await open();
	await window.get("admin-token").fill("example-ada");
	await window.get("admin-enter").click();
	await window.shows("admin-tag", "Ada");
	window.expectDowntime();
	assert.equal(await server.stop(), 0, "the server's exit code");
	await window.isReconnecting();
	await server.start();
	await window.get("admin-text").waitFor();
	await window.get("admin-text").fill("back again");
	await window.get("admin-announce").click();
	await window.shows("admin-notices", "back again ada");
});

test("on a phone nothing sticks out", { timeout: 60000 }, async () => {
	const window = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
	await window.get("shared-increment").tap();
	await window.joinChat("Somebody with a long name", "a-room-with-a-rather-long-name");
	await window.say(`${"long".repeat(60)} and then some words`);
	await window.showsMessage("and then some words");
	await window.get("board-text").fill("wide".repeat(50));
	await window.get("board-add").tap();
	await window.get("board-card").waitFor();
	await window.get("todo-text").fill("far".repeat(26));
	await window.get("todo-priority").selectOption("high");
	await window.get("todo-add").tap();
	await window.get("todo-item").waitFor();
	const widths = await window.page.evaluate(() => {
		const { scrollWidth, clientWidth } = document.documentElement;
		return { scrollWidth, clientWidth };
	});
	assert.equal(widths.clientWidth, 390);
	assert.equal(widths.scrollWidth, 390);
});

/** In a window: joins a room that only clients know, and leaves `room`, `heard` and `rejoined` for the test to look at. */
async function joinPlainRoom() {
	const { handle } = FluxstackLive.useLive("Counter", { count: 0 });
	await new Promise((resolve) => handle.onIdChange(resolve));
	Object.assign(globalThis, { room: handle.rooms.createHandle("plain"), heard: [], rejoined: false });
	room.on("greeting", ({ text }) => heard.push(text));
	await room.join({ topic: "none" });
	const before = handle.componentId;
	room.onSystem("state:change", () => {
		rejoined = handle.componentId !== null && handle.componentId !== before;
	});
}

/** Accepts the STATE_SIGNATURE of component `name` in a state that `accept` likes: from then on it can come back so. */
function signatureOf(name, accept) {
	return ({ type, payload }) => {
		if (type !== "STATE_SIGNATURE")
			return false;
		const state = JSON.parse(payload.signedState.data);
		return state.__componentName === name && accept(state);
	};
}
