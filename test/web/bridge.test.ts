/** The bridge to Stately's inspector: whom it listens to, what it sends, and where to. */
import { expect, it } from 'vitest';
import { bridge } from '../../web/src/inspect/bridge.ts';
import type { Inspected } from '../../web/src/inspect/inspected.ts';

const ORIGIN = 'https://editor.example';
function object(version: number): Inspected {
  return { type: '@xstate.event', sessionId: 'i1', createdAt: '1', version };
}

function world() {
  const sent: [version: number, origin: string][] = [];
  const frame = {
    postMessage: (message: unknown, origin: string) => sent.push([(message as Inspected).version, origin]),
  };
  let told: (one: Inspected) => void = () => {};
  let connections = 0;
  const page = new EventTarget();
  const end = bridge({
    page: page as never,
    frame: () => frame,
    origin: ORIGIN,
    stream: {
      latest: () => [object(1), object(2)],
      listen(f) {
        told = f;
        return () => {
          told = () => {};
        };
      },
    },
    connected: () => {
      connections += 1;
    },
  });
  const say = (from: { source?: unknown; origin?: string; data?: unknown }) => {
    const said = { source: frame, origin: ORIGIN, data: { type: '@statelyai.connected' }, ...from };
    page.dispatchEvent(Object.assign(new Event('message'), said));
  };
  return { sent, say, tell: (one: Inspected) => told(one), end, connections: () => connections };
}

it('says nothing before it is asked, then the latest, then what follows – to that origin', () => {
  const w = world();
  w.tell(object(2));
  expect(w.sent).toEqual([]);
  w.say({});
  w.tell(object(3));
  expect(w.sent).toEqual([1, 2, 3].map((version) => [version, ORIGIN]));
  w.say({});
  expect(w.sent.slice(3)).toEqual([1, 2].map((version) => [version, ORIGIN]));
  expect(w.connections()).toBe(2);
});

it.each([
  ['another window', { source: {} }],
  ['nobody', { source: null }],
  ['another origin in the frame', { origin: 'https://evil.example' }],
  ['a part of the origin', { origin: 'https://editor.example.evil' }],
  ['something else', { data: { type: 'hello' } }],
  ['no object', { data: null }],
  ['a text', { data: '@statelyai.connected' }],
])('does not listen to %s', (_who, from) => {
  const w = world();
  w.say(from);
  w.tell(object(3));
  expect(w.sent).toEqual([]);
  expect(w.connections()).toBe(0);
});

it('is silent when it has ended', () => {
  const w = world();
  w.say({});
  w.end();
  w.say({});
  w.tell(object(3));
  expect(w.sent).toHaveLength(2);
});
