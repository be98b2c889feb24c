/** The bridge's own part – heartbeats, claims that went unanswered – without a server or a process. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { bridge } from '../../src/cli/mcp/bridge.ts';
import { KeptRuns } from '../../src/cli/mcp/kept-runs.ts';
import type { Upstream } from '../../src/cli/mcp/upstream.ts';
import { unanswered } from '../../src/client/remote-error.ts';
import { systemRandom } from '../../src/clock.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';

describe('kept runs', () => {
  function world(answer: (n: number) => Promise<boolean>) {
    const clock = new ManualClock();
    const beats: string[] = [];
    const beat = async ({ runId, fence }: { runId: string; fence: number }) => {
      beats.push(`${runId}#${fence}`);
      return answer(beats.length);
    };
    const runs = new KeptRuns({ clock, beat });
    return { runs, beats, pass: (ms: number) => clock.pass(ms) };
  }

  it('are beaten for three times a lease, until they are over', async () => {
    const { runs, beats, pass } = world(async () => true);
    runs.keep('i.1', 7, 3000);
    for (let n = 0; n < 4; n++) await pass(1000);
    expect(beats).toEqual(['i.1#7', 'i.1#7', 'i.1#7', 'i.1#7']);
    runs.forget('i.1');
    await pass(5000);
    expect(beats).toHaveLength(4);
  });

  it('are let go when the server says that they are not ours any more', async () => {
    const { runs, beats, pass } = world(async (n) => n < 2);
    runs.keep('i.1', 1, 3000);
    for (let n = 0; n < 5; n++) await pass(1000);
    expect(beats).toHaveLength(2);
  });

  it('are kept when a heartbeat does not get through', async () => {
    const { runs, beats, pass } = world(async (n) => {
      if (n === 1) throw new Error('away');
      return true;
    });
    runs.keep('i.1', 1, 3000);
    for (let n = 0; n < 3; n++) await pass(1000);
    expect(beats).toHaveLength(3);
  });

  it('are left to their lease when the bridge ends, also with a heartbeat under way', async () => {
    let release: (isOurs: boolean) => void = () => {};
    const { runs, beats, pass } = world(() => new Promise((resolve) => (release = resolve)));
    runs.keep('i.1', 1, 3000);
    await pass(1000);
    runs.close();
    release(true);
    await settle();
    await pass(5000);
    expect(beats).toHaveLength(1);
  });
});

describe('claims', () => {
  it('that went unanswered are repeated by the next one, so that their grant is not lost', async () => {
    const claimIds: unknown[] = [];
    const upstream: Upstream = {
      tools: [],
      instructions: '',
      async call(_name, { claimId }) {
        claimIds.push(claimId);
        if (claimIds.length === 1) throw unanswered('No server.', 'Start one.');
        return { content: [], structuredContent: { grants: [] } };
      },
      close: async () => {},
    };
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const lines: { id: number; result: { isError?: boolean } }[] = [];
    stdout.on('data', (data) => {
      for (const line of String(data).split('\n')) if (line !== '') lines.push(JSON.parse(line));
    });
    const { signal } = new AbortController();
    const served = bridge({
      upstream,
      clock: new ManualClock(),
      random: systemRandom(),
      stdin,
      stdout,
      signal,
    });
    const ask = async (id: number, method: string, params: object) => {
      stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
      while (!lines.some((line) => line.id === id)) await settle();
      return lines.find((line) => line.id === id)!.result;
    };
    const clientInfo = { name: 't', version: '0' };
    await ask(0, 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
    const claim = { name: 'claim_issue', arguments: {} };
    expect((await ask(1, 'tools/call', claim)).isError).toBe(true);
    expect((await ask(2, 'tools/call', claim)).isError).toBeUndefined();
    await ask(3, 'tools/call', claim);
    expect(claimIds[1]).toBe(claimIds[0]);
    expect(claimIds[2]).not.toBe(claimIds[0]);
    expect(claimIds.every((id) => typeof id === 'string' && id.length >= 16)).toBe(true);
    stdin.end();
    await served;
  });
});
