/** A bench for one test: it is closed after it. */
import { afterEach } from 'vitest';
import type { GatewayOptions } from '../../../src/gateway/gateway.ts';
import { type Bench, openBench } from './bench.ts';

const open: Bench[] = [];

afterEach(async () => {
  for (const bench of open.splice(0).reverse()) await bench.close();
});

/** Starts a gateway; it is stopped after the test. */
export async function start(options: Partial<GatewayOptions> = {}): Promise<Bench> {
  const bench = await openBench(options);
  open.push(bench);
  return bench;
}
