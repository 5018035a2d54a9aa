/** The two counters: one for each window, and one for all. */
import { byTestId, count, live, setText } from "./card.js";

/** Draws a number, with a small nod when it changes. */
function drawNumber(element, value) {
	if (!setText(element, value ?? 0))
		return;
	element.classList.remove("bump");
	void element.offsetWidth; /* so that the animation starts over */
	element.classList.add("bump");
}

live("Counter", "counter", { count: 0 }, (state) => drawNumber(byTestId("counter-value"), state.count));

const myIds = new Set();
const shared = live("SharedCounter", "shared", { count: 0, lastUser: null, viewers: 0 }, (state) => {
	drawNumber(byTestId("shared-value"), state.count);
	setText(byTestId("shared-viewers"), count(state.viewers ?? 0, "window", "windows"));
	setText(byTestId("shared-last-user"), nameOf(state.lastUser));
});
shared.handle.onIdChange((id) => id && myIds.add(id));

function nameOf(user) {
	if (!user)
		return "nobody yet";
	return myIds.has(user) ? "you" : `visitor ${user.slice(0, 4)}`;
}
