/** The other half of the seeds of simulation.test.ts. */
import { expect, it } from 'vitest';
import { runShare } from './batch.ts';

const MOST_MS = 600_000;

it(
  'keeps every promise on every even seed',
  async () => {
    const sum = await runShare(1);
    expect(sum.failure, sum.failure ?? '').toBeNull();
    const { histories, simulatedHours, versions, faults } = sum;
    console.log(
      `simulation: ${histories} histories, ${simulatedHours.toFixed(0)} simulated hours, ${versions} versions, ${faults} faults`,
    );
  },
  MOST_MS,
);
