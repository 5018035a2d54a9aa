/**
 * Requests that wait for their reply. A reply names its request by `requestId`; upload replies of older servers do not,
 * and are found by what they speak of. A reply that finds its request is consumed by it.
 */
import type { Clock } from "./clock";
import { readErrorMessage } from "./readers";
import type { ClientFrame, ServerFrame } from "./types";

/** The server lost the component: whoever asked has to bring it back, so this one failure is handed over as a reply. */
export const REHYDRATION_REQUIRED = "COMPONENT_REHYDRATION_REQUIRED";

interface Pending {
	resolve(frame: ServerFrame): void;
	reject(error: Error): void;
	stopTimer(): void;
	/** What the request speaks of, or null. */
	subject: string | null;
}

export interface WaitOptions {
	/** What the rejection says when no reply came in time. */
	timeoutText?: string;
	/** The request, if its reply may come without an id and be known only by its subject. */
	request?: ClientFrame;
}

export class RequestTable {
	private readonly pending = new Map<string, Pending>();
	private readonly idBySubject = new Map<string, string>();

	constructor(private readonly clock: Clock) {}

	get size(): number {
		return this.pending.size;
	}

	/** Resolves with the reply to `id`; rejects with its error, or after `timeout` ms. */
	wait(id: string, timeout: number, options: WaitOptions = {}): Promise<ServerFrame> {
		const { timeoutText = `Request timeout after ${timeout}ms`, request } = options;
		const subject = request ? uploadSubject(request) : null;
		return new Promise((resolve, reject) => {
			const stopTimer = this.clock.after(timeout, () => this.fail(id, new Error(timeoutText)));
			this.pending.set(id, { resolve, reject, stopTimer, subject });
			if (subject !== null)
				this.idBySubject.set(subject, id);
		});
	}

	/** Returns whether the frame was the reply to a waiting request. */
	settle(frame: ServerFrame): boolean {
		const id = this.requestOf(frame);
		const request = id === null ? null : this.take(id);
		if (!request)
			return false;
		const failed = frame.success === false || frame.type === "ERROR";
		const text = readErrorMessage(frame, "Request failed");
		if (failed && !text.includes(REHYDRATION_REQUIRED))
			request.reject(new Error(text));
		else
			request.resolve(frame);
		return true;
	}

	fail(id: string, error: Error): void {
		this.take(id)?.reject(error);
	}

	failAll(error: Error): void {
		for (const id of [...this.pending.keys()])
			this.fail(id, error);
	}

	private take(id: string): Pending | null {
		const request = this.pending.get(id);
		if (!request)
			return null;
		this.pending.delete(id);
		if (request.subject !== null)
			this.idBySubject.delete(request.subject);
		request.stopTimer();
		return request;
	}

	private requestOf(frame: ServerFrame): string | null {
		if (typeof frame.requestId === "string")
			return frame.requestId;
		const subject = uploadSubject(frame);
		return subject === null ? null : (this.idBySubject.get(subject) ?? subject);
	}
}

/** A binary chunk's request id, which is also what its reply speaks of. */
export function chunkRequestId(uploadId: unknown, chunkIndex: unknown): string {
	return `chunk-${uploadId}-${chunkIndex}`;
}

/** What an upload's request or reply speaks of: one chunk, or the completion; null for all other frames. */
function uploadSubject(frame: ClientFrame | ServerFrame): string | null {
	switch (frame.type) {
	case "FILE_UPLOAD_CHUNK":
	case "FILE_UPLOAD_PROGRESS":
		return chunkRequestId(frame.uploadId, frame.chunkIndex);
	case "FILE_UPLOAD_COMPLETE":
		return `complete-${frame.uploadId}`;
	default:
		return null;
	}
}
