/** The issue machine as the server laid it out: fetched once, the same for every page that draws it. */

import type { Client } from '../../../src/client/index.ts';
import type { DrawnMachine, DrawnWay, Layout } from '../../../src/machines/drawing.ts';

let fetched: Promise<Layout> | null = null;

/** @throws RemoteError when it cannot be had; the next call tries again. */
export function drawing(from: Client): Promise<Layout> {
  fetched ??= from.http.machine().then(
    (machine) => (machine as unknown as DrawnMachine).layout as Layout,
    (error: unknown) => {
      fetched = null;
      throw error;
    },
  );
  return fetched;
}

/** What is known of a change that matters on a drawing. */
export interface Step {
  readonly type: string;
  readonly from: string | null;
  readonly to: string;
}

/** The way a change took; undefined for one the machine does not know (an older version's). */
export function wayOf(layout: Layout, step: Step): DrawnWay | undefined {
  return layout.ways.find(({ type, from, to }) => type === step.type && from === step.from && to === step.to);
}

/** `running.queued` for an issue. */
export function leafOf(issue: { state: string; substate: string | null }): string {
  return issue.substate === null ? issue.state : `${issue.state}.${issue.substate}`;
}
