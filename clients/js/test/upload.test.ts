import assert from "node:assert/strict";
import { test } from "node:test";
import { AdaptiveChunkSizer } from "../src/chunk-sizer";
import { ChunkedUploader, encodeBinaryChunk, type UploaderOptions } from "../src/upload";
import { FakeServer, settle } from "./support";

/** What the uploader reads of a File. */
function file(size: number, type = "image/png"): File {
	return Object.assign(new Blob([new Uint8Array(size).map((_, i) => i)], { type }), { name: "cat.png" }) as unknown as File;
}

async function start(options: Partial<UploaderOptions> = {}) {
	const server = new FakeServer();
	const connection = server.connect();
	await server.link.establish();
	const seen: unknown[] = [];
	const uploader = new ChunkedUploader("c1", {
		sendMessageAndWait: (frame, timeout) => connection.sendMessageAndWait(frame, timeout),
		sendBinaryAndWait: (bytes, id, timeout) => connection.sendBinaryAndWait(bytes, id, timeout),
		onProgress: (percent) => seen.push(percent),
		onComplete: (reply) => seen.push(reply.fileUrl),
		onError: (error) => seen.push(error),
		clock: server.clock,
		...options,
	});
	return { server, uploader, seen };
}

function readChunk(frame: Uint8Array) {
	const length = new DataView(frame.buffer).getUint32(0, true);
	return { header: JSON.parse(new TextDecoder().decode(frame.subarray(4, 4 + length))), bytes: frame.subarray(4 + length) };
}

async function sentBinary(server: FakeServer, count: number): Promise<Uint8Array[]> {
	for (let tries = 0; tries < 1000; tries++) {
		const frames = server.link.sent.filter((frame) => frame instanceof Uint8Array);
		if (frames.length >= count)
			return frames;
		await settle();
	}
	throw new Error(`${count} chunks did not come`);
}

test("a binary chunk's bytes are those of the protocol's example", () => {
	const header = {
		type: "FILE_UPLOAD_CHUNK", componentId: "Ab3dEf9_", uploadId: "up-1", chunkIndex: 0, totalChunks: 1,
		requestId: "chunk-up-1-0",
	};
	const frame = encodeBinaryChunk(header, new TextEncoder().encode("hello"));
	assert.equal(frame.length, 138);
	assert.deepEqual([...frame.subarray(0, 4)], [0x81, 0, 0, 0]);
	assert.deepEqual(readChunk(frame).header, header);
	assert.equal(new TextDecoder().decode(frame.subarray(133)), "hello");
});

test("start, chunks one after the other, complete", async () => {
	const { server, uploader, seen } = await start({ chunkSize: 40 });
	const done = uploader.uploadFile(file(70));
	const [request] = server.link.received("FILE_UPLOAD_START");
	assert.equal(request.filename, "cat.png");
	assert.equal(request.fileSize, 70);
	assert.equal(request.chunkSize, 40);
	await server.link.reply("FILE_UPLOAD_START", { type: "FILE_UPLOAD_START_RESPONSE" });

	const first = readChunk((await sentBinary(server, 1))[0]!);
	assert.equal(first.header.requestId, `chunk-${request.uploadId}-0`);
	assert.equal(first.header.totalChunks, 2);
	assert.equal(first.bytes.length, 40);
	await server.link.push({ type: "FILE_UPLOAD_PROGRESS", requestId: first.header.requestId });
	await server.clock.advance(10);
	const second = readChunk((await sentBinary(server, 2))[1]!);
	assert.equal(second.bytes[0], 40);
	await server.link.push({ type: "FILE_UPLOAD_PROGRESS", uploadId: request.uploadId, chunkIndex: 1 });
	await server.clock.advance(10);
	const completion = { type: "FILE_UPLOAD_COMPLETE", uploadId: request.uploadId, success: true, fileUrl: "/uploads/x.png" };
	await server.link.push(completion);
	assert.equal((await done)?.fileUrl, "/uploads/x.png");
	assert.deepEqual(seen, [(40 / 70) * 100, 100, "/uploads/x.png"]);
	assert.deepEqual([uploader.state.uploading, uploader.state.bytesUploaded], [false, 70]);
});

test("chunks as JSON carry base64", async () => {
	const { server, uploader } = await start({ useBinaryProtocol: false });
	const done = uploader.uploadFile(file(5));
	await server.link.reply("FILE_UPLOAD_START", {});
	while (server.link.received("FILE_UPLOAD_CHUNK").length === 0)
		await settle();
	assert.equal(server.link.received("FILE_UPLOAD_CHUNK")[0].data, "AAECAwQ=");
	uploader.cancelUpload();
	await server.link.reply("FILE_UPLOAD_CHUNK", { type: "FILE_UPLOAD_PROGRESS" });
	assert.equal(await done, null);
	assert.equal(uploader.state.error, "Upload cancelled");
	assert.equal(server.link.received("FILE_UPLOAD_COMPLETE").length, 0);
});

test("what may not be sent is refused here", async () => {
	const { server, uploader, seen } = await start({ maxFileSize: 10, allowedTypes: ["image/png", "image/gif"] });
	assert.equal(await uploader.uploadFile(file(11)), null);
	assert.equal(await uploader.uploadFile(file(1, "text/plain")), null);
	assert.deepEqual(seen, [
		"File too large: 11 bytes. Max: 10 bytes",
		"Invalid file type: text/plain. Allowed: image/png, image/gif",
	]);
	assert.deepEqual(server.link.sent, []);
	uploader.reset();
	assert.equal(uploader.state.error, null);
});

test("a refusal of the server ends the upload; a second upload at the same time is refused", async () => {
	const { server, uploader } = await start();
	const done = uploader.uploadFile(file(5));
	await assert.rejects(uploader.uploadFile(file(5)), { message: "An upload is already in progress" });
	await server.link.reply("FILE_UPLOAD_START", { success: false, error: "Too many uploads" });
	assert.equal(await done, null);
	assert.equal(uploader.state.error, "Too many uploads");
});

test("chunk sizes follow the latency within their limits", () => {
	const sizer = new AdaptiveChunkSizer();
	sizer.recordSuccess(160);
	assert.equal(sizer.size, 65536, "one quick reply may be luck");
	sizer.recordSuccess(160);
	assert.equal(sizer.size, 81920);
	for (let i = 0; i < 20; i++)
		sizer.recordSuccess(1);
	assert.equal(sizer.size, 1048576);
	sizer.recordError();
	assert.equal(sizer.size, 699051);
	sizer.recordError();
	assert.equal(sizer.size, 349526);
	for (let i = 0; i < 20; i++)
		sizer.recordSuccess(5000);
	assert.equal(sizer.size, 16384);
});
