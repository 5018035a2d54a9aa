/**
 * The connection of a page to its server. It keeps one link open (and opens the next one when it breaks), signs on,
 * matches replies with requests, and hands pushes to the components they are for. What components do after a lost link
 * is their own business: they watch the state.
 */
import { Backoff } from "./backoff";
import { BINARY_ROOM_EVENT, BINARY_ROOM_STATE, BINARY_STATE_DELTA, readBinaryStateDelta } from "./binary";
import { systemClock, type Clock } from "./clock";
import { authFields, UNLINKED, type LiveConnectionState } from "./connection-state";
import { defaultEndpoint } from "./endpoint";
import { Heartbeat } from "./heartbeat";
import { generateId } from "./ids";
import { callSafely, Listeners } from "./listeners";
import { clientMessages } from "./messages";
import { onPageWake } from "./page-wake";
import { readAuthPayload } from "./readers";
import { RequestTable } from "./requests";
import { FrameRouter, type FrameCallback } from "./router";
import type { ClientTransport, TransportFactory } from "./transport";
import { isObject, type ClientFrame, type LiveCredentials, type ServerFrame, type Unsubscribe } from "./types";
import { WebSocketTransport } from "./websocket-transport";

const CLOSE_NORMAL = 1000;
const CLOSE_ORIGIN_REFUSED = 4003;
const REQUEST_TIMEOUT = 10000;
const AUTH_ON_CONNECT_TIMEOUT = 10000;
const AUTH_TIMEOUT = 5000;
const RECONNECT_PAUSE = 100;
const NOT_CONNECTED = "WebSocket is not connected";

export interface LiveConnectionOptions {
	/** The server's WebSocket address; by default the page's own host. */
	url?: string;
	/** Sent after every connect, if it has a value that is not empty. */
	auth?: LiveCredentials;
	/** Connect at once (default true). */
	autoConnect?: boolean;
	/** The first delay (ms, default 1000) before connecting again; it doubles up to 16 s. */
	reconnectInterval?: number;
	/** 0 or Infinity (the default): never give up. */
	maxReconnectAttempts?: number;
	/** Between two pings (ms, default 30000). */
	heartbeatInterval?: number;
	/** Log every frame to the console (default false). */
	debug?: boolean;
	/** How messages travel: by WebSocket, or by what the function makes. */
	transport?: "websocket" | TransportFactory;
	clock?: Clock;
}

export class LiveConnection {
	readonly url: string;

	private current: LiveConnectionState = { ...UNLINKED, error: null };
	private credentials: LiveCredentials | undefined;
	private link: ClientTransport | null = null;
	/** Whether a lost link is to be replaced. */
	private wanted = false;
	private stopRetry: Unsubscribe | null = null;

	private readonly clock: Clock;
	private readonly makeTransport: TransportFactory;
	private readonly debug: boolean;
	private readonly requests: RequestTable;
	private readonly router: FrameRouter;
	private readonly backoff: Backoff;
	private readonly heartbeat: Heartbeat;
	private readonly stateListeners = new Listeners<[LiveConnectionState]>();
	private readonly binaryHandlers = new Map<string, (payload: Uint8Array) => void>();
	private readonly roomBinaryListeners = new Listeners<[Uint8Array]>();
	private readonly stopWatchingPage: Unsubscribe;

	constructor(options: LiveConnectionOptions = {}) {
		const { transport = "websocket" } = options;
		this.url = options.url ?? defaultEndpoint();
		this.credentials = options.auth;
		this.debug = options.debug ?? false;
		this.clock = options.clock ?? systemClock;
		this.makeTransport = transport === "websocket" ? (url) => new WebSocketTransport(url) : transport;
		this.requests = new RequestTable(this.clock);
		this.router = new FrameRouter(this.clock);
		this.backoff = new Backoff(options.reconnectInterval ?? 1000, options.maxReconnectAttempts ?? Infinity);
		this.heartbeat = new Heartbeat(this.clock, {
			interval: options.heartbeatInterval ?? 30000,
			ping: () => this.transmit(clientMessages.ping()),
			onDead: () => this.replaceDeadLink(),
		});
		this.stopWatchingPage = onPageWake(() => this.retryNow());
		if (options.autoConnect ?? true)
			this.connect();
	}

	get state(): LiveConnectionState {
		return this.current;
	}

	onStateChange(callback: (state: LiveConnectionState) => void): Unsubscribe {
		return this.stateListeners.add(callback);
	}

	/* ---- the link ---- */

	/** Opens a link, unless there is one already. */
	connect(): void {
		this.wanted = true;
		if (this.link)
			return;
		this.cancelRetry();
		const link = this.makeTransport(this.url);
		const ifCurrent = (action: () => void): void => {
			if (this.link === link)
				action();
		};
		this.link = link;
		this.setState({ connecting: true, error: null, transport: link.kind });
		if (this.link !== link)
			return; /* a listener has called disconnect() */
		link.open({
			onOpen: () => ifCurrent(() => this.opened()),
			onText: (text) => ifCurrent(() => this.receiveText(text)),
			onBinary: (bytes) => ifCurrent(() => this.receiveBinary(bytes)),
			onClose: (code, reason) => ifCurrent(() => this.closed(code, reason)),
		});
	}

	/** Closes the link; it is not opened again by itself. */
	disconnect(): void {
		this.wanted = false;
		this.cancelRetry();
		this.dropLink("client disconnected", null);
	}

	/** Closes the link and opens another one, a moment later. */
	reconnect(): void {
		this.disconnect();
		this.wanted = true;
		this.retryAfter(RECONNECT_PAUSE);
	}

	/** Ends the connection for good. */
	destroy(): void {
		this.requests.failAll(new Error("Connection destroyed"));
		this.disconnect();
		this.stopWatchingPage();
		this.stateListeners.clear();
		this.roomBinaryListeners.clear();
		this.binaryHandlers.clear();
	}

	getTransport(): ClientTransport | null {
		return this.link;
	}

	getWebSocket(): WebSocket | null {
		return this.link?.socket ?? null;
	}

	/* ---- sending ---- */

	generateRequestId(): string {
		return generateId();
	}

	async sendMessage(message: ClientFrame): Promise<void> {
		this.transmit(message);
	}

	/** Resolves with the reply. Rejects when it says failure, does not come in time, or the link is lost before it. */
	async sendMessageAndWait(message: ClientFrame, timeout = REQUEST_TIMEOUT): Promise<ServerFrame> {
		const requestId = generateId();
		const reply = this.requests.wait(requestId, timeout, { request: message });
		this.transmitRequest(requestId, () => this.transmit({ ...message, requestId, expectResponse: true }));
		return reply;
	}

	/** Sends bytes that carry `requestId` in themselves, and waits as `sendMessageAndWait` does. */
	async sendBinaryAndWait(
		buffer: ArrayBuffer | Uint8Array, requestId: string, timeout = REQUEST_TIMEOUT,
	): Promise<ServerFrame> {
		const timeoutText = `Binary request timeout after ${timeout}ms`;
		const reply = this.requests.wait(requestId, timeout, { timeoutText });
		const bytes = buffer instanceof Uint8Array ? buffer : new Uint8Array(buffer);
		this.transmitRequest(requestId, () => this.transmit(bytes));
		return reply;
	}

	/** Signs on, now and after every reconnect to come. Resolves with whether the server took it; never rejects. */
	async authenticate(credentials: LiveCredentials): Promise<boolean> {
		const accepted = await this.signOn(credentials, AUTH_TIMEOUT);
		if (accepted)
			this.credentials = credentials;
		return accepted;
	}

	/* ---- receiving ---- */

	/** Hands pushes for `id` to `callback`, beginning with those of the last seconds that came too early for it. */
	registerComponent(id: string, callback: FrameCallback): Unsubscribe {
		this.router.register(id, callback);
		return () => this.unregisterComponent(id);
	}

	unregisterComponent(id: string): void {
		this.router.unregister(id);
	}

	/** Hands the payload of component `id`'s binary deltas to `callback`. */
	registerBinaryHandler(id: string, callback: (payload: Uint8Array) => void): Unsubscribe {
		this.binaryHandlers.set(id, callback);
		return () => this.unregisterBinaryHandler(id);
	}

	unregisterBinaryHandler(id: string): void {
		this.binaryHandlers.delete(id);
	}

	/** Hands every binary room frame, whole, to `callback`. */
	registerRoomBinaryHandler(callback: (frame: Uint8Array) => void): Unsubscribe {
		return this.roomBinaryListeners.add(callback);
	}

	/* ---- private parts ---- */

	private setState(changes: Partial<LiveConnectionState>): void {
		this.current = { ...this.current, ...changes };
		this.stateListeners.emit(this.current);
	}

	private log(...what: unknown[]): void {
		if (this.debug)
			console.debug("[live]", ...what);
	}

	private transmit(message: ClientFrame | Uint8Array): void {
		if (!this.link?.isOpen)
			throw new Error(NOT_CONNECTED);
		this.log("sent", message);
		this.link.send(message instanceof Uint8Array ? message : JSON.stringify(message));
	}

	private transmitRequest(requestId: string, send: () => void): void {
		try {
			send();
		} catch (error) {
			this.requests.fail(requestId, error instanceof Error ? error : new Error(String(error)));
		}
	}

	private opened(): void {
		this.backoff.reset();
		this.heartbeat.start();
		this.setState({ connected: true, connecting: false, error: null });
	}

	private closed(code: number, reason: string): void {
		this.log("closed", code, reason);
		if (code === CLOSE_ORIGIN_REFUSED) {
			this.wanted = false;
			this.forgetLink(code, reason, "Connection rejected: origin not allowed");
			return;
		}
		this.forgetLink(code, reason, this.current.error);
		/* A listener may just have connected, or asked not to. */
		if (this.wanted && !this.link)
			this.scheduleRetry();
	}

	/** Closes the link ourselves: its own close event comes later, or never, and is not waited for. */
	private dropLink(reason: string, error: string | null): void {
		const link = this.link;
		if (!link)
			return;
		this.forgetLink(CLOSE_NORMAL, reason, error);
		link.close(CLOSE_NORMAL, reason);
	}

	private forgetLink(code: number, reason: string, error: string | null): void {
		this.link = null;
		this.heartbeat.stop();
		this.router.dropWaiting();
		this.requests.failAll(new Error(`Connection lost (${code}: ${reason})`));
		this.setState({ ...UNLINKED, error });
	}

	private scheduleRetry(): void {
		const delay = this.backoff.next();
		if (delay === null) {
			this.wanted = false;
			this.setState({ error: "Max reconnection attempts reached" });
			return;
		}
		this.log(`connecting again in ${delay} ms`);
		this.retryAfter(delay);
	}

	private retryAfter(delay: number): void {
		this.cancelRetry();
		this.stopRetry = this.clock.after(delay, () => this.connect());
	}

	private cancelRetry(): void {
		this.stopRetry?.();
		this.stopRetry = null;
	}

	/** Something changed for the better: try at once, if there is a try to come. */
	private retryNow(): void {
		if (!this.wanted || this.link)
			return;
		this.backoff.reset();
		this.connect();
	}

	private replaceDeadLink(): void {
		this.dropLink("heartbeat failed", "Heartbeat failed");
		this.retryAfter(RECONNECT_PAUSE);
	}

	private receiveText(text: string): void {
		let message: unknown;
		try {
			message = JSON.parse(text);
		} catch {
			this.setState({ error: "Failed to parse message" });
			return;
		}
		for (const frame of Array.isArray(message) ? message : [message])
			if (isObject(frame) && typeof frame.type === "string")
				this.receiveFrame(frame as ServerFrame);
	}

	private receiveFrame(frame: ServerFrame): void {
		this.log("received", frame);
		if (frame.type === "CONNECTION_ESTABLISHED")
			this.established(frame);
		else if (!this.requests.settle(frame))
			this.router.dispatch(frame);
	}

	private receiveBinary(bytes: Uint8Array): void {
		if (bytes[0] === BINARY_ROOM_EVENT || bytes[0] === BINARY_ROOM_STATE) {
			this.roomBinaryListeners.emit(bytes);
			return;
		}
		const delta = bytes[0] === BINARY_STATE_DELTA ? readBinaryStateDelta(bytes) : null;
		const handler = delta && this.binaryHandlers.get(delta.componentId);
		if (handler)
			callSafely(handler, delta.payload);
	}

	private established(frame: ServerFrame): void {
		const connectionId = typeof frame.connectionId === "string" ? frame.connectionId : null;
		this.setState({ connectionId, ...authFields(frame.authenticated === true, null) });
		if (this.credentials && Object.values(this.credentials).some(Boolean))
			void this.signOn(this.credentials, AUTH_ON_CONNECT_TIMEOUT);
	}

	private async signOn(credentials: LiveCredentials, timeout: number): Promise<boolean> {
		try {
			const reply = readAuthPayload(await this.sendMessageAndWait(clientMessages.auth(credentials), timeout));
			this.setState(authFields(reply.authenticated, reply.session));
			return reply.authenticated;
		} catch (error) {
			this.log("sign-on failed", error);
			if (this.current.connected)
				this.setState(authFields(false, null));
			return false;
		}
	}
}
