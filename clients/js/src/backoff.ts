/** How long to wait before the next try: twice as long each time, up to a cap; and when to give up. */
const MAX_DELAY = 16000;

export class Backoff {
	private attempts = 0;

	/** `limit` tries, or for ever when it is 0 or infinite. */
	constructor(private readonly interval: number, private readonly limit: number) {}

	/** The delay (ms) before the next try, or null when there is to be none. */
	next(): number | null {
		const limited = Number.isFinite(this.limit) && this.limit > 0;
		if (limited && this.attempts >= this.limit)
			return null;
		this.attempts++;
		return Math.min(this.interval * 2 ** (this.attempts - 1), MAX_DELAY);
	}

	reset(): void {
		this.attempts = 0;
	}
}
