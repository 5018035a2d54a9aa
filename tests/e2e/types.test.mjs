/** The browser client holds what its types promise, and so do the types that are made of components. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const COMPILER = fileURLToPath(new URL("node_modules/typescript/bin/tsc", import.meta.url));
const CLIENT = fileURLToPath(new URL("../../clients/js", import.meta.url));
const STRICT = ["--noEmit", "--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--lib", "es2022,dom",
	"--module", "esnext", "--moduleResolution", "bundler", "--pretty", "false"];

function compile(...words) {
	const { status, stdout } = spawnSync(process.execPath, [COMPILER, ...words], { encoding: "utf8" });
	return { status, stdout };
}

/** A folder with what `liveshard types` makes of the example components. */
function madeTypes() {
	const folder = mkdtempSync(join(tmpdir(), "types-"));
	const words = ["types", "--components", process.env.LIVE_COMPONENTS];
	const { status, stdout, stderr } = spawnSync(process.env.LIVE_SERVER, words, { encoding: "utf8" });
	assert.equal(stderr, "");
	assert.equal(status, 0);
	writeFileSync(join(folder, "components.ts"), stdout);
	return folder;
}

/** How the bindings for frameworks see a component: its class is all they are given. */
const LIVE = `
import { Counter, SharedCounter, Todo, type TodoActions, type TodoAddPayload, type TodoState } from "./components";
import { useLive } from "${CLIENT}/src/index";

interface Stub { new (): object; readonly componentName: string; readonly defaultState: Record<string, unknown> }
declare const Live: { use<C extends Stub>(component: C): { $state: C["defaultState"] } & InstanceType<C> };
const todo = Live.use(Todo);
`;

const SAMPLE = `${LIVE}
const item: TodoAddPayload = { title: "milk", priority: "high" };
export const answers = Promise.all([
	todo.add(item),
	todo.add({ title: "tea" }),
	todo.setDone({ id: 1 }),
	todo.setDone({ id: 1, done: false }),
	Live.use(Counter).increment(),
	Live.use(SharedCounter).increment(),
]);
export const last: number = todo.$state.lastId;
export const count: number = Live.use(Counter).$state.count;
export const actions: readonly (keyof TodoActions)[] = Todo.publicActions;
export const name: string = Todo.componentName;

const plain = useLive<TodoState>(Todo.componentName, Todo.defaultState);
plain.on((state) => state.items.length);

// @ts-expect-error a payload is needed
void todo.add();
// @ts-expect-error the title is needed
void todo.add({});
// @ts-expect-error the title is a string
void todo.add({ title: 7 });
// @ts-expect-error there is no such priority
void todo.add({ title: "tea", priority: "urgent" });
// @ts-expect-error there is no such member
void todo.add({ title: "tea", colour: "red" });
// @ts-expect-error the id is a number
void todo.setDone({ id: "1" });
// @ts-expect-error there is no such action
void todo.clear();
// @ts-expect-error there is no such key in the state
void todo.$state.title;
// @ts-expect-error the state has no such type
export const wrong: string = todo.$state.lastId;
`;

const WRONG = `${LIVE}
void todo.add({ title: 7 });
void todo.clear();
`;

test("clients/js passes the type checker", { timeout: 120000 }, () => {
	assert.deepEqual(compile("--noEmit", "-p", CLIENT), { status: 0, stdout: "" });
});

test("the types made of components say what may be called", { timeout: 120000 }, () => {
	const folder = madeTypes();
	writeFileSync(join(folder, "sample.ts"), SAMPLE);
	assert.deepEqual(compile(...STRICT, join(folder, "sample.ts")), { status: 0, stdout: "" });
});

test("a wrong call does not compile", { timeout: 120000 }, () => {
	const folder = madeTypes();
	writeFileSync(join(folder, "wrong.ts"), WRONG);
	const { status, stdout } = compile(...STRICT, join(folder, "wrong.ts"));
	assert.notEqual(status, 0);
	const errors = stdout.split("\n").filter((line) => line.includes("error TS"));
	assert.equal(errors.length, 2, stdout);
	assert.match(errors[0], /Type 'number' is not assignable to type 'string'/);
	assert.match(errors[1], /Property 'clear' does not exist/);
});
