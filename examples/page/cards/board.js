/**
 * The board: what one window does, all others show. A card is moved by its buttons, or dragged to its place; either way
 * it moves when the server says so.
 */
import { byTestId, card, connection, count, drawPeople, live, makeButton, makeElement, setText } from "./card.js";

const COLUMNS = [["todo", "To do"], ["doing", "Doing"], ["done", "Done"]];
const form = document.getElementById("board-form");
const listOf = (column) => byTestId(`board-${column}`);

/* ---- one card ---- */

/** The columns beside a card's own, as [name, title], or undefined at the edge. */
function neighbours(column) {
	const at = COLUMNS.findIndex(([name]) => name === column);
	return [COLUMNS[at - 1], COLUMNS[at + 1]];
}

function drawMover(button, target, text) {
	button.disabled = !target;
	button.dataset.column = target?.[0] ?? "";
	button.setAttribute("aria-label", target ? `Move “${text}” to ${target[1]}` : "No further");
}

function makeCard(id) {
	const item = makeElement("li", "slip");
	const mover = (className, sign) => makeButton(className, sign, "", (event) =>
		board.act("move", { id, column: event.currentTarget.dataset.column }));
	const tools = makeElement("div", "tools");
	tools.append(mover("tool back", "←"), mover("tool forth", "→"),
		makeButton("tool edit", "✎", "", () => beginEdit(item)),
		makeButton("tool remove", "✕", "", () => board.act("remove", { id })));
	item.append(makeElement("p", "text"), tools);
	item.dataset.id = id;
	item.dataset.testid = "board-card";
	item.draggable = true;
	return item;
}

function drawCard(item, { text, column }) {
	const part = (name) => item.querySelector(`.${name}`);
	const [back, forth] = neighbours(column);
	setText(part("text"), text);
	drawMover(part("back"), back, text);
	drawMover(part("forth"), forth, text);
	part("edit").setAttribute("aria-label", `Edit “${text}”`);
	part("remove").setAttribute("aria-label", `Remove “${text}”`);
}

/** Puts a field over the card's text. The card under it goes on changing as others move it. */
function beginEdit(item) {
	if (item.querySelector("form"))
		return;
	const field = Object.assign(makeElement("input", ""), {
		name: "text", maxLength: 200, value: item.querySelector(".text").textContent, enterKeyHint: "done",
	});
	field.setAttribute("aria-label", "The card's text");
	const editor = makeElement("form", "editor");
	const end = () => {
		editor.remove();
		item.draggable = true;
		item.querySelector(".edit").focus();
	};
	const save = makeElement("button", "primary", "Save");
	editor.append(field, save);
	editor.addEventListener("submit", async (event) => {
		event.preventDefault();
		if (await board.act("edit", { id: Number(item.dataset.id), text: field.value }))
			end();
	});
	editor.addEventListener("keydown", (event) => {
		if (event.key === "Escape")
			end();
	});
	item.draggable = false; /* or the text in the field could not be selected with the mouse */
	item.prepend(editor);
	field.select();
}

/* ---- all of them ---- */

/** Brings a list in line with the cards that belong there; what stands where it should is not touched. */
function drawList(list, items) {
	items.forEach((item, index) => {
		if (list.children[index] !== item)
			list.insertBefore(item, list.children[index] ?? null);
	});
}

function drawCards(cards) {
	const focused = document.activeElement;
	const known = new Map([...card("board").querySelectorAll(".slip")].map((item) => [Number(item.dataset.id), item]));
	const items = cards.map((one) => {
		const item = known.get(one.id) ?? makeCard(one.id);
		known.delete(one.id);
		drawCard(item, one);
		return item;
	});
	for (const gone of known.values())
		gone.remove();
	for (const [column] of COLUMNS) {
		const mine = items.filter((item, index) => cards[index].column === column);
		drawList(listOf(column), mine);
		setText(byTestId(`board-${column}-count`), mine.length);
	}
	restoreFocus(focused);
}

/** A card that is put elsewhere loses the focus that was in it. */
function restoreFocus(element) {
	if (element === document.activeElement || !element.isConnected)
		return;
	element.focus();
	if (element.disabled)
		element.parentElement.querySelector("button:enabled")?.focus();
}

function drawClients(clients, shown) {
	const me = connection.state.connectionId;
	const people = shown.map((id) => ({ name: id === me ? "you" : id.slice(0, 4), colour: id }));
	const others = clients - shown.length;
	drawPeople(byTestId("board-people"), others > 0 ? [...people, { name: `${others} more` }] : people);
	setText(byTestId("board-clients"), count(clients, "window", "windows"));
}

const board = live("Board", "board", { cards: [], version: 0, clients: 0, shown: [] }, (state) => {
	drawCards(state.cards);
	drawClients(state.clients, state.shown);
});

form.addEventListener("submit", async (event) => {
	event.preventDefault();
	const { text } = form.elements;
	const wanted = text.value;
	if ((await board.act("add", { text: wanted })) && text.value === wanted)
		form.reset();
	text.focus();
});

/* ---- dragging ---- */

let dragged = null;

/** The card in front of which one at that height belongs, or null for the end. */
function cardBelow(list, y) {
	return [...list.children].find((item) => {
		const { top, height } = item.getBoundingClientRect();
		return item !== dragged && y < top + height / 2;
	}) ?? null;
}

function markPlace(list, before) {
	for (const marked of card("board").querySelectorAll(".before, .target"))
		marked.classList.remove("before", "target");
	list?.classList.add("target");
	before?.classList.add("before");
}

card("board").addEventListener("dragstart", (event) => {
	dragged = event.target.closest?.(".slip") ?? null;
	dragged?.classList.add("dragged");
	event.dataTransfer.effectAllowed = "move";
});

card("board").addEventListener("dragend", () => {
	dragged?.classList.remove("dragged");
	dragged = null;
	markPlace(null, null);
});

for (const [column] of COLUMNS) {
	const place = listOf(column).closest(".column");
	place.addEventListener("dragover", (event) => {
		if (!dragged)
			return;
		event.preventDefault();
		markPlace(place, cardBelow(listOf(column), event.clientY));
	});
	place.addEventListener("drop", (event) => {
		if (!dragged)
			return;
		event.preventDefault();
		const before = cardBelow(listOf(column), event.clientY);
		void board.act("move", {
			id: Number(dragged.dataset.id), column, before: before ? Number(before.dataset.id) : null,
		});
	});
}
