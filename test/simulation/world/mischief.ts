/** Crashes, stops, pauses, cuts, jumps: what happens to whole nodes and to the database, as the plan says. */
import type { Chance } from './chance.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

const CLOCK_JUMPS_MS = [60_000, -60_000, 86_400_000, -86_400_000];

export class Mischief {
  /** Kind of fault → how often. */
  readonly count: Record<string, number> = {};
  private ended = false;
  private readonly world: World;
  private readonly chance: Chance;

  constructor(world: World) {
    this.world = world;
    this.chance = world.chance.split('mischief');
    for (const host of world.hosts) host.wallOffset = this.chance.pick([0, 0, ...CLOCK_JUMPS_MS]);
  }

  begin(): void {
    const { faults, ttlMs } = this.world.plan;
    const { chance, world } = this;
    this.every('crash', faults.crashEvery, (host) => {
      world.crash(host, chance.is(0.5));
      world.scheduler.after(chance.wait(chance.pick([50, ttlMs])), () => {
        if (!host.up) world.boot(host);
      });
    });
    this.every('stop', faults.stopEvery, (host) => this.stop(host));
    this.every('pause', faults.pauseEvery, (host) => {
      if (!host.up || host.isPaused) return;
      world.log(`${host.label} is paused`);
      host.pause();
      world.scheduler.after(ttlMs * chance.pick([0.1, 0.5, 1.1, 1.1, 2]) * chance.between(0.8, 1.2), () => {
        if (host.isPaused) world.log(`${host.label} goes on`);
        host.resume();
      });
    });
    this.every('cut', faults.cutEvery, (host) => {
      world.log(`${host.label} is cut off`);
      host.cut = true;
      world.scheduler.after(chance.wait(ttlMs), () => {
        host.cut = false;
      });
    });
    this.every('down', faults.downEvery, () => {
      world.log('the database is down');
      world.database.down = true;
      world.scheduler.after(chance.wait(ttlMs * chance.pick([0.2, 0.6])), () => {
        world.database.down = false;
      });
    });
    this.every('jump', faults.jumpEvery, (host) => {
      host.wallOffset += chance.pick(CLOCK_JUMPS_MS);
      world.log(`${host.label} has its wall clock off by ${host.wallOffset}`);
    });
  }

  end(): void {
    this.ended = true;
  }

  /** A planned stop: drains, gives its partitions up, and is started again. */
  private stop(host: Host): void {
    const { world, chance } = this;
    const { running, incarnation } = host;
    if (!running || host.isPaused) return;
    world.log(`${host.label} stops`);
    const gone = () => {
      if (host.incarnation !== incarnation) return;
      world.crash(host, true);
      world.scheduler.after(chance.wait(100), () => {
        if (!host.up) world.boot(host);
      });
    };
    running.stop(300).then(gone, gone);
  }

  private every(name: string, mean: number, strike: (host: Host) => void): void {
    if (mean === 0) return;
    const { world, chance } = this;
    const next = () => {
      world.scheduler.after(chance.wait(mean), () => {
        if (this.ended) return;
        this.count[name] = (this.count[name] ?? 0) + 1;
        strike(chance.pick(world.hosts));
        next();
      });
    };
    next();
  }
}
