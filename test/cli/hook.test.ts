import { createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hookNote } from '../../src/cli/hook-note.ts';
import { StandIn } from '../client/stand-in.ts';
import { baton } from './world.ts';

describe('a note about a hook event', () => {
  it.each([
    [
      { hook_event_name: 'PreToolUse', tool_name: 'Bash', tool_input: { command: 'npm test' } },
      'PreToolUse · Bash · npm test',
    ],
    [
      { hook_event_name: 'PostToolUse', tool_name: 'Edit', tool_input: { file_path: '/a.ts' } },
      'PostToolUse · Edit · /a.ts',
    ],
    [
      { hook_event_name: 'Notification', message: 'Claude needs your permission' },
      'Notification · Claude needs your permission',
    ],
    [{ hook_event_name: 'Stop', stop_hook_active: false }, 'Stop'],
    [{ hook_event_name: 'SessionStart', source: 'resume' }, 'SessionStart · resume'],
    [
      { type: 'agent-turn-complete', 'turn-id': '1', 'last-assistant-message': 'Renamed\n it' },
      'agent-turn-complete · Renamed it',
    ],
  ])('%j', (event, note) => {
    expect(hookNote(JSON.stringify(event))).toBe(note);
  });
  it.each(['', 'nonsense', '[]', 'null', '7', '{}', '{"type":7}'])('of %j there is none', (text) => {
    expect(hookNote(text)).toBeNull();
  });
  it('is short, however long the event', () => {
    expect(hookNote(JSON.stringify({ type: 'x', message: 'y'.repeat(1e6) }))?.length).toBe(500);
  });
});

describe('baton hook', () => {
  const event = JSON.stringify({
    hook_event_name: 'PreToolUse',
    tool_name: 'Bash',
    tool_input: { command: 'ls' },
  });
  const env = { BATON_RUN_ID: 'i1.2', BATON_FENCE: '7', BATON_TOKEN: 'key' };
  let server: StandIn;
  beforeEach(async () => {
    server = await StandIn.start();
    server.http = () => ({ status: 200, body: {} });
  });
  afterEach(() => server.stop());

  it('reports to the run of its environment: a heartbeat with the note, and a line of its log', async () => {
    const ran = await baton(['hook'], { stdin: event, env: { ...env, BATON_URL: server.url } });
    expect([ran.code, ran.out, ran.err]).toEqual([0, '', '']);
    const bodies = new Map(server.requests.map(({ url, body }) => [url, body]));
    expect(bodies.get('/v1/runs/i1.2/heartbeat')).toEqual({ fence: 7, note: 'PreToolUse · Bash · ls' });
    expect(bodies.get('/v1/runs/i1.2/log')).toMatchObject({
      fence: 7,
      lines: [{ stream: 'hook', text: 'PreToolUse · Bash · ls' }],
    });
    expect(server.requests[0]?.headers.authorization).toBe('Bearer key');
  });
  it('takes the event of Codex as its argument', async () => {
    await baton(['hook', '{"type":"agent-turn-complete"}'], { env: { ...env, BATON_URL: server.url } });
    expect(server.requests).toHaveLength(2);
  });
  it('outside a run it does nothing', async () => {
    const ran = await baton(['hook'], { stdin: event, env: { BATON_URL: server.url } });
    expect([ran.code, ran.out, ran.err]).toEqual([0, '', '']);
    expect(server.requests).toHaveLength(0);
  });
  it.each([
    ['with nonsense on its input', ['hook'], 'nonsense', 'http://127.0.0.1:1'],
    ['with no server', ['hook'], event, 'http://127.0.0.1:1'],
    ['with an address that is none', ['hook'], event, 'nowhere'],
    ['with options it does not know', ['hook', '--colour', 'a', 'b'], event, 'http://127.0.0.1:1'],
  ])('%s it exits 0 and says nothing', async (_name, argv, stdin, url) => {
    const ran = await baton(argv, { stdin, env: { ...env, BATON_URL: url } });
    expect([ran.code, ran.out, ran.err]).toEqual([0, '', '']);
  });
  it('a server that takes its time does not keep it, nor does an input that never ends', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const url = `http://127.0.0.1:${port}`;
    expect((await baton(['hook'], { stdin: event, env: { ...env, BATON_URL: url } })).code).toBe(0);
    expect((await baton(['hook'], { stdin: null, env: { ...env, BATON_URL: url } })).code).toBe(0);
    silent.close();
  }, 15_000);
});
