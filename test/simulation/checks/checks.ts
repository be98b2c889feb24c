/** The checks by the names of guarantees.md. */
import { acknowledged } from './acknowledged.ts';
import { answers } from './answers.ts';
import { authority } from './authority.ts';
import { cancelled } from './cancelled.ts';
import { due } from './due.ts';
import type { Check, Evidence, Finding } from './evidence.ts';
import { history } from './history.ts';
import { inside } from './inside.ts';
import { lock } from './lock.ts';
import { ownership } from './ownership.ts';
import { poisoned } from './poisoned.ts';
import { slots } from './slots.ts';
import { subscribers } from './subscribers.ts';
import { tenants } from './tenants.ts';
import { wakes } from './wakes.ts';

export const CHECKS = {
  P1: authority,
  P2: ownership,
  P3: acknowledged,
  P4: due,
  P5: cancelled,
  P6: lock,
  P7: slots,
  P8: subscribers,
  P9: history,
  P10: inside,
  P14: poisoned,
  P15: tenants,
  wakes,
  answers,
} as const satisfies Record<string, Check>;
export type CheckName = keyof typeof CHECKS;

export function findings(evidence: Evidence): Finding[] {
  return Object.entries(CHECKS).flatMap(([check, run]) => run(evidence).map((text) => ({ check, text })));
}
