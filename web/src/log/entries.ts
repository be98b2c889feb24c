/**
 * The journal of the company as it grows: the last few hundred rows first, then each as it is committed. Kept in one
 * window; what falls out of it is in the issues' own journals.
 */
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Change } from '../../../src/client/index.ts';
import { client, company } from '../session.ts';

export interface Entry {
  seq: number;
  at: number;
  identifier: string;
  title: string;
  type: string;
  from: string | null;
  to: string;
  actor: Change['actor'];
  /** Types of the effects, in order. */
  effects: readonly string[];
}

const BEFORE = 400;
const KEPT = 5000;

const all = signal<readonly Entry[]>([]);
/** What came since the last drawing, appended together: a busy company commits hundreds a second. */
let fresh: Entry[] = [];
let isFlushing = false;
export const isReading = signal(true);
/** Rows that were not sent one by one, because this reader was too slow or too long away. */
export const skipped = signal(0);

export const entries = computed(() => all.value);

/** Follows the company's journal while the component is shown. */
export function useEntries(): void {
  useEffect(() => {
    const { value: from } = client;
    const { value: of } = company;
    if (from === null || of === null) return;
    all.value = [];
    fresh = [];
    skipped.value = 0;
    isReading.value = true;
    let isOver = false;
    let last = 0;
    const open = async () => {
      const { seq } = await from.http.call<{ seq: number }>('GET', `/companies/${of.id}/stats`);
      last = Math.max(0, seq - BEFORE);
      isReading.value = false;
      return from.subscribe(
        `company:${of.id}`,
        { since: last },
        {
          snapshot: (_items, at) => {
            skipped.value += Math.max(0, at.seq - last);
            last = at.seq;
          },
          change: (change) => {
            if (isOver) return;
            // Rows of agents, and what was conflated for a slow reader, leave gaps in seq.
            last = change.seq;
            take(change as Change);
          },
        },
      );
    };
    let opened = open();
    const failed = () => {
      isReading.value = false;
      // Not reached: it is read when the connection is back.
      const unlisten = from.on('open', () => {
        unlisten();
        if (isOver) return;
        opened = open();
        opened.catch(failed);
      });
    };
    opened.catch(failed);
    return () => {
      isOver = true;
      opened.then(
        (subscription) => subscription.close(),
        () => {},
      );
    };
  }, [client.value, company.value]);
}

function take(change: Change): void {
  const { seq, at, type, from, to, actor, effects, issue } = change;
  fresh.push({
    seq,
    at,
    identifier: issue?.identifier ?? change.issueId,
    title: issue?.title ?? '',
    type,
    from,
    to,
    actor,
    effects: effects.map((effect) => effect.type),
  });
  if (isFlushing) return;
  isFlushing = true;
  requestAnimationFrame(() => {
    isFlushing = false;
    const next = [...all.peek(), ...fresh];
    fresh = [];
    all.value = next.length > KEPT ? next.slice(-KEPT) : next;
  });
}

export interface LogFilter {
  text: string;
  type: string;
}

/** Pure. */
export function filtered(from: readonly Entry[], { text, type }: LogFilter): readonly Entry[] {
  const wanted = text.trim().toLowerCase();
  if (wanted === '' && type === '') return from;
  return from.filter(
    (entry) =>
      (type === '' || entry.type === type) &&
      (wanted === '' ||
        [entry.identifier, entry.title, entry.type, entry.to, entry.actor.id, ...entry.effects].some((part) =>
          part.toLowerCase().includes(wanted),
        )),
  );
}
