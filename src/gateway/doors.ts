/** What the doors of one gateway share. Built once in gateway.ts; no module makes its own. */
import type { FastifyBaseLogger } from 'fastify';
import type { Clock, Random } from '../clock.ts';
import type { Router } from '../supervisor/router.ts';
import type { Authenticator } from './auth.ts';
import type { Guard } from './guard.ts';
import type { Holds } from './holds.ts';
import type { Homes } from './homes.ts';
import type { Metrics } from './metrics.ts';
import type { KeyRates } from './rate.ts';

export interface Doors {
  readonly router: Router;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: FastifyBaseLogger;
  readonly metrics: Metrics;
  readonly auth: Authenticator;
  readonly guard: Guard;
  readonly homes: Homes;
  readonly holds: Holds;
  /** Events per second and connection; null: no limit. */
  readonly rateLimit: number | null;
  /** The same for each key over all of its connections; null: no limit. */
  readonly keyRates: KeyRates | null;
  readonly version: string;
  /** True from the beginning of `stop()`. */
  draining(): boolean;
}
