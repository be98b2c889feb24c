/** Inspecting readers that are slow, silent or many: what they get and what they may cost. */
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../src/clock.ts';
import { Homes } from '../../src/gateway/homes.ts';
import { Inspector } from '../../src/gateway/inspector.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { MemoryRouter } from './support/memory-router.ts';
import { SERVER, SimulatedWire } from './support/session.ts';

const ME = { kind: 'operator', id: 'me' } as const;

async function world() {
  const clock = new ManualClock();
  const router = new MemoryRouter(clock, systemRandom());
  const made = await router.createCompany({ name: 'Acme', prefix: 'ACME' }, ME);
  if (made.is === 'taken') throw new Error('taken');
  const companyId = made.row.id;
  const issues = async (count: number) => {
    const asked = Array.from({ length: count }, (_, n) => ({
      title: `Issue ${n}`,
      context: { text: 'x'.repeat(500) },
    }));
    const born = await router.create({ kind: 'issue', companyId, asked, by: ME });
    if (born.is !== 'accepted') throw new Error(born.is);
    return born.items.map(({ id }) => id);
  };
  const inspector = (principal = SERVER as typeof SERVER | null) => {
    const wire = new SimulatedWire();
    const ended: number[] = [];
    const made = new Inspector(
      {
        wire,
        router,
        clock,
        log: pino({ level: 'silent' }),
        homes: new Homes(router),
        issueId: null,
        companyId: null,
        definition: () => '{}',
        resolve: async () => principal,
        opened: () => {},
        ended: (code) => ended.push(code),
      },
      false,
    );
    return { inspector: made, wire, ended };
  };
  const edit = (actorId: string, title: string) =>
    router.send({ actorId, event: { type: 'EDIT', title } as never, by: ME });
  return { clock, router, companyId, issues, inspector, edit };
}

const sessions = (wire: SimulatedWire, type: string) =>
  wire.frames.filter((frame) => frame.type === type).map((frame) => frame.sessionId);

describe('a slow reader', () => {
  it('gets the latest of each issue, every actor first, and none of it twice', async () => {
    const w = await world();
    const ids = await w.issues(600);
    const { wire } = w.inspector();
    wire.reading = false;
    await settle();
    expect(sessions(wire, '@xstate.actor').length).toBeLessThan(600);
    for (let n = 0; n < 5; n++) await w.edit(ids[599]!, `Title ${n}`);
    wire.resume();
    for (let n = 0; n < 20; n++) await w.clock.pass(50);
    expect(sessions(wire, '@xstate.actor')).toEqual(ids);
    const told = wire.frames.filter((frame) => frame.type === '@xstate.snapshot');
    expect(told.map((frame) => frame.snapshot.context.title)).toEqual(['Title 4']);
    expect(told.at(-1)?.version).toBe(6);
  });

  it('who cannot be caught up is cut off, and nothing stays behind', async () => {
    const w = await world();
    const ids = [...(await w.issues(1000)), ...(await w.issues(1000)), ...(await w.issues(300))];
    const { wire, ended } = w.inspector();
    wire.reading = false;
    await settle();
    for (const id of ids) await w.edit(id, 'changed');
    expect(ended).toEqual([4008]);
    expect(wire.code).toBe(4008);
    expect(wire.most).toBeLessThan(8 * 1024 * 1024);
    expect(w.router.subscriptions).toBe(0);
  });
});

describe('a newcomer in a large company', () => {
  it('is shown all live issues, also those beyond the first snapshot', async () => {
    const w = await world();
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.push(...(await w.issues(900)));
    const { wire } = w.inspector();
    for (let n = 0; n < 30; n++) await w.clock.pass(50);
    expect(sessions(wire, '@xstate.actor').sort()).toEqual(ids.sort());
  });
});

describe('a connection that talks', () => {
  it('is closed: a reader has nothing to say but hello', async () => {
    const w = await world();
    const { inspector, ended } = w.inspector();
    await settle();
    for (let n = 0; n < 20; n++) inspector.receive('{"t":"hello"}');
    expect(ended).toEqual([4429]);
  });
});

describe('a connection that says nothing', () => {
  it('is closed after five seconds, and was never subscribed to anything', async () => {
    const w = await world();
    const { ended } = w.inspector(null);
    await w.clock.pass(4999);
    expect(ended).toEqual([]);
    await w.clock.pass(2);
    expect(ended).toEqual([4408]);
    expect(w.router.subscriptions).toBe(0);
  });
});

describe('a partition that moves', () => {
  it('is watched again: who inspects hears of its issues anew', async () => {
    const w = await world();
    const [id] = await w.issues(1);
    const sinks: { reset(reason: 'moved'): void }[] = [];
    const subscribe = w.router.subscribe.bind(w.router);
    w.router.subscribe = (topic, since, sink) => {
      sinks.push(sink);
      return subscribe(topic, since, sink);
    };
    const { wire } = w.inspector();
    await settle();
    sinks[0]!.reset('moved');
    await w.clock.pass(2000);
    expect(sessions(wire, '@xstate.actor')).toEqual([id, id]);
    expect(w.router.subscriptions).toBe(1);
  });
});
