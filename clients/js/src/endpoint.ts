const PATH = "/api/live/ws";
const OUTSIDE_A_PAGE = `ws://localhost:3000${PATH}`;

/** The server's address, as seen from this page: its own host, over TLS when the page came over TLS. */
export function defaultEndpoint(): string {
	if (typeof location === "undefined" || !location.host)
		return OUTSIDE_A_PAGE;
	return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${PATH}`;
}
