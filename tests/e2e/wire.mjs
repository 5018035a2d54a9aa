/** A wire between one window and the server that can be cut: what goes over it is TCP, and nothing says goodbye. */
import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Wire {
	#target;
	#listener = null;
	#port = 0;
	#sockets = new Set();

	/** A wire to the server at `url`; its own `url` is what the window opens. */
	static async to(url) {
		const wire = new Wire();
		wire.#target = new URL(url);
		await wire.mend();
		return wire;
	}

	get url() {
		return `http://127.0.0.1:${this.#port}`;
	}

	async mend() {
		this.#listener = createServer((near) => this.#join(near));
		this.#listener.listen(this.#port, "127.0.0.1");
		await once(this.#listener, "listening");
		this.#port = this.#listener.address().port;
	}

	/** From now on nothing comes through, and who tries is refused. */
	async cut() {
		const closed = once(this.#listener, "close");
		this.#listener.close();
		for (const socket of this.#sockets)
			socket.destroy();
		await closed;
	}

	#join(near) {
		const far = connect(this.#target.port, this.#target.hostname);
		for (const [one, other] of [[near, far], [far, near]]) {
			this.#sockets.add(one);
			one.on("error", () => other.destroy());
			one.on("close", () => {
				this.#sockets.delete(one);
				other.destroy();
			});
			one.pipe(other);
		}
	}
}
