import type { Unsubscribe } from "./types";

/** Hands an application's exception to the page's own error reporting; whoever called the application goes on. */
function report(error: unknown): void {
	if (typeof reportError === "function")
		reportError(error);
	else
		console.error(error);
}

/** Calls into application code: what it throws is reported and does not stop us. */
export function callSafely<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): void {
	try {
		callback(...args);
	} catch (error) {
		report(error);
	}
}

/** A list of callbacks. Adding or removing one while they run takes effect with the next run. */
export class Listeners<Args extends unknown[]> {
	private callbacks: readonly ((...args: Args) => void)[] = [];

	add(callback: (...args: Args) => void): Unsubscribe {
		const entry = (...args: Args): void => callback(...args);
		this.callbacks = [...this.callbacks, entry];
		return () => {
			this.callbacks = this.callbacks.filter((other) => other !== entry);
		};
	}

	emit(...args: Args): void {
		for (const callback of this.callbacks)
			callSafely(callback, ...args);
	}

	clear(): void {
		this.callbacks = [];
	}
}
