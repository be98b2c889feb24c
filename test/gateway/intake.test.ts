import { beforeEach, describe, expect, it } from 'vitest';
import { type Inbox, Intake } from '../../src/gateway/intake.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** What a frame costs, ms: four fit into a slice. */
const COST_MS = 0.125;

describe('whose frame is taken next', () => {
  let clock: ManualClock;
  let intake: Intake;
  let taken: string[];
  beforeEach(() => {
    clock = new ManualClock();
    intake = new Intake(clock);
    taken = [];
  });

  class Socket {
    reads = true;
    readonly inbox: Inbox;
    readonly name: string;
    #sent = 0;
    constructor(name: string) {
      this.name = name;
      this.inbox = intake.inbox(this);
    }
    pause() {
      this.reads = false;
    }
    resume() {
      this.reads = true;
    }
    sends(count: number) {
      for (let n = 0; n < count; n++) this.says(`${this.name}${++this.#sent}`);
    }
    says(text: string) {
      this.inbox.push(() => {
        clock.spend(COST_MS);
        taken.push(text);
      });
    }
  }
  /** The next pass of the event loop, with all that was armed before. */
  const pass = () => new Promise<void>((resolve) => setImmediate(resolve));
  const untilTaken = async (count: number) => {
    for (let n = 0; n < 1000 && taken.length < count; n++) await pass();
    expect(taken).toHaveLength(count);
  };

  it('is taken at once while the slice lasts, and the rest waits for the next pass', async () => {
    const a = new Socket('a');
    a.sends(10);
    expect(taken).toEqual(['a1', 'a2', 'a3', 'a4']);
    await pass();
    expect(taken).toHaveLength(8);
    await untilTaken(10);
  });

  it('is the order of each connection, its end after its last frame', async () => {
    const a = new Socket('a');
    a.sends(20);
    a.says('closed');
    await untilTaken(21);
    expect(taken).toEqual([...Array.from({ length: 20 }, (_, n) => `a${n + 1}`), 'closed']);
  });

  it('does not let one that sends a hundred keep another waiting', async () => {
    const [a, b] = [new Socket('a'), new Socket('b')];
    a.sends(100);
    b.sends(1);
    expect(taken).toEqual(['a1', 'a2', 'a3', 'a4', 'b1']);
    await untilTaken(101);
  });

  it('is round robin among those who wait', async () => {
    const [a, b, c] = [new Socket('a'), new Socket('b'), new Socket('c')];
    for (const socket of [a, b, c]) socket.sends(9);
    await untilTaken(27);
    // The first slice is a's and each one's first; from then on nobody is ahead by more than a frame.
    const later = taken.slice(6).map((text) => text[0]);
    for (let n = 0; n + 3 <= 15; n += 3) expect(new Set(later.slice(n, n + 3)).size).toBe(3);
  });

  it('reads nothing more from a connection while something of it waits', async () => {
    const [a, b] = [new Socket('a'), new Socket('b')];
    a.sends(6);
    b.sends(1);
    expect([a.reads, b.reads]).toEqual([false, true]);
    await untilTaken(7);
    expect(a.reads).toBe(true);
    a.sends(1);
    await untilTaken(8);
    expect(taken.at(-1)).toBe('a7');
  });

  it('rests when nothing waits: the next frame begins a pass of its own', async () => {
    const a = new Socket('a');
    a.sends(5);
    await untilTaken(5);
    await pass();
    await pass();
    a.sends(4);
    expect(taken).toHaveLength(9);
  });
});
