import type { Unsubscribe } from "./types";

/** Calls back when a lost link is worth an immediate try: the network came back, or the page became visible again. */
export function onPageWake(callback: () => void): Unsubscribe {
	if (typeof window === "undefined" || typeof document === "undefined")
		return () => {};
	const whenVisible = (): void => {
		if (document.visibilityState === "visible")
			callback();
	};
	window.addEventListener("online", callback);
	document.addEventListener("visibilitychange", whenVisible);
	return () => {
		window.removeEventListener("online", callback);
		document.removeEventListener("visibilitychange", whenVisible);
	};
}
