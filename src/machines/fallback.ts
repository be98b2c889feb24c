/** How a Codex agent is to be started anew after transient failures (domain.md section 3, Codex fallback). */
import type { FallbackMode } from './view.ts';

const LADDER: readonly FallbackMode[] = [
  'same_session',
  'safer_invocation',
  'fresh_session',
  'fresh_session_safer_invocation',
];

/** The adapter that has the ladder; no other takes part in it. */
const CODEX = 'codex_local';

/**
 * The mode of attempt `attempt` (1..); null for other adapters and other failures. A budget longer than the ladder
 * stays on its last rung: nothing safer is known.
 */
export function fallbackMode(adapterType: string, transient: boolean, attempt: number): FallbackMode | null {
  if (adapterType !== CODEX || !transient) return null;
  return LADDER[Math.min(attempt, LADDER.length) - 1] ?? null;
}
