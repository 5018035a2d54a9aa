/** Slow work with a progress bar: it runs on the server's pool, and each step that is done is a change of the state. */
import { byTestId, live, setText } from "./card.js";

const form = document.getElementById("job-form");
const bar = byTestId("job-progress");
const cancel = byTestId("job-cancel");
const numbers = new Intl.NumberFormat("en-GB");

function sayHow({ status, progress, found, error }) {
	const primes = `${numbers.format(found)} ${found === 1 ? "prime" : "primes"}`;
	switch (status) {
	case "running":
		return `${progress} %: ${primes} so far`;
	case "done":
		return `Done: ${primes}`;
	case "cancelled":
		return `Cancelled at ${progress} %`;
	case "failed":
		return `Failed: ${error}`;
	default:
		return "Nothing to do yet.";
	}
}

const job = live("Job", "job", { status: "idle", progress: 0, found: 0, error: null }, (state) => {
	bar.value = state.progress;
	bar.dataset.status = state.status;
	setText(byTestId("job-status"), sayHow(state));
	cancel.disabled = !job.mounted || state.status !== "running";
});

form.addEventListener("submit", async (event) => {
	event.preventDefault();
	await job.act("start", { size: form.elements.size.valueAsNumber });
});
