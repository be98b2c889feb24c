import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/gateway/metrics.ts';
import { histogramOf, perMinute, quantileMs } from '../../web/src/charts/metrics.ts';

async function scrape(...ms: number[]) {
  const metrics = createMetrics();
  for (const one of ms) metrics.committed('committed', one, 1);
  return histogramOf((await metrics.scrape()).text, 'baton_commit_seconds')!;
}

describe('how long commits took between two scrapes', () => {
  it('is interpolated within its bucket, of what the server itself counts', async () => {
    const before = await scrape(400, 400, 400);
    const after = await scrape(400, 400, 400, ...Array.from({ length: 98 }, () => 1.5), 30, 30);
    expect(quantileMs(before, after, 0.5)).toBeCloseTo(1.51, 1);
    expect(quantileMs(before, after, 0.99)).toBeGreaterThan(20);
    expect(quantileMs(before, after, 0.99)).toBeLessThanOrEqual(50);
  });

  it('is not known when nothing was committed, when the server was restarted, or when there is no histogram', async () => {
    const [none, some] = [await scrape(), await scrape(1, 2)];
    expect(quantileMs(some, some, 0.5)).toBeNull();
    expect(quantileMs(some, none, 0.5)).toBeNull();
    expect(histogramOf('# nothing', 'baton_commit_seconds')).toBeNull();
  });

  it('beyond the last bound is at least that bound', async () => {
    expect(quantileMs(await scrape(), await scrape(60_000), 0.5)).toBe(5000);
  });
});

describe('retries per minute', () => {
  it('counts each in its minute, what is overdue in the first, what is later in none', () => {
    const at = 1_000_000;
    expect(perMinute([at - 5, at, at + 59_999, at + 60_000, at + 180_000, null], at, 3)).toEqual([3, 1, 0]);
  });
});
