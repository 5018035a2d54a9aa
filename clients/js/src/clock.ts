/** Time, as everything here reads it, so that tests can hold it in their hand. */
export interface Clock {
	/** Milliseconds since the epoch. */
	now(): number;
	/** Runs `task` once after `ms`; the returned function calls it off. */
	after(ms: number, task: () => void): () => void;
}

export const systemClock: Clock = {
	now: () => Date.now(),
	after(ms, task) {
		const timer = setTimeout(task, ms);
		return () => clearTimeout(timer);
	},
};
