/** Browser windows that show the page. Each knows what went wrong in it and what came over its WebSocket. */
import { chromium } from "playwright-core";

const DEADLINE = 20000;
const FLAGS = [
	"--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
	"--disable-component-update", "--disable-sync",
];

/** A browser of its own, with a profile that is removed with it. */
export function openBrowser() {
	return chromium.launch({ executablePath: process.env.CHROMIUM, headless: true, args: FLAGS });
}

export class Window {
	#context;
	#frames = [];
	#waiters = new Set();
	#errors = [];
	#downtime = false;
	requested = [];

	/** Opens the page at `url` in a context of its own: nothing is shared with other windows but the server. */
	static async open(browser, url, options = {}) {
		const window = new Window();
		window.url = url;
		window.#context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
		window.page = await window.#context.newPage();
		window.page.setDefaultTimeout(DEADLINE);
		window.#listen();
		await window.page.goto(url);
		await window.isConnected();
		return window;
	}

	close() {
		return this.#context.close();
	}

	get(id) {
		return this.page.getByTestId(id);
	}

	/** Waits until the element's text is exactly `text`. */
	async shows(id, text) {
		const matches = ([selector, wanted]) => document.querySelector(selector)?.textContent === wanted;
		await this.#waitFor(matches, [`[data-testid="${id}"]`, String(text)], async () => {
			return `${id} shows "${await this.get(id).textContent()}", not "${text}"`;
		});
	}

	async showsMessage(text) {
		await this.get("chat-message").filter({ hasText: text }).first().waitFor();
	}

	isConnected() {
		return this.#connectionIs("connected");
	}

	isReconnecting() {
		return this.#connectionIs("reconnecting");
	}

	/** The shard that serves this window, once the server has told. */
	async shard() {
		await this.page.waitForFunction(() => document.querySelector('[data-testid="shard"]').dataset.shard !== "");
		return Number(await this.get("shard").getAttribute("data-shard"));
	}

	async joinChat(name, room) {
		await this.get("chat-name").fill(name);
		await this.get("chat-room").fill(room);
		await this.get("chat-join").click();
		await this.shows("chat-current-room", room);
	}

	async say(text) {
		await this.get("chat-text").fill(text);
		await this.get("chat-send").click();
	}

	/** Waits for a frame from the server that `accept` likes; those that came before count, too. */
	async hears(what, accept) {
		if (this.#frames.some(accept))
			return;
		await new Promise((resolve, reject) => {
			const waiter = { accept, resolve };
			const timer = setTimeout(() => {
				this.#waiters.delete(waiter);
				reject(new Error(`did not hear ${what} within ${DEADLINE} ms`));
			}, DEADLINE);
			waiter.resolve = () => {
				clearTimeout(timer);
				resolve();
			};
			this.#waiters.add(waiter);
		});
	}

	/** From now on the server may be away, and the browser's own line about a refused WebSocket is no error. */
	expectDowntime() {
		this.#downtime = true;
	}

	/** What was logged as an error or warning, or thrown, and is not the browser's line about the downtime. */
	get errors() {
		const socket = `${this.url.replace("http:", "ws:")}/api/live/ws`;
		const refused = `WebSocket connection to '${socket}' failed: ` +
			"Error in connection establishment: net::ERR_CONNECTION_REFUSED";
		return this.#errors.filter((text) => !(this.#downtime && text === refused));
	}

	#listen() {
		this.page.on("console", (message) => {
			if (["error", "warning"].includes(message.type()))
				this.#errors.push(message.text());
		});
		this.page.on("pageerror", (error) => this.#errors.push(`thrown: ${error.message}`));
		this.page.on("request", (request) => this.requested.push(request.url()));
		this.page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => this.#heard(payload)));
	}

	#heard(payload) {
		for (const frame of [JSON.parse(payload)].flat()) {
			this.#frames.push(frame);
			for (const waiter of this.#waiters)
				if (waiter.accept(frame)) {
					this.#waiters.delete(waiter);
					waiter.resolve();
				}
		}
	}

	async #connectionIs(state) {
		await this.get("connection").and(this.page.locator(`[data-state="${state}"]`)).waitFor();
	}

	async #waitFor(condition, argument, explain) {
		try {
			await this.page.waitForFunction(condition, argument);
		} catch (error) {
			throw new Error(`${await explain()} (${error.message.split("\n")[0]})`);
		}
	}
}
