/** Talk in rooms. */
import { byTestId, card, drawPeople, hueOf, live, makeElement, setText, showError } from "./card.js";

const joinForm = document.getElementById("join");
const talk = document.getElementById("talk");
const messages = document.getElementById("messages");
const compose = document.getElementById("compose");
const timeFormat = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });

/** Who this window is in the chat and where: kept over a reload of the window, not longer. */
const seat = {
	key: "liveshard-chat",
	load() {
		try {
			return JSON.parse(sessionStorage.getItem(this.key)) ?? {};
		} catch {
			return {};
		}
	},
	save(value) {
		try {
			sessionStorage.setItem(this.key, JSON.stringify(value));
		} catch {
			/* No storage in this window: then a reload starts over. */
		}
	},
};
let wanted = seat.load();

function want(changes) {
	wanted = { ...wanted, ...changes };
	seat.save(wanted);
}

function makeMessage(message, mine) {
	const item = makeElement("li", mine ? "message mine" : "message");
	item.dataset.id = message.id;
	item.dataset.testid = "chat-message";
	item.style.setProperty("--hue", hueOf(message.user));
	const head = makeElement("p", "who");
	head.append(makeElement("strong", "", message.user), " ",
		makeElement("time", "", timeFormat.format(message.time)));
	item.append(head, makeElement("p", "bubble", message.text));
	return item;
}

/** Brings the list on the page in line with the messages, touching only what changed, and stays at its end. */
function drawMessages(list, me) {
	const atEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 40;
	const known = new Map([...messages.children].map((item) => [item.dataset.id, item]));
	const items = list.map((message) => {
		const item = known.get(String(message.id));
		const same = item && item.querySelector(".bubble").textContent === message.text;
		return same ? item : makeMessage(message, message.user === me);
	});
	const added = items.some((item, index) => messages.children[index] !== item);
	if (added || messages.children.length !== items.length)
		messages.replaceChildren(...items);
	if (added && (atEnd || list.at(-1)?.user === me))
		messages.scrollTop = messages.scrollHeight;
}

function drawChat(state) {
	const room = state.currentRoom;
	joinForm.hidden = Boolean(room);
	talk.hidden = !room;
	if (!room)
		return;
	setText(byTestId("chat-current-room"), room);
	drawPeople(byTestId("chat-users"), (state.users ?? []).map((name) => ({ name })));
	drawMessages(state.messages ?? [], state.username);
}

const chat = live("ChatRoom", "chat", { messages: [], users: [], currentRoom: null, username: "" }, drawChat);

async function join() {
	if (await chat.act("setUsername", { username: wanted.name }))
		return chat.act("joinRoom", { roomId: wanted.room });
	return false;
}

/* The component is back, but not its place in the room: the server had nothing to bring it back from. */
chat.handle.onIdChange((id) => {
	if (id && wanted.room && !chat.state.currentRoom)
		void join();
});

joinForm.addEventListener("submit", async (event) => {
	event.preventDefault();
	const form = new FormData(joinForm);
	const [name, room] = [form.get("username").trim(), form.get("roomId").trim()];
	if (!name || !room) {
		showError(card("chat"), "A name and a room are needed.");
		return;
	}
	want({ name, room });
	if (await join())
		document.getElementById("text").focus();
	else
		want({ room: null });
});

document.getElementById("leave").addEventListener("click", async () => {
	want({ room: null });
	if (await chat.act("leaveRoom"))
		joinForm.elements.roomId.focus();
});

compose.addEventListener("submit", async (event) => {
	event.preventDefault();
	const input = compose.elements.text;
	const text = input.value.trim();
	if (text && (await chat.act("sendMessage", { text })) && input.value.trim() === text)
		input.value = "";
});

joinForm.elements.username.value = wanted.name ?? `Guest ${Math.floor(Math.random() * 900 + 100)}`;
joinForm.elements.roomId.value = wanted.room ?? "lobby";
