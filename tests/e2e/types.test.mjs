/** The browser client holds what its types promise. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

test("clients/js passes the type checker", { timeout: 120000 }, () => {
	const compiler = fileURLToPath(new URL("node_modules/typescript/bin/tsc", import.meta.url));
	const project = fileURLToPath(new URL("../../clients/js", import.meta.url));
	const { status, stdout } = spawnSync(process.execPath, [compiler, "--noEmit", "-p", project], { encoding: "utf8" });
	assert.equal(stdout, "");
	assert.equal(status, 0);
});
