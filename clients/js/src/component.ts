/**
 * One component that lives on the server, as this page holds it: its state, its actions, and its way back.
 *
 * It mounts when the connection opens. When the link is lost its id on the server is dead; on the next link it shows the
 * server the newest signed state and goes on with it under a new id, or, if the server will not have that, mounts
 * afresh. Calls in between are refused, never queued: whether an action ran must not be a guess.
 */
import type { LiveConnection } from "./connection";
import type { LiveConnectionState } from "./connection-state";
import { Listeners } from "./listeners";
import { mergeState } from "./merge";
import { clientMessages, type MountOptions } from "./messages";
import { clearPersistedState, getRehydratableState, persistState } from "./persistence";
import {
	readErrorMessage, readMountResult, readRehydrateResult, readStateDelta, readStateSignature, readStateUpdate,
} from "./readers";
import { REHYDRATION_REQUIRED } from "./requests";
import { RoomManager } from "./rooms";
import type { ServerFrame, SignedState, State, Unsubscribe } from "./types";

const MOUNT_TIMEOUT = 10000;
const REHYDRATE_TIMEOUT = 5000;
const CALL_TIMEOUT = 10000;
const AUTH_DENIED = "AUTH_DENIED";
const NOT_MOUNTED = "Component not mounted";

export interface LiveComponentOptions<S extends State = State> {
	initialState?: Partial<S>;
	room?: string;
	userId?: string;
	/** Mount as soon as there is a connection (default true). */
	autoMount?: boolean;
	/** Keep the signed state over a page reload, one for each component name (default false). */
	persistState?: boolean;
	debug?: boolean;
}

/** Turns the bytes of a binary delta into a delta. */
export type BinaryDecoder = (payload: Uint8Array) => State;

export class LiveComponentHandle<S extends State = State> {
	private current: S;
	private id: string | null = null;
	private lastError: string | null = null;
	private signed: SignedState | null = null;
	/** The attach under way, or null. */
	private attaching: Promise<void> | null = null;
	/** Counts attaches, and what ends one early, so that a late reply finds out that it is late. */
	private attempt = 0;
	/** Whether to attach whenever there is a link. */
	private wanted: boolean;
	private linkUp = false;
	private decoder: BinaryDecoder | null = null;
	private roomManager: RoomManager | null = null;

	private readonly local: State;
	private readonly mountOptions: MountOptions;
	private readonly persist: boolean;
	private readonly debug: boolean;
	private readonly stateListeners = new Listeners<[S, State | null]>();
	private readonly errorListeners = new Listeners<[string]>();
	private readonly idListeners = new Listeners<[string | null]>();
	private readonly messageListeners = new Listeners<[ServerFrame]>();
	private readonly stopWatching: Unsubscribe;

	constructor(
		private readonly connection: LiveConnection,
		readonly name: string,
		options: LiveComponentOptions<S> = {},
	) {
		this.local = { ...options.initialState };
		this.current = this.local as S;
		this.mountOptions = { room: options.room, userId: options.userId };
		this.persist = options.persistState ?? false;
		this.debug = options.debug ?? false;
		this.wanted = options.autoMount ?? true;
		this.recall();
		this.stopWatching = connection.onStateChange((state) => this.watch(state));
		this.watch(connection.state);
	}

	/** Replaced, never changed in place; parts that did not change stay the same objects. */
	get state(): S {
		return this.current;
	}

	/** The id on the server; null while not mounted. It changes with every reconnect. */
	get componentId(): string | null {
		return this.id;
	}

	get mounted(): boolean {
		return this.id !== null;
	}

	get mounting(): boolean {
		return this.attaching !== null;
	}

	get error(): string | null {
		return this.lastError;
	}

	get signedState(): SignedState | null {
		return this.signed;
	}

	/** This component's rooms. They are joined again by themselves when the component comes back after a lost link. */
	get rooms(): RoomManager {
		return (this.roomManager ??= this.makeRooms());
	}

	/** Mounts, unless mounted already, and stays mounted over lost links from then on. */
	mount(): Promise<void> {
		this.wanted = true;
		if (this.mounted)
			return Promise.resolve();
		if (!this.connection.state.connected)
			return Promise.reject(new Error("Cannot mount: not connected"));
		return this.attach();
	}

	/** Takes the component off the server. Its last state stays readable here. */
	unmount(): void {
		const id = this.id;
		this.wanted = false;
		this.signed = null;
		this.detach();
		if (id !== null)
			this.release(id);
	}

	/** Ends this handle: unmounts and forgets all listeners. */
	destroy(): void {
		this.stopWatching();
		this.unmount();
		this.roomManager?.disposeAll();
		this.stateListeners.clear();
		this.errorListeners.clear();
		this.idListeners.clear();
		this.messageListeners.clear();
	}

	/** Runs an action on the server. Resolves with its result; rejects with its error. */
	async call<R = unknown>(action: string, payload: unknown = {}): Promise<R> {
		const id = this.id;
		let reply = await this.request(action, payload);
		if (reply.success !== true && readErrorMessage(reply).includes(REHYDRATION_REQUIRED)) {
			await this.recover(id);
			reply = await this.request(action, payload);
		}
		if (reply.success !== true)
			throw new Error(readErrorMessage(reply, "Action failed"));
		return reply.result as R;
	}

	/** Runs an action without waiting for its outcome. */
	fire(action: string, payload: unknown = {}): void {
		if (this.id !== null)
			this.post(clientMessages.callAction(this.id, action, payload, false));
		else
			this.fail(NOT_MOUNTED);
	}

	/** Calls back with the new state, and with the delta that made it (null when it was set as a whole). */
	onStateChange(callback: (state: S, delta: State | null) => void): Unsubscribe {
		return this.stateListeners.add(callback);
	}

	onError(callback: (error: string) => void): Unsubscribe {
		return this.errorListeners.add(callback);
	}

	/** Calls back with the id whenever the component (re)appears on the server, and with null when it is lost. */
	onIdChange(callback: (componentId: string | null) => void): Unsubscribe {
		return this.idListeners.add(callback);
	}

	/** Calls back with every push for this component that is not about its state: broadcasts and room frames. */
	onMessage(callback: (frame: ServerFrame) => void): Unsubscribe {
		return this.messageListeners.add(callback);
	}

	/** Merges what `decoder` makes of a binary delta like any other delta. Without a decoder those are dropped. */
	setBinaryDecoder(decoder: BinaryDecoder): void {
		this.decoder = decoder;
		if (this.id !== null)
			this.listenForBinary(this.id);
	}

	/* ---- coming and going ---- */

	private watch(state: LiveConnectionState): void {
		const cameUp = state.connected && !this.linkUp;
		const wentDown = !state.connected && this.linkUp;
		this.linkUp = state.connected;
		if (wentDown)
			this.detach();
		const denied = this.lastError?.includes(AUTH_DENIED) === true && !this.mounting;
		if (this.wanted && !this.mounted && (cameUp || (denied && state.authenticated)))
			this.attach().catch((error) => this.log("attach failed", error));
	}

	/** The component is not on the server any more, or we no longer care; whatever is under way is overtaken. */
	private detach(): void {
		this.attempt++;
		this.attaching = null;
		this.disappear();
	}

	private attach(): Promise<void> {
		if (this.attaching)
			return this.attaching;
		this.lastError = null;
		const attempt = ++this.attempt;
		const attaching = this.rehydrateOrMount(attempt)
			.catch((error: Error) => {
				if (attempt === this.attempt)
					this.fail(error.message);
				throw error;
			})
			.finally(() => {
				if (this.attaching === attaching)
					this.attaching = null;
			});
		return (this.attaching = attaching);
	}

	private async rehydrateOrMount(attempt: number): Promise<void> {
		if (this.signed) {
			if (await this.rehydrate(this.signed, attempt))
				return;
			this.signed = null;
			clearPersistedState(this.persist, this.name);
		}
		await this.mountAfresh(attempt);
	}

	/** Returns false when the server does not take the signed state (or does not answer): it is of no use then. */
	private async rehydrate(signed: SignedState, attempt: number): Promise<boolean> {
		const request = clientMessages.rehydrate(signed.componentId, this.name, signed, this.mountOptions);
		try {
			const reply = await this.connection.sendMessageAndWait(request, REHYDRATE_TIMEOUT);
			const result = readRehydrateResult(reply);
			this.checkCurrent(attempt, result?.newComponentId);
			if (result)
				this.appear(result.newComponentId);
			return result !== null;
		} catch (error) {
			this.checkCurrent(attempt);
			if (error instanceof Error && error.message.includes(AUTH_DENIED))
				throw error;
			this.log("not rehydrated", error);
			return false;
		}
	}

	private async mountAfresh(attempt: number): Promise<void> {
		const request = clientMessages.mount(`mount-${this.name}`, this.name, this.local, this.mountOptions);
		const reply = await this.connection.sendMessageAndWait(request, MOUNT_TIMEOUT);
		const result = reply.success === true ? readMountResult(reply) : null;
		this.checkCurrent(attempt, result?.componentId);
		if (!result)
			throw new Error(readErrorMessage(reply, "Malformed mount response"));
		/* What was pushed before the reply comes first: the reply's state is the newer one. */
		if (result.signedState)
			this.keep(result.signedState);
		this.appear(result.componentId, { ...this.local, ...result.initialState });
	}

	/** Throws when the attach has been overtaken; a component it still made on the server is given back. */
	private checkCurrent(attempt: number, componentId?: string): void {
		if (attempt === this.attempt)
			return;
		if (componentId !== undefined && this.linkUp)
			this.release(componentId);
		throw new Error("Component was unmounted or lost its connection");
	}

	/** The component is on the server under `id`. Pushes that came before now are taken in first, then `state`. */
	private appear(id: string, state?: State): void {
		this.id = id;
		this.attaching = null;
		this.connection.registerComponent(id, (frame) => this.receive(frame));
		if (this.decoder)
			this.listenForBinary(id);
		if (state)
			this.replaceState(state);
		this.roomManager?.setComponentId(id);
		this.idListeners.emit(id);
	}

	private disappear(): void {
		if (this.id === null)
			return;
		this.connection.unregisterComponent(this.id);
		this.connection.unregisterBinaryHandler(this.id);
		this.id = null;
		this.roomManager?.setComponentId(null);
		this.idListeners.emit(null);
	}

	/** The server says that it does not know `id` although the link is up. Another call may have noticed before. */
	private async recover(id: string | null): Promise<void> {
		if (this.id === id)
			this.detach();
		if (!this.mounted)
			await this.attach();
	}

	private release(id: string): void {
		this.post(clientMessages.unmount(id));
	}

	/* ---- frames ---- */

	private receive(frame: ServerFrame): void {
		switch (frame.type) {
		case "STATE_UPDATE":
		case "STATE_REHYDRATED":
			this.receiveFullState(frame);
			break;
		case "STATE_DELTA":
			this.applyDelta(readStateDelta(frame) ?? {});
			break;
		case "STATE_SIGNATURE":
			this.keepIfAny(readStateSignature(frame));
			break;
		case "ERROR":
			this.fail(readErrorMessage(frame));
			break;
		default:
			this.messageListeners.emit(frame);
		}
	}

	/* A full state replaces: merging it would keep nested keys that the server no longer has. */
	private receiveFullState(frame: ServerFrame): void {
		const update = readStateUpdate(frame);
		if (!update)
			return;
		this.keepIfAny(update.signedState);
		this.replaceState({ ...this.local, ...update.state });
	}

	private replaceState(state: State): void {
		this.current = state as S;
		this.stateListeners.emit(this.current, null);
	}

	private applyDelta(delta: State): void {
		this.current = mergeState(this.current, delta);
		this.stateListeners.emit(this.current, delta);
	}

	private listenForBinary(id: string): void {
		this.connection.registerBinaryHandler(id, (payload) => {
			if (this.decoder)
				this.applyDelta(this.decoder(payload));
		});
	}

	/* ---- signed state ---- */

	private keepIfAny(signed: SignedState | null): void {
		if (signed)
			this.keep(signed);
	}

	private keep(signed: SignedState): void {
		this.signed = signed;
		persistState(this.persist, this.name, signed, this.mountOptions.room, this.mountOptions.userId);
	}

	/** Takes up what an earlier page of the same room and user left behind. */
	private recall(): void {
		const stored = getRehydratableState(this.persist, this.name);
		if (stored && stored.room === this.mountOptions.room && stored.userId === this.mountOptions.userId)
			this.signed = stored.signedState;
	}

	/* ---- small helpers ---- */

	private request(action: string, payload: unknown): Promise<ServerFrame> {
		if (this.id === null)
			return Promise.reject(new Error(NOT_MOUNTED));
		return this.connection.sendMessageAndWait(clientMessages.callAction(this.id, action, payload), CALL_TIMEOUT);
	}

	/** Sends without waiting. A frame that cannot leave is lost with the link, and the link's loss is what counts. */
	private post(frame: Parameters<LiveConnection["sendMessage"]>[0]): void {
		this.connection.sendMessage(frame).catch((error) => this.log("not sent", error));
	}

	private fail(message: string): void {
		this.lastError = message;
		this.errorListeners.emit(message);
	}

	private log(...what: unknown[]): void {
		if (this.debug)
			console.debug(`[live ${this.name}]`, ...what);
	}

	private makeRooms(): RoomManager {
		return new RoomManager({
			componentId: this.id,
			defaultRoom: this.mountOptions.room,
			sendMessage: (frame) => this.connection.sendMessage(frame),
			sendMessageAndWait: (frame, timeout) => this.connection.sendMessageAndWait(frame, timeout),
			onMessage: (callback) => this.messageListeners.add(callback),
			onBinaryMessage: (callback) => this.connection.registerRoomBinaryHandler(callback),
		});
	}
}
