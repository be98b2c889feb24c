/** A partition that is lost while something asked of it is on its way: it is refused with a retryable code (A5). */
import { describe, expect, it } from 'vitest';
import { hold, meanwhile } from '../support/lamp-trouble.ts';
import { lampWorld } from '../support/lamp-world.ts';

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
