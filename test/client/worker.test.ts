import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunFunction, RunStopped, type RunTools } from '../../src/client/execution.ts';
import { type RunOutcome, TransientError } from '../../src/client/run-outcome.ts';
import { type Worker, type WorkerOptions, worker } from '../../src/client/worker.ts';
import { ManualClock, steadyChance } from './manual-clock.ts';
import { type Frame, grantOf, StandIn } from './stand-in.ts';

let server: StandIn;
let clock: ManualClock;
let working: Worker | null = null;
let outcomes: RunOutcome[] = [];

beforeEach(async () => {
  server = await StandIn.start();
  clock = new ManualClock();
  outcomes = [];
  server.answers.event = (f) => ({ t: 'ok', id: f.id, version: 3, issue: {} });
});
afterEach(async () => {
  working?.client.close();
  working = null;
  await server.stop();
});

/** A worker whose first claim is answered with `grants`; later ones wait. */
async function work(run: RunFunction, over: Partial<WorkerOptions> = {}, grants: object[] = [grantOf(1)]) {
  let isFirst = true;
  server.answers.claim = (f) => {
    const mine = isFirst ? grants : null;
    isFirst = false;
    return mine === null ? null : { t: 'ok', id: f.id, grants: mine };
  };
  working = await worker({
    url: server.url,
    token: 'agent-key',
    clock,
    chance: steadyChance(0.5),
    run,
    ended: (_grant, outcome) => outcomes.push(outcome),
    ...over,
  });
  return working;
}
const eventsOf = () => server.of('event').map((f) => f.event as Record<string, unknown>);
const reports = () => eventsOf().filter((e) => e.type !== 'RUN.HEARTBEAT');
const reported = () => server.until(() => reports().length > 0).then(() => reports()[0]);

/** A run that the test holds open. */
function held() {
  let tools!: RunTools;
  let finish!: (value?: { resolution?: 'open' | 'done'; result?: unknown }) => void;
  let fail!: (error: unknown) => void;
  let begin!: () => void;
  const started = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const run: RunFunction = (_grant, t) => {
    tools = t;
    begin();
    return new Promise((resolve, reject) => {
      finish = (value) => resolve(value);
      fail = reject;
    });
  };
  return {
    run,
    started,
    tools: () => tools,
    finish: (v?: object) => finish(v),
    fail: (e: unknown) => fail(e),
  };
}

describe('what a run returns or throws', () => {
  it('nothing is success, done', async () => {
    await work(() => undefined);
    expect(await reported()).toEqual({
      type: 'RUN.SUCCEEDED',
      runId: 'i0000000000001.1',
      fence: 7,
      resolution: 'done',
    });
  });

  it('a resolution and a result are reported', async () => {
    await work(() => ({ resolution: 'open', result: { files: 3 } }));
    expect(await reported()).toMatchObject({ resolution: 'open', result: { files: 3 } });
  });

  it('an error is a permanent failure with its code', async () => {
    await work(() => {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    });
    const report = await reported();
    expect(report).toMatchObject({ type: 'RUN.FAILED', error: 'no such file', errorCode: 'ENOENT' });
    expect(report).not.toHaveProperty('errorFamily');
  });

  it('a TransientError is retried, not before the time it names', async () => {
    await work(() => {
      throw new TransientError('429', { retryNotBefore: new Date(0), errorCode: 'codex_transient_upstream' });
    });
    expect(await reported()).toMatchObject({
      type: 'RUN.FAILED',
      errorFamily: 'transient_upstream',
      errorCode: 'codex_transient_upstream',
      resultJson: { retryNotBefore: '1970-01-01T00:00:00.000Z' },
    });
  });

  it('a result the server refuses becomes a failure that says so', async () => {
    server.answers.event = (f) =>
      (f.event as Frame).type === 'RUN.SUCCEEDED'
        ? { t: 'error', id: f.id, code: 'TOO_LARGE', message: 'at most 48 KiB', retryable: false }
        : { t: 'ok', id: f.id, version: 3 };
    await work(() => ({ result: 'x' }));
    await server.until(() => reports().length === 2);
    expect(reports()[1]).toMatchObject({ type: 'RUN.FAILED', errorCode: 'result_refused' });
  });
});

describe('while it runs', () => {
  it('it heartbeats every third of the lease, with progress and note', async () => {
    const job = held();
    await work(job.run);
    await job.started;
    clock.advance(10_000);
    await server.until(() => eventsOf().length === 1);
    job.tools().progress(0.5);
    job.tools().note('half way');
    clock.advance(500);
    await server.until(() => eventsOf().length === 2);
    expect(eventsOf()[0]).toEqual({ type: 'RUN.HEARTBEAT', runId: 'i0000000000001.1', fence: 7 });
    expect(eventsOf()[1]).toMatchObject({ progress: 0.5, note: 'half way' });
    expect(server.of('event')[0]).not.toHaveProperty('key');
    job.finish();
    await reported();
  });

  it('its log lines are gathered and sent by HTTP with the fence', async () => {
    server.http = () => ({ status: 200, body: {} });
    await work((_grant, { log }) => {
      log('one');
      log('two', 'stderr');
    });
    await reported();
    expect(server.requests[0]).toMatchObject({
      url: '/v1/runs/i0000000000001.1/log',
      body: {
        fence: 7,
        lines: [
          { stream: 'stdout', text: 'one' },
          { stream: 'stderr', text: 'two' },
        ],
      },
    });
  });

  it('no more than `slots` runs are claimed', async () => {
    const job = held();
    await work(job.run, { slots: 3 }, [grantOf(1), grantOf(2)]);
    await server.until(() => server.of('claim').length === 2);
    expect(server.of('claim').map((f) => f.max)).toEqual([3, 1]);
    expect(working?.active).toBe(2);
  });
});

describe('a run that must end', () => {
  it('has its signal aborted by a stop frame and answers RUN.STOPPED whatever it returns', async () => {
    await work((_grant, { signal }) => {
      return new Promise((resolve) => {
        signal.addEventListener('abort', () => resolve({ result: 'half' }));
        server.push({
          t: 'stop',
          runId: 'i0000000000001.1',
          fence: 7,
          cause: 'issue_reassigned',
          graceMs: 10_000,
        });
      });
    });
    expect(await reported()).toEqual({ type: 'RUN.STOPPED', runId: 'i0000000000001.1', fence: 7 });
    await server.until(() => server.of('claim').length === 2);
    expect(outcomes).toMatchObject([
      { is: 'stopped', cause: 'issue_reassigned', answer: { duplicate: false } },
    ]);
  });

  it('sees why in signal.reason', async () => {
    const job = held();
    await work(job.run);
    await job.started;
    server.push({ t: 'stop', runId: 'i0000000000001.1', fence: 7, cause: 'issue_cancelled', graceMs: 10 });
    await new Promise((resolve) => job.tools().signal.addEventListener('abort', resolve));
    expect(job.tools().signal.reason).toBeInstanceOf(RunStopped);
    expect(job.tools().signal.reason).toMatchObject({ stopCause: 'issue_cancelled', graceMs: 10 });
  });

  it('learns it from a heartbeat that is FENCED', async () => {
    const job = held();
    await work(job.run);
    await job.started;
    server.answers.event = (f) => ({
      t: 'error',
      id: f.id,
      code: 'FENCED',
      message: 'older',
      retryable: false,
    });
    job.tools().signal.addEventListener('abort', () => job.fail(new Error('aborted')));
    clock.advance(10_000);
    expect(await reported()).toMatchObject({ type: 'RUN.STOPPED' });
  });

  it('is not stopped by a stop that names another run', async () => {
    const job = held();
    await work(job.run);
    await job.started;
    server.push({ t: 'stop', runId: 'i0000000000009.1', fence: 7, cause: 'issue_cancelled', graceMs: 10 });
    server.push({ t: 'ping', now: 1 });
    await server.until(() => server.of('pong').length === 1);
    expect(job.tools().signal.aborted).toBe(false);
    expect(reports()).toEqual([]);
  });
});

describe('a report', () => {
  it('is repeated with one key until it is answered, over a lost connection', async () => {
    delete server.answers.event;
    await work(() => undefined);
    await server.until(() => server.of('event').length === 1);
    server.answers.event = (f) => ({ t: 'ok', id: f.id, version: 3, duplicate: true });
    const lost = new Promise<{ inMs: number }>((resolve) => working?.client.on('lost', resolve));
    server.cut();
    clock.advance((await lost).inMs);
    await server.until(() => server.of('event').length === 2);
    const [one, two] = server.of('event');
    expect(two?.key).toBe(one?.key);
    await server.until(() => server.of('claim').length >= 2);
    await expect.poll(() => outcomes).toMatchObject([{ is: 'succeeded' }]);
  });

  it('that is FENCED counts for nothing, and the worker goes on', async () => {
    server.answers.event = (f) => ({
      t: 'error',
      id: f.id,
      code: 'FENCED',
      message: 'older',
      retryable: false,
    });
    await work(() => undefined);
    await server.until(() => server.of('claim').length === 2);
    expect(outcomes).toMatchObject([{ is: 'refused', error: { code: 'FENCED' } }]);
  });
});

describe('closing', () => {
  it('waits for the runs in hand and claims no more', async () => {
    const job = held();
    await work(job.run);
    await job.started;
    const closing = working?.close();
    job.finish();
    await closing;
    expect(reports()).toHaveLength(1);
    expect(server.of('claim')).toHaveLength(1);
  });

  it('after the grace aborts them, and what they throw then is retried elsewhere', async () => {
    const job = held();
    await work(job.run);
    await job.started;
    job.tools().signal.addEventListener('abort', () => job.fail(job.tools().signal.reason));
    const closing = working?.close({ graceMs: 1000 });
    clock.advance(1000);
    await closing;
    expect(reports()[0]).toMatchObject({
      type: 'RUN.FAILED',
      errorFamily: 'transient_upstream',
      errorCode: 'worker_closed',
    });
  });

  it('with no grace aborts them before close returns', async () => {
    const job = held();
    await work(job.run);
    await job.started;
    const closing = working?.close({ graceMs: 0 });
    expect(job.tools().signal.aborted).toBe(true);
    job.fail(job.tools().signal.reason);
    await closing;
    expect(reports()[0]).toMatchObject({ errorFamily: 'transient_upstream', errorCode: 'worker_closed' });
  });

  it('rejects `closed` when the key is revoked', async () => {
    await work(held().run);
    server.cut(4401);
    await expect(working?.closed).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('with an operator token', () => {
  it('makes a key for the named agent, works with it, and revokes it at the end', async () => {
    server.principal = { role: 'operator', agentId: null, companyId: null };
    server.http = ({ url, method }) => {
      if (method === 'DELETE') return { status: 200, body: {} };
      if (url.endsWith('/companies'))
        return { status: 200, body: { items: [{ id: 'c1' }], nextCursor: null } };
      if (url.endsWith('/agents')) {
        return {
          status: 200,
          body: {
            items: [{ id: 'a1', companyId: 'c1', name: 'claude', status: 'active' }],
            nextCursor: null,
          },
        };
      }
      server.principal = { role: 'agent', agentId: 'a1', companyId: 'c1' };
      return { status: 201, body: { id: 'k1', role: 'agent', agentId: 'a1', token: 'fresh' } };
    };
    await work(() => undefined, { agent: 'claude' });
    await reported();
    expect(server.of('hello').map((f) => f.token)).toEqual(['agent-key', 'fresh']);
    await working?.close();
    expect(server.requests.at(-1)).toMatchObject({ method: 'DELETE', url: '/v1/keys/k1' });
  });
});
