/** A subscriber of a topic: reconnects by its cursor for ever, and writes down all it is sent. */
import { whereOf } from '../../../src/gateway/protocol.ts';
import type { Router, Sink, Topic } from '../../../src/supervisor/router.ts';
import type { Chance } from './chance.ts';
import { drawStateTopic, type Followed } from './followed.ts';
import type { Host } from './host.ts';
import { headOf, subscribeBySocket } from './subscriber-socket.ts';
import type { Listened } from './witness.ts';
import type { Company, World } from './world.ts';

export class Subscriber {
  private cursor: number | null = null;
  /** The connection whose frames move the cursor: the newest. */
  private listening: Listened | null = null;
  private current: {
    listened: Listened;
    host: Host;
    incarnation: number;
    close: (() => void) | null;
  } | null = null;
  private readonly world: World;
  private readonly name: string;
  private readonly chance: Chance;
  private readonly company: Company;
  private followed: Followed;

  constructor(world: World, n: number) {
    this.world = world;
    this.name = `s${n}`;
    this.chance = world.chance.split(`subscriber ${n}`);
    this.company = this.chance.pick(world.companies);
    // A stream of its own: which of the state topics it is shifts nothing else.
    this.followed = this.chance.is(0.65)
      ? drawStateTopic(this.chance.split('topic'), this.company)
      : { topic: 'journal', actorId: null, where: null };
  }

  async live(): Promise<void> {
    const { world, chance } = this;
    await world.sleep(chance.wait(2000));
    while (!world.over) {
      const { current } = this;
      if (current && (!current.listened.open || current.incarnation !== current.host.incarnation)) {
        current.listened.open = false;
        this.current = null;
      } else if (current && world.active && chance.is(0.05)) {
        const { host, close } = current;
        current.listened.open = false;
        if (close) host.after(0, close);
        this.current = null;
      } else if (!current) {
        await this.connect(chance.pick(world.hosts));
      }
      await world.sleep(chance.wait(world.active ? 700 : 150));
    }
  }

  private async connect(host: Host): Promise<void> {
    const { world, chance } = this;
    const { topic, actorId } = this.followed;
    if ((topic === 'journal' || topic === 'issue') && actorId === null) {
      if (this.company.issues.length === 0) return;
      this.followed = { ...this.followed, actorId: chance.pick(this.company.issues) };
    }
    const since = this.cursor !== null && chance.is(0.85) ? this.cursor : topic === 'journal' ? 0 : null;
    const listened: Listened = {
      name: this.name,
      companyId: this.company.id,
      ...this.followed,
      since,
      frames: [],
      open: true,
    };
    const { incarnation } = host;
    const current = { listened, host, incarnation, close: null as (() => void) | null };
    let gone = false;
    const moved = (to: number) => {
      if (this.listening === listened) this.cursor = to;
    };
    const bySocket = chance.is(0.4);
    const subscribe = async (router: Router) => {
      world.witness.listened.push(listened);
      host.endings.push(() => {
        listened.open = false;
      });
      const subscribed = bySocket
        ? await subscribeBySocket(world, host, listened, moved)
        : await router.subscribe(this.asked(), since, this.sink(listened, host, incarnation, moved));
      if (subscribed.is === 'open') current.close = subscribed.close;
      // Nobody listens at this connection any more.
      if (gone) current.close?.();
      return subscribed;
    };
    this.listening = listened;
    const reply = await world.call(host, `subscribe ${this.name}`, subscribe, 8000);
    if (reply.is === 'answered' && reply.value.is === 'open') {
      this.current = current;
    } else {
      gone = true;
      listened.open = false;
      host.after(0, () => current.close?.());
    }
  }

  private asked(): Topic {
    const companyId = this.company.id;
    const { topic, actorId, where } = this.followed;
    if (topic === 'company') return { is: 'company', companyId, where: whereOf(where) };
    const is = ({ agent: 'pool', issue: 'actor', journal: 'journal' } as const)[topic];
    return { is, companyId, id: actorId! };
  }

  private sink(listened: Listened, host: Host, incarnation: number, moved: (to: number) => void): Sink {
    const { world } = this;
    const live = () => incarnation === host.incarnation;
    return {
      opened: ({ recovered, seq }) => {
        if (live()) listened.frames.push({ is: 'opened', recovered, seq, head: headOf(world, listened) });
      },
      snapshot: ({ seq, items }) => {
        if (!live()) return;
        listened.frames.push({ is: 'snapshot', seq, items });
        moved(seq);
      },
      change: (p) => {
        if (!live()) return;
        const committed = world.witness.committed(p.actorId, p.version);
        const { seq, version, actorId } = p;
        const journal = this.followed.topic === 'journal';
        const text = p.text({ view: !journal, stamp: false });
        listened.frames.push({ is: 'change', seq, version, actorId, text, committed });
        moved(journal ? version : seq);
      },
      reset: () => {
        if (!live()) return;
        listened.frames.push({ is: 'reset' });
        listened.open = false;
      },
    };
  }
}
