/** A state as the page shows it: icon, word and colour together, so that none of them has to be seen to know it. */
import type { IssueView } from '../../../src/machines/view.ts';
import { Icon, type IconName } from './icon.tsx';

/** What the page tells apart: the machine's states, with `running` by its substate. */
export type Shown = 'idle' | 'queued' | 'executing' | 'stopping' | 'retrying' | 'done' | 'cancelled';

export const SHOWN: Readonly<Record<Shown, { word: string; icon: IconName; filter: string }>> = {
  executing: { word: 'running', icon: 'executing', filter: 'running.executing' },
  queued: { word: 'queued', icon: 'queued', filter: 'running.queued' },
  stopping: { word: 'stopping', icon: 'stopping', filter: 'running.stopping' },
  retrying: { word: 'retrying', icon: 'retrying', filter: 'scheduled-retry' },
  idle: { word: 'idle', icon: 'idle', filter: 'idle' },
  done: { word: 'done', icon: 'done', filter: 'done' },
  cancelled: { word: 'cancelled', icon: 'cancelled', filter: 'cancelled' },
};

export function shownOf({ state, substate }: Pick<IssueView, 'state' | 'substate'>): Shown {
  if (state === 'scheduled-retry') return 'retrying';
  if (state === 'running') return substate ?? 'executing';
  return state;
}

export function State({ of }: { of: Shown }) {
  const { word, icon } = SHOWN[of];
  return (
    <span class={`state state-${of}`}>
      <Icon name={icon} size={14} />
      <span>{word}</span>
    </span>
  );
}
