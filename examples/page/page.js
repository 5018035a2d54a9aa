/** What the top of the page says of the connection that all cards share. Each card is a script of its own, in cards/. */
import { byTestId, connection, setText } from "./cards/card.js";

const STATES = { connected: "Connected", connecting: "Connecting…", reconnecting: "Reconnecting…", stopped: "Disconnected" };
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
