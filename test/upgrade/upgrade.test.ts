/** What released versions stored, read by this one (P9): histories replayed byte for byte, snapshots taken up. */
import { describe, expect, it } from 'vitest';
import pkg from '../../package.json' with { type: 'json' };
import { replay } from '../../src/supervisor/advance.ts';
import { revive, snapshotText, type Version } from '../../src/supervisor/resident.ts';
import { everything, wayOf } from './edges.ts';
import { recorded } from './fixtures.ts';
import { KINDS } from './lives.ts';

const all = await recorded();
const kindOf = (name: string) => KINDS.find(({ kind }) => kind === name)!;

describe.each(all.map((r) => [`${r.kind} ${r.machineVersion} of ${r.release}`, r] as const))('%s', (_, r) => {
  const kind = kindOf(r.kind);

  it('is replayed to the bytes that were stored, or to what they migrate to', () => {
    for (const history of r.histories) {
      let now: Version | null = null;
      for (const [n, { entry, snapshot, head }] of history.entries()) {
        now = replay(kind, now, entry);
        const row = rowOf(kind.kind, r.machineVersion, n + 1, snapshot, head, entry.stamp.at);
        const stored = snapshotText(revive(kind, row));
        if (r.machineVersion === kind.version) expect(stored).toBe(snapshot);
        expect(snapshotText(now)).toBe(stored);
        expect(JSON.stringify(now.head)).toBe(head);
      }
    }
  });
});

describe('the recorded histories', () => {
  it.each(KINDS.map((kind) => [kind.kind, kind] as const))(
    'of this release go through every state and every transition of %s (else: npm run record)',
    (name, kind) => {
      const mine = all.find(
        (r) => r.release === pkg.version && r.kind === name && r.machineVersion === kind.version,
      );
      const left = everything(kind);
      for (const history of mine?.histories ?? []) {
        for (const step of wayOf(
          kind,
          history.map(({ entry }) => entry),
        ))
          for (const at of step) left.delete(at);
      }
      expect([...left]).toEqual([]);
    },
  );
});

describe('a stored snapshot', () => {
  it.each([
    [2, 'newer', /version 2, this machine is version 1/],
    [0, 'unknown', /version 0/],
    [99, 'newer', /version 99/],
  ])('of machine version %i (%s) is refused with that reason, never guessed', (machineVersion, _, reason) => {
    for (const kind of KINDS) {
      const { snapshot, head } = all.find((r) => r.kind === kind.kind)!.histories[0]![0]!;
      expect(() => revive(kind, rowOf(kind.kind, machineVersion, 1, snapshot, head, 0))).toThrow(reason);
    }
  });
});

function rowOf(
  kind: string,
  machineVersion: number,
  version: number,
  snapshot: string,
  head: string,
  at: number,
) {
  return {
    ...{
      kind,
      machineVersion,
      version,
      snapshot,
      head,
      updatedAt: at,
      partition: 0,
      ordinal: 1,
      id: 'i',
      companyId: 'c',
    },
    ...{
      state: '',
      substate: null,
      assignee: null,
      priority: 0,
      pool: null,
      holds: false,
      rank: null,
      dueAt: null,
    },
  };
}
