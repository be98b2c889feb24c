/**
 * The demo's agents and the real work that each of them does. Their retry delays and leases are settings of the agents,
 * shown with them as anybody's are: a first look is to see in seconds what with the server's defaults takes minutes.
 */
import type { JobName } from './jobs.ts';

/** The demo's company, or with a number the next one of that name. */
export const COMPANY = { name: 'Demo', prefix: 'DEMO', prefixes: /^DEMO\d*$/ } as const;

export interface Part {
  readonly name: string;
  readonly job: JobName;
  /** Worker processes, each with so many slots. */
  readonly workers: number;
  readonly slotsEach: number;
  readonly classify: 'codex' | null;
  readonly retry: { delaysMs: number[]; jitter: number; leaseMs: number; stopGraceMs: number };
}

const seconds = (...values: number[]) => values.map((s) => s * 1000);

export const CHECKER: Part = {
  name: 'checker',
  job: 'checksum',
  workers: 1,
  slotsEach: 2,
  classify: null,
  retry: { delaysMs: seconds(5, 10, 20, 40), jitter: 0.25, leaseMs: 10_000, stopGraceMs: 3000 },
};

/** Two processes, of which one is killed: the other takes its run over. */
export const BUILDER: Part = {
  name: 'builder',
  job: 'build',
  workers: 2,
  slotsEach: 1,
  classify: null,
  retry: { delaysMs: seconds(3, 6, 12, 24), jitter: 0, leaseMs: 4000, stopGraceMs: 3000 },
};

/** Calls a service that is often busy; what it says then is recognised as a failure that will pass. */
export const CALLER: Part = {
  name: 'caller',
  job: 'call',
  workers: 1,
  slotsEach: 2,
  classify: 'codex',
  retry: { delaysMs: seconds(12, 12, 24, 48), jitter: 0.25, leaseMs: 10_000, stopGraceMs: 3000 },
};

export const CAST: readonly Part[] = [CHECKER, BUILDER, CALLER];
