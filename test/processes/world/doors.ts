/**
 * What speaks with a cluster from outside: one client of `src/client` a node. A request goes to the node that answered
 * last for its company; a refusal that names the owner, or silence, sends it – with the same key – to another.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, connect, type EventAnswer, RemoteError } from '../../../src/client/index.ts';
import type { IssueEvent } from '../../../src/machines/events.ts';
import type { GrantView } from '../../../src/machines/view.ts';
import type { NodeListener } from './cluster.ts';

/** Patience with one node, ms: below the server's `retryAfterMs`, so that a refusal sends us on instead of waiting. */
const PATIENCE_MS = 450;
/** How long an event is sent again before its outcome is left unknown, ms. */
const GIVE_UP_MS = 20_000;

interface Door {
  readonly url: string;
  readonly client: Client;
  /** The node's name, as refusals name it. */
  readonly node: string;
}

export type Sent =
  | { readonly is: 'answered'; readonly answer: EventAnswer; readonly place: number }
  | { readonly is: 'refused'; readonly error: RemoteError }
  /** Nobody answered in time: it may have happened, once. */
  | { readonly is: 'unknown' };

export class Doors implements NodeListener {
  readonly #doors: (Door | null)[] = [];
  readonly #known = new Map<string, number>();
  #isClosed = false;
  /** Refusals seen that named the node that owns the partition. */
  directed = 0;

  async started(place: number, url: string): Promise<void> {
    const client = await connect({ url, requestTimeoutMs: PATIENCE_MS });
    const readiness = await fetch(`${url}/readyz`);
    const { node } = (await readiness.json()) as { node: string };
    const door: Door = { url, client, node };
    this.#doors[place] = door;
  }

  gone(place: number): void {
    this.#doors[place]?.client.close();
    this.#doors[place] = null;
  }

  close(): void {
    this.#isClosed = true;
    for (const place of this.#doors.keys()) this.gone(place);
  }

  get places(): number[] {
    return this.#doors.flatMap((door, place) => (door ? [place] : []));
  }

  urlOf(place: number): string {
    return this.#doors[place]!.url;
  }

  /** Where the node of this name runs. */
  placeNamed(node: string): number | undefined {
    const place = this.#doors.findIndex((door) => door?.node === node);
    return place < 0 ? undefined : place;
  }

  /** An event with its key, by turns over WebSocket and HTTP, until it is answered. */
  async event(
    companyId: string,
    issueId: string,
    event: IssueEvent,
    key: string,
    http: boolean,
  ): Promise<Sent> {
    const until = performance.now() + GIVE_UP_MS;
    while (performance.now() < until && !this.#isClosed) {
      const place = this.#guess(companyId);
      const door = place === null ? null : this.#doors[place];
      if (place === null || !door) {
        await sleep(20);
        continue;
      }
      try {
        const { client } = door;
        const answer = http
          ? await client.http.call<EventAnswer>('POST', `/issues/${issueId}/events`, { body: event, key })
          : await client.event(issueId, event, { key });
        this.#known.set(companyId, place);
        return { is: 'answered', answer, place };
      } catch (thrown) {
        const error = thrown as RemoteError;
        if (!(error instanceof RemoteError)) throw error;
        if (!error.retryable) return { is: 'refused', error };
        if (!this.#directed(companyId, error)) {
          this.#elsewhere(companyId, place);
          await sleep(10);
        }
      }
    }
    return { is: 'unknown' };
  }

  /** Work for an agent, or nothing. */
  async claim(companyId: string, agentId: string, claimId: string, max: number): Promise<GrantView[]> {
    const place = this.#guess(companyId);
    const door = place === null ? null : this.#doors[place];
    if (place === null || !door) return [];
    try {
      return await door.client.claim({ agentId, claimId, max, waitMs: 200 });
    } catch (thrown) {
      const error = thrown as RemoteError;
      if (!(error instanceof RemoteError)) throw error;
      if (!this.#directed(companyId, error)) this.#elsewhere(companyId, place);
      return [];
    }
  }

  /** Any HTTP call with a key, at whichever node takes it. */
  async call<T>(companyId: string, method: string, path: string, body?: unknown): Promise<T> {
    const key = crypto.randomUUID();
    const until = performance.now() + GIVE_UP_MS;
    for (;;) {
      const place = this.#guess(companyId);
      const door = place === null ? null : this.#doors[place];
      try {
        if (!door) throw new RemoteError('UNAVAILABLE', 'no node is up');
        return await door.client.http.call<T>(method, path, body === undefined ? { key } : { body, key });
      } catch (thrown) {
        const error = thrown as RemoteError;
        if (!(error instanceof RemoteError) || !error.retryable || performance.now() > until) throw error;
        if (place !== null && !this.#directed(companyId, error)) this.#elsewhere(companyId, place);
        await sleep(20);
      }
    }
  }

  #guess(companyId: string): number | null {
    const known = this.#known.get(companyId);
    if (known !== undefined && this.#doors[known]) return known;
    const [first] = this.places;
    if (first === undefined) return null;
    this.#known.set(companyId, first);
    return first;
  }

  /** The refusal says which node to ask: asked next, where there is a door to it. */
  #directed(companyId: string, error: RemoteError): boolean {
    const { owner } = error.detail;
    if (typeof owner !== 'string') return false;
    const place = this.placeNamed(owner);
    if (place === undefined) return false;
    this.directed++;
    this.#known.set(companyId, place);
    return true;
  }

  #elsewhere(companyId: string, from: number): void {
    if (this.#known.get(companyId) !== from) return;
    const { places } = this;
    const next = places.find((place) => place > from) ?? places[0];
    if (next !== undefined) this.#known.set(companyId, next);
  }
}
