import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfigFile } from '../src/cli/config-file.ts';
import { configurationMarkdown, describeSettings } from '../src/cli/config-text.ts';
import { OPTIONS, resolveSettings } from '../src/config.ts';
import { BatonError, ERRORS } from '../src/errors.ts';

function refusal(from: Parameters<typeof resolveSettings>[0]): string {
  try {
    resolveSettings(from);
  } catch (error) {
    expect(error).toBeInstanceOf(BatonError);
    expect(ERRORS[(error as BatonError).code].exit).toBe(2);
    return (error as BatonError).message;
  }
  throw new Error('it was accepted');
}

describe('what applies', () => {
  it('is the default of protocol.md section 1 when nothing is said', () => {
    const { settings, origins } = resolveSettings({});
    expect(settings).toEqual({
      host: '127.0.0.1',
      port: 4300,
      portExplicit: false,
      databaseUrl: null,
      dataDir: './.baton',
      token: null,
      retryDelaysMs: [120_000, 600_000, 1_800_000, 7_200_000],
      retryJitter: 0.25,
      leaseMs: 30_000,
      stopGraceMs: 10_000,
      nodeTtlMs: 5_000,
      retentionDays: 0,
      residentMb: 128,
      rateLimit: 2000,
      allowedOrigins: [],
      statelyUrl: 'https://stately.ai/inspect',
      log: 'info',
      demo: null,
      printReady: false,
    });
    expect(new Set(Object.values(origins))).toEqual(new Set(['default']));
  });

  it('is the flag before the environment before the file before the default', () => {
    const file = { port: 1, leaseMs: 1111, residentMb: 7 };
    const env = { PORT: '2', BATON_LEASE_MS: '2222' };
    const { settings, origins } = resolveSettings({ flags: { port: '3' }, env, file });
    expect([settings.port, settings.leaseMs, settings.residentMb, settings.log]).toEqual([
      3,
      2222,
      7,
      'info',
    ]);
    expect([origins.port, origins.leaseMs, origins.residentMb, origins.log]).toEqual([
      'flag',
      'environment',
      'file',
      'default',
    ]);
  });

  it('knows a chosen port from the default one, even where both are 4300', () => {
    expect(resolveSettings({ env: { PORT: '4300' } }).settings.portExplicit).toBe(true);
    expect(resolveSettings({ env: { PORT: '' } }).settings.portExplicit).toBe(false);
  });

  it('reads lists, "off", and switches from flags and from the file', () => {
    const { settings } = resolveSettings({
      flags: { 'no-demo': true, 'print-ready': true },
      env: { BATON_RATE_LIMIT: 'off', BATON_ALLOWED_ORIGINS: 'https://a.example, http://b.example:81' },
      file: { retryDelaysMs: [10, 20] },
    });
    expect(settings.demo).toBe(false);
    expect(settings.printReady).toBe(true);
    expect(settings.rateLimit).toBeNull();
    expect(settings.allowedOrigins).toEqual(['https://a.example', 'http://b.example:81']);
    expect(settings.retryDelaysMs).toEqual([10, 20]);
  });

  it('cannot be changed afterwards', () => {
    const { settings } = resolveSettings({});
    expect(Object.isFrozen(settings)).toBe(true);
    expect(Object.isFrozen(settings.retryDelaysMs)).toBe(true);
  });
});

describe('a wrong setting', () => {
  it('is refused with its name, its value, the rule and what to do', () => {
    const message = refusal({ env: { PORT: '99999' } });
    expect(message).toContain('PORT: "99999"');
    expect(message).toContain('a whole number from 0 to 65535');
    expect(message).toContain('for instance, 4300');
  });

  it('does not hide the next one: all are named at once', () => {
    const message = refusal({
      flags: { 'lease-ms': 'soon' },
      env: { BATON_RETRY_JITTER: '1.5' },
      file: { prot: 1 },
    });
    expect(message.split('\n')).toHaveLength(3);
    expect(message).toContain('--lease-ms: "soon"');
    expect(message).toContain('there is no option "prot"');
  });

  it('never shows a secret', () => {
    expect(refusal({ env: { DATABASE_URL: 'mysql://u:hunter2@h/d' } })).not.toContain('hunter2');
  });

  it.each([
    ['BATON_RETRY_DELAYS_MS', '1,two'],
    ['BATON_RETRY_DELAYS_MS', ','],
    ['BATON_LEASE_MS', '0'],
    ['BATON_LEASE_MS', '1e5'],
    ['BATON_NODE_TTL_MS', '-5'],
    ['BATON_RATE_LIMIT', '0'],
    ['BATON_ALLOWED_ORIGINS', 'https://a.example/path'],
    ['BATON_LOG', 'loud'],
    ['BATON_TOKEN', 'two words'],
    ['DATABASE_URL', 'localhost:5432'],
  ])('%s=%s is one', (name, value) => {
    expect(refusal({ env: { [name]: value } })).toContain(name);
  });
});

describe('a host that others can reach', () => {
  it.each(['0.0.0.0', '::', '192.168.1.7', 'example.com'])('%s is refused without a token', (host) => {
    expect(refusal({ flags: { host } })).toContain('BATON_TOKEN');
    expect(resolveSettings({ flags: { host, token: 'a-long-token' } }).settings.host).toBe(host);
  });
  it.each(['localhost', '127.0.0.1', '127.9.9.9', '::1', '[::1]'])(
    '%s is loopback and needs none',
    (host) => {
      expect(resolveSettings({ flags: { host } }).settings.token).toBeNull();
    },
  );
});

describe('baton config', () => {
  it('masks the token and the password of the database URL', () => {
    const env = { BATON_TOKEN: 'sesame-open', DATABASE_URL: 'postgres://joe:hunter2@db.example/baton' };
    const shown = describeSettings(resolveSettings({ env }));
    expect(JSON.stringify(shown)).not.toMatch(/sesame-open|hunter2/);
    expect(shown.find((s) => s.key === 'databaseUrl')?.value).toBe(
      'postgres://joe:********@db.example/baton',
    );
  });
});

describe('the file', () => {
  it('that says null is no object', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'baton-config-')), 'baton.config.json');
    writeFileSync(path, 'null');
    expect(refusal({ file: readConfigFile(path) })).toContain('one JSON object');
  });

  it('may be absent, and is named when it is not JSON', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'baton-config-')), 'baton.config.json');
    expect(readConfigFile(path)).toBeNull();
    writeFileSync(path, '{ port: 1 }');
    expect(() => readConfigFile(path)).toThrow(path);
    writeFileSync(path, '{ "port": 1 }');
    expect(resolveSettings({ file: readConfigFile(path) }).settings.port).toBe(1);
  });
});

describe('docs/configuration.md', () => {
  it('holds the table made from the options (baton config --markdown)', () => {
    expect(readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8')).toContain(
      configurationMarkdown(),
    );
  });
  it('names every option once', () => {
    expect(new Set(OPTIONS.map((o) => o.flag)).size).toBe(OPTIONS.length);
  });
});
