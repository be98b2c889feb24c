/** A session over a simulated wire, under a clock that stands still: what the slow reader and the timers are tested with. */
import pino from 'pino';
import { systemRandom } from '../../../src/clock.ts';
import type { Principal } from '../../../src/gateway/auth.ts';
import { ChangeFrames } from '../../../src/gateway/change-frames.ts';
import { Homes } from '../../../src/gateway/homes.ts';
import { Session, type SessionOptions } from '../../../src/gateway/session.ts';
import { StatsFeeds } from '../../../src/gateway/stats-feed.ts';
import type { SharedFrame } from '../../../src/gateway/text-frame.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { MemoryRouter } from './memory-router.ts';
import type { Frame } from './ws-client.ts';

export const SERVER: Principal = {
  role: 'operator',
  id: 'server',
  companyId: null,
  agentId: null,
  keyId: null,
};

/** A wire whose reader takes what it is told to take. */
export class SimulatedWire {
  readonly frames: Frame[] = [];
  code: number | null = null;
  /** Bytes not taken yet, and the most there ever were. */
  bytes = 0;
  most = 0;
  reading = true;

  send(frame: string | SharedFrame): void {
    const text = frame.toString();
    this.frames.push(JSON.parse(text));
    if (this.reading) return;
    this.bytes += Buffer.byteLength(text);
    this.most = Math.max(this.most, this.bytes);
  }

  buffered(): number {
    return this.bytes;
  }

  close(code: number): void {
    this.code = code;
  }

  /** The reader takes all there is and reads on. */
  resume(): void {
    this.reading = true;
    this.bytes = 0;
  }

  of(t: string): Frame[] {
    return this.frames.filter((frame) => frame.t === t);
  }
}

export class SessionBench {
  readonly clock = new ManualClock();
  readonly router = new MemoryRouter(this.clock, systemRandom());
  readonly homes = new Homes(this.router);
  readonly frames = new ChangeFrames();
  readonly ended: number[] = [];

  session(options: Partial<SessionOptions> = {}): { session: Session; wire: SimulatedWire } {
    const wire = new SimulatedWire();
    const log = pino({ level: 'silent' });
    const { router, clock, homes, frames } = this;
    const session = new Session({
      wire,
      router,
      clock,
      random: systemRandom(),
      log,
      homes,
      frames,
      stats: new StatsFeeds({ router, clock, log }),
      rateLimit: null,
      keyRates: null,
      resolve: async () => SERVER,
      opened: () => {},
      ended: (code) => this.ended.push(code),
      ...options,
    });
    return { session, wire };
  }

  /** One that was welcomed. */
  async open(options: Partial<SessionOptions> = {}) {
    const opened = this.session(options);
    opened.session.receive('{"t":"hello"}');
    await settle();
    return opened;
  }

  async company(): Promise<string> {
    const made = await this.router.createCompany({ name: 'Acme', prefix: 'ACME' }, OPERATOR);
    if (made.is === 'taken') throw new Error('taken');
    return made.row.id;
  }

  async issues(companyId: string, count: number, contextBytes = 0): Promise<string[]> {
    const context = 'x'.repeat(contextBytes);
    const asked = Array.from({ length: count }, (_, n) => ({ title: `t${n}`, context }));
    const born = await this.router.create({ kind: 'issue', companyId, asked, by: OPERATOR });
    if (born.is !== 'accepted') throw new Error(born.is);
    return born.items.map((item) => item.id);
  }

  /** Changes an issue: one version, one change. */
  async change(issueId: string, title: string): Promise<void> {
    await this.router.send({ actorId: issueId, event: { type: 'EDIT', title } as never, by: OPERATOR });
  }
}

const OPERATOR = { kind: 'operator', id: 'test' } as const;
