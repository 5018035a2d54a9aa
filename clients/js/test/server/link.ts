/** A link to a real server for node, which has no WebSocket of its own in all versions that we test with: text frames. */
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import type { Socket } from "node:net";
import type { ClientTransport, TransportListener } from "../../src/transport";

const TEXT = 1, CLOSE = 8, PING = 9, PONG = 10;

export class NodeLink implements ClientTransport {
	readonly kind = "node";
	readonly socket = null;
	private wire: Socket | null = null;
	private data: Buffer = Buffer.alloc(0);
	private reading = false;

	constructor(private readonly url: string) {}

	get isOpen(): boolean {
		return this.wire !== null;
	}

	open(listener: TransportListener): void {
		const headers = {
			Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": randomBytes(16).toString("base64"),
		};
		const asked = request(this.url.replace(/^ws/, "http"), { headers });
		asked.on("error", (error) => listener.onClose(1006, error.message));
		asked.on("upgrade", (_reply, socket: Socket, head: Buffer) => {
			this.wire = socket.setNoDelay(true);
			socket.on("error", () => {});
			socket.on("close", () => {
				this.wire = null;
				listener.onClose(1006, "");
			});
			listener.onOpen();
			socket.on("data", (data) => this.receive(data, listener));
			this.receive(head, listener);
		});
		asked.end();
	}

	send(message: string | Uint8Array): void {
		if (typeof message !== "string")
			throw new Error("text only");
		this.write(TEXT, Buffer.from(message));
	}

	close(): void {
		this.wire?.end();
	}

	/** Goes without a word. */
	cut(): void {
		this.wire?.destroy();
	}

	private write(opcode: number, payload: Buffer): void {
		if (!this.wire)
			throw new Error("the link is down");
		const mask = randomBytes(4);
		const size = payload.length;
		const head = Buffer.alloc(size < 126 ? 2 : size < 65536 ? 4 : 10);
		head[0] = 0x80 | opcode;
		head[1] = 0x80 | (head.length === 2 ? size : head.length === 4 ? 126 : 127);
		if (head.length === 4)
			head.writeUInt16BE(size, 2);
		else if (head.length === 10)
			head.writeBigUInt64BE(BigInt(size), 2);
		this.wire.write(Buffer.concat([head, mask, payload.map((byte, i) => byte ^ mask[i % 4]!)]));
	}

	/** Each frame is a task of its own, as in a browser: what waits for an answer goes on before the next frame is read. */
	private async receive(data: Buffer, listener: TransportListener): Promise<void> {
		this.data = Buffer.concat([this.data, data]);
		if (this.reading)
			return;
		this.reading = true;
		for (let frame = this.next(); frame; frame = this.next()) {
			if (frame.opcode === TEXT)
				listener.onText(frame.payload.toString("utf8"));
			else if (frame.opcode === PING)
				this.write(PONG, frame.payload);
			else if (frame.opcode === CLOSE)
				this.wire?.end();
			await new Promise((resolve) => setImmediate(resolve));
		}
		this.reading = false;
	}

	/** The next whole frame of those that came, or null. */
	private next(): { opcode: number; payload: Buffer } | null {
		const short = this.data.length < 2 ? 0 : this.data[1]! & 0x7f;
		const head = short === 126 ? 4 : short === 127 ? 10 : 2;
		if (this.data.length < head)
			return null;
		const size = head === 2 ? short : head === 4 ? this.data.readUInt16BE(2) : Number(this.data.readBigUInt64BE(2));
		if (this.data.length < head + size)
			return null;
		const frame = { opcode: this.data[0]! & 15, payload: this.data.subarray(head, head + size) };
		this.data = this.data.subarray(head + size);
		return frame;
	}
}
