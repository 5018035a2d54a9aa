const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const LENGTH = 8;

/**
 * Eight random characters of `A-Z a-z 0-9 - _`: the form of every request id and temporary id.
 * It has to be unique among the ids of one page, not secret.
 */
export function generateId(): string {
	let id = "";
	for (let i = 0; i < LENGTH; i++)
		id += ALPHABET[Math.floor(Math.random() * ALPHABET.length)];
	return id;
}
