/** What the doctor says of two clocks. */
import { type Finding, ok, warning } from './finding.ts';

const SKEW_MS = 1000;

/** @param skewMs their clock less this machine's */
export function clockOf(skewMs: number, whose = 'database'): Finding {
  const text = `this machine’s clock is ${Math.abs(Math.round(skewMs))} ms ${skewMs > 0 ? 'behind' : 'ahead of'} the ${whose}’s`;
  return Math.abs(skewMs) < SKEW_MS
    ? ok('clock', text)
    : warning(
        'clock',
        text,
        'Let the machines keep time (chrony, timesyncd): countdowns are shown by this clock.',
      );
}
