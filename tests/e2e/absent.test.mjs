/** The page of a server that has but one of its components: that card works, and each of the others says what is missing. */
import { copyFileSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { serve } from "./house.mjs";

const components = mkdtempSync(join(tmpdir(), "components-"));
copyFileSync(join(process.env.LIVE_COMPONENTS, "counter.so"), join(components, "counter.so"));
const { open } = serve({ components });

test("what the server does not have, its card says, and the others go on", { timeout: 60000 }, async () => {
	const window = await open();
	const absent = { shared: "SharedCounter", clock: "Clock", chat: "ChatRoom", board: "Board", todo: "Todo", job: "Job" };
	for (const [card, name] of Object.entries(absent))
		await window.shows(`${card}-error`, `The server says: Component '${name}' not found`);
	await window.shows("admin-refusal", "The server says: Component 'AdminPanel' not found");
	await window.get("counter-increment").click();
	await window.shows("counter-value", 1);
});
