/** A clock and a server in the test's hand: nothing here waits for real time or for a real network. */
import { LiveConnection, type LiveConnectionOptions } from "../src/connection";
import type { Clock } from "../src/clock";
import type { ClientTransport, TransportListener } from "../src/transport";
import type { ServerFrame, SignedState, State } from "../src/types";

export class FakeClock implements Clock {
	private time = 1_700_000_000_000;
	private timers: { due: number; task: () => void }[] = [];

	now(): number {
		return this.time;
	}

	after(ms: number, task: () => void): () => void {
		const timer = { due: this.time + ms, task };
		this.timers.push(timer);
		return () => {
			this.timers = this.timers.filter((other) => other !== timer);
		};
	}

	/** The delays (ms from now) of all timers that are set, shortest first. */
	get pending(): number[] {
		return this.timers.map(({ due }) => due - this.time).sort((a, b) => a - b);
	}

	/** Lets `ms` pass, running what falls due, in order. */
	async advance(ms: number): Promise<void> {
		const end = this.time + ms;
		for (;;) {
			const next = this.timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due)[0];
			if (!next)
				break;
			this.timers = this.timers.filter((other) => other !== next);
			this.time = next.due;
			next.task();
			await settle();
		}
		this.time = end;
	}
}

/** Lets every promise that can go on go on. */
export function settle(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

/** One link, seen from the server. */
export class FakeLink implements ClientTransport {
	readonly kind = "fake";
	readonly socket = null;
	isOpen = false;
	closed = false;
	failSends = false;
	sent: any[] = [];
	private listener!: TransportListener;

	open(listener: TransportListener): void {
		this.listener = listener;
	}

	send(message: string | Uint8Array): void {
		if (!this.isOpen || this.failSends)
			throw new Error("link is down");
		this.sent.push(typeof message === "string" ? JSON.parse(message) : message);
	}

	close(): void {
		this.isOpen = false;
		this.closed = true;
	}

	/* ---- what the server does ---- */

	async accept(): Promise<void> {
		this.isOpen = true;
		this.listener.onOpen();
		await settle();
	}

	async establish(fields: State = {}): Promise<void> {
		await this.accept();
		await this.push({ type: "CONNECTION_ESTABLISHED", connectionId: "q7Zt_0Lm", ...fields });
	}

	async push(message: ServerFrame | ServerFrame[] | string | Uint8Array): Promise<void> {
		if (message instanceof Uint8Array)
			this.listener.onBinary(message);
		else
			this.listener.onText(typeof message === "string" ? message : JSON.stringify(message));
		await settle();
	}

	async lose(code = 1006, reason = ""): Promise<void> {
		this.isOpen = false;
		this.listener.onClose(code, reason);
		await settle();
	}

	/** The frames of `type` that came in so far. */
	received(type: string): any[] {
		return this.sent.filter((frame) => frame.type === type);
	}

	/** Answers the newest request of `type` that came in. */
	async reply(type: string, answer: Partial<ServerFrame>): Promise<void> {
		const request = this.received(type).at(-1);
		if (!request)
			throw new Error(`no ${type} came in, only ${this.sent.map((frame) => frame.type)}`);
		await this.push({ type: "MESSAGE_RESPONSE", success: true, requestId: request.requestId, ...answer });
	}

	async replyMount(componentId: string, initialState: State = {}, signedState?: SignedState | null): Promise<void> {
		await this.reply("COMPONENT_MOUNT", { result: { componentId, initialState, signedState } });
	}
}

export class FakeServer {
	readonly clock = new FakeClock();
	readonly links: FakeLink[] = [];

	get link(): FakeLink {
		return this.links.at(-1)!;
	}

	connect(options: LiveConnectionOptions = {}): LiveConnection {
		const transport = (): ClientTransport => {
			this.links.push(new FakeLink());
			return this.link;
		};
		return new LiveConnection({ url: "ws://test/api/live/ws", transport, clock: this.clock, ...options });
	}
}

export function signed(componentId: string, version = 1, data = "{}"): SignedState {
	return { data, signature: "s".repeat(64), timestamp: 1_700_000_000_000, version, componentId };
}
