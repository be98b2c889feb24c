/** How long this machine kept a timer of ours waiting: what it takes from us, it takes from the nodes under test too. */
const TICK_MS = 20;

export class Stall {
  #worst = 0;
  #last = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#worst = Math.max(this.#worst, now - this.#last - TICK_MS);
      this.#last = now;
    }, TICK_MS);
  }

  /** The longest wait since this was last asked, ms. */
  take(): number {
    const worst = Math.max(this.#worst, performance.now() - this.#last - TICK_MS);
    this.#worst = 0;
    return worst;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
