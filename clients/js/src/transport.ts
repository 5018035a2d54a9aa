/**
 * A transport moves messages between this page and the server; what they mean is not its business.
 *
 * It lives for one link: opened once, closed once, then thrown away. It reports to its listener at most one `onOpen`,
 * then messages in order, then exactly one `onClose`, and nothing after that.
 */
export interface ClientTransport {
	/** The name shown as `state.transport`. */
	readonly kind: string;
	readonly isOpen: boolean;
	/** The socket underneath, if this transport has one. */
	readonly socket: WebSocket | null;
	open(listener: TransportListener): void;
	/** Throws when the link is not open. */
	send(message: string | Uint8Array): void;
	close(code?: number, reason?: string): void;
}

export interface TransportListener {
	onOpen(): void;
	onText(text: string): void;
	onBinary(bytes: Uint8Array): void;
	onClose(code: number, reason: string): void;
}

/** Makes the transport for one link to `url`. */
export type TransportFactory = (url: string) => ClientTransport;
