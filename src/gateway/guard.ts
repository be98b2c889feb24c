/**
 * Foreign sites and DNS rebinding (guarantees.md, Security). A browser can be made to send requests here by any page;
 * what it cannot do is lie about Host and Origin. So both are looked at before anything else, the WebSocket upgrade
 * included.
 *
 * - Host: named once; what an absolute target names comes in its place, and is held to the same. On a loopback address
 *   only loopback names, the bound host and the hosts of allowed origins are us; any other name was rebound. On another
 *   address the server has many names, and a token is required.
 * - Origin, if sent: the same origin as the Host, or an allowed one. The scheme is not compared: behind a proxy that
 *   ends TLS the page says https and we hear http.
 */
import { isLoopback } from '../config.ts';

export type Verdict = 'ok' | 'foreign-host' | 'foreign-origin';

export interface Asked {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
}

export class Guard {
  readonly #anyHost: boolean;
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  /** @param options.host the address bound to; `allowedOrigins` as `https://name[:port]`. */
  constructor(options: { host: string; allowedOrigins: readonly string[] }) {
    this.#anyHost = !isLoopback(options.host);
    const origins = options.allowedOrigins.map((origin) => new URL(origin));
    this.#origins = new Set(origins.map((url) => url.origin));
    this.#hosts = new Set([options.host.toLowerCase(), ...origins.map((url) => url.hostname)]);
  }

  judge(asked: Asked): Verdict {
    const name = hostName(asked.host);
    if (name === null) return 'foreign-host';
    if (!this.#anyHost && !isLoopback(name) && !this.#hosts.has(name)) return 'foreign-host';
    if (asked.origin === undefined || isSameOrigin(asked) || this.#isAllowed(asked.origin)) return 'ok';
    return 'foreign-origin';
  }

  /** Whether answers must say, for a page of another origin, that it may read them (CORS). */
  needsCors(asked: Asked): boolean {
    return asked.origin !== undefined && !isSameOrigin(asked) && this.#isAllowed(asked.origin);
  }

  /** Local mode's condition (protocol section 1): Host is loopback, and no Origin or the same one is sent. */
  fromHere(asked: Asked): boolean {
    const name = hostName(asked.host);
    return name !== null && isLoopback(name) && (asked.origin === undefined || isSameOrigin(asked));
  }

  #isAllowed(origin: string): boolean {
    return this.#origins.has(originOf(origin)?.origin ?? '');
  }
}

/** What of a request as it came says whom it is for. */
export interface Target {
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly rawHeaders: readonly string[];
}

/** Whether there is one Host line (RFC 9112, 3.2); HTTP/1.0 knows none. Node shows the first of many. */
export function namesOneHost({ rawHeaders, httpVersion }: Target): boolean {
  let lines = 0;
  for (let n = 0; n < rawHeaders.length; n += 2) if (rawHeaders[n]?.toLowerCase() === 'host') lines++;
  return lines === 1 || (lines === 0 && httpVersion === '1.0');
}

/** The authority of a target in absolute form, `http://name:port/path`; null where the target is a path. */
export function authorityOf(url: string | undefined): string | null {
  if (url === undefined || url.startsWith('/')) return null;
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1] ?? null;
}

/** The name in a Host header, lower case, without the port; null when there is none or it is no host. */
function hostName(header: string | undefined): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?$/.exec(header?.toLowerCase() ?? '');
  return match?.[1] ?? null;
}

function originOf(header: string): URL | null {
  if (!/^https?:\/\//i.test(header) || !URL.canParse(header)) return null;
  return new URL(header);
}

/** `url.host` leaves the scheme's default port out, as browsers do in Host. */
function isSameOrigin(asked: Asked): boolean {
  const url = asked.origin === undefined ? null : originOf(asked.origin);
  return url !== null && url.host === asked.host?.toLowerCase();
}
