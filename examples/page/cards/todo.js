/** Things to do: what may be asked, the server's schemas say. */
import { byTestId, live, makeButton, makeElement } from "./card.js";

const todoForm = document.getElementById("todo-form");

function makeThing(item) {
	const line = makeElement("li", "");
	const label = makeElement("label", "");
	const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: item.done });
	box.addEventListener("change", () => todo.act("setDone", { id: item.id, done: box.checked }));
	label.append(box, makeElement("span", item.done ? "done" : "", item.title));
	const remove = makeButton("plain", "Remove", `Remove ${item.title}`, () => todo.act("remove", { id: item.id }));
	line.append(label, ...(item.priority === "normal" ? [] : [makeElement("span", `tag ${item.priority}`, item.priority)]),
		remove);
	line.dataset.testid = "todo-item";
	return line;
}

const todo = live("Todo", "todo", { items: [], lastId: 0 }, ({ items }) => {
	byTestId("todo-items").replaceChildren(...(items ?? []).map(makeThing));
});

/* What is typed goes to the server as it is: its schemas say what is wrong, so this page need not. */
todoForm.addEventListener("submit", async (event) => {
	event.preventDefault();
	const { title, priority } = todoForm.elements;
	const item = { title: title.value, ...(priority.value && { priority: priority.value }) };
	if (await todo.act("add", item))
		todoForm.reset();
	title.focus();
});
