/*
 * The example page. Each card is one live component: its state comes from the server and is drawn as it is; a button
 * only asks the server to act. Nothing here reconnects: the client does that, and this page draws what it says.
 */
const { getConnection, useLive } = globalThis.FluxstackLive;

const byTestId = (id) => document.querySelector(`[data-testid="${id}"]`);
const card = (name) => document.querySelector(`[data-component="${name}"]`);

/** Writes text where it changed; tells whether it did. */
function setText(element, text) {
	if (element.textContent === String(text))
		return false;
	element.textContent = text;
	return true;
}

function count(n, one, many) {
	return `${n} ${n === 1 ? one : many}`;
}

/* ---- the connection ---- */

const STATES = { connected: "Connected", connecting: "Connecting…", reconnecting: "Reconnecting…", stopped: "Disconnected" };
const connection = getConnection();
let wasConnected = false;

function connectionState({ connected, error }) {
	if (connected)
		return "connected";
	if (error?.startsWith("Connection rejected"))
		return "stopped";
	return wasConnected ? "reconnecting" : "connecting";
}

function drawConnection(state) {
	const name = connectionState(state);
	wasConnected ||= state.connected;
	const pill = byTestId("connection");
	pill.dataset.state = name;
	setText(pill.querySelector("[data-text]"), STATES[name]);
}

connection.onStateChange(drawConnection);
drawConnection(connection.state);

/* ---- what all cards share ---- */

/** A component drawn in a card. Its buttons work while it is there, and a refusal is shown under them. */
function live(name, cardName, initialState, draw) {
	const element = card(cardName);
	const component = useLive(name, initialState);
	const buttons = element.querySelectorAll("button[data-action]");
	const enable = () => {
		element.classList.toggle("waiting", !component.mounted);
		for (const button of buttons)
			button.disabled = !component.mounted;
	};
	component.on((state) => draw(state));
	component.handle.onIdChange(() => {
		enable();
		draw(component.state);
	});
	enable();

	/** Runs an action; tells whether the server did it. */
	component.act = async (action, payload) => {
		try {
			await component.call(action, payload);
			showError(element, "");
			return true;
		} catch (error) {
			showError(element, component.mounted ? error.message : "Not connected. Try again in a moment.");
			return false;
		}
	};
	for (const button of buttons)
		if (button.dataset.action)
			button.addEventListener("click", () => component.act(button.dataset.action));
	return component;
}

function showError(element, message) {
	const line = element.querySelector("[data-error]");
	if (line)
		setText(line, message);
}

/** Draws a number, with a small nod when it changes. */
function drawNumber(element, value) {
	if (!setText(element, value ?? 0))
		return;
	element.classList.remove("bump");
	void element.offsetWidth; /* so that the animation starts over */
	element.classList.add("bump");
}

/* ---- counters ---- */

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

/* ---- clock ---- */

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

/* ---- chat ---- */

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

/** A colour of its own for each name. */
function hueOf(name) {
	let hash = 0;
	for (const letter of name)
		hash = (hash * 31 + letter.codePointAt(0)) % 65521;
	return (hash * 137) % 360;
}

function makeElement(tag, className, text) {
	const element = document.createElement(tag);
	element.className = className;
	if (text !== undefined)
		element.textContent = text;
	return element;
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

function drawPeople(users) {
	const people = users.map((user) => (typeof user === "string" ? user : user?.name ?? ""));
	const list = byTestId("chat-users");
	if ([...list.children].map((item) => item.textContent).join("\n") === people.join("\n"))
		return;
	list.replaceChildren(...people.map((name) => {
		const item = makeElement("li", "", name);
		item.style.setProperty("--hue", hueOf(name));
		return item;
	}));
}

function drawChat(state) {
	const room = state.currentRoom;
	joinForm.hidden = Boolean(room);
	talk.hidden = !room;
	if (!room)
		return;
	setText(byTestId("chat-current-room"), room);
	drawPeople(state.users ?? []);
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

/* ---- things to do ---- */

const todoForm = document.getElementById("todo-form");

function makeThing(item) {
	const line = makeElement("li", "");
	const label = makeElement("label", "");
	const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: item.done });
	box.addEventListener("change", () => todo.act("setDone", { id: item.id, done: box.checked }));
	label.append(box, makeElement("span", item.done ? "done" : "", item.title));
	const remove = makeElement("button", "plain", "Remove");
	remove.type = "button";
	remove.setAttribute("aria-label", `Remove ${item.title}`);
	remove.addEventListener("click", () => todo.act("remove", { id: item.id }));
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

/* ---- admin panel ---- */

const signOnForm = document.getElementById("sign-on");
const announceForm = document.getElementById("announce");

function drawPanel(notices) {
	const { mounted } = admin;
	signOnForm.hidden = mounted;
	document.getElementById("panel").hidden = !mounted;
	byTestId("admin-notices").replaceChildren(...notices.map(({ text, by }) => {
		const line = makeElement("li", "", `${text} `);
		line.append(makeElement("span", "note", by));
		return line;
	}));
	if (mounted)
		setText(byTestId("admin-tag"), connection.state.auth.session?.name ?? "signed on");
}

/* Without a sign-on the server refuses to mount it; the client tries again by itself once it is signed on. */
const admin = live("AdminPanel", "admin", { notices: [] }, ({ notices }) => drawPanel(notices ?? []));

admin.onError((error) => {
	if (!admin.mounted)
		setText(byTestId("admin-refusal"), `The server says: ${error}`);
});

signOnForm.addEventListener("submit", async (event) => {
	event.preventDefault();
	const token = signOnForm.elements.token.value.trim();
	showError(card("admin"), "");
	if (!token || !(await connection.authenticate({ token })))
		showError(card("admin"), "That token is not known here.");
});

admin.handle.onIdChange((id) => {
	if (!id)
		return;
	setText(byTestId("admin-refusal"), "");
	signOnForm.reset();
});

announceForm.addEventListener("submit", async (event) => {
	event.preventDefault();
	const text = announceForm.elements.text.value.trim();
	if (text && (await admin.act("announce", { text })))
		announceForm.reset();
});
