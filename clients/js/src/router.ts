/**
 * Who gets a push. A BROADCAST goes to every component but its sender, anything else to the component it names. A push
 * for a component nobody has registered yet (its mount reply is still on the way) waits for a few seconds; the buffer
 * is bounded, and drops the oldest first.
 */
import type { Clock } from "./clock";
import { callSafely } from "./listeners";
import type { ServerFrame } from "./types";

const BUFFER_MS = 5000;
const BUFFER_FRAMES = 32;
const BUFFER_IDS = 64;

export type FrameCallback = (frame: ServerFrame) => void;

interface Waiting {
	frame: ServerFrame;
	arrived: number;
}

export class FrameRouter {
	private readonly callbacks = new Map<string, FrameCallback>();
	private readonly waiting = new Map<string, Waiting[]>();

	constructor(private readonly clock: Clock) {}

	/** From now on `callback` gets what is meant for `id`, beginning with what waited for it. */
	register(id: string, callback: FrameCallback): void {
		this.callbacks.set(id, callback);
		const frames = this.waiting.get(id) ?? [];
		this.waiting.delete(id);
		for (const { frame } of this.young(frames))
			callSafely(callback, frame);
	}

	unregister(id: string): void {
		this.callbacks.delete(id);
	}

	dispatch(frame: ServerFrame): void {
		if (frame.type === "BROADCAST") {
			for (const [id, callback] of [...this.callbacks])
				if (id !== frame.componentId)
					callSafely(callback, frame);
			return;
		}
		if (typeof frame.componentId !== "string")
			return;
		const callback = this.callbacks.get(frame.componentId);
		if (callback)
			callSafely(callback, frame);
		else
			this.hold(frame.componentId, frame);
	}

	/** Forgets what waits: with the link, the ids it speaks of are gone. */
	dropWaiting(): void {
		this.waiting.clear();
	}

	private hold(id: string, frame: ServerFrame): void {
		const frames = this.young(this.waiting.get(id) ?? []);
		frames.push({ frame, arrived: this.clock.now() });
		/* Moved to the end, so that the first key is always the id that has been quiet for longest. */
		this.waiting.delete(id);
		this.waiting.set(id, frames.slice(-BUFFER_FRAMES));
		for (const oldest of this.waiting.keys()) {
			if (this.waiting.size <= BUFFER_IDS)
				break;
			this.waiting.delete(oldest);
		}
	}

	private young(frames: Waiting[]): Waiting[] {
		const now = this.clock.now();
		return frames.filter(({ arrived }) => now - arrived <= BUFFER_MS);
	}
}
