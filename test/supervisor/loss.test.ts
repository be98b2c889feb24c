/** A partition that is lost while something asked of it is on its way: it is refused with a retryable code (A5). */
import { describe, expect, it } from 'vitest';
import { hold, meanwhile } from '../support/lamp-trouble.ts';
import { lampWorld, ME } from '../support/lamp-world.ts';

describe('a database that does not answer', () => {
  it('makes reads fail with a retryable code, as events do', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const lamp = await w.lamp();
    const { router, companyId } = w;
    w.faults.current = {
      fate: (call) => (['beat', 'acquire', 'commit'].includes(call) ? undefined : { is: 'lost' }),
    };
    const asked: Promise<unknown>[] = [
      router.get(lamp),
      router.list({ companyId, kind: 'lamp', limit: 1 }),
      router.journal(lamp, 0, 1),
      router.records(lamp, 'run', 1),
      router.companyRecords(companyId, 'run', 1, null),
      router.record(lamp, 'run', 'x'),
      router.stats(companyId),
    ];
    const ends = await Promise.allSettled(asked);
    for (const end of ends)
      expect(end).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
    w.faults.current = undefined;
    expect(await router.get(lamp)).toMatchObject({ version: 1 });
    expect(await router.stats(companyId)).toMatchObject({ byState: { off: 1 } });
  });

  it('refuses companies and keys with a retryable code, too', async () => {
    const w = await lampWorld();
    const { catalog } = w.store;
    for (const name of ['company', 'key', 'createCompany', 'createKey', 'revoked'])
      Object.assign(catalog, { [name]: () => Promise.reject(new Error('connect ECONNREFUSED')) });
    const { router, companyId } = w;
    const key = { companyId, role: 'operator', agentId: null, name: null } as const;
    const asked: Promise<unknown>[] = [
      router.company(companyId),
      router.key('k007aaaaaaaaaaaaaaaaaa'),
      router.createCompany({ name: 'A', prefix: 'A' }, ME),
      router.createKey(key, ME),
      router.revoked(['k007aaaaaaaaaaaaaaaaaa']),
    ];
    const ends = await Promise.allSettled(asked);
    for (const end of ends)
      expect(end).toMatchObject({ status: 'rejected', reason: { code: 'UNAVAILABLE' } });
  });
});

describe('a lease that has run out before anybody looked', () => {
  it('lets no judgement on the present leave: a repeated key, a refusal', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const lamp = await w.lamp();
    await w.send(lamp, { type: 'FLICKER' }, { key: 'k' });
    const [open] = hold(w, 'commit');
    const made = w.send(lamp, { type: 'FLICKER' });
    const asked = [
      w.send(lamp, { type: 'FLICKER' }, { key: 'k' }),
      w.send(lamp, { type: 'FLICKER' }, { expectedVersion: 1 }),
    ];
    await w.clock.pass(1);
    w.node.serving = () => false;
    open!();
    expect(await made).toMatchObject({ is: 'accepted', version: 3 });
    for (const answer of asked) expect(await answer).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    w.node.serving = () => true;
    const [read] = hold(w, 'load');
    const late = w.send(lamp, { type: 'FLICKER' }, { key: 'k' });
    await w.clock.pass(1);
    w.node.serving = () => false;
    read!();
    expect(await late).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
  });
});

describe('a partition that is lost', () => {
  it('while an actor is being loaded: its event is refused with a retryable code, not as missing', async () => {
    const w = await lampWorld({ residentBytes: 1 });
    const lamp = await w.lamp();
    const [open] = hold(w, 'load');
    const answer = w.send(lamp, { type: 'FLICKER' });
    await w.clock.pass(1);
    await meanwhile(w);
    open!();
    expect(await answer).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
  });

  it('while a company is looked up: its subscribers are told, not left in silence', async () => {
    const w = await lampWorld();
    const made = await w.store.catalog.createCompany({
      id: 'c007aaaaaaaaaaaaaaaaaa',
      name: 'Elsewhere',
      prefix: 'ELSE',
      createdAt: 1,
    });
    if (made.is !== 'made') throw new Error(made.is);
    const companyId = made.row.id;
    const [open, also] = hold(w, 'counters', 2);
    const sink = { opened: () => {}, snapshot: () => {}, change: () => {}, reset: () => {} };
    const subscribed = w.router.subscribe({ is: 'company', companyId, where: null }, null, sink);
    const stats = w.router.stats(companyId).catch((error: { code: string }) => error.code);
    await w.clock.pass(1);
    await meanwhile(w);
    open!();
    also!();
    expect(await subscribed).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    expect(await stats).toBe('UNAVAILABLE');
  });

  it('while a subscription is being opened: it is refused, and nothing of it is heard before or after', async () => {
    const w = await lampWorld();
    const [open] = hold(w, 'snapshot');
    const heard: string[] = [];
    const sink = {
      opened: () => heard.push('opened'),
      snapshot: () => heard.push('snapshot'),
      change: () => heard.push('change'),
      reset: () => heard.push('reset'),
    };
    const topic = { is: 'company', companyId: w.companyId, where: null } as const;
    const subscribed = w.router.subscribe(topic, null, sink);
    await w.clock.pass(1);
    await meanwhile(w);
    open!();
    expect(await subscribed).toMatchObject({ is: 'retry', code: 'UNAVAILABLE' });
    expect(heard).toEqual([]);
  });
});
