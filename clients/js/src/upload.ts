/**
 * Sends one file at a time to a component, chunk by chunk, each answered before the next one leaves. A failure ends the
 * upload: nothing is tried twice, so a chunk is never stored twice.
 */
import { AdaptiveChunkSizer, type ChunkSizerConfig } from "./chunk-sizer";
import { systemClock, type Clock } from "./clock";
import { generateId } from "./ids";
import { callSafely, Listeners } from "./listeners";
import { chunkRequestId } from "./requests";
import type { ClientFrame, ServerFrame, Unsubscribe } from "./types";

const TIMEOUT = 10000;
const PAUSE = 10;
const MAX_CHUNK = 1048576;

export interface UploadState {
	uploading: boolean;
	/** 0 to 100. */
	progress: number;
	error: string | null;
	uploadId: string | null;
	bytesUploaded: number;
	totalBytes: number;
}

export interface UploaderOptions {
	sendMessageAndWait(frame: ClientFrame, timeout?: number): Promise<ServerFrame>;
	sendBinaryAndWait(bytes: Uint8Array, requestId: string, timeout?: number): Promise<ServerFrame>;
	/** Bytes in a chunk (default 65536), or in the first one when they adapt. */
	chunkSize?: number;
	/** Bytes (default 50 MiB). */
	maxFileSize?: number;
	/** MIME types; empty (the default) for all. */
	allowedTypes?: string[];
	/** Send chunks as bytes (default) rather than as base64 in JSON. */
	useBinaryProtocol?: boolean;
	adaptiveChunking?: boolean;
	adaptiveConfig?: Partial<ChunkSizerConfig>;
	onProgress?(percent: number, bytes: number, total: number): void;
	onComplete?(reply: ServerFrame): void;
	onError?(error: string): void;
	clock?: Clock;
}

const IDLE: UploadState = Object.freeze({
	uploading: false, progress: 0, error: null, uploadId: null, bytesUploaded: 0, totalBytes: 0,
});

const ignore = (): void => {};

export class ChunkedUploader {
	private current: UploadState = IDLE;
	private readonly stateListeners = new Listeners<[UploadState]>();
	private readonly chunkSize: number;
	private readonly clock: Clock;

	constructor(private readonly componentId: string, private readonly options: UploaderOptions) {
		this.chunkSize = options.chunkSize ?? 65536;
		this.clock = options.clock ?? systemClock;
	}

	get state(): UploadState {
		return this.current;
	}

	onStateChange(callback: (state: UploadState) => void): Unsubscribe {
		return this.stateListeners.add(callback);
	}

	/**
	 * Uploads the file. Resolves with the server's last reply, or with null when it failed: `state.error` says why.
	 * Rejects only when another upload is under way.
	 */
	async uploadFile(file: File): Promise<ServerFrame | null> {
		if (this.current.uploading)
			throw new Error("An upload is already in progress");
		const refusal = this.check(file);
		if (refusal !== null)
			return this.failed(refusal);
		const uploadId = generateId();
		this.setState({ ...IDLE, uploading: true, uploadId, totalBytes: file.size });
		try {
			await this.begin(uploadId, file);
			await this.sendChunks(uploadId, file);
			const reply = await this.complete(uploadId);
			this.setState({ uploading: false, progress: 100, bytesUploaded: file.size });
			callSafely(this.options.onComplete ?? ignore, reply);
			return reply;
		} catch (error) {
			/* After a cancel or a reset, this upload is nobody's any more. */
			return this.isCurrent(uploadId) ? this.failed(error instanceof Error ? error.message : String(error)) : null;
		}
	}

	/** Stops sending. The server is not told: it forgets the upload by itself. */
	cancelUpload(): void {
		if (this.current.uploading)
			this.failed("Upload cancelled");
	}

	reset(): void {
		this.setState(IDLE);
	}

	private check(file: File): string | null {
		const { allowedTypes = [], maxFileSize = 52428800 } = this.options;
		if (allowedTypes.length > 0 && !allowedTypes.includes(file.type))
			return `Invalid file type: ${file.type}. Allowed: ${allowedTypes.join(", ")}`;
		if (file.size > maxFileSize)
			return `File too large: ${file.size} bytes. Max: ${maxFileSize} bytes`;
		return null;
	}

	private async begin(uploadId: string, file: File): Promise<void> {
		const reply = await this.request({
			type: "FILE_UPLOAD_START", componentId: this.componentId, uploadId,
			filename: file.name, fileType: file.type, fileSize: file.size, chunkSize: this.chunkSize,
		});
		this.checkSuccess(uploadId, reply, "Failed to start upload");
	}

	private async sendChunks(uploadId: string, file: File): Promise<void> {
		const { adaptiveChunking = false, adaptiveConfig } = this.options;
		const limits = { min: this.chunkSize, initial: this.chunkSize, max: Math.max(MAX_CHUNK, this.chunkSize) };
		const sizer = adaptiveChunking ? new AdaptiveChunkSizer({ ...limits, ...adaptiveConfig }) : null;
		const totalChunks = Math.ceil(file.size / this.chunkSize);
		let sent = 0;
		for (let index = 0; sent < file.size; index++) {
			const end = Math.min(sent + (sizer?.size ?? this.chunkSize), file.size);
			const bytes = new Uint8Array(await file.slice(sent, end).arrayBuffer());
			const started = this.clock.now();
			const reply = await this.sendChunk(uploadId, index, totalChunks, bytes);
			this.checkSuccess(uploadId, reply, "Chunk upload failed");
			sent = end;
			this.progress(sent, file.size);
			if (sizer)
				sizer.recordSuccess(this.clock.now() - started);
			else
				await new Promise<void>((resolve) => this.clock.after(PAUSE, resolve));
			this.checkCurrent(uploadId);
		}
	}

	private sendChunk(uploadId: string, chunkIndex: number, totalChunks: number, bytes: Uint8Array): Promise<ServerFrame> {
		const header = {
			type: "FILE_UPLOAD_CHUNK", componentId: this.componentId, uploadId, chunkIndex, totalChunks,
		};
		if (!(this.options.useBinaryProtocol ?? true))
			return this.request({ ...header, data: toBase64(bytes) });
		const requestId = chunkRequestId(uploadId, chunkIndex);
		return this.options.sendBinaryAndWait(encodeBinaryChunk({ ...header, requestId }, bytes), requestId, TIMEOUT);
	}

	private async complete(uploadId: string): Promise<ServerFrame> {
		const reply = await this.request({ type: "FILE_UPLOAD_COMPLETE", componentId: this.componentId, uploadId });
		this.checkSuccess(uploadId, reply, "Upload completion failed");
		return reply;
	}

	private request(frame: ClientFrame): Promise<ServerFrame> {
		return this.options.sendMessageAndWait(frame, TIMEOUT);
	}

	/** Progress replies carry no `success`; only an explicit failure counts. */
	private checkSuccess(uploadId: string, reply: ServerFrame, fallback: string): void {
		this.checkCurrent(uploadId);
		if (reply.success === false)
			throw new Error(reply.error ?? fallback);
	}

	private checkCurrent(uploadId: string): void {
		if (!this.isCurrent(uploadId))
			throw new Error("Upload cancelled");
	}

	private isCurrent(uploadId: string): boolean {
		return this.current.uploading && this.current.uploadId === uploadId;
	}

	private progress(bytes: number, total: number): void {
		const progress = (bytes / total) * 100;
		this.setState({ bytesUploaded: bytes, progress });
		callSafely(this.options.onProgress ?? ignore, progress, bytes, total);
	}

	private failed(error: string): null {
		this.setState({ uploading: false, error });
		callSafely(this.options.onError ?? ignore, error);
		return null;
	}

	private setState(changes: Partial<UploadState>): void {
		this.current = { ...this.current, ...changes };
		this.stateListeners.emit(this.current);
	}
}

/** A chunk as one binary frame: the header's length (4 bytes, little-endian), the header as JSON, the bytes. */
export function encodeBinaryChunk(header: ClientFrame, bytes: Uint8Array): Uint8Array {
	const text = new TextEncoder().encode(JSON.stringify(header));
	const frame = new Uint8Array(4 + text.length + bytes.length);
	new DataView(frame.buffer).setUint32(0, text.length, true);
	frame.set(text, 4);
	frame.set(bytes, 4 + text.length);
	return frame;
}

function toBase64(bytes: Uint8Array): string {
	const STEP = 8192; /* as many arguments as every engine takes in one call */
	let text = "";
	for (let at = 0; at < bytes.length; at += STEP)
		text += String.fromCharCode(...bytes.subarray(at, at + STEP));
	return btoa(text);
}
