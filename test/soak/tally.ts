/** What the turns of a soak add up to, and its closing report. */
import type { SoakOutcome } from './part.ts';

/** A report names this many violations in full. */
const MOST_TOLD = 20;
/** How many histories a soak is asked for in the end (docs/guarantees.md, Soak). */
const MILLION = 1_000_000;

interface Sum {
  turns: number;
  ms: number;
  violations: number;
  readonly counters: Map<string, number>;
}

export class Tally {
  readonly violations: string[] = [];
  private readonly parts = new Map<string, Sum>();
  private readonly samples = new Map<string, number[]>();

  add(part: string, outcome: SoakOutcome, ms: number): void {
    const sum = this.parts.get(part) ?? { turns: 0, ms: 0, violations: 0, counters: new Map() };
    this.parts.set(part, sum);
    sum.turns++;
    sum.ms += ms;
    sum.violations += outcome.violations.length;
    for (const [name, n] of Object.entries(outcome.counters))
      sum.counters.set(name, (sum.counters.get(name) ?? 0) + n);
    for (const [name, values] of Object.entries(outcome.samples ?? {})) {
      const all = this.samples.get(name) ?? [];
      this.samples.set(name, all);
      for (const value of values) all.push(value);
    }
    for (const text of outcome.violations) this.violations.push(`${part}: ${text}`);
  }

  /** A counter over all parts. */
  total(counter: string): number {
    let sum = 0;
    for (const { counters } of this.parts.values()) sum += counters.get(counter) ?? 0;
    return sum;
  }

  /** The closing report, line by line. */
  report(): string[] {
    const lines = [...this.parts].map(([name, { turns, ms, violations, counters }]) => {
      const counted = [...counters].map(([counter, n]) => `${counter} ${figure(n)}`).join(', ');
      return `${name}: ${turns} turns, ${(ms / 60_000).toFixed(1)} min, ${violations} violations; ${counted}`;
    });
    for (const [name, values] of this.samples) lines.push(`${name} ms: ${quantiles(values)}`);
    const histories = this.total('histories');
    if (histories > 0) {
      const each = (1000 * this.total('core seconds')) / histories;
      const share = ((100 * histories) / MILLION).toPrecision(2);
      lines.push(
        `histories: ${figure(histories)}, ${each.toFixed(1)} ms of a core each, ${share} % of a million`,
      );
    }
    lines.push(...this.violations.slice(0, MOST_TOLD).map((text) => `VIOLATION ${text}`));
    lines.push(
      `soak: ${figure(histories)} histories simulated, ${figure(this.total('acknowledged'))} events acknowledged, ` +
        `${figure(this.total('faults'))} faults, ` +
        `${this.samples.get('takeover')?.length ?? 0} takeovers, lost ${figure(this.total('lost'))}, ` +
        `${this.violations.length} violations`,
    );
    return lines;
  }
}

function quantiles(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  return `p50 ${at(0.5).toFixed(0)}, p99 ${at(0.99).toFixed(0)}, max ${at(1).toFixed(0)} of ${sorted.length}`;
}

const figure = (n: number) => (Number.isInteger(n) ? n.toLocaleString('en') : n.toFixed(1));
