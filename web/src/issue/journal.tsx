/** Every accepted event, newest first. Choosing one goes back to it: chart, facts and lock are shown as they were. */
import { useSignal } from '@preact/signals';
import type { Change } from '../../../src/client/index.ts';
import { clockTime, dateTime } from '../duration.ts';
import { named } from './named.ts';

/** Rows drawn at once. */
const DRAWN = 200;

export function Journal(props: {
  rows: readonly Change[];
  at: number;
  choose(version: number): void;
  earlier(): Promise<void>;
}) {
  const { rows, at, choose } = props;
  const drawn = useSignal(DRAWN);
  const isReading = useSignal(false);
  const shown = rows.slice(-drawn.value).reverse();
  const isMore = (shown.at(-1)?.version ?? 1) > 1;
  const more = async () => {
    isReading.value = true;
    if (drawn.value >= rows.length) await props.earlier().catch(() => {});
    drawn.value += DRAWN;
    isReading.value = false;
  };
  return (
    <section class="card journal" aria-label="Journal">
      <div class="card-head">
        <h2>Journal</h2>
        <p class="quiet">Choose a version to see the issue as it was.</p>
      </div>
      <ol class="journal-rows" tabIndex={0} aria-label="Versions, newest first">
        {shown.map((row) => (
          <li key={row.version}>
            <button type="button" aria-pressed={row.version === at} onClick={() => choose(row.version)}>
              <span class="v">{row.version}</span>
              <time dateTime={new Date(row.at).toISOString()} title={dateTime(row.at)}>
                {clockTime(row.at)}
              </time>
              <code class="type">{row.type}</code>
              <span class="went">{row.from === row.to ? row.to : `${row.from ?? 'born'} → ${row.to}`}</span>
              <span class="by">{row.actor.kind === 'system' ? 'system' : named(row.actor.id)}</span>
              <span class="effects">
                {row.effects.map(({ type, data }, n) => (
                  <span key={`${type}${n}`} class={`effect effect-${type.split('.')[0]}`}>
                    {type}
                    {detail(data)}
                  </span>
                ))}
              </span>
            </button>
          </li>
        ))}
        {isMore && (
          <li>
            <button type="button" class="button more" disabled={isReading.value} onClick={more}>
              {isReading.value ? 'Reading…' : 'Earlier versions'}
            </button>
          </li>
        )}
      </ol>
    </section>
  );
}

/** The one thing about an effect that its name does not say. */
function detail(data: Readonly<Record<string, unknown>>): string {
  const { errorCode, error, cause, reason, dueAt } = data;
  if (typeof dueAt === 'number') return ` ${clockTime(dueAt)}`;
  const text = [errorCode, error, cause, reason].find((one) => typeof one === 'string') as string | undefined;
  return text === undefined ? '' : ` ${text.slice(0, 80)}`;
}
