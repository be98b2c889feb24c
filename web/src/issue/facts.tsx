/** Who has the issue and what is known of it – as it is, or as it was at the version that is looked at. */
import { computed } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { isUnreadable } from '../../../src/client/put-aside.ts';
import type { IssueView } from '../../../src/machines/view.ts';
import { agentName } from '../agents/roster.ts';
import { tick } from '../clock.ts';
import { clockTime, dateTime, duration } from '../duration.ts';
import { Told } from '../ui/told.tsx';
import { named } from './named.ts';

export function Facts({ issue, isPast }: { issue: IssueView; isPast: boolean }) {
  if (isUnreadable(issue)) return <Nothing issue={issue} />;
  const { lock, retry, run, detached, wakes, lastError, context } = issue;
  return (
    <section class="card issue-facts" aria-label={isPast ? `As of version ${issue.version}` : 'Facts'}>
      <div class="card-head">
        <h2>{isPast ? `As of version ${issue.version}` : 'Facts'}</h2>
      </div>
      <dl>
        <Fact name="Assignee">
          {issue.assigneeAgentId === null ? 'nobody' : agentName(issue.assigneeAgentId)}
        </Fact>
        <Fact name="Priority">{issue.priority}</Fact>
        <Fact name="Lock" id="lock">
          {lock === null ? (
            'none'
          ) : (
            <>
              <b>{lock.mode}</b> for run {named(lock.runId)} of {agentName(lock.agentId)}
              <span class="quiet"> since {clockTime(lock.lockedAt)}</span>
            </>
          )}
        </Fact>
        <Fact name="Fence">{issue.fence}</Fact>
        <Fact name="Attempts">
          {issue.attempt} of {issue.maxAttempts} automatic retries
        </Fact>
        {retry !== null && (
          <Fact name="Retry">
            {retry.attempt} of {retry.maxAttempts} at {clockTime(retry.dueAt)}
            {!isPast && <Ahead at={retry.dueAt} />}
            {retry.codexTransientFallbackMode !== null && (
              <span class="quiet"> as {retry.codexTransientFallbackMode.replaceAll('_', ' ')}</span>
            )}
          </Fact>
        )}
        {run?.progress != null && (
          <Fact name="Progress">
            <progress max={1} value={run.progress} aria-label="Progress" /> {Math.round(run.progress * 100)} %
          </Fact>
        )}
        {run?.note != null && <Fact name="Note">{run.note}</Fact>}
        {detached !== null && (
          <Fact name="Detached">
            run {named(detached.runId)} of {agentName(detached.agentId)}:{' '}
            {detached.cause.replaceAll('_', ' ')}
            {detached.until !== null && <span class="quiet"> until {clockTime(detached.until)}</span>}
          </Fact>
        )}
        {lastError !== null && (
          <Fact name="Last error" id="error">
            <code class="error">{lastError.errorCode ?? lastError.errorFamily ?? 'error'}</code>{' '}
            <bdi>
              <Told text={lastError.error} />
            </bdi>
            <span class="quiet"> at {clockTime(lastError.at)}</span>
          </Fact>
        )}
        {wakes.length > 0 && (
          <Fact name="Wakes">
            <ul>
              {wakes.map((wake) => (
                <li key={wake.id}>
                  {wake.reason}{' '}
                  <span class="quiet">{wake.human ? 'a person' : wake.source.replaceAll('_', ' ')}</span>
                </li>
              ))}
            </ul>
          </Fact>
        )}
        <Fact name="Made">{dateTime(issue.createdAt)}</Fact>
        <Fact name="Changed">{dateTime(issue.updatedAt)}</Fact>
        {context !== null && (
          <Fact name="Context" id="context">
            <pre tabIndex={0}>{JSON.stringify(context, null, 2)}</pre>
          </Fact>
        )}
      </dl>
    </section>
  );
}

/** Its state cannot be read; what happened to it is in the journal all the same. */
function Nothing({ issue }: { issue: IssueView }) {
  return (
    <section class="card issue-facts" aria-label="Facts">
      <div class="card-head">
        <h2>Facts</h2>
      </div>
      <p class="quiet">
        None can be read. What happened to it is in its journal, whose versions can still be looked at.
      </p>
      <pre tabIndex={0}>{issue.why.text}</pre>
    </section>
  );
}

function Ahead({ at }: { at: number }) {
  const said = useMemo(
    () => computed(() => (at > tick.value ? ` in ${duration(at - tick.value)}` : '')),
    [at],
  );
  return <span class="quiet">{said.value}</span>;
}

function Fact({ name, id, children }: { name: string; id?: string; children: ComponentChildren }) {
  return (
    <div data-fact={id}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
