import type { ClientTransport, TransportListener } from "./transport";

const ABNORMAL_CLOSURE = 1006;

export class WebSocketTransport implements ClientTransport {
	readonly kind = "websocket";
	socket: WebSocket | null = null;

	constructor(private readonly url: string) {}

	get isOpen(): boolean {
		return this.socket?.readyState === 1;
	}

	open(listener: TransportListener): void {
		let socket: WebSocket;
		try {
			socket = new WebSocket(this.url);
		} catch (error) {
			/* A bad address, or no WebSocket here: a link that closed before it opened, and not within this call. */
			queueMicrotask(() => listener.onClose(ABNORMAL_CLOSURE, String(error)));
			return;
		}
		this.socket = socket;
		socket.binaryType = "arraybuffer";
		socket.onopen = () => listener.onOpen();
		socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
			if (typeof data === "string")
				listener.onText(data);
			else
				listener.onBinary(new Uint8Array(data));
		};
		socket.onclose = ({ code, reason }) => listener.onClose(code, reason);
	}

	send(message: string | Uint8Array): void {
		if (!this.isOpen)
			throw new Error("WebSocket is not connected");
		this.socket?.send(message as string | Uint8Array<ArrayBuffer>);
	}

	close(code = 1000, reason = ""): void {
		this.socket?.close(code, reason);
	}
}
