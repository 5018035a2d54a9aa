/** Decodes MessagePack: every type but extensions. What is cut short, nested too deep or unknown throws RangeError. */
const MAX_DEPTH = 100;

const text = new TextDecoder();

export function decodeMessagePack(bytes: Uint8Array): unknown {
	return new Decoder(bytes).value(0);
}

class Decoder {
	private readonly view: DataView;
	private at = 0;

	constructor(private readonly bytes: Uint8Array) {
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	}

	value(depth: number): unknown {
		if (depth > MAX_DEPTH)
			throw new RangeError("MessagePack nested too deep");
		const head = this.view.getUint8(this.skip(1));
		if (head < 0x80)
			return head;
		if (head < 0x90)
			return this.map(head & 0x0f, depth);
		if (head < 0xa0)
			return this.array(head & 0x0f, depth);
		if (head < 0xc0)
			return this.string(head & 0x1f);
		if (head >= 0xe0)
			return head - 0x100;
		return this.tagged(head, depth);
	}

	private tagged(head: number, depth: number): unknown {
		switch (head) {
		case 0xc0: return null;
		case 0xc2: return false;
		case 0xc3: return true;
		case 0xc4: return this.binary(this.unsigned(1));
		case 0xc5: return this.binary(this.unsigned(2));
		case 0xc6: return this.binary(this.unsigned(4));
		case 0xca: return this.view.getFloat32(this.skip(4));
		case 0xcb: return this.view.getFloat64(this.skip(8));
		case 0xcc: return this.unsigned(1);
		case 0xcd: return this.unsigned(2);
		case 0xce: return this.unsigned(4);
		case 0xcf: return Number(this.view.getBigUint64(this.skip(8)));
		case 0xd0: return this.view.getInt8(this.skip(1));
		case 0xd1: return this.view.getInt16(this.skip(2));
		case 0xd2: return this.view.getInt32(this.skip(4));
		case 0xd3: return Number(this.view.getBigInt64(this.skip(8)));
		case 0xd9: return this.string(this.unsigned(1));
		case 0xda: return this.string(this.unsigned(2));
		case 0xdb: return this.string(this.unsigned(4));
		case 0xdc: return this.array(this.unsigned(2), depth);
		case 0xdd: return this.array(this.unsigned(4), depth);
		case 0xde: return this.map(this.unsigned(2), depth);
		case 0xdf: return this.map(this.unsigned(4), depth);
		default: throw new RangeError(`MessagePack type 0x${head.toString(16)} is not supported`);
		}
	}

	/** Passes over `count` bytes, which must be there, and returns where they began. */
	private skip(count: number): number {
		const start = this.at;
		if (start + count > this.bytes.length)
			throw new RangeError("MessagePack cut short");
		this.at = start + count;
		return start;
	}

	private unsigned(size: 1 | 2 | 4): number {
		const start = this.skip(size);
		if (size === 1)
			return this.view.getUint8(start);
		return size === 2 ? this.view.getUint16(start) : this.view.getUint32(start);
	}

	private binary(length: number): Uint8Array {
		const start = this.skip(length);
		return this.bytes.slice(start, start + length);
	}

	private string(length: number): string {
		const start = this.skip(length);
		return text.decode(this.bytes.subarray(start, start + length));
	}

	private array(length: number, depth: number): unknown[] {
		const items: unknown[] = [];
		for (let i = 0; i < length; i++)
			items.push(this.value(depth + 1));
		return items;
	}

	private map(length: number, depth: number): Record<string, unknown> {
		const entries: [string, unknown][] = [];
		for (let i = 0; i < length; i++)
			entries.push([String(this.value(depth + 1)), this.value(depth + 1)]);
		return Object.fromEntries(entries);
	}
}
