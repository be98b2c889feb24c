/**
 * Ids carry their place (architecture A12): type letter, three hex digits of partition, random hex – `i7f3…`. Any node
 * routes any id without a look-up, and everything of a company has the company's partition. A run's id is its issue's
 * id, a dot and an ordinal.
 */

/** How many partitions there are, for ever: three hex digits. */
export const PARTITIONS = 4096;

/** Letters of the things that have ids: company, agent, issue, key, comment (`m`). */
export const LETTER = { company: 'c', agent: 'a', issue: 'i', key: 'k', comment: 'm' } as const;

const ID = /^[a-z][0-9a-f]{3}[0-9a-f]{8,40}$/;
const RUN_ID = /^(i[0-9a-f]{3}[0-9a-f]{8,40})\.([1-9][0-9]{0,8})$/;

/** Puts an id together. `random`: 8..40 lower-case hex digits. */
export function idOf(letter: string, partition: number, random: string): string {
  return letter + partition.toString(16).padStart(3, '0') + random;
}

/** True when `text` has the shape of an id, of that letter where one is given. */
export function isId(text: string, letter?: string): boolean {
  return ID.test(text) && (letter === undefined || text.startsWith(letter));
}

/** The partition an id (or a run's id) lives in, 0..4095. Only for text that `isId` or `issueOfRun` accepted. */
export function partitionOf(id: string): number {
  return Number.parseInt(id.slice(1, 4), 16);
}

/** The issue a run belongs to, or null when `runId` has not the shape of a run's id. */
export function issueOfRun(runId: string): string | null {
  return RUN_ID.exec(runId)?.[1] ?? null;
}
