/**
 * Random sessions of this client on a real server: what a handle holds, and what its rooms hold, is what the server holds,
 * byte by byte, at every quiet moment, over lost links too.
 *
 * Environment: LIVE_SERVER, the program; LIVE_COMPONENTS, the folder with Page and Wall (tests/integration/components);
 * TEST_SEED repeats a run as far as the clients go.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { LiveComponentHandle } from "../../src/component";
import { LiveConnection } from "../../src/connection";
import { clientMessages } from "../../src/messages";
import type { State } from "../../src/types";
import { NodeLink } from "./link";

const CLIENTS = 8, ROUNDS = 12, STEPS = 10;
const DEADLINE = 30000;
const ROOM = "lobby";

let server: ChildProcess;
let url = "";

before(async () => {
	const options = { host: "127.0.0.1", port: 0, shards: 3, rate_limit_tokens: 0, components: process.env.LIVE_COMPONENTS! };
	const words = Object.entries(options).flatMap(([name, value]) => [`--${name.replaceAll("_", "-")}`, String(value)]);
	server = spawn(process.env.LIVE_SERVER!, words, { stdio: ["ignore", "pipe", "inherit"] });
	const [line] = await once(createInterface({ input: server.stdout! }), "line");
	url = /listening on http(:\/\/\S+)/.exec(line)?.[1] ?? "";
	assert.ok(url, "the server did not start");
	url = `ws${url}/api/live/ws`;
});

after(async () => {
	server.kill("SIGTERM");
	const [code] = await once(server, "exit");
	assert.equal(code, 0);
});

/* ---- chance ---- */

class Chance {
	constructor(private state: number) {}

	/** mulberry32 */
	below(bound: number): number {
		this.state = (this.state + 0x6d2b79f5) | 0;
		let z = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
		z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
		return ((z ^ (z >>> 14)) >>> 0) % bound;
	}

	value(depth = 3): unknown {
		const kind = this.below(depth ? 12 : 7);
		if (kind === 0)
			return null;
		if (kind < 5)
			return [0, 1, -2.5, true, 2 ** 53 - 1, 1e300][this.below(6)];
		if (kind < 7)
			return ["", "s", "é\"\\\n\u0001 😀"][this.below(3)];
		const few = Array.from({ length: this.below(4) }, () => this.value(depth - 1));
		return kind < 8 ? few : Object.fromEntries(few.map((value) => [`k${this.below(4)}`, value]));
	}

	/** Mostly something close to `value`, so that deltas are small. */
	near(value: unknown): unknown {
		if (typeof value !== "object" || value === null || Array.isArray(value) || this.below(3) === 0)
			return this.value();
		const key = `k${this.below(4)}`;
		const { [key]: old, ...rest } = value as State;
		return this.below(4) ? { ...rest, [key]: this.near(old) } : rest;
	}
}

function canonical(value: unknown): string {
	return JSON.stringify(value, (_key, inner) => inner && typeof inner === "object" && !Array.isArray(inner)
		? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner);
}

/* ---- a client ---- */

async function until(what: string, holds: () => boolean): Promise<void> {
	for (const end = Date.now() + DEADLINE; !holds(); await new Promise((resolve) => setTimeout(resolve, 2)))
		assert.ok(Date.now() < end, `waited in vain for ${what}`);
}

class Player {
	readonly connection: LiveConnection;
	readonly page: LiveComponentHandle;
	readonly wall: LiveComponentHandle;
	private readonly links: NodeLink[] = [];
	private readonly key: string;
	private waiting: Promise<unknown>[] = [];

	constructor(private readonly chance: Chance, number: number) {
		const transport = (to: string) => {
			this.links.push(new NodeLink(to));
			return this.links.at(-1)!;
		};
		this.key = `p${number}`;
		this.connection = new LiveConnection({ url, transport, reconnectInterval: 5 });
		this.page = new LiveComponentHandle(this.connection, "Page", { initialState: { a: this.chance.value() } });
		this.wall = new LiveComponentHandle(this.connection, "Wall");
	}

	ready(): Promise<void> {
		return until("the components", () => this.page.mounted && this.wall.mounted && this.room.joined);
	}

	async start(): Promise<void> {
		await until("the mounts", () => this.page.mounted && this.wall.mounted);
		await this.room.join();
	}

	private get room() {
		return this.page.rooms.createHandle(ROOM);
	}

	step(): void {
		const what = this.chance.below(8);
		if (what < 4) {
			const patches = ["p", "q", "r"].slice(0, 1 + this.chance.below(3)).map((name) => {
				const key = ["a", "b", "d"][this.chance.below(3)]!;
				return [name, { [key]: this.chance.near(this.page.state[key]) }];
			});
			this.waiting.push(this.page.call("set", Object.fromEntries(patches)));
		} else if (what < 6) {
			const value = this.chance.near(this.wall.state[this.key]);
			this.waiting.push(this.wall.call("set", { p: { [this.key]: value } }));
		} else {
			this.room.setState({ [this.key]: this.chance.near(this.room.state[this.key]) });
		}
	}

	async quiet(): Promise<void> {
		await Promise.all(this.waiting);
		this.waiting = [];
	}

	/** The link is lost; the client is to come back by itself, with the state that it had. */
	async lose(): Promise<void> {
		await this.quiet();
		this.links.at(-1)!.cut();
		await until("the loss", () => !this.page.mounted);
		await this.ready();
	}

	/** What the server has, asked for behind all that it has said before. */
	async compare(where: string): Promise<void> {
		const page = await this.page.call("show");
		assert.equal(canonical(this.page.state), canonical(page), `${where}: the page`);
		const wall = await this.wall.call("show");
		assert.equal(canonical(this.wall.state), canonical(wall), `${where}: the wall`);
		const request = clientMessages.roomStateGet(this.page.componentId!, ROOM);
		const reply = await this.connection.sendMessageAndWait(request, DEADLINE);
		assert.equal(canonical(this.room.state), canonical((reply.payload as State).state), `${where}: the room`);
	}

	end(): void {
		this.page.destroy();
		this.wall.destroy();
		this.connection.destroy();
	}
}

async function play(seed: number): Promise<void> {
	const chance = new Chance(seed);
	const players = Array.from({ length: CLIENTS }, (_, number) => new Player(chance, number));
	try {
		for (const player of players)
			await player.start();
		for (let round = 0; round < ROUNDS; round++) {
			for (let i = 0; i < CLIENTS * STEPS; i++)
				players[chance.below(CLIENTS)]!.step();
			await Promise.all(players.map((player) => player.quiet()));
			/* Behind an answer of each home nothing of before is on its way. */
			await Promise.all(players.map((player, i) => player.compare(`TEST_SEED=${seed}, round ${round}, client ${i}`)));
			await players[1 + chance.below(CLIENTS - 1)]!.lose();
		}
	} finally {
		players.forEach((player) => player.end());
	}
}

const seeds = process.env.TEST_SEED ? [Number(process.env.TEST_SEED)] : [1, 2, Math.floor(Math.random() * 2 ** 31)];
for (const seed of seeds)
	test(`what clients hold is what the server holds, TEST_SEED=${seed}`, () => play(seed));
