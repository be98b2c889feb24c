/**
 * Bytes of a stream as lines of text, without the secret that the command was given: who may read a log may not act as its
 * agent. A line that never ends is cut, so that memory stays bounded.
 */
const LONGEST = 8 * 1024;
const REDACTED = '[redacted]';

export class Lines {
  readonly #decoder = new TextDecoder();
  readonly #secret: string;
  #rest = '';

  /** @param secret '': there is none */
  constructor(secret: string) {
    this.#secret = secret;
  }

  /** Lines that are complete now. */
  push(bytes: Uint8Array): string[] {
    const lines = this.#add(this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LONGEST) {
      // What may be the beginning of the secret waits for the rest of it.
      const end = this.#rest.length - Math.max(0, this.#secret.length - 1);
      lines.push(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end);
    }
    return lines.map(withoutReturn);
  }

  #add(text: string): string {
    const all = this.#rest + text;
    return this.#secret === '' ? all : all.replaceAll(this.#secret, REDACTED);
  }

  /** What is left when the stream is over. */
  end(): string[] {
    const last = this.#add(this.#decoder.decode());
    this.#rest = '';
    return last === '' ? [] : [withoutReturn(last)];
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
