/**
 * Who is asking (protocol section 2, guarantees.md "credentials"). A credential is a Bearer token: the server's own, or a
 * key `<key id>.<secret>` of which only the SHA-256 is stored. Comparisons take the same time whatever differs.
 *
 * - AU1 A wrong credential is never better than none: in local mode too it is refused.
 * - AU2 A key's row is believed for at most two seconds, so a revoked one is refused soon on every node.
 * - AU3 Cookies and query strings never authenticate anything.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { isId } from '../ids.ts';
import type { Actor } from '../machines/kind.ts';
import type { Router } from '../supervisor/router.ts';

export type Role = 'operator' | 'agent' | 'viewer';

export interface Principal {
  readonly role: Role;
  /** The key's id, `server` for the server's own token, `local` in local mode. */
  readonly id: string;
  /** Null: every company (the server's own token, local mode). */
  readonly companyId: string | null;
  /** The agent an agent's key is bound to, else null. */
  readonly agentId: string | null;
  /** Null where there is no key to revoke. */
  readonly keyId: string | null;
}

const SERVER: Principal = { role: 'operator', id: 'server', companyId: null, agentId: null, keyId: null };
const LOCAL: Principal = { ...SERVER, id: 'local' };

/** Who journals an event: agents by their agent's id, operators by their key. */
export function actorOf(principal: Principal): Actor {
  return principal.agentId === null
    ? { kind: 'operator', id: principal.id }
    : { kind: 'agent', id: principal.agentId };
}

/** How long a key's row is believed, ms. */
const KEY_CACHE_MS = 2000;
const CACHED_KEYS = 10_000;
/** The longest Authorization header that is looked at. */
const LONGEST_TOKEN = 512;

interface CachedKey {
  readonly hash: Buffer;
  readonly principal: Principal;
  readonly readAt: number;
}

export class Authenticator {
  readonly #router: Router;
  readonly #clock: Clock;
  readonly #serverHash: Buffer | null;
  readonly #localMode: boolean;
  readonly #keys = new Map<string, CachedKey>();

  /** @param token the server's own; null: there is none. */
  constructor(options: { router: Router; clock: Clock; token: string | null; localMode: boolean }) {
    this.#router = options.router;
    this.#clock = options.clock;
    this.#serverHash = options.token === null ? null : sha256(options.token);
    this.#localMode = options.localMode;
  }

  /**
   * The principal of a token, or null.
   * @param token null: none was given; then only local mode can answer.
   * @param fromHere the request's Host is loopback and it carries no foreign Origin (guard.ts).
   */
  async principal(token: string | null, fromHere: boolean): Promise<Principal | null> {
    if (token === null) return this.#localMode && fromHere ? LOCAL : null;
    if (token === '' || token.length > LONGEST_TOKEN) return null;
    const hash = sha256(token);
    if (this.#serverHash !== null && timingSafeEqual(hash, this.#serverHash)) return SERVER;
    const dot = token.indexOf('.');
    const keyId = token.slice(0, Math.max(dot, 0));
    if (!isId(keyId, 'k')) return null;
    const key = await this.#key(keyId);
    return key !== null && timingSafeEqual(hash, key.hash) ? key.principal : null;
  }

  /** Forgets what is known of a key, because it was revoked just now. */
  forget(keyId: string): void {
    this.#keys.delete(keyId);
  }

  async #key(id: string): Promise<CachedKey | null> {
    const now = this.#clock.monotonic();
    const cached = this.#keys.get(id);
    if (cached !== undefined && now - cached.readAt < KEY_CACHE_MS) return cached;
    this.#keys.delete(id);
    const row = await this.#router.key(id);
    if (row === null || row.revokedAt !== null) return null;
    const hash = Buffer.from(row.hash, 'hex');
    // A row that holds no SHA-256 matches nothing; comparing unequal lengths would throw.
    if (hash.length !== 32) return null;
    const { role, companyId, agentId } = row;
    const key = { hash, principal: { role, id, companyId, agentId, keyId: id }, readAt: now };
    if (this.#keys.size >= CACHED_KEYS) this.#keys.clear();
    this.#keys.set(id, key);
    return key;
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The Bearer token of an Authorization header: null when there is no header, `''` when it is of another scheme. */
export function bearer(header: string | undefined): string | null {
  if (header === undefined) return null;
  return /^Bearer +([^\s]+) *$/i.exec(header)?.[1] ?? '';
}
