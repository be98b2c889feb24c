/**
 * Where the server is and who we are to it: `--url`, BATON_URL, the one announced in the data directory, the default;
 * `--token`, BATON_TOKEN, the data directory's where it is that server's.
 */
import { resolve } from 'node:path';
import { type Client, connect } from '../client/client.ts';
import { HttpApi } from '../client/http.ts';
import { BatonError } from '../errors.ts';
import { announcerOf, isSameServer, localServer } from '../local-access.ts';
import { type Call, textFlag } from './command.ts';

export interface Target {
  url: string;
  token: string | null;
  /** `named`: by somebody, so that no other may be used instead; `announced`: by the server itself, in the data dir. */
  how: 'named' | 'announced' | 'default';
}

const DEFAULT_URL = 'http://127.0.0.1:4300';
/** One command is one request or two: whoever waits at a prompt wants to hear sooner than a worker. */
const TIMEOUT_MS = 15_000;

export function targetOf(call: Call): Target {
  const named = textFlag(call, 'url') ?? (call.env.BATON_URL || undefined);
  const local = localServer(dataDirOf(call));
  const url = named ?? local?.url ?? DEFAULT_URL;
  if (!/^(https?|wss?):\/\/./.test(url) || !URL.canParse(url)) {
    throw new BatonError(
      'VALIDATION',
      `--url: ${JSON.stringify(url)} is not an address of a server; write it as ${DEFAULT_URL}.`,
    );
  }
  const given = textFlag(call, 'token') ?? (call.env.BATON_TOKEN || undefined);
  const token = given ?? (local !== null && isSameServer(url, local.url) ? local.token : null);
  return { url, token, how: named !== undefined ? 'named' : local !== null ? 'announced' : 'default' };
}

/** In words: the living process that announced the server asked for, which does not answer; null: there is none. */
export function silentServer(call: Call, { url } = targetOf(call)): { what: string; todo: string } | null {
  const dataDir = dataDirOf(call);
  const local = localServer(dataDir);
  const pid = local !== null && isSameServer(url, local.url) ? announcerOf(dataDir) : null;
  if (pid === null) return null;
  return {
    what: `process ${pid} holds ${dataDir} and does not answer`,
    todo:
      `A stopped one goes on with \`kill -CONT ${pid}\`. Else end it with \`kill ${pid}\`, or at last \`kill -9 ${pid}\`, and ` +
      'start it again with `baton start`: what was acknowledged is kept.',
  };
}

function dataDirOf(call: Call): string {
  const given = textFlag(call, 'data-dir') ?? (call.env.BATON_DATA_DIR || undefined);
  return resolve(call.cwd, given ?? '.baton');
}

export function httpOf(call: Call, target = targetOf(call)): HttpApi {
  const { clock, random } = call;
  return new HttpApi({
    url: target.url.replace(/^ws/, 'http').replace(/\/+$/, ''),
    token: target.token,
    clock,
    chance: random,
    timeoutMs: TIMEOUT_MS,
  });
}

/** A live client; rejects at once (exit code 4) when nobody listens. */
export function clientOf(call: Call, target = targetOf(call)): Promise<Client> {
  const { clock, random } = call;
  return connect({
    url: target.url,
    token: target.token,
    connectTimeoutMs: 0,
    client: { name: 'baton-cli', version: '0.1.0' },
    clock,
    chance: random,
  });
}
