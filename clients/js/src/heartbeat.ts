/**
 * One PING for each interval while the link is open. The server does not answer; only a ping that could not even be
 * sent counts, and three of those in a row mean that the link is dead without having said so.
 */
import type { Clock } from "./clock";

const MAX_FAILURES = 3;

export interface HeartbeatOptions {
	interval: number;
	/** Throws when the ping cannot be sent. */
	ping(): void;
	onDead(): void;
}

export class Heartbeat {
	private failures = 0;
	private stopTimer: (() => void) | null = null;

	constructor(private readonly clock: Clock, private readonly options: HeartbeatOptions) {}

	start(): void {
		this.stop();
		this.failures = 0;
		this.schedule();
	}

	stop(): void {
		this.stopTimer?.();
		this.stopTimer = null;
	}

	private schedule(): void {
		this.stopTimer = this.clock.after(this.options.interval, () => this.beat());
	}

	private beat(): void {
		try {
			this.options.ping();
			this.failures = 0;
		} catch {
			this.failures++;
		}
		if (this.failures < MAX_FAILURES)
			this.schedule();
		else
			this.options.onDead();
	}
}
