/** What happened, line by line: the last lines for whoever reads a failure, and one hash of all of them. */
const KEPT_LINES = 200;

export class Trace {
  private readonly ring: string[] = [];
  private at = 0;
  private h1 = 0x811c9dc5;
  private h2 = 0x1b873593;
  count = 0;

  line(text: string): void {
    this.ring[this.at++ % KEPT_LINES] = text;
    this.count++;
    let { h1, h2 } = this;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      h1 = Math.imul(h1 ^ code, 0x01000193);
      h2 = Math.imul(h2 ^ code, 0x5bd1e995) ^ (h2 >>> 15);
    }
    this.h1 = h1;
    this.h2 = h2;
  }

  /** Of all lines so far, in order. */
  get hash(): string {
    const hex = (n: number) => (n >>> 0).toString(16).padStart(8, '0');
    return hex(this.h1) + hex(this.h2);
  }

  /** The last `KEPT_LINES` lines, oldest first. */
  get last(): string[] {
    const start = Math.max(0, this.at - KEPT_LINES);
    return Array.from({ length: this.at - start }, (_, i) => this.ring[(start + i) % KEPT_LINES]!);
  }
}
