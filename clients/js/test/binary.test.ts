import assert from "node:assert/strict";
import { test } from "node:test";
import { readBinaryRoomFrame, readBinaryStateDelta } from "../src/binary";
import { decodeMessagePack } from "../src/msgpack";

const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.replace(/ /g, "").match(/../g) ?? [], (h) => parseInt(h, 16));

test("the worked examples of the protocol", () => {
	const delta = readBinaryStateDelta(bytes("01 08 41 62 33 64 45 66 39 5f 7b 22 78 22 3a 35 7d"))!;
	assert.equal(delta.componentId, "Ab3dEf9_");
	assert.equal(new TextDecoder().decode(delta.payload), '{"x":5}');
	const event = readBinaryRoomFrame(bytes(
		"02 08 41 62 33 64 45 66 39 5f 0a 63 68 61 74 3a 6c 6f 62 62 79 00 07 6d 73 67 3a 6e 65 77" +
		"82 a4 75 73 65 72 a3 61 6e 61 a1 6e cd 01 2c",
	));
	assert.deepEqual(event, {
		type: 2, componentId: "Ab3dEf9_", roomId: "chat:lobby", event: "msg:new", data: { user: "ana", n: 300 },
	});
	const state = readBinaryRoomFrame(bytes(
		"03 08 41 62 33 64 45 66 39 5f 0a 63 68 61 74 3a 6c 6f 62 62 79 00 0d 24 73 74 61 74 65 3a 75 70 64 61 74 65" +
		"81 a5 73 74 61 74 65 83 a5 74 6f 70 69 63 a2 68 69 a4 74 65 6d 70 cb bf f8 00 00 00 00 00 00 a3 6f 6c 64 c0",
	));
	assert.deepEqual(state?.data, { state: { topic: "hi", temp: -1.5, old: null } });
});

test("frames cut short, or of another kind, are none", () => {
	for (const hex of ["", "01", "01 08 41", "01 01"])
		assert.equal(readBinaryStateDelta(bytes(hex)), null, hex);
	for (const hex of ["02", "02 01 61 01 61 00", "02 01 61 01 61 00 09 61", "02 01 61 01 61 00 00", "07 01 61 01 61 00 00 c0"])
		assert.equal(readBinaryRoomFrame(bytes(hex)), null, hex);
});

test("numbers", () => {
	const values: [string, number][] = [
		["7f", 127], ["cc80", 128], ["cd0100", 256], ["ce00010000", 65536], ["ceffffffff", 4294967295],
		["cb41f0000000000000", 4294967296], ["ff", -1], ["e0", -32], ["d0df", -33], ["d1ff7f", -129],
		["d2ffff7fff", -32769], ["cbc1e0000000200000", -2147483649], ["ca3fc00000", 1.5],
		["cf0000000100000000", 4294967296], ["d3ffffffffffffffff", -1],
	];
	for (const [hex, value] of values)
		assert.equal(decodeMessagePack(bytes(hex)), value, hex);
});

test("everything else", () => {
	assert.deepEqual(decodeMessagePack(bytes("95 c0 c2 c3 a2c3a9 c40201ff")), [null, false, true, "é", bytes("01ff")]);
	assert.deepEqual(decodeMessagePack(bytes("d9026869")), "hi");
	assert.deepEqual(decodeMessagePack(bytes("da00026869")), "hi");
	assert.deepEqual(decodeMessagePack(bytes("db000000026869")), "hi");
	assert.deepEqual(decodeMessagePack(bytes("dc000101")), [1]);
	assert.deepEqual(decodeMessagePack(bytes("dd0000000101")), [1]);
	assert.deepEqual(decodeMessagePack(bytes("de0001a16101")), { a: 1 });
	assert.deepEqual(decodeMessagePack(bytes("df00000001a16101")), { a: 1 });
	assert.deepEqual(decodeMessagePack(bytes("c5000101")), bytes("01"));
	assert.deepEqual(decodeMessagePack(bytes("c60000000101")), bytes("01"));
});

test("bad input throws, whatever it is", () => {
	for (const hex of ["", "cc", "a5 61", "92 01", "81 a161", "d4 01 02", "c1", "ddffffffff", "91".repeat(200) + "c0"])
		assert.throws(() => decodeMessagePack(bytes(hex)), RangeError, hex);
});
