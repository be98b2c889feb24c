/** Hostile frames, many: a session answers or closes, throws never, and nothing changes (P10). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settle } from '../support/manual-clock.ts';
import { SessionBench } from './support/session.ts';

const CODES = [null, 1009, 4400, 4401];

/** Frames that look right in parts: known words in wrong places, values of every kind. */
function frames(issueId: string, companyId: string) {
  const word = fc.constantFrom(
    ...[
      'hello',
      'event',
      'sub',
      'unsub',
      'claim',
      'pong',
      'xstate.init',
      'GRANT',
      'STOPPED',
      '__proto__',
      '',
      's',
    ],
    ...[issueId, companyId, `${issueId}.1`, `journal:${issueId}`, `company:${companyId}`],
  );
  const value = fc.oneof(word, fc.jsonValue({ maxDepth: 3 }), fc.integer(), fc.constant(null));
  const key = fc.constantFrom(
    't',
    'id',
    'event',
    'issueId',
    'type',
    'topic',
    'since',
    'where',
    'token',
    'max',
    'x',
  );
  const fields = fc.dictionary(key, value, { maxKeys: 6 });
  const known = fc
    .tuple(fc.constantFrom('event', 'sub', 'unsub', 'claim', 'pong', 'what'), fields)
    .map(([t, rest]) => ({ id: 'f', ...rest, t }));
  const nested = fc
    .tuple(known, fields)
    .map(([frame, event]) => ({ ...frame, t: 'event', issueId, event: { ...event, by: {}, stamp: {} } }));
  const broken = fc.tuple(known, fc.nat(200), fc.string({ maxLength: 3 })).map(([frame, at, junk]) => {
    const text = JSON.stringify(frame);
    return text.slice(0, at % text.length) + junk + text.slice((at % text.length) + 1);
  });
  return fc.oneof(
    fields.map((frame) => JSON.stringify(frame)),
    known.map((frame) => JSON.stringify(frame)),
    nested.map((frame) => JSON.stringify(frame)),
    broken,
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.constantFrom(
      '['.repeat(60_000),
      `{"id":"f","t":"event","event":${'{"a":'.repeat(500)}1${'}'.repeat(500)}}`,
    ),
  );
}

describe('a hostile frame', () => {
  it('is answered or ends its own connection, throws nothing and changes nothing', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    const [issue] = (await bench.issues(company, 1)) as [string];
    const before = JSON.stringify((await bench.router.get(issue))?.state);
    let open = await bench.open();
    for (const text of fc.sample(frames(issue, company), { numRuns: 20_000, seed: 7 })) {
      if (open.wire.code !== null) {
        open.session.closed();
        open = await bench.open();
      }
      open.session.receive(text);
      expect(CODES).toContain(open.wire.code);
      open.wire.frames.length = 0;
    }
    await settle();
    open.session.closed();
    await settle();
    expect(JSON.stringify((await bench.router.get(issue))?.state)).toBe(before);
    expect(bench.router.subscriptions).toBe(0);
    // The feed of counts looks once more before it notices that nobody listens.
    await bench.clock.pass(1000);
    expect(bench.clock.set).toBe(0);
  });

  it('before hello ends the connection, whatever it is', async () => {
    const bench = new SessionBench();
    const company = await bench.company();
    for (const text of fc.sample(frames('i7f300000000', company), { numRuns: 2000, seed: 8 })) {
      const { session, wire } = bench.session();
      session.receive(text);
      if (!text.includes('"hello"')) expect(CODES.slice(1)).toContain(wire.code);
      session.closed();
    }
    expect(bench.clock.set).toBe(0);
  });
});
