/**
 * The rooms of one component. Joining asks the server; events and changes then come in as pushes addressed to the
 * component. When the component comes back under a new id, the rooms that were joined are joined again. Listeners belong
 * to the room's name, not to the membership: they stay through leaving, rejoining and destroy().
 */
import { BINARY_ROOM_STATE, readBinaryRoomFrame } from "./binary";
import { clientMessages } from "./messages";
import { readRoomChanges, readRoomJoinResponse, readRoomPush, type RoomPush } from "./readers";
import { Room, type RoomListener } from "./room";
import { makeRoomHandle, makeRoomProxy, type RoomHandle, type RoomProxy } from "./room-handle";
import { isObject, type ClientFrame, type ServerFrame, type State, type Unsubscribe } from "./types";

const ROOM_TIMEOUT = 5000;

export interface RoomManagerOptions {
	componentId: string | null;
	/** The room that a proxy's own members act on. */
	defaultRoom?: string;
	sendMessage(frame: ClientFrame): Promise<void> | void;
	sendMessageAndWait(frame: ClientFrame, timeout?: number): Promise<ServerFrame>;
	/** Hands every frame for the component to `callback`. */
	onMessage(callback: (frame: ServerFrame) => void): Unsubscribe;
	/** Hands every binary room frame to `callback`. */
	onBinaryMessage?(callback: (frame: Uint8Array) => void): Unsubscribe;
}

export class RoomManager {
	private componentId: string | null;
	private readonly rooms = new Map<string, Room>();
	private stopListening: Unsubscribe[] = [];

	constructor(private readonly options: RoomManagerOptions) {
		this.componentId = options.componentId;
		this.listen();
	}

	/** A handle of one room. All handles of a room show the same. */
	createHandle<S extends State = State>(roomId: string): RoomHandle<S> {
		return makeRoomHandle(this, roomId) as RoomHandle<S>;
	}

	/** A function from room id to handle that is also a handle of the default room. */
	createProxy(): RoomProxy {
		return makeRoomProxy(this, this.options.defaultRoom);
	}

	getJoinedRooms(): string[] {
		return [...this.rooms.values()].filter((room) => room.joined).map((room) => room.id);
	}

	/** The component's id changed: null when it is gone from the server, another one when it is back. */
	setComponentId(id: string | null): void {
		if (id === this.componentId)
			return;
		this.componentId = id;
		if (id !== null)
			void this.resubscribe();
	}

	/**
	 * Joins every joined room again, under the component's present id. Resolves with the rooms that could not be: they
	 * are not joined any more, and their listeners of `$sub:lost` have been told.
	 */
	async resubscribe(): Promise<string[]> {
		const componentId = this.componentId;
		const lost = await Promise.all([...this.rooms.values()].map((room) => this.rejoin(room, componentId)));
		return lost.filter((id): id is string => id !== null);
	}

	/** Stops listening and leaves all rooms. Listeners stay, and a later join starts over. */
	destroy(): void {
		for (const room of this.rooms.values())
			this.abandon(room);
		this.stopListening.forEach((stop) => stop());
		this.stopListening = [];
	}

	/** Leaves a room and forgets it, its listeners too. */
	disposeRoom(roomId: string): void {
		const room = this.rooms.get(roomId);
		if (!room)
			return;
		this.abandon(room);
		room.removeAllListeners();
		this.rooms.delete(roomId);
	}

	disposeAll(): void {
		for (const roomId of [...this.rooms.keys()])
			this.disposeRoom(roomId);
		this.destroy();
	}

	/* ---- what handles call ---- */

	/** The room called `roomId`: one object for each name, made when it is first spoken of. */
	room(roomId: string): Room {
		let room = this.rooms.get(roomId);
		if (!room)
			this.rooms.set(roomId, (room = new Room(roomId)));
		return room;
	}

	async join(roomId: string, initialState?: State): Promise<void> {
		const room = this.room(roomId);
		if (room.joined)
			return;
		room.initialState = initialState;
		room.joining ??= this.requestJoin(room).finally(() => {
			room.joining = null;
		});
		await room.joining;
	}

	async leave(roomId: string): Promise<void> {
		const room = this.room(roomId);
		if (!room.joined)
			return;
		/* Without a component there is no membership on the server, only the wish to rejoin. */
		if (this.componentId !== null)
			await this.options.sendMessageAndWait(clientMessages.roomLeave(this.componentId, roomId), ROOM_TIMEOUT);
		room.leave();
	}

	emit(roomId: string, event: string, data: unknown): void {
		if (this.componentId !== null)
			this.post(clientMessages.roomEmit(this.componentId, roomId, event, data));
	}

	setState(roomId: string, updates: State): void {
		this.room(roomId).write(updates);
		if (this.componentId !== null)
			this.post(clientMessages.roomStateSet(this.componentId, roomId, updates));
	}

	on(roomId: string, event: string, listener: RoomListener): Unsubscribe {
		return this.room(roomId).on(event, listener);
	}

	/* ---- private parts ---- */

	private listen(): void {
		if (this.stopListening.length > 0)
			return;
		this.stopListening.push(this.options.onMessage((frame) => this.receive(frame)));
		if (this.options.onBinaryMessage)
			this.stopListening.push(this.options.onBinaryMessage((bytes) => this.receiveBinary(bytes)));
	}

	private requireId(): string {
		if (this.componentId === null)
			throw new Error("Component not mounted");
		return this.componentId;
	}

	private async requestJoin(room: Room): Promise<State> {
		const componentId = this.requireId();
		this.listen();
		const request = clientMessages.roomJoin(componentId, room.id, room.initialState);
		room.expect();
		const reply = await this.options.sendMessageAndWait(request, ROOM_TIMEOUT);
		const joined = readRoomJoinResponse(reply);
		if (!joined)
			throw new Error(reply.error ?? "Failed to join room");
		if (componentId !== this.componentId)
			throw new Error("Component was unmounted or lost its connection");
		room.enter(joined.state);
		return joined.state;
	}

	/** Returns the room's id if it was joined and now is not. */
	private async rejoin(room: Room, componentId: string | null): Promise<string | null> {
		if (!room.joined || room.joinedByServer)
			return null;
		try {
			await this.requestJoin(room);
			return null;
		} catch (error) {
			/* With the component gone once more, the next id brings the next try. */
			if (componentId !== this.componentId || componentId === null)
				return null;
			room.leave();
			room.emitLocally("$sub:lost", { error: error instanceof Error ? error.message : String(error) });
			return room.id;
		}
	}

	private abandon(room: Room): void {
		if (room.joined && this.componentId !== null)
			this.post(clientMessages.roomLeave(this.componentId, room.id));
		room.leave();
	}

	/** Sends without waiting: when the link is down, the frame is lost with it. */
	private post(frame: ClientFrame): void {
		Promise.resolve(this.options.sendMessage(frame)).catch(() => {});
	}

	private receive(frame: ServerFrame): void {
		const push = readRoomPush(frame);
		if (push && frame.componentId === this.componentId)
			this.deliver(frame.type, push);
	}

	private receiveBinary(bytes: Uint8Array): void {
		const frame = readBinaryRoomFrame(bytes);
		if (frame && frame.componentId === this.componentId)
			this.deliver(frame.type === BINARY_ROOM_STATE ? "ROOM_STATE" : "ROOM_EVENT", frame);
	}

	private deliver(type: string, { roomId, event, data }: RoomPush): void {
		const room = this.room(roomId);
		switch (type) {
		case "ROOM_JOINED":
			room.joinedByServer = true;
			room.enter(isObject(data) && isObject(data.state) ? data.state : {});
			break;
		case "ROOM_LEFT":
			room.leave();
			break;
		case "ROOM_STATE":
			room.change(readRoomChanges(data));
			break;
		case "ROOM_EVENT":
		case "ROOM_SYSTEM":
			room.emitLocally(event, data);
		}
	}
}
