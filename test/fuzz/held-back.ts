/** What a reader that takes nothing costs at most, while everything it subscribed to changes (P11). */
import { SLOW_BYTES } from '../../src/gateway/outbox.ts';
import { SessionBench } from '../gateway/support/session.ts';
import { settle } from '../support/manual-clock.ts';

const CONTEXT_BYTES = 15_000;
/** What makes it slow, and the frame beyond. */
const MOST = SLOW_BYTES + 2 * CONTEXT_BYTES;

/** The most bytes that ever waited for a reader of nothing, over 1,000 changes, where they are too many. */
export async function heldBack(): Promise<string[]> {
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
  return wire.most < MOST ? [] : [`${wire.most} bytes of changes wait for a reader that reads nothing`];
}
