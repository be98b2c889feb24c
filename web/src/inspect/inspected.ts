/** An object of `/inspect/ws` (protocol section 8), as far as this page reads it. */
import type { IssueView } from '../../../src/machines/view.ts';

export interface Snapshot {
  readonly value: string | Readonly<Record<string, string>>;
  readonly context: IssueView;
}
export interface Inspected {
  readonly type: '@xstate.actor' | '@xstate.event' | '@xstate.snapshot';
  readonly sessionId: string;
  readonly createdAt: string;
  readonly version: number;
  readonly name?: string;
  readonly definition?: string;
  readonly snapshot?: Snapshot;
  readonly event?: { readonly type: string } & Readonly<Record<string, unknown>>;
}
