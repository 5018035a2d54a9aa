/**
 * Requests that wait for their reply. A reply names its request by `requestId`; upload replies of older servers do not,
 * and are found by what they speak of. A reply that finds its request is consumed by it.
 */
import type { Clock } from "./clock";
import { readErrorMessage } from "./readers";
import type { ServerFrame } from "./types";

/** The server lost the component: whoever asked has to bring it back, so this one failure is handed over as a reply. */
export const REHYDRATION_REQUIRED = "COMPONENT_REHYDRATION_REQUIRED";

interface Pending {
	resolve(frame: ServerFrame): void;
	reject(error: Error): void;
	stopTimer(): void;
}

/** The ids that requests about uploads use, so that a reply without `requestId` still finds them. */
export const uploadRequestIds = {
	chunk: (uploadId: string, chunkIndex: number): string => `chunk-${uploadId}-${chunkIndex}`,
	complete: (uploadId: string): string => `complete-${uploadId}`,
};

export class RequestTable {
	private readonly pending = new Map<string, Pending>();

	constructor(private readonly clock: Clock) {}

	get size(): number {
		return this.pending.size;
	}

	/** Resolves with the reply to `id`; rejects with its error, or with `timeoutText` after `timeout` ms. */
	wait(id: string, timeout: number, timeoutText = `Request timeout after ${timeout}ms`): Promise<ServerFrame> {
		return new Promise((resolve, reject) => {
			const stopTimer = this.clock.after(timeout, () => this.fail(id, new Error(timeoutText)));
			this.pending.set(id, { resolve, reject, stopTimer });
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
		request.stopTimer();
		return request;
	}

	private requestOf(frame: ServerFrame): string | null {
		if (typeof frame.requestId === "string")
			return frame.requestId;
		if (frame.type === "FILE_UPLOAD_PROGRESS")
			return uploadRequestIds.chunk(String(frame.uploadId), Number(frame.chunkIndex));
		if (frame.type === "FILE_UPLOAD_COMPLETE")
			return uploadRequestIds.complete(String(frame.uploadId));
		return null;
	}
}
