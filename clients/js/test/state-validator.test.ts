import assert from "node:assert/strict";
import { test } from "node:test";
import { StateValidator, type ValidatedState } from "../src/state-validator";

test("a checksum is that of the value, not of the order of its keys", () => {
	const checksum = StateValidator.generateChecksum({ a: 1, b: { c: [1, 2], d: null } });
	assert.equal(checksum, StateValidator.generateChecksum({ b: { d: null, c: [1, 2] }, a: 1 }));
	assert.notEqual(checksum, StateValidator.generateChecksum({ a: 1, b: { c: [2, 1], d: null } }));
	assert.match(checksum, /^[0-9a-f]{1,8}$/);
	assert.equal(StateValidator.generateChecksum({}), (123 * 31 + 125).toString(16)); // of "{}"
	assert.equal(StateValidator.generateChecksum(undefined), "0");
});

test("conflicts are keys of both with different values, but for the excluded ones", () => {
	const client = { n: 1, same: { b: 1, a: 2 }, mine: 1, version: 1, lastUpdated: 5 };
	const server = { n: 2, same: { a: 2, b: 1 }, theirs: 1, version: 2, lastUpdated: 6 };
	const [conflict, ...others] = StateValidator.detectConflicts(client, server);
	assert.deepEqual(others, []);
	assert.deepEqual({ ...conflict, timestamp: 0 }, {
		property: "n", clientValue: 1, serverValue: 2, timestamp: 0, resolved: false,
	});
	assert.equal(StateValidator.detectConflicts(client, server, ["n"]).length, 2);
});

test("each strategy has its winner", () => {
	const client = { n: 5, low: 1, text: "mine", mine: true };
	const server = { n: 3, low: 2, text: "theirs", theirs: true };
	const conflicts = StateValidator.detectConflicts(client, server);
	const both = { mine: true, theirs: true };
	const merged = (strategy?: "client" | "server" | "smart") =>
		StateValidator.mergeStates<Record<string, unknown>>(client, server, conflicts, strategy);
	assert.deepEqual(merged("client"), { ...both, n: 5, low: 1, text: "mine" });
	assert.deepEqual(merged("server"), { ...both, n: 3, low: 2, text: "theirs" });
	assert.deepEqual(merged(), { ...both, n: 5, low: 2, text: "theirs" });
	assert.deepEqual(StateValidator.resolveConflicts<Record<string, unknown>>(client, server), merged("smart"));
});

test("a changed state is invalid until its validation is made anew", () => {
	const data = { n: 1 };
	const state: ValidatedState = {
		data, validation: StateValidator.createValidation(data, "mount"), conflicts: [], status: "conflict",
	};
	assert.equal(state.validation.version, 1);
	assert.ok(StateValidator.validateState(state) && StateValidator.validate(state));
	state.data = { n: 2 };
	assert.ok(!StateValidator.validateState(state));
	const updated = StateValidator.updateValidation(state, "server");
	assert.ok(StateValidator.validateState(updated));
	assert.deepEqual([updated.validation.version, updated.validation.source, updated.status], [2, "server", "synced"]);
});
