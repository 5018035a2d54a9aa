/** The cards of Job and Board: slow work that is watched and cancelled, and a board that all windows share. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "./house.mjs";
import { Wire } from "./wire.mjs";

const { server, open, close, openOnTwoShards } = serve();

/* ---- the job ---- */

async function start(window, size) {
	await window.get("job-size").fill(String(size));
	await window.get("job-start").click();
}

test("a job's progress moves to its end", { timeout: 60000 }, async () => {
	const window = await open();
	assert.equal(await window.get("job-cancel").isDisabled(), true);
	await start(window, 5);
	await window.shows("job-error", "size must be 20 to 10000000");
	await start(window, "");
	await window.shows("job-error", "size must be 20 to 10000000");

	await window.page.evaluate(() => {
		const bar = document.querySelector('[data-testid="job-progress"]');
		globalThis.seen = [];
		new MutationObserver(() => seen.push(bar.value)).observe(bar, { attributeFilter: ["value"] });
	});
	await start(window, 2000000);
	await window.shows("job-status", "Done: 148,933 primes");
	await window.shows("job-error", "");
	const seen = await window.page.evaluate(() => seen);
	assert.deepEqual(seen, [...seen].sort((a, b) => a - b), "it never goes back");
	assert.ok(new Set(seen).size >= 5, `it shows some of its steps: ${seen}`);
	assert.equal(seen.at(-1), 100);
});

test("a job ends when it is told to, and another one begins anew", { timeout: 60000 }, async () => {
	const window = await open();
	await start(window, 10000000);
	await window.page.waitForFunction(() => document.querySelector('[data-testid="job-progress"]').value > 0);
	await window.get("job-cancel").click();
	await window.get("job-status").getByText(/^Cancelled at \d+ %$/).waitFor();
	assert.equal(await window.get("job-cancel").isDisabled(), true);
	await start(window, 1000);
	await window.shows("job-status", "Done: 168 primes");
	assert.equal(await window.page.evaluate(() => document.querySelector('[data-testid="job-progress"]').value), 100);
});

/* ---- the board ---- */

const cardOf = (window, text) => window.get("board-card").filter({ hasText: text });
const cardIn = (window, column, text) => window.get(`board-${column}`).getByTestId("board-card").filter({ hasText: text });

async function write(window, text) {
	await window.get("board-add").and(window.page.locator(":enabled")).waitFor();
	await window.get("board-text").fill(text);
	await window.get("board-text").press("Enter");
}

/** Waits until a column holds exactly these cards, in this order. */
async function holds(window, column, ...texts) {
	const same = ([id, wanted]) => {
		const cards = document.querySelectorAll(`[data-testid="board-${id}"] .text`);
		return JSON.stringify([...cards].map((card) => card.textContent)) === wanted;
	};
	await window.page.waitForFunction(same, [column, JSON.stringify(texts)]);
	await window.shows(`board-${column}-count`, texts.length);
}

async function wipe(window) {
	for (let left; (left = await window.get("board-card").count()) > 0;) {
		await window.get("board-card").first().getByLabel(/^Remove/).click();
		await window.page.waitForFunction((before) => document.querySelectorAll(".slip").length < before, left);
	}
}

test("what one window does to the board, the other shows", { timeout: 120000 }, async () => {
	const [a, b] = await openOnTwoShards();
	await a.shows("board-clients", "2 windows");
	await b.shows("board-clients", "2 windows");
	for (const window of [a, b])
		await window.get("board-people").getByText("you", { exact: true }).waitFor();
	for (const text of ["milk", "tea", "<b>salt</b>"]) {
		await write(a, text);
		await cardIn(b, "todo", text).waitFor();
	}
	await holds(b, "todo", "milk", "tea", "<b>salt</b>");
	await a.shows("board-todo-count", 3);

	await cardOf(b, "tea").getByLabel("Move “tea” to Doing").click();
	await holds(a, "doing", "tea");
	await cardOf(a, "tea").getByLabel("Move “tea” to Done").click();
	await holds(b, "done", "tea");
	assert.equal(await cardOf(b, "tea").getByLabel("No further").isDisabled(), true);

	await cardOf(a, "salt").dragTo(cardOf(a, "milk"), { targetPosition: { x: 20, y: 2 } });
	await holds(b, "todo", "<b>salt</b>", "milk");
	await cardOf(b, "milk").dragTo(b.get("board-doing"));
	await holds(a, "doing", "milk");

	await cardOf(a, "milk").getByLabel(/^Edit/).click();
	await a.page.keyboard.type("two milk");
	await cardOf(b, "milk").getByLabel("Move “milk” to Done").click();
	await holds(a, "done", "tea", "milk"); /* moved while it is being edited, which goes on: */
	await a.page.keyboard.press("Enter");
	await holds(b, "done", "tea", "two milk");

	await cardOf(b, "salt").getByLabel(/^Remove/).click();
	await holds(a, "todo");
	await wipe(a);
	await holds(b, "done");
});

test("the board by the keyboard alone: the focus stays with the card", { timeout: 60000 }, async () => {
	const window = await open();
	const focused = () => window.page.evaluate(() => document.activeElement.getAttribute("aria-label"));
	await write(window, "paint");
	await cardOf(window, "paint").getByLabel("Move “paint” to Doing").press("Enter");
	await holds(window, "doing", "paint");
	assert.equal(await focused(), "Move “paint” to Done");
	await window.page.keyboard.press("Enter");
	await holds(window, "done", "paint");
	assert.equal(await focused(), "Move “paint” to Doing");
	await cardOf(window, "paint").getByLabel("Edit “paint”").press("Enter");
	await window.page.keyboard.type("draw");
	await window.page.keyboard.press("Escape");
	assert.equal(await focused(), "Edit “paint”");
	await wipe(window);
});

test("the server says what does not belong on the board", { timeout: 60000 }, async () => {
	const window = await open();
	await write(window, " ");
	await window.shows("board-error", "Action 'add' payload validation failed: payload.text: must match \\S");
	await write(window, "x".repeat(201));
	await window.shows("board-error", "Action 'add' payload validation failed: payload.text: must have at most 200 characters");
	await write(window, "plain");
	await window.shows("board-error", "");
	await holds(window, "todo", "plain");
	await wipe(window);
});

test("the board survives a reload, and stays when everybody has gone", { timeout: 60000 }, async () => {
	const window = await open();
	await write(window, "to be kept");
	await holds(window, "todo", "to be kept");
	await window.page.reload();
	await holds(window, "todo", "to be kept");
	await cardOf(window, "to be kept").getByLabel(/to Doing$/).click();
	await holds(window, "doing", "to be kept");
	await close(window);
	const next = await open();
	await holds(next, "doing", "to be kept");
	await next.shows("board-clients", "1 window");
	await wipe(next);
});

test("a restart of the server: the windows bring the board back", { timeout: 60000 }, async () => {
	const [a, b] = [await open(), await open()];
	await write(a, "from before");
	for (const window of [a, b]) {
		await window.hears("a signature of the board", ({ type, payload }) =>
			type === "STATE_SIGNATURE" && payload.signedState.data.includes("from before"));
		window.expectDowntime();
	}
	assert.equal(await server.stop(), 0, "the server's exit code");
	await Promise.all([a.isReconnecting(), b.isReconnecting()]);
	await server.start();
	await Promise.all([a.isConnected(), b.isConnected()]);
	for (const window of [a, b]) {
		await window.shows("board-clients", "2 windows");
		await holds(window, "todo", "from before");
	}
	await write(b, "from after");
	await holds(a, "todo", "from before", "from after");
	await wipe(a);
});

test("a window whose wire is cut catches up with the board", { timeout: 60000 }, async () => {
	const wire = await Wire.to(server.url);
	try {
		const [a, b] = [await open({ url: wire.url }), await open()];
		await write(a, "one");
		await holds(b, "todo", "one");
		await b.shows("board-clients", "2 windows");

		a.expectDowntime();
		await wire.cut();
		await a.isReconnecting();
		await b.shows("board-clients", "1 window");
		await write(b, "two");
		await cardOf(b, "one").getByLabel("Move “one” to Doing").click();
		await holds(b, "doing", "one");
		await holds(a, "todo", "one"); /* what it knew last */
		await cardOf(a, "one").getByLabel(/^Remove/).click();
		await a.shows("board-error", "Not connected. Try again in a moment.");

		await wire.mend();
		await a.isConnected();
		await holds(a, "doing", "one");
		await holds(a, "todo", "two");
		await b.shows("board-clients", "2 windows");
		await cardOf(a, "two").getByLabel(/^Remove/).click();
		await holds(b, "todo");
		await a.shows("board-error", "");
		await wipe(b);
	} finally {
		await wire.cut();
	}
});

/* ---- all cards ---- */

test("everything that can be used has a name", { timeout: 60000 }, async () => {
	const window = await open();
	await write(window, "named");
	await holds(window, "todo", "named");
	const nameless = await window.page.evaluate(() =>
		[...document.querySelectorAll("button, input, select, progress")]
			.filter((one) => !(one.getAttribute("aria-label") ?? one.labels?.[0]?.textContent ?? one.textContent).trim())
			.map((one) => one.outerHTML));
	assert.deepEqual(nameless, []);
	await wipe(window);
});
