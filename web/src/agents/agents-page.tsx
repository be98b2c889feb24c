/** Who works: slots, what waits for one, when a worker was last heard, and the verbs that stop and start an agent. */
import { signal, useComputed, useSignal } from '@preact/signals';
import type { RemoteError } from '../../../src/client/index.ts';
import type { AgentView, IssueView } from '../../../src/machines/view.ts';
import { tick } from '../clock.ts';
import { age, count, counted, duration } from '../duration.ts';
import { addressOf } from '../location.ts';
import type { PageProps } from '../pages.ts';
import { client, mayOperate } from '../session.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Icon, type IconName } from '../ui/icon.tsx';
import { toast } from '../ui/toasts.tsx';
import { agentsAreHere, agentsByName, readAgents, sawAgent, useReading } from './roster.ts';

/** Heartbeats are not in the journal: they are read, and no older than this. */
const READ_MS = 2000;
/** Pips up to here, a number alone beyond. */
const PIPS = 20;

/** Issues whose run a worker holds, by agent. */
const inHand = signal<ReadonlyMap<string, readonly IssueView[]>>(new Map());

export function AgentsPage(_props: PageProps) {
  useReading(READ_MS, readAgents);
  useReading(READ_MS, async (from, companyId) => {
    const { items } = await from.http.call<{ items: IssueView[] }>('GET', `/companies/${companyId}/issues`, {
      query: { state: ['running.executing', 'running.stopping'], limit: 500 },
    });
    const found = new Map<string, IssueView[]>();
    for (const issue of items) {
      const agentId = issue.substate === 'stopping' ? issue.detached?.agentId : issue.assigneeAgentId;
      if (agentId != null) found.set(agentId, [...(found.get(agentId) ?? []), issue]);
    }
    inHand.value = found;
  });
  const { value: agents } = agentsByName;
  const working = agents.filter((agent) => agent.status !== 'terminated');
  const over = agents.filter((agent) => agent.status === 'terminated');
  return (
    <div class="page">
      <div class="page-head">
        <h1>Agents</h1>
        <p class="quiet">
          {count(working.reduce((sum, { slots }) => sum + slots.held, 0))} of{' '}
          {counted(
            working.reduce((sum, { slots }) => sum + slots.max, 0),
            'slot',
          )}{' '}
          held, {count(working.reduce((sum, { slots }) => sum + slots.wanting, 0))} waiting
        </p>
      </div>
      {agentsAreHere.value && agents.length === 0 && (
        <p class="empty">There is no agent yet. An operator makes them with POST /v1/companies/…/agents.</p>
      )}
      <ul class="agents">
        {working.map((agent) => (
          <Agent key={agent.id} agent={agent} />
        ))}
      </ul>
      {over.length > 0 && (
        <details>
          <summary>{counted(over.length, 'terminated agent')}</summary>
          <ul class="agents">
            {over.map((agent) => (
              <Agent key={agent.id} agent={agent} />
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

type Status = 'active' | 'paused' | 'draining' | 'terminated';
const STATUS: Readonly<Record<Status, { icon: IconName; colour: string }>> = {
  active: { icon: 'play', colour: 'done' },
  draining: { icon: 'drain', colour: 'stopping' },
  paused: { icon: 'pause', colour: 'retrying' },
  terminated: { icon: 'cancelled', colour: 'cancelled' },
};

function statusOf({ status, draining }: AgentView): Status {
  return draining ? 'draining' : status;
}

function Agent({ agent }: { agent: AgentView }) {
  const { name, identifier, adapterType, slots } = agent;
  const status = statusOf(agent);
  const issues = inHand.value.get(agent.id) ?? [];
  return (
    <li class="card agent">
      <div class="agent-head">
        <h2>
          <bdi>{name}</bdi> <span class="identifier">{identifier}</span>
        </h2>
        <span class={`state state-${STATUS[status].colour}`}>
          <Icon name={STATUS[status].icon} size={14} />
          <span>{status}</span>
        </span>
        {status !== 'terminated' && mayOperate() && <Verbs agent={agent} status={status} />}
      </div>
      <dl class="facts">
        <div>
          <dt>Slots</dt>
          <dd>
            <Slots held={slots.held} max={slots.max} />
          </dd>
        </div>
        <div>
          <dt>Queue</dt>
          <dd>
            {slots.wanting === 0 ? (
              'empty'
            ) : (
              <a href={addressOf('/', { assignee: agent.id, state: 'running.queued' })}>
                {counted(slots.wanting, 'run')} waiting
              </a>
            )}
          </dd>
        </div>
        <div>
          <dt>Worker</dt>
          <dd>
            <Heard agent={agent} issues={issues} />
          </dd>
        </div>
        <div>
          <dt>Adapter</dt>
          <dd>{adapterType}</dd>
        </div>
      </dl>
      {issues.length > 0 && (
        <ul class="in-hand" aria-label={`Runs of ${name}`}>
          {issues.map((issue) => (
            <InHand key={issue.id} issue={issue} />
          ))}
        </ul>
      )}
    </li>
  );
}

function Slots({ held, max }: { held: number; max: number }) {
  return (
    <span class="slots">
      {max <= PIPS && (
        <span class="pips" aria-hidden="true">
          {Array.from({ length: Math.max(max, held) }, (_, at) => (
            <span key={`pip${at}`} class={at >= max ? 'pip is-over' : at < held ? 'pip is-held' : 'pip'} />
          ))}
        </span>
      )}
      <span>
        {held} of {max}
      </span>
    </span>
  );
}

/** When a heartbeat of one of its runs last came; a lease is renewed by each for its whole length. */
function heardAt(issue: IssueView, agent: AgentView): number | null {
  const until = issue.run?.leaseUntil ?? null;
  return until === null ? null : until - agent.retry.leaseMs;
}

function Heard({ agent, issues }: { agent: AgentView; issues: readonly IssueView[] }) {
  const beats = issues.flatMap((issue) => heardAt(issue, agent) ?? []);
  const last = beats.length === 0 ? null : Math.max(...beats);
  // Drawn again every second, not at every tick.
  const second = useComputed(() => Math.floor(tick.value / 1000)).value;
  const ago = last === null ? null : age(Math.max(0, second * 1000 - last));
  if (ago !== null) return <>heartbeat {ago === 'now' ? 'now' : `${ago} ago`}</>;
  return agent.slots.online ? <>asking for work</> : <span class="quiet">none is connected</span>;
}

function InHand({ issue }: { issue: IssueView }) {
  const { run, identifier, title } = issue;
  const isStopping = issue.substate === 'stopping';
  const until = run?.leaseUntil ?? null;
  const second = useComputed(() => Math.floor(tick.value / 1000)).value;
  const lease = until === null ? '' : `lease ${duration(Math.max(0, until - second * 1000))}`;
  return (
    <li>
      <a href={addressOf(`/issues/${identifier}`)} class="identifier">
        {identifier}
      </a>
      <span class="text" title={title}>
        {title}
      </span>
      {run?.progress != null && (
        <progress max={1} value={run.progress} aria-label={`Progress of ${identifier}`} />
      )}
      {run?.note != null && (
        <span class="quiet text note-text" title={run.note}>
          {run.note}
        </span>
      )}
      {isStopping ? (
        <span class="quiet since" title={issue.detached?.cause.replaceAll('_', ' ')}>
          told to stop
        </span>
      ) : (
        <span class="quiet since">{lease}</span>
      )}
    </li>
  );
}

type Verb = 'pause' | 'drain' | 'resume';
const VERBS: Readonly<
  Record<Verb, { text: string; doing: string; done: string; icon: IconName; means: string }>
> = {
  drain: {
    text: 'Drain',
    doing: 'draining',
    done: 'takes nothing new',
    icon: 'drain',
    means: 'The runs in hand finish and report; nothing new is granted. What waits keeps its place.',
  },
  pause: {
    text: 'Pause',
    doing: 'pausing',
    done: 'is paused',
    icon: 'pause',
    means:
      'The runs in hand are told to stop and their work is given up; nothing new is granted. What waits keeps its place.',
  },
  resume: {
    text: 'Resume',
    doing: 'resuming',
    done: 'works again',
    icon: 'play',
    means: 'What waits is granted again as workers ask for it.',
  },
};

function verbsOf(status: Status): Verb[] {
  switch (status) {
    case 'active':
      return ['drain', 'pause'];
    case 'draining':
      return ['resume', 'pause'];
    case 'paused':
      return ['resume'];
    case 'terminated':
      return [];
  }
}

function Verbs({ agent, status }: { agent: AgentView; status: Status }) {
  const asked = useSignal<Verb | null>(null);
  const pending = useSignal<Verb | null>(null);
  const run = async (verb: Verb) => {
    const { value: to } = client;
    if (to === null) return;
    asked.value = null;
    pending.value = verb;
    const expectedVersion = agent.version;
    try {
      const answer =
        verb === 'resume'
          ? await to.http.resumeAgent(agent.id, { expectedVersion })
          : await to.http.pauseAgent(agent.id, { drain: verb === 'drain', expectedVersion });
      sawAgent(answer);
      toast({ is: 'done', text: `${agent.name} ${VERBS[verb].done}.` });
    } catch (thrown) {
      const error = thrown as RemoteError;
      const now = await to.http.agent(agent.id).catch(() => null);
      if (now !== null) sawAgent(now);
      const changed = now !== null && now.version !== expectedVersion ? ` It is ${statusOf(now)} now.` : '';
      toast({ is: 'refused', code: error.code, text: `${error.message}${changed}`, hint: error.hint });
    } finally {
      pending.value = null;
    }
  };
  if (pending.value !== null) {
    return (
      <span class="verbs waiting" role="status">
        {VERBS[pending.value].doing}…
      </span>
    );
  }
  return (
    <span class="verbs">
      {verbsOf(status).map((verb) => (
        <button
          key={verb}
          type="button"
          class="button small"
          title={VERBS[verb].means}
          aria-label={`${VERBS[verb].text} ${agent.name}`}
          onClick={() => {
            asked.value = verb;
          }}
        >
          <Icon name={VERBS[verb].icon} size={13} /> {VERBS[verb].text}
        </button>
      ))}
      {asked.value !== null && (
        <Confirm agent={agent} verb={asked.value} run={run} close={() => (asked.value = null)} />
      )}
    </span>
  );
}

function Confirm(props: { agent: AgentView; verb: Verb; run(verb: Verb): Promise<void>; close(): void }) {
  const { agent, verb } = props;
  const { text, means } = VERBS[verb];
  return (
    <Dialog label={`${text} ${agent.name}`} class="ask" close={props.close}>
      <h2>
        {text} <strong>{agent.name}</strong>?
      </h2>
      <p>{means}</p>
      <p class="quiet">
        It holds {counted(agent.slots.held, 'run')} now, and {agent.slots.wanting} wait.
      </p>
      <div class="buttons">
        <button type="button" class="button" onClick={props.close}>
          Leave it as it is
        </button>
        <button
          type="button"
          class={`button ${verb === 'pause' ? 'danger-solid' : 'primary'}`}
          autofocus
          onClick={() => void props.run(verb)}
        >
          {text} {agent.name}
        </button>
      </div>
    </Dialog>
  );
}
