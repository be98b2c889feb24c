/**
 * A short benchmark through the public protocol, in three parts that answer three questions: how long one event takes
 * when nothing else happens, how many events a server takes from many at once, how many issues go from their birth over
 * a grant to done. Client and server share this machine where the server is here: the figures are of both together.
 */
import { type Client, connect } from '../../client/client.ts';
import { HttpApi } from '../../client/http.ts';
import { RemoteError } from '../../client/remote-error.ts';
import { worker } from '../../client/worker.ts';
import type { Call } from '../command.ts';
import { freshCompany } from '../fresh-company.ts';
import { progress } from '../progress.ts';
import { atOnce } from '../replay/at-once.ts';
import type { Host } from '../replay/host.ts';
import { percentile } from '../replay/report.ts';

/** Sockets: the rate limit is per connection. */
const SOCKETS = 4;
/** Events under way at a time, over all sockets. */
const IN_FLIGHT = 256;
/** Issues that are written to: enough that they do not wait for each other. */
const ISSUES = 256;
const BULK = 128;
const WORKERS = 4;
const SLOTS = 16;

export interface Measured {
  /** One event at a time, ms. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly events: number };
  /** Many at once. */
  readonly throughput: { readonly eventsPerSecond: number; readonly p99Ms: number; readonly events: number };
  /** From birth over grant to done. */
  readonly lifecycle: { readonly issuesPerSecond: number; readonly issues: number };
  /** Events refused because of the server's rate limit: then the throughput is the limit's, not the server's. */
  readonly rateLimited: number;
  readonly company: string;
}

/** @param seconds each of the parts takes about so long */
export async function measure(call: Call, host: Host, seconds: number): Promise<Measured> {
  const { clock, random: chance, terminal, signal } = call;
  const { url, token } = host;
  const clients: Client[] = [];
  try {
    for (let n = 0; n < SOCKETS; n++) {
      clients.push(await connect({ url, token, connectTimeoutMs: 0, clock, chance }));
    }
    const http = new HttpApi({ url, token, clock, chance, timeoutMs: 60_000 });
    const company = await freshCompany(http, 'Benchmark', 'BENCH');
    const issues = await makeIssues(http, company.id, ISSUES);
    const bar = progress(terminal, clock, 'measuring', 3 * seconds);
    const begunAt = clock.monotonic();
    const elapsed = () => (clock.monotonic() - begunAt) / 1000;
    let rateLimited = 0;
    /** Into `latencies`, unless it was refused. */
    const write = async (n: number, latencies: number[]): Promise<void> => {
      signal.throwIfAborted();
      const sentAt = clock.monotonic();
      const client = clients[n % SOCKETS] as Client;
      const priority = n % (2 * ISSUES) < ISSUES ? 'high' : 'low';
      try {
        await client.event(issues[n % ISSUES] as string, { type: 'PRIORITY', priority });
        latencies.push(clock.monotonic() - sentAt);
      } catch (error) {
        if (!(error instanceof RemoteError) || error.code !== 'RATE_LIMITED') throw error;
        rateLimited++;
      }
      bar.at(elapsed());
    };

    const alone: number[] = [];
    // The first ones load code and actors; they are not what the server does from then on.
    for (let n = 0; n < ISSUES; n++) await write(n, []);
    const end = clock.monotonic() + seconds * 1000;
    for (let n = ISSUES; clock.monotonic() < end; n++) await write(n, alone);

    const together: number[] = [];
    const since = clock.monotonic();
    const lanes = Array.from({ length: IN_FLIGHT }, (_, lane) => lane);
    await atOnce(IN_FLIGHT, lanes, async (lane) => {
      for (let n = lane; clock.monotonic() < since + seconds * 1000; n += IN_FLIGHT) await write(n, together);
    });
    const took = (clock.monotonic() - since) / 1000;

    const lifecycle = await lives(call, host, http, company.id, seconds, () => bar.at(elapsed()));
    bar.end();
    alone.sort((a, b) => a - b);
    together.sort((a, b) => a - b);
    return {
      latencyMs: { p50: percentile(alone, 0.5), p99: percentile(alone, 0.99), events: alone.length },
      throughput: {
        eventsPerSecond: Math.round(together.length / took),
        p99Ms: percentile(together, 0.99),
        events: together.length,
      },
      lifecycle,
      rateLimited,
      company: company.prefix,
    };
  } finally {
    for (const client of clients) client.close();
  }
}

/** Workers that are done at once, and issues made as fast as they are taken. */
async function lives(
  call: Call,
  { url, token }: Host,
  http: HttpApi,
  companyId: string,
  seconds: number,
  at: () => void,
): Promise<Measured['lifecycle']> {
  const { clock, random: chance } = call;
  const agents: string[] = [];
  const working = [];
  let done = 0;
  try {
    for (let n = 0; n < WORKERS; n++) {
      const agent = await http.createAgent(companyId, { name: `bench-${n + 1}`, maxConcurrentRuns: SLOTS });
      agents.push(agent.id);
      const key = await http.createKey(companyId, { role: 'agent', agentId: agent.id, name: 'bench' });
      const ended = () => {
        done++;
        at();
      };
      working.push({
        key: key.id,
        worker: await worker({
          url,
          token: key.token ?? token,
          slots: SLOTS,
          clock,
          chance,
          run: () => undefined,
          ended,
        }),
      });
    }
    let made = 0;
    const since = clock.monotonic();
    while (clock.monotonic() < since + seconds * 1000) {
      call.signal.throwIfAborted();
      await makeIssues(http, companyId, BULK, (n) => agents[(made + n) % WORKERS] as string);
      made += BULK;
      while (made - done > 2 * WORKERS * SLOTS) await new Promise<void>((resolve) => clock.after(2, resolve));
    }
    const count = done;
    const took = (clock.monotonic() - since) / 1000;
    return { issuesPerSecond: Math.round(count / took), issues: count };
  } finally {
    await Promise.all(
      working.map(async ({ key, worker: each }) => {
        await each.close({ graceMs: 0 });
        await http.revokeKey(key).catch(() => {});
      }),
    );
  }
}

async function makeIssues(
  http: HttpApi,
  companyId: string,
  count: number,
  assignee?: (n: number) => string,
): Promise<string[]> {
  const asked = Array.from({ length: count }, (_, n) => ({
    title: `Measured issue ${n + 1}`,
    ...(assignee === undefined ? {} : { assigneeAgentId: assignee(n) }),
  }));
  return (await http.createIssues(companyId, asked)).items.map(({ id }) => id);
}
