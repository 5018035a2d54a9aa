/** What a file of page tests needs: a server and a browser for all of them, and windows that are closed after each. */
import assert from "node:assert/strict";
import { get } from "node:http";
import { after, afterEach, before } from "node:test";
import { Server } from "./server.mjs";
import { openBrowser, Window } from "./windows.mjs";

/** Serves the page to the tests of the file that calls this; `options` are the server's. */
export function serve(options) {
	const server = new Server(options);
	const windows = [];
	let browser;

	before(async () => {
		await server.start();
		browser = await openBrowser();
	});

	/* Whatever a test looks at: no window may have logged an error by its end. */
	afterEach(async () => {
		const errors = windows.flatMap((window) => window.errors);
		await Promise.all(windows.splice(0).map((window) => window.close()));
		assert.deepEqual(errors, []);
	});

	after(async () => {
		await browser?.close();
		assert.equal(await server.stop(), 0, "the server's exit code");
	});

	/** A window on the page, of the server itself or at another `url`. */
	async function open({ url = server.url, ...context } = {}) {
		const window = await Window.open(browser, url, context);
		windows.push(window);
		return window;
	}

	async function close(window) {
		windows.splice(windows.indexOf(window), 1);
		assert.deepEqual(window.errors, []);
		await window.close();
	}

	/**
	 * Opens two windows that different shards serve. Which shard takes a connection is the server's choice: ask again. A
	 * server that deals connections out in turn may give each page's last one to the same shard; the lone connection in
	 * between shifts the turn.
	 */
	async function openOnTwoShards() {
		const first = await open();
		const home = await first.shard();
		for (let tries = 0; tries < 40; tries++) {
			const second = await open();
			if ((await second.shard()) !== home)
				return [first, second];
			await close(second);
			await oneMoreConnection(server.url);
		}
		throw new Error(`40 connections in a row went to shard ${home}`);
	}

	return { server, open, close, openOnTwoShards };
}

function oneMoreConnection(url) {
	return new Promise((resolve, reject) => {
		get(url, { agent: false }, (response) => response.resume().once("close", resolve)).once("error", reject);
	});
}
