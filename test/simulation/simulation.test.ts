/**
 * The whole runtime under one virtual clock and one seed, with faults (guarantees.md, Simulation): half of the seeds; the
 * other half is in the file beside this one, so that two workers share them. A failure prints how to run it again.
 */
import { expect, it } from 'vitest';
import { runShare } from './batch.ts';

const MOST_MS = 600_000;

it(
  'keeps every promise on every odd seed',
  async () => {
    const sum = await runShare(0);
    expect(sum.failure, sum.failure ?? '').toBeNull();
    const { histories, simulatedHours, versions, faults } = sum;
    console.log(
      `simulation: ${histories} histories, ${simulatedHours.toFixed(0)} simulated hours, ${versions} versions, ${faults} faults`,
    );
  },
  MOST_MS,
);
