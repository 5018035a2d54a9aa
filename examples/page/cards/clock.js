/** The server's clock, and which of its shards serves this window. */
import { byTestId, live, setText } from "./card.js";

const clockFormat = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

function duration(seconds) {
	const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
	if (hours > 0)
		return `${hours} h ${minutes} min`;
	return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

function drawShards(shard, shards) {
	const list = byTestId("shards");
	while (list.children.length > shards)
		list.lastElementChild.remove();
	while (list.children.length < shards) {
		const cell = document.createElement("li");
		cell.textContent = list.children.length;
		list.append(cell);
	}
	[...list.children].forEach((cell, index) => cell.classList.toggle("mine", index === shard));
}

live("Clock", "clock", { time: 0, uptime: 0, shard: 0, shards: 0, node: "" }, (state) => {
	if (!state.time)
		return;
	const time = byTestId("clock-time");
	setText(time, clockFormat.format(state.time));
	time.dateTime = new Date(state.time).toISOString();
	setText(byTestId("clock-uptime"), duration(state.uptime));
	byTestId("shard").dataset.shard = state.shard;
	setText(document.querySelector("[data-shard-number]"), state.shard);
	setText(byTestId("node"), state.node || "–");
	drawShards(state.shard, state.shards);
});
