/** The server under test: started on a port of its own, stopped as an operator would, never left behind. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const DEADLINE = 15000;
const SHARDS = 4;
const TOKENS = fileURLToPath(new URL("../../examples/admin_panel/tokens.json", import.meta.url));

function environment(name) {
	const value = process.env[name];
	if (!value)
		throw new Error(`${name} is not set: start these tests with run.sh`);
	return value;
}

function within(promise, what) {
	let timer;
	const late = new Promise((_, reject) => {
		timer = setTimeout(() => reject(new Error(`${what} took longer than ${DEADLINE} ms`)), DEADLINE);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export class Server {
	static SHARDS = SHARDS;
	url = "";
	#process = null;
	#exited = null;
	#log = [];
	#secret = `e2e-${process.pid}-${Date.now()}`;
	#components;

	/** `components`: the folder of what it serves, when it is not all. */
	constructor({ components = environment("LIVE_COMPONENTS") } = {}) {
		this.#components = components;
	}

	/** Starts it on a free port, or, once it has run, on the port it had. */
	async start() {
		const port = this.url ? new URL(this.url).port : "0";
		const options = {
			"--host": "127.0.0.1", "--port": port, "--shards": String(SHARDS),
			"--components": this.#components, "--public": environment("LIVE_PUBLIC"),
			"--tokens-file": TOKENS,
		};
		const child = spawn(environment("LIVE_SERVER"), Object.entries(options).flat(), {
			env: { ...process.env, LIVE_STATE_SECRET: this.#secret },
			stdio: ["ignore", "pipe", "pipe"],
		});
		this.#process = child;
		this.#exited = once(child, "exit");
		const killChild = () => child.kill("SIGKILL");
		process.once("exit", killChild);
		child.once("exit", () => process.off("exit", killChild));
		createInterface({ input: child.stderr }).on("line", (line) => this.#log.push(line));
		const listening = new Promise((resolve, reject) => {
			createInterface({ input: child.stdout }).on("line", (line) => {
				this.#log.push(line);
				const address = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line);
				if (address)
					resolve(address[1]);
			});
			child.on("error", reject);
			child.on("exit", (code, signal) => reject(new Error(`the server ended with ${code ?? signal}\n${this.log}`)));
		});
		this.url = await within(listening, "starting the server");
	}

	/** Asks it to end; returns its exit code. */
	async stop() {
		const child = this.#process;
		if (!child)
			return 0;
		this.#process = null;
		child.kill("SIGTERM");
		try {
			const [code, signal] = await within(this.#exited, "stopping the server");
			return code ?? signal;
		} catch (error) {
			child.kill("SIGKILL");
			throw new Error(`${error.message}\n${this.log}`);
		}
	}

	get log() {
		return this.#log.slice(-40).join("\n");
	}
}
