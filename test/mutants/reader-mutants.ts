/** Defects towards slow readers, and the scenarios that show them (guarantees.md, P11). */
import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { MOST_BYTES, Outbox } from '../../src/gateway/outbox.ts';
import { HeldBack, SocketWire } from '../../src/gateway/socket-wire.ts';
import { heldBack } from '../fuzz/held-back.ts';
import { replaced } from '../simulation/mutants/mutant.ts';
import { ManualClock } from '../support/manual-clock.ts';
import type { ScenarioMutant } from './scenario-mutant.ts';

const FRAME = 'x'.repeat(60 * 1024);
/** Three times what a reader may cost. */
const FRAMES = (3 * MOST_BYTES) / FRAME.length;

/** Somebody who reads nothing is sent frame after frame. */
async function stalledReader(): Promise<string[]> {
  // A connection that takes what is written and never gets rid of it.
  const connection = new Writable({ write: () => {}, decodeStrings: true });
  const socket = { readyState: 1, OPEN: 1 } as WebSocket;
  const wire = new SocketWire(socket, connection as unknown as Socket, new HeldBack(), () => {});
  const outbox = new Outbox(wire, new ManualClock(), () => outbox.close());
  for (let n = 0; n < FRAMES; n++) outbox.send(FRAME);
  const waiting = connection.writableLength;
  return waiting > MOST_BYTES ? [`${waiting} bytes wait for a reader that reads nothing`] : [];
}

export const READER_MUTANTS: readonly ScenarioMutant[] = [
  {
    name: 'no-backpressure',
    breaks: 'frames are written however much a reader has left',
    killedBy: 'P11',
    scenario: { name: 'stalled socket', tests: 'test/fuzz', run: stalledReader },
    patch: () => replaced(SocketWire.prototype, 'buffered', () => () => 0),
  },
  {
    name: 'nothing-held-back',
    breaks: 'subscriptions send however much a reader has left: only the last limit stops it',
    killedBy: 'P11',
    scenario: { name: 'stalled subscriber', tests: 'test/fuzz', run: heldBack },
    patch: () => {
      const roomy = Object.getOwnPropertyDescriptor(Outbox.prototype, 'roomy')!;
      Object.defineProperty(Outbox.prototype, 'roomy', { ...roomy, get: () => true });
      return () => Object.defineProperty(Outbox.prototype, 'roomy', roomy);
    },
  },
];
