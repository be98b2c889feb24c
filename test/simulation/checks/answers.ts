/** Every call is answered, and nothing happens that nobody expects. */
import type { Evidence } from './evidence.ts';

export function answers({ stuck, surprises }: Evidence): string[] {
  return [...stuck.map((what) => `nobody answered ${what}`), ...surprises];
}
