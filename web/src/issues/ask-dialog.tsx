/** Says again what is about to be asked, of how many; then how it goes; then what was refused and why. */
import { signal, useSignal } from '@preact/signals';
import type { IssueView } from '../../../src/machines/view.ts';
import { agentName, agentsByName } from '../agents/roster.ts';
import { count, counted } from '../duration.ts';
import { sentence } from '../issue/named.ts';
import { client, link } from '../session.ts';
import { Dialog } from '../ui/dialog.tsx';
import { SHOWN, shownOf } from '../ui/state.tsx';
import { toast } from '../ui/toasts.tsx';
import { Told } from '../ui/told.tsx';
import { type Ask, applies, type Outcome, send, type Target, WORDS } from './asked.ts';

export interface Asked {
  is: Ask['is'];
  targets: readonly Target[];
  /** Those of the targets that are here, as they are. */
  known: readonly IssueView[];
  seen(issue: IssueView): void;
  done(): void;
}

export const asked = signal<Asked | null>(null);

const NAMED = 6;
/** Refusals said one by one when nobody looks at the dialog any more. */
const SAID = 3;

export function AskDialog() {
  return asked.value === null ? null : <Open ask={asked.value} />;
}

type Step = { is: 'deciding' } | { is: 'sending'; answered: number } | { is: 'over'; outcome: Outcome };

function Open({ ask }: { ask: Asked }) {
  const { is, targets, known } = ask;
  const step = useSignal<Step>({ is: 'deciding' });
  const agentId = useSignal('');
  const { verb, doing, done } = WORDS[is];
  const what = counted(targets.length, 'issue');
  const cannot = known.filter((issue) => !applies(is, issue)).length;
  const close = () => {
    asked.value = null;
  };
  const run = async () => {
    const { value: to } = client;
    if (to === null) return;
    step.value = { is: 'sending', answered: 0 };
    const what: Ask =
      is === 'assign' ? { is, agentId: agentId.value === 'nobody' ? null : agentId.value } : { is };
    const outcome = await send(to, what, targets, {
      seen: ask.seen,
      progress: (answered) => (step.value = { is: 'sending', answered }),
    });
    ask.done();
    const told = [
      ...(outcome.done > 0 ? [`${counted(outcome.done, 'issue')} ${done}.`] : []),
      ...(outcome.unchanged > 0 ? [unchangedOf(outcome.unchanged)] : []),
    ];
    if (told.length > 0) toast({ is: 'done', text: told.join(' ') });
    if (asked.peek() === ask) {
      if (outcome.refused.length === 0) close();
      else step.value = { is: 'over', outcome };
      return;
    }
    // The dialog was closed meanwhile: what was refused must be said all the same.
    for (const { target, error } of outcome.refused.slice(0, SAID)) {
      toast({
        is: 'refused',
        code: error.code,
        text: `${target.identifier}: ${error.message}`,
        hint: error.hint,
      });
    }
  };
  const { value: at } = step;
  return (
    <Dialog label={verb(what)} class="ask" close={close}>
      {at.is === 'deciding' && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void run();
          }}
        >
          <h2>{verb(what)}?</h2>
          <p class="identifiers mono">
            {targets
              .slice(0, NAMED)
              .map(({ identifier }) => identifier)
              .join('  ')}
            {targets.length > NAMED && ` and ${count(targets.length - NAMED)} more`}
          </p>
          {is === 'assign' && (
            <label class="field">
              <span>To</span>
              <select
                required
                autofocus
                value={agentId.value}
                onChange={(event) => (agentId.value = event.currentTarget.value)}
              >
                <option value="" disabled>
                  Choose an agent
                </option>
                {agentsByName.value
                  .filter((agent) => agent.status !== 'terminated')
                  .map((agent) => (
                    <option key={agent.id} value={agent.id}>
                      {agent.name}
                      {agent.status === 'paused' ? ' (paused)' : ''}
                    </option>
                  ))}
                <option value="nobody">Nobody</option>
              </select>
            </label>
          )}
          <p class="quiet">{EXPLAINED[is]}</p>
          {cannot > 0 && (
            <p class="note">
              {targets.length === 1 ? 'It does' : `${count(cannot)} of them ${cannot === 1 ? 'does' : 'do'}`}{' '}
              {CANNOT[is]}
            </p>
          )}
          <div class="buttons">
            <button type="button" class="button" onClick={close}>
              Leave as {targets.length === 1 ? 'it is' : 'they are'}
            </button>
            <button
              type="submit"
              class={`button ${is === 'cancel' ? 'danger-solid' : 'primary'}`}
              autofocus={is !== 'assign'}
              disabled={is === 'assign' && agentId.value === ''}
            >
              {verb(what)}
            </button>
          </div>
        </form>
      )}
      {at.is === 'sending' && (
        <>
          <h2 aria-live="polite">
            {doing.charAt(0).toUpperCase() + doing.slice(1)}… {count(at.answered)} of {count(targets.length)}{' '}
            confirmed
          </h2>
          {link.value.is === 'lost' && (
            <p class="note">The connection is lost. What is not confirmed is asked again when it is back.</p>
          )}
          <progress max={targets.length} value={at.answered} aria-label="Confirmed" />
        </>
      )}
      {at.is === 'over' && <Over outcome={at.outcome} done={done} close={close} />}
    </Dialog>
  );
}

const EXPLAINED: Readonly<Record<Ask['is'], string>> = {
  cancel:
    'Running work is told to stop; retries that were scheduled never fire. A cancelled issue can be reopened.',
  'retry-now':
    'What waits for its retry is queued at once, without the rest of its backoff; what is idle is woken.',
  assign:
    'Work of the agent before is told to stop, a scheduled retry never fires; the new agent gets a run of its own.',
};

/** What is said of those that it would not change. */
const CANNOT: Readonly<Record<Ask['is'], string>> = {
  cancel: 'not go on any more: nothing changes, or it is refused.',
  'retry-now': 'not wait for a retry: nothing changes, or it is refused.',
  assign: 'not take it.',
};

function unchangedOf(n: number): string {
  return `${counted(n, 'issue')} ${n === 1 ? 'stays as it was' : 'stay as they were'}.`;
}

function Over({ outcome, done, close }: { outcome: Outcome; done: string; close(): void }) {
  const { refused } = outcome;
  return (
    <>
      <h2 aria-live="assertive">
        {count(refused.length)} refused, {count(outcome.done)} {done}
        {outcome.unchanged > 0 && `, ${count(outcome.unchanged)} unchanged`}
      </h2>
      <ul class="refused">
        {refused.map(({ target, error, now }) => (
          <li key={target.id}>
            <strong>{target.identifier}</strong> <code>{error.code}</code> {error.message}
            {now !== null && (
              <p>
                {target.version !== null &&
                  target.version !== now.version &&
                  `It changed meanwhile (version ${target.version} → ${now.version}). `}
                Now it is <em>{SHOWN[shownOf(now)].word}</em>
                {now.assigneeAgentId === null ? '' : `, with ${agentName(now.assigneeAgentId)}`}:{' '}
                <Told text={sentence(now)} />
              </p>
            )}
            <p class="quiet">{error.hint}</p>
          </li>
        ))}
      </ul>
      <div class="buttons">
        <button type="button" class="button primary" autofocus onClick={close}>
          Close
        </button>
      </div>
    </>
  );
}
