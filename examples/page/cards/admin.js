/** The admin panel: nothing to see without a sign-on. */
import { byTestId, card, connection, live, makeElement, setText, showError } from "./card.js";

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
const admin = live("AdminPanel", "admin", { notices: [] }, ({ notices }) => drawPanel(notices ?? []),
	(text) => setText(byTestId("admin-refusal"), text));

signOnForm.addEventListener("submit", async (event) => {
	event.preventDefault();
	const token = signOnForm.elements.token.value.trim();
	showError(card("admin"), "");
	if (!token || !(await connection.authenticate({ token })))
		showError(card("admin"), "That token is not known here.");
});

admin.handle.onIdChange((id) => {
	if (id)
		signOnForm.reset();
});

announceForm.addEventListener("submit", async (event) => {
	event.preventDefault();
	const text = announceForm.elements.text.value.trim();
	if (text && (await admin.act("announce", { text })))
		announceForm.reset();
});
