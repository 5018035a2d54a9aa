/**
 * What all cards of the page share. A card is one live component: its state comes from the server and is drawn as it is;
 * a button only asks the server to act. Nothing here reconnects: the client does that, and the page draws what it says.
 */
const { getConnection, useLive } = globalThis.FluxstackLive;

export const connection = getConnection();
export const byTestId = (id) => document.querySelector(`[data-testid="${id}"]`);
export const card = (name) => document.querySelector(`[data-component="${name}"]`);

/** Writes text where it changed; tells whether it did. */
export function setText(element, text) {
	if (element.textContent === String(text))
		return false;
	element.textContent = text;
	return true;
}

export function makeElement(tag, className, text) {
	const element = document.createElement(tag);
	element.className = className;
	if (text !== undefined)
		element.textContent = text;
	return element;
}

export function makeButton(className, text, label, click) {
	const button = makeElement("button", className, text);
	button.type = "button";
	button.setAttribute("aria-label", label);
	button.addEventListener("click", click);
	return button;
}

export function count(n, one, many) {
	return `${n} ${n === 1 ? one : many}`;
}

/** A colour of its own for each name. */
export function hueOf(name) {
	let hash = 0;
	for (const letter of name)
		hash = (hash * 31 + letter.codePointAt(0)) % 65521;
	return (hash * 137) % 360;
}

/** Names in their colours, in a list that is only touched when they changed. */
export function drawPeople(list, people) {
	if ([...list.children].map((item) => item.textContent).join("\n") === people.map(({ name }) => name).join("\n"))
		return;
	list.replaceChildren(...people.map(({ name, colour = name }) => {
		const item = makeElement("li", "", name);
		item.style.setProperty("--hue", hueOf(colour));
		return item;
	}));
}

export function showError(element, message) {
	const line = element.querySelector("[data-error]");
	if (line)
		setText(line, message);
}

/**
 * A component drawn in a card. Its buttons work while it is there, and a refusal is shown under them. When the server
 * does not let it be mounted, or has no such component, the card says so: `refused` is told, and "" once it is there.
 */
export function live(name, cardName, initialState, draw, refused = undefined) {
	const element = card(cardName);
	const component = useLive(name, initialState);
	const buttons = element.querySelectorAll("button[data-action]");
	const tellRefusal = refused ?? ((text) => showError(element, text));
	const enable = () => {
		element.classList.toggle("waiting", !component.mounted);
		for (const button of buttons)
			button.disabled = !component.mounted;
	};
	component.on((state) => draw(state));
	component.handle.onIdChange((id) => {
		enable();
		draw(component.state);
		if (id)
			tellRefusal("");
	});
	component.onError((error) => {
		if (!component.mounted && connection.state.connected)
			tellRefusal(`The server says: ${error}`);
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
