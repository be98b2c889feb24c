/**
 * What may be done to the issue now: exactly what the server says it would accept. A button says that it is being done
 * until the server has answered, and never that it is done before. An event carries the version it was decided on, so
 * that a stale one is refused; then what has changed is said.
 */
import { useSignal } from '@preact/signals';
import type { RemoteError } from '../../../src/client/index.ts';
import type { IssueEvent } from '../../../src/machines/events.ts';
import { type IssueView, PRIORITIES, type PriorityName } from '../../../src/machines/view.ts';
import { agentName, agentsByName } from '../agents/roster.ts';
import { client } from '../session.ts';
import { Dialog } from '../ui/dialog.tsx';
import { SHOWN, shownOf } from '../ui/state.tsx';
import { toast } from '../ui/toasts.tsx';
import { named } from './named.ts';
import type { WatchedIssue } from './watch-issue.ts';

type Verb = 'RETRY.NOW' | 'RETRY.CANCEL' | 'REOPEN' | 'COMPLETE' | 'FORCE_RELEASE' | 'CANCEL';

interface Shown {
  verb: Verb;
  /** By what it is called in a state of the machine. */
  word: string;
  /** Asked before it is sent: it takes something away from somebody. */
  asks?: string;
}
const VERBS: readonly Shown[] = [
  { verb: 'RETRY.NOW', word: 'Run now' },
  { verb: 'RETRY.CANCEL', word: 'Cancel retry' },
  { verb: 'REOPEN', word: 'Reopen' },
  { verb: 'COMPLETE', word: 'Set done' },
  {
    verb: 'FORCE_RELEASE',
    word: 'Release',
    asks: 'Whoever holds the issue loses it at once, without time to finish.',
  },
  {
    verb: 'CANCEL',
    word: 'Cancel issue',
    asks: 'Its run is told to stop, and no retry will follow.',
  },
];

/**
 * Sends an event and says what the server answered.
 * @param seen the issue as it was decided on: moved on since, the event is refused. Null: it is good in any state.
 */
export async function sendEvent(
  watched: WatchedIssue,
  event: IssueEvent,
  what: string,
  seen: IssueView | null,
): Promise<boolean> {
  const { value: from } = client;
  const before = seen ?? watched.issue.peek();
  if (from === null || before === null) return false;
  const { id, identifier } = before;
  try {
    const answer = await from.event(id, event, seen === null ? {} : { expectedVersion: seen.version });
    watched.saw(answer.issue);
    const is = `it is ${SHOWN[shownOf(answer.issue)].word}`;
    toast({
      is: 'done',
      text: `${identifier}: ${answer.unchanged ? `${what} changed nothing` : what}, ${is}`,
    });
    return true;
  } catch (refused) {
    const { code, message, hint } = refused as RemoteError;
    // It was decided on something that is no longer so, and the subscription may not have told yet.
    if (code !== 'UNAVAILABLE') {
      await from.http.issue(id).then(
        (now) => watched.saw(now),
        () => {},
      );
    }
    const told = `${changed(before, watched.issue.peek())}${hint ?? ''}`;
    toast({ is: 'refused', code, text: named(message), hint: told });
    return false;
  }
}

/** What is different from what the person had before their eyes. */
function changed(seen: IssueView, now: IssueView | null): string {
  if (now === null || now.version === seen.version) return '';
  const said = [`It is at version ${now.version} now, you saw ${seen.version}`];
  const [before, after] = [shownOf(seen), shownOf(now)];
  if (before !== after) said.push(`it was ${SHOWN[before].word} and is ${SHOWN[after].word}`);
  if (seen.assigneeAgentId !== now.assigneeAgentId) {
    said.push(`assigned to ${now.assigneeAgentId === null ? 'nobody' : agentName(now.assigneeAgentId)}`);
  }
  return `${said.join('; ')}. `;
}

export function Actions({ issue, watched }: { issue: IssueView; watched: WatchedIssue }) {
  const doing = useSignal<string | null>(null);
  const asking = useSignal<{ verb: Shown; of: IssueView } | null>(null);
  const allowed = watched.allowed.value;
  const may = (type: string) => allowed?.types.has(type) ?? false;
  const isBusy = doing.value !== null || allowed === null || allowed.version < issue.version;
  const send = async (name: string, of: IssueView, event: IssueEvent, what: string) => {
    doing.value = name;
    await sendEvent(watched, event, what, of);
    doing.value = null;
  };
  const press = (shown: Shown) => {
    if (shown.asks !== undefined) asking.value = { verb: shown, of: issue };
    else void send(shown.verb, issue, { type: shown.verb }, shown.word);
  };
  const shown = VERBS.filter(({ verb }) => may(verb));
  if (shown.length === 0 && !may('ASSIGN') && !may('PRIORITY')) return null;
  return (
    <div class="issue-actions" role="group" aria-label="Actions" aria-busy={isBusy}>
      {shown.map((one) => (
        <button
          key={one.verb}
          type="button"
          class={`button${one.verb === 'RETRY.NOW' || one.verb === 'REOPEN' ? ' primary' : ''}${one.verb === 'CANCEL' ? ' danger' : ''}`}
          data-verb={one.verb}
          disabled={isBusy}
          onClick={() => press(one)}
        >
          {doing.value === one.verb ? 'Sending…' : one.word}
        </button>
      ))}
      {may('ASSIGN') && (
        <Choice
          label="Assign to"
          value={issue.assigneeAgentId ?? ''}
          options={[
            ['', 'nobody'],
            ...agentsByName.value
              .filter(({ status, id }) => status !== 'terminated' || id === issue.assigneeAgentId)
              .map(
                ({ id, name, status }) => [id, status === 'active' ? name : `${name} (${status})`] as const,
              ),
          ]}
          isBusy={isBusy}
          choose={(id) =>
            send(
              'ASSIGN',
              issue,
              { type: 'ASSIGN', agentId: id === '' ? null : id },
              id === '' ? 'Unassign' : `Assign to ${agentName(id)}`,
            )
          }
        />
      )}
      {may('PRIORITY') && (
        <Choice
          label="Priority"
          value={issue.priority}
          options={PRIORITIES.map((name) => [name, name] as const)}
          isBusy={isBusy}
          choose={(name) =>
            send('PRIORITY', issue, { type: 'PRIORITY', priority: name as PriorityName }, `Priority ${name}`)
          }
        />
      )}
      {asking.value !== null && (
        <Confirm
          shown={asking.value.verb}
          issue={asking.value.of}
          close={() => {
            asking.value = null;
          }}
          go={(reason) => {
            const { verb, of } = asking.value as NonNullable<typeof asking.value>;
            asking.value = null;
            void send(verb.verb, of, { type: verb.verb, ...(reason === '' ? {} : { reason }) }, verb.word);
          }}
        />
      )}
    </div>
  );
}

/** A choice that shows what is, until the server has accepted another. */
function Choice(props: {
  label: string;
  value: string;
  options: readonly (readonly [value: string, text: string])[];
  isBusy: boolean;
  choose(value: string): Promise<void>;
}) {
  return (
    <label class="choice">
      <span>{props.label}</span>
      <select
        value={props.value}
        disabled={props.isBusy}
        onChange={(event) => {
          const { currentTarget: select } = event;
          const { value } = select;
          // What is shown is what holds: the choice shows itself once the server has it.
          select.value = props.value;
          void props.choose(value);
        }}
      >
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Confirm(props: { shown: Shown; issue: IssueView; close(): void; go(reason: string): void }) {
  const reason = useSignal('');
  const { shown, issue } = props;
  return (
    <Dialog label={`${shown.word}: ${issue.identifier}`} close={props.close}>
      <form
        class="confirm"
        onSubmit={(event) => {
          event.preventDefault();
          props.go(reason.value.trim());
        }}
      >
        <h2>
          {shown.word}: {issue.identifier}?
        </h2>
        <p>{shown.asks}</p>
        <label>
          Reason, for the journal <span class="quiet">(may be left out)</span>
          <input
            maxLength={500}
            value={reason.value}
            onInput={(event) => (reason.value = event.currentTarget.value)}
          />
        </label>
        <div class="buttons">
          <button type="button" class="button" onClick={props.close}>
            Leave it as it is
          </button>
          <button type="submit" class="button danger-solid">
            {shown.word}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
