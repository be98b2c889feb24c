/** A gateway on loopback over the router in memory, with a company, and short ways to ask it things. */
import { request as httpRequest } from 'node:http';
import pino from 'pino';
import { systemClock, systemRandom } from '../../../src/clock.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../../../src/gateway/gateway.ts';
import { createMetrics } from '../../../src/gateway/metrics.ts';
import { MemoryRouter } from './memory-router.ts';
import { Client } from './ws-client.ts';

export const TOKEN = 'the-server-token-of-the-tests-0123456789';

/** An answer: status, headers, and the body parsed where it is JSON. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of all shapes; the assertions say which
  readonly body: any;
}

export interface Ask {
  readonly token?: string | null;
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly raw?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Made {
  readonly id: string;
  readonly token: string;
}

const SYSTEM = { kind: 'operator', id: 'test' } as const;

export class Bench {
  readonly router: MemoryRouter;
  readonly gateway: Gateway;
  readonly #sockets: Client[] = [];

  constructor(router: MemoryRouter, gateway: Gateway) {
    this.router = router;
    this.gateway = gateway;
  }

  /** Sends a request; as the server's operator unless `token` says otherwise (null: without a credential). */
  ask(method: string, path: string, { token = TOKEN, body, raw, headers = {} }: Ask = {}): Promise<Reply> {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    const all: Record<string, string> = {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { host: '127.0.0.1', port: this.gateway.port, method, path, headers: all, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString();
            const isJson = /json/.test(response.headers['content-type'] ?? '');
            const { statusCode = 0, headers: got } = response;
            resolve({ status: statusCode, headers: got, text, body: isJson ? JSON.parse(text) : null });
          });
        },
      );
      request.on('error', reject);
      request.end(payload);
    });
  }

  get(path: string, ask: Ask = {}): Promise<Reply> {
    return this.ask('GET', path, ask);
  }

  post(path: string, body: unknown = {}, ask: Ask = {}): Promise<Reply> {
    return this.ask('POST', path, { ...ask, body });
  }

  /** A WebSocket that has not said hello. */
  socket(options: { protocol?: string | null; headers?: Record<string, string> } = {}): Client {
    const client = new Client(`ws://127.0.0.1:${this.gateway.port}/v1/ws`, options);
    this.#sockets.push(client);
    return client;
  }

  /** A WebSocket that was welcomed. */
  async connect(token: string = TOKEN): Promise<Client> {
    const client = this.socket();
    client.send({ t: 'hello', token });
    await client.next((frame) => frame.t === 'welcome');
    return client;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.close();
    await this.gateway.stop();
  }

  // -- things, made past the gateway -----------------------------------------------------------

  async company(prefix = 'ACME'): Promise<string> {
    const made = await this.router.createCompany({ name: prefix, prefix }, SYSTEM);
    if (made.is === 'taken') throw new Error(`the prefix ${prefix} is taken`);
    return made.row.id;
  }

  agent(companyId: string, asked: object = {}): Promise<string> {
    return this.#born('agent', companyId, { name: 'worker', ...asked });
  }

  issue(companyId: string, asked: object = {}): Promise<string> {
    return this.#born('issue', companyId, { title: 'Fix login', ...asked });
  }

  async key(
    companyId: string,
    role: 'operator' | 'agent' | 'viewer',
    agentId: string | null = null,
  ): Promise<Made> {
    const made = await this.router.createKey({ companyId, role, agentId, name: null }, SYSTEM);
    return { id: made.row.id, token: made.token as string };
  }

  /** Claims one run for an agent past the gateway: `{ run, fence, issue }`. */
  // biome-ignore lint/suspicious/noExplicitAny: a grant, read by the tests
  async grant(companyId: string, agentId: string): Promise<any> {
    const claim = {
      pool: agentId,
      companyId,
      claimId: `c${Math.random()}`,
      max: 1,
      waitMs: 0,
      session: null,
    };
    const claimed = await this.router.claim(claim).answer;
    if (claimed.is !== 'granted' || claimed.grants[0] === undefined) throw new Error('nothing was granted');
    return JSON.parse(claimed.grants[0]);
  }

  async #born(kind: string, companyId: string, asked: object): Promise<string> {
    const born = await this.router.create({ kind, companyId, asked: [asked], by: SYSTEM });
    if (born.is !== 'accepted') throw new Error(JSON.stringify(born));
    return born.items[0]?.id as string;
  }
}

/** Starts a gateway; whoever asks closes it. */
export async function openBench(options: Partial<GatewayOptions> = {}): Promise<Bench> {
  const clock = systemClock();
  const random = systemRandom();
  const router = new MemoryRouter(clock, random);
  const gateway = await createGateway({
    router,
    clock,
    random,
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
    host: '127.0.0.1',
    port: 0,
    strictPort: true,
    token: TOKEN,
    localMode: false,
    allowedOrigins: [],
    statelyUrl: 'https://stately.ai/inspect',
    rateLimit: null,
    version: '0.0.0-test',
    ...options,
  });
  return new Bench(router, gateway);
}
