/** P14: what cannot be stored harms only itself: nobody else's event is answered as a defect. */
import type { Evidence } from './evidence.ts';

/** The event that carries what the database does not take (operator.ts). */
const POISONED = 'EDIT';

export function poisoned({ told }: Evidence): string[] {
  return told
    .filter(({ code, type }) => code === 'INTERNAL' && type !== POISONED)
    .map(({ by, type, actorId }) => `${by} sent ${type} to ${actorId} and was told INTERNAL`);
}
