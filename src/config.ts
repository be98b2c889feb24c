/**
 * Settings of a server: what may be set, where a value came from, and whether the values make sense together. Resolved
 * once (flag > environment > baton.config.json > default), checked together, frozen. `OPTIONS` is the one table from
 * which the parser, the help text, `baton config` and docs/configuration.md are made (protocol.md section 1).
 *
 * A leaf: it reads no file and no environment, it is given them (cli/config-file.ts, cli/main.ts).
 */
import { z } from 'zod';
import { BatonError } from './errors.ts';
import { list, ratio, switchText, text, webOrigin, webPage, whole } from './option-schemas.ts';

/** Levels of `BATON_LOG`, pino's own. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export interface Settings {
  /** Address to listen on. Any other than loopback needs a token. */
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** True when somebody chose the port: a taken one is then an error, else the next free one is used. */
  readonly portExplicit: boolean;
  /** Null: an embedded PostgreSQL runs in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  /** The operator token. Null: local mode on loopback, the server makes one up. */
  readonly token: string | null;
  /** Base delays of attempts 1..n, ms. */
  readonly retryDelaysMs: readonly number[];
  /** 0..1. */
  readonly retryJitter: number;
  readonly leaseMs: number;
  readonly stopGraceMs: number;
  readonly nodeTtlMs: number;
  /** 0 keeps everything. */
  readonly retentionDays: number;
  readonly residentMb: number;
  /** Events per second and connection; null: no limit. */
  readonly rateLimit: number | null;
  readonly allowedOrigins: readonly string[];
  /** The Stately editor's inspector, which /inspect shows in a frame when somebody asks for it. */
  readonly statelyUrl: string;
  readonly log: LogLevel;
  /** Null: nobody said; whoever starts the server decides. */
  readonly demo: boolean | null;
  readonly printReady: boolean;
}

export type Origin = 'flag' | 'environment' | 'file' | 'default';
/** What can be set: all but what is derived. */
export type SettingKey = Exclude<keyof Settings, 'portExplicit'>;

/** Where one asks a server that listens there; on every address it is asked on this machine's own. */
export function serverUrl(host: string, port: number): string {
  const asked = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${asked.includes(':') && !asked.startsWith('[') ? `[${asked}]` : asked}:${port}`;
}

export interface Option {
  readonly key: SettingKey;
  /** Name in the environment. */
  readonly env: string | null;
  /** Long flag without dashes. */
  readonly flag: string;
  /** What stands for the value in help texts; null for a switch. */
  readonly value: string | null;
  /** The default as one would write it; null: unset. */
  readonly fallback: string | null;
  /** What it means, in one line. */
  readonly meaning: string;
  /** What a value must be, continuing "must be …". */
  readonly rule: string;
  /** A value that would be accepted, for the error message; the default where absent. */
  readonly example?: string;
  /** From text (flags, environment; the file's values are written out first). */
  readonly schema: z.ZodType<unknown, string>;
  /** How `baton config` shows it; only where the value must not be seen. */
  readonly mask?: (value: string) => string;
}
const DAY_MS = 86_400_000;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;
/** True for names and addresses that only this machine reaches; `host` without a port, bare or as in a URL. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

export const OPTIONS: readonly Option[] = [
  {
    key: 'host',
    env: 'HOST',
    flag: 'host',
    value: 'ADDRESS',
    fallback: '127.0.0.1',
    meaning: 'address to listen on; any other than loopback is refused without a token',
    rule: 'an address or host name',
    schema: z
      .string()
      .regex(/^\[?[\w.:%-]+\]?$/)
      .transform((h) => h.replace(/^\[|\]$/g, '')),
  },
  {
    key: 'port',
    env: 'PORT',
    flag: 'port',
    value: 'PORT',
    fallback: '4300',
    meaning: 'port to listen on; when the default is taken the next free one is used, 0 = any',
    rule: 'a whole number from 0 to 65535',
    schema: whole(0, 65_535),
  },
  {
    key: 'databaseUrl',
    env: 'DATABASE_URL',
    flag: 'database-url',
    value: 'URL',
    fallback: null,
    meaning: 'PostgreSQL 14 or later; without it an embedded PostgreSQL runs in the data directory',
    rule: 'a postgres:// or postgresql:// URL',
    example: 'postgres://baton@localhost:5432/baton',
    schema: z.string().refine((u) => /^postgres(ql)?:\/\/./.test(u) && URL.canParse(u)),
    mask: maskUrl,
  },
  {
    key: 'dataDir',
    env: 'BATON_DATA_DIR',
    flag: 'data-dir',
    value: 'DIR',
    fallback: './.baton',
    meaning: 'embedded database and local token',
    rule: 'a path',
    schema: text,
  },
  {
    key: 'token',
    env: 'BATON_TOKEN',
    flag: 'token',
    value: 'TOKEN',
    fallback: null,
    meaning: 'the operator token; without it, on loopback, one is made up and kept in the data directory',
    rule: 'text without spaces, at most 512 characters',
    example: 'the output of: openssl rand -base64 24',
    schema: z.string().regex(/^[\x21-\x7e]{1,512}$/),
    mask: () => '********',
  },
  {
    key: 'retryDelaysMs',
    env: 'BATON_RETRY_DELAYS_MS',
    flag: 'retry-delays-ms',
    value: 'MS,MS,…',
    fallback: '120000,600000,1800000,7200000',
    meaning: 'base delay of each automatic retry, in ms; as many retries as there are delays',
    rule: '1 to 20 whole numbers from 0 to 2592000000 (30 days), separated by commas',
    example: '120000,600000',
    schema: list(whole(0, 30 * DAY_MS), 1, 20),
  },
  {
    key: 'retryJitter',
    env: 'BATON_RETRY_JITTER',
    flag: 'retry-jitter',
    value: 'RATIO',
    fallback: '0.25',
    meaning: 'how far a retry delay may stray from its base, either way',
    rule: 'a number from 0 to 1',
    schema: ratio,
  },
  {
    key: 'leaseMs',
    env: 'BATON_LEASE_MS',
    flag: 'lease-ms',
    value: 'MS',
    fallback: '30000',
    meaning: 'a run whose worker has not been heard of for so long is lost and retried',
    rule: 'a whole number of ms from 100 to 86400000 (a day)',
    schema: whole(100, DAY_MS),
  },
  {
    key: 'stopGraceMs',
    env: 'BATON_STOP_GRACE_MS',
    flag: 'stop-grace-ms',
    value: 'MS',
    fallback: '10000',
    meaning: 'how long a worker told to stop may take before its slot is freed without it',
    rule: 'a whole number of ms from 0 to 3600000 (an hour)',
    schema: whole(0, 3_600_000),
  },
  {
    key: 'nodeTtlMs',
    env: 'BATON_NODE_TTL_MS',
    flag: 'node-ttl-ms',
    value: 'MS',
    fallback: '5000',
    meaning: 'a node silent for longer loses its partitions; it beats every fifth of this',
    rule: 'a whole number of ms from 250 to 600000 (ten minutes)',
    schema: whole(250, 600_000),
  },
  {
    key: 'retentionDays',
    env: 'BATON_RETENTION_DAYS',
    flag: 'retention-days',
    value: 'DAYS',
    fallback: '0',
    meaning: 'older journal entries, ended runs and ended issues are deleted; 0 keeps them',
    rule: 'a whole number of days from 0 to 36500',
    example: '90',
    schema: whole(0, 36_500),
  },
  {
    key: 'residentMb',
    env: 'BATON_RESIDENT_MB',
    flag: 'resident-mb',
    value: 'MB',
    fallback: '128',
    meaning: 'memory for resident actors; the rest wait in the database',
    rule: 'a whole number of MB from 1 to 65536',
    schema: whole(1, 65_536),
  },
  {
    key: 'rateLimit',
    env: 'BATON_RATE_LIMIT',
    flag: 'rate-limit',
    value: 'N|off',
    fallback: '2000',
    meaning: 'events per second and connection (burst twice that), or off',
    rule: 'a whole number from 1 to 1000000, or off',
    schema: z.union([z.literal('off').transform(() => null), whole(1, 1_000_000)]),
  },
  {
    key: 'allowedOrigins',
    env: 'BATON_ALLOWED_ORIGINS',
    flag: 'allowed-origins',
    value: 'ORIGIN,…',
    fallback: '',
    meaning: 'web origins besides its own that may open a WebSocket, separated by commas',
    rule: 'web origins without a path, separated by commas',
    example: 'https://board.example.com',
    schema: list(webOrigin, 0, 100),
  },
  {
    key: 'statelyUrl',
    env: 'BATON_STATELY_URL',
    flag: 'stately-url',
    value: 'URL',
    fallback: 'https://stately.ai/inspect',
    meaning: 'the Stately inspector that /inspect opens in a frame when somebody presses the button',
    rule: 'an http:// or https:// URL',
    schema: webPage,
  },
  {
    key: 'log',
    env: 'BATON_LOG',
    flag: 'log',
    value: 'LEVEL',
    fallback: 'info',
    meaning: 'how much is logged; pretty on a terminal, NDJSON otherwise',
    rule: `one of ${LOG_LEVELS.join(', ')}`,
    schema: z.enum(LOG_LEVELS),
  },
  {
    key: 'demo',
    env: null,
    flag: 'demo',
    value: null,
    fallback: null,
    meaning: 'the demo of a first start, in an empty embedded database; --no-demo leaves it out',
    rule: 'true or false',
    example: 'false',
    schema: switchText,
  },
  {
    key: 'printReady',
    env: null,
    flag: 'print-ready',
    value: null,
    fallback: 'false',
    meaning: 'print one JSON line with url, pid and token when it listens',
    rule: 'true or false',
    example: 'true',
    schema: switchText,
  },
];

export interface Resolved {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingKey, Origin>>;
}

/**
 * Resolves every option and checks them together.
 *
 * @param flags by long name without dashes (`data-dir`); `no-demo: true` is `demo: false`
 * @param env empty values count as unset, as compose files write them
 * @param file the parsed baton.config.json: names as in `Settings`; null or absent where there is none
 * @throws BatonError VALIDATION naming every wrong option at once: where it came from, its value, the rule, what to do
 */
export function resolveSettings(from: {
  flags?: Readonly<Record<string, string | boolean | undefined>>;
  env?: Readonly<Record<string, string | undefined>>;
  file?: unknown;
}): Resolved {
  const problems: string[] = [];
  const file = fileValues(from.file ?? null, problems);
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  for (const option of OPTIONS) {
    const { origin, given } = sourceOf(option, from.flags ?? {}, from.env ?? {}, file);
    origins[option.key] = origin;
    if (given === null) {
      values[option.key] = null;
      continue;
    }
    const parsed = option.schema.safeParse(given);
    if (parsed.success) values[option.key] = parsed.data;
    else problems.push(problemOf(option, origin, given));
  }
  const settings = { ...values, portExplicit: origins.port !== 'default' } as unknown as Settings;
  if (problems.length === 0) problems.push(...together(settings));
  if (problems.length > 0) throw new BatonError('VALIDATION', problems.join('\n'), { problems });
  freezeDeep(settings);
  return { settings, origins: Object.freeze(origins as Record<SettingKey, Origin>) };
}

/** Rules that bind more than one option. */
function together(s: Settings): string[] {
  if (!isLoopback(s.host) && s.token === null) {
    return [
      `--host ${s.host} (HOST) can be reached from other machines, which is refused without a token: set BATON_TOKEN ` +
        `(for instance to the output of: openssl rand -base64 24), or listen on 127.0.0.1.`,
    ];
  }
  return [];
}

function sourceOf(
  option: Option,
  flags: Readonly<Record<string, string | boolean | undefined>>,
  env: Readonly<Record<string, string | undefined>>,
  file: Readonly<Record<string, string>>,
): { origin: Origin; given: string | null } {
  const flag = option.value === null && flags[`no-${option.flag}`] === true ? 'false' : flags[option.flag];
  if (flag !== undefined) return { origin: 'flag', given: String(flag) };
  const fromEnv = option.env === null ? undefined : env[option.env];
  if (fromEnv !== undefined && fromEnv !== '') return { origin: 'environment', given: fromEnv };
  const fromFile = file[option.key];
  if (fromFile !== undefined) return { origin: 'file', given: fromFile };
  return { origin: 'default', given: option.fallback };
}

/** The file's values as text, so that one schema an option is enough. */
function fileValues(file: unknown, problems: string[]): Record<string, string> {
  const out: Record<string, string> = {};
  if (file === null) return out;
  if (typeof file !== 'object' || Array.isArray(file)) {
    problems.push('baton.config.json: must be one JSON object, for instance {"port": 4300}.');
    return out;
  }
  for (const [key, value] of Object.entries(file)) {
    const option = OPTIONS.find((o) => o.key === key);
    if (option === undefined) {
      problems.push(
        `baton.config.json: there is no option "${key}"; the options are ${OPTIONS.map((o) => o.key).join(', ')}.`,
      );
    } else if (value !== null) {
      out[key] = Array.isArray(value)
        ? value.join(',')
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value);
    }
  }
  return out;
}

function problemOf(option: Option, origin: Origin, given: string): string {
  const place = {
    flag: `--${option.flag}`,
    environment: option.env ?? '',
    file: `"${option.key}" in baton.config.json`,
    default: option.key,
  }[origin];
  const shown = option.mask === undefined ? JSON.stringify(given) : 'the value given (not shown)';
  const names = [`--${option.flag}`, option.env].filter((n) => n !== null).join(' or ');
  return `${place}: ${shown} is not allowed; it must be ${option.rule}. Set ${names} to, for instance, ${option.example ?? option.fallback}, or leave it out.`;
}

/** The password of a database URL, hidden. */
function maskUrl(url: string): string {
  return url.replace(/^(\w+:\/\/[^:/@]*):[^@]*@/, '$1:********@').replace(/(password=)[^&]*/gi, '$1********');
}

function freezeDeep(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const inner of Object.values(value)) freezeDeep(inner);
  Object.freeze(value);
}
