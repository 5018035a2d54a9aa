/**
 * Finds the size of an upload's next chunk: larger while replies come quickly, smaller when they come slowly or not at
 * all, so that one chunk takes about the target latency.
 */
export interface ChunkSizerConfig {
	min: number;
	max: number;
	initial: number;
	/** What one chunk should take (ms). */
	targetLatency: number;
	/** The most that one step grows or shrinks by. */
	factor: number;
	/** How many latencies are averaged. */
	window: number;
}

const DEFAULTS: ChunkSizerConfig = {
	min: 16384, max: 1048576, initial: 65536, targetLatency: 200, factor: 1.5, window: 3,
};

export class AdaptiveChunkSizer {
	private readonly config: ChunkSizerConfig;
	private bytes: number;
	private latencies: number[] = [];
	private quick = 0;
	private errors = 0;

	constructor(config: Partial<ChunkSizerConfig> = {}) {
		this.config = { ...DEFAULTS, ...config };
		this.bytes = this.config.initial;
	}

	get size(): number {
		return this.bytes;
	}

	recordSuccess(latency: number): void {
		const { targetLatency, factor, window } = this.config;
		this.errors = 0;
		this.latencies = [...this.latencies, latency].slice(-window);
		const average = this.latencies.reduce((sum, one) => sum + one, 0) / this.latencies.length;
		const ratio = targetLatency / Math.max(average, 1);
		this.quick = ratio >= 1 ? this.quick + 1 : 0;
		if (this.quick >= 2)
			this.resize(Math.min(ratio, factor));
		else if (ratio < 1)
			this.resize(Math.max(ratio, 1 / factor));
	}

	recordError(): void {
		this.errors++;
		this.quick = 0;
		this.resize(1 / (this.errors > 1 ? 2 : this.config.factor));
	}

	private resize(by: number): void {
		const { min, max } = this.config;
		this.bytes = Math.round(Math.min(Math.max(this.bytes * by, min), max));
	}
}
