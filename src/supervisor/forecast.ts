/**
 * What would become of stored actors under this version's kinds, without touching them (A9): each is taken up as it is,
 * migrated, or quarantined for a reason – found out by doing it, in memory.
 */
import type { ActorRow } from '../persistence/store.ts';
import { type AnyKind, revive } from './resident.ts';

/** How many actors of one kind and machine version become the same. */
export interface Forecast {
  readonly kind: string;
  /** The machine version they were stored by. */
  readonly machineVersion: number;
  readonly becomes: 'as is' | 'migrated' | 'quarantined';
  /** Why quarantined, as the actor would show it, else null. */
  readonly reason: string | null;
  readonly count: number;
  /** The first of them. */
  readonly example: string;
}

type Stored = Parameters<typeof revive>[1] & Pick<ActorRow, 'id' | 'kind'>;

export class Forecaster {
  readonly #kinds: ReadonlyMap<string, AnyKind>;
  readonly #groups = new Map<string, { -readonly [K in keyof Forecast]: Forecast[K] }>();

  constructor(kinds: readonly AnyKind[]) {
    this.#kinds = new Map(kinds.map((kind) => [kind.kind, kind]));
  }

  add(row: Stored): void {
    const { kind, machineVersion, id } = row;
    const fate = this.#fate(row);
    const name = JSON.stringify([kind, machineVersion, fate]);
    const group = this.#groups.get(name);
    if (group) group.count += 1;
    else this.#groups.set(name, { kind, machineVersion, ...fate, count: 1, example: id });
  }

  /** By kind, version and fate, the many first. */
  forecasts(): Forecast[] {
    return [...this.#groups.values()].sort(
      (a, b) =>
        a.kind.localeCompare(b.kind) ||
        a.machineVersion - b.machineVersion ||
        a.becomes.localeCompare(b.becomes) ||
        b.count - a.count,
    );
  }

  #fate(row: Stored): Pick<Forecast, 'becomes' | 'reason'> {
    const kind = this.#kinds.get(row.kind);
    if (!kind) return { becomes: 'quarantined', reason: `this version of Baton knows no ${row.kind}` };
    try {
      revive(kind, row);
      return { becomes: row.machineVersion === kind.version ? 'as is' : 'migrated', reason: null };
    } catch (error) {
      return { becomes: 'quarantined', reason: error instanceof Error ? error.message : String(error) };
    }
  }
}
