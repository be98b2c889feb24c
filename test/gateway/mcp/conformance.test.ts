/**
 * The official conformance suite against a real server, both revisions of the protocol. Every scenario the suite has is
 * named here: as one that applies, with the checks in it that do not, or as one that does not, and why.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../support/postgres.ts';
import { startServer, type TestServer } from '../../support/server.ts';
import { ROOT } from '../../support/source.ts';

const run = promisify(execFile);

const NO_TEST_TOOLS = 'calls tools that only the suite’s own example server has';
const NO_PROMPTS = 'prompts are not offered: the capability is not declared';
const NO_RESOURCES = 'resources are not offered: the capability is not declared';
const NO_ASKING = 'no tool asks the client back (sampling, elicitation, roots)';
const NO_EXTENSION = 'an extension that is not offered';

/** Scenario → checks in it that do not apply, each with the reason. */
const APPLY: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>> = {
  '2025-11-25': {
    'server-initialize': {},
    'server-session-lifecycle': {},
    ping: {},
    'tools-list': {},
    'server-sse-multiple-streams': {},
    'dns-rebinding-protection': {},
  },
  '2026-07-28': {
    'server-stateless': {
      'sep-2575-server-rejects-undeclared-capability': NO_TEST_TOOLS,
      'sep-2575-missing-capability-http-400': NO_TEST_TOOLS,
      'sep-2575-http-server-no-independent-requests-on-stream': NO_TEST_TOOLS,
      'sep-2575-server-no-log-without-loglevel': NO_TEST_TOOLS,
      'sep-2575-server-sends-tools-list-changed-on-subscription': 'the list of tools does not change',
    },
    'tools-list': {},
    'server-sse-multiple-streams': {},
    'dns-rebinding-protection': {},
    'http-header-validation': {},
    caching: {
      'sep-2549-prompts-list-caching-hints': NO_PROMPTS,
      'sep-2549-resources-list-caching-hints': NO_RESOURCES,
      'sep-2549-resources-templates-list-caching-hints': NO_RESOURCES,
    },
  },
};

/** The beginning of a scenario's name → why it does not apply. */
const DO_NOT_APPLY: readonly [string, string][] = [
  ['logging-set-level', 'logging is not offered: the capability is not declared'],
  ['completion-complete', 'completion is not offered: the capability is not declared'],
  ['tools-call-', NO_TEST_TOOLS],
  ['json-schema-2020-12', NO_TEST_TOOLS],
  ['server-sse-polling', NO_TEST_TOOLS],
  ['http-custom-header-server-validation', 'no tool declares custom headers'],
  ['elicitation-', NO_ASKING],
  ['input-required-result-', NO_ASKING],
  ['resources-', NO_RESOURCES],
  ['sep-2164-resource-not-found', NO_RESOURCES],
  ['prompts-', NO_PROMPTS],
  ['sep-2640-', NO_EXTENSION],
  ['tasks-', NO_EXTENSION],
];

interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

let server: TestServer;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

async function suite(...args: string[]): Promise<string> {
  const runner = join(ROOT, 'test/gateway/mcp/conformance.mjs');
  // It ends with 1 when any scenario fails, those that do not apply among them: what counts is what it wrote down.
  const { stdout } = await run(process.execPath, [runner, ...args], { cwd: directory.path }).catch(
    (error: { code?: unknown; stdout?: string }) => {
      if (error.code !== 1 || error.stdout === undefined) throw error;
      return { stdout: error.stdout };
    },
  );
  return stdout;
}

beforeAll(async () => {
  [server, directory] = await Promise.all([startServer(), temporaryDirectory()]);
});
afterAll(async () => {
  await server?.stop();
  await directory?.remove();
});

describe.each(Object.keys(APPLY))('revision %s', (revision) => {
  let checks: Map<string, Check[]>;

  beforeAll(async () => {
    const out = join(directory.path, revision);
    const url = `${server.url}/mcp`;
    await suite('server', '--url', url, '--suite', 'all', '--spec-version', revision, '-o', out);
    checks = new Map();
    for (const name of await readdir(out)) {
      const scenario = name.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '');
      checks.set(scenario, JSON.parse(await readFile(join(out, name, 'checks.json'), 'utf8')) as Check[]);
    }
  }, 120_000);

  it.each(Object.entries(APPLY[revision]!))('passes %s', (scenario, exempt) => {
    const made = checks.get(scenario) ?? [];
    const bad = made.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
    expect(bad.filter(({ id }) => !(id in exempt))).toEqual([]);
    // What is exempt must be what does not hold: a stale exemption would hide the next failure.
    expect(new Set(bad.map(({ id }) => id))).toEqual(new Set(Object.keys(exempt)));
    expect(made.filter(({ status }) => status === 'SUCCESS')).not.toEqual([]);
  });

  it('has no scenario of which nobody decided whether it applies', async () => {
    const undecided = [...checks.keys()].filter(
      (name) =>
        !(name in APPLY[revision]!) && !DO_NOT_APPLY.some(([beginning]) => name.startsWith(beginning)),
    );
    expect(undecided).toEqual([]);
  });
});

it('every scenario that the suite lists for servers is decided on', async () => {
  const [servers = ''] = (await suite('list')).split('Client scenarios');
  const names = [...servers.matchAll(/^ {2}- (\S+)/gm)].map(([, name]) => name!);
  expect(names.length).toBeGreaterThan(30);
  const applying = Object.values(APPLY).flatMap((scenarios) => Object.keys(scenarios));
  const decided = (name: string) =>
    applying.includes(name) || DO_NOT_APPLY.some(([beginning]) => name.startsWith(beginning));
  expect(names.filter((name) => !decided(name))).toEqual([]);
});
