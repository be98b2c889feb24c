/** What a reader that takes nothing costs, at most; and that the check sees a server without backpressure (P11). */
import { afterEach, expect, it } from 'vitest';
import { MOST_BYTES, Outbox, SLOW_BYTES } from '../../src/gateway/outbox.ts';
import { SessionBench } from '../gateway/support/session.ts';
import { settle } from '../support/manual-clock.ts';

const CONTEXT_BYTES = 15_000;
const roomy = Object.getOwnPropertyDescriptor(Outbox.prototype, 'roomy')!;
afterEach(() => Object.defineProperty(Outbox.prototype, 'roomy', roomy));

/** The most bytes that ever waited for a reader of nothing, over 1,000 changes. */
async function mostHeld(): Promise<number> {
  const bench = new SessionBench();
  const company = await bench.company();
  const issues = await bench.issues(company, 20, CONTEXT_BYTES);
  const { session, wire } = await bench.open();
  session.receive(JSON.stringify({ t: 'sub', id: 's', topic: `company:${company}` }));
  await settle();
  wire.reading = false;
  for (let n = 0; n < 1000 && wire.code === null; n++) await bench.change(issues[n % 20]!, `t${n}`);
  await settle();
  session.closed();
  return wire.most;
}

it('a reader of nothing holds no more than what makes it slow, and one frame', async () => {
  expect(await mostHeld()).toBeLessThan(SLOW_BYTES + 2 * CONTEXT_BYTES);
});

it('a server without backpressure is found: only the last limit stops it', async () => {
  Object.defineProperty(Outbox.prototype, 'roomy', { get: () => true });
  expect(await mostHeld()).toBeGreaterThan(MOST_BYTES - 2 * CONTEXT_BYTES);
});
