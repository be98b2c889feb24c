/**
 * `baton hook`: what a coding CLI tells its hooks, reported to the run it works for (BATON_RUN_ID, as `baton work` sets
 * it): a heartbeat with a note, and a line in the run's log.
 *
 * H1 The caller waits for it, so it ends within `LONGEST_MS`, server or no server.
 * H2 It always exits 0 and prints nothing on standard output: to Claude Code exit code 2 forbids what is about to be
 *    done, and what a hook prints may become part of the conversation.
 */
import { storable } from '../client/storable.ts';
import type { Call, Command } from './command.ts';
import { SERVER_FLAGS } from './command.ts';
import { hookNote } from './hook-note.ts';
import { targetOf } from './server.ts';
import { later } from './waits.ts';

const LONGEST_MS = 1500;
const INPUT_MS = 400;
const INPUT_BYTES = 256 * 1024;

export const hookCommand: Command = {
  name: 'hook',
  summary: "report a coding CLI's hook event to the run it works for",
  usage: '[JSON]',
  takes: [0, 1],
  neverFails: true,
  about:
    'Reads the JSON that Claude Code gives its hooks on standard input, or the one that Codex gives its notify program as\n' +
    'the last argument. Inside `baton work` the run is known from the environment; outside it does nothing. It never\n' +
    'delays its caller for more than a moment, never fails it, and prints nothing.',
  flags: SERVER_FLAGS,
  examples: [
    'baton hook < event.json',
    `baton hook '{"type":"agent-turn-complete","last-assistant-message":"Done"}'`,
  ],
  async run(call) {
    await Promise.race([report(call), later(call.clock, LONGEST_MS)]);
    return 0;
  },
};

async function report(call: Call): Promise<void> {
  const { BATON_RUN_ID: runId, BATON_FENCE: fence } = call.env;
  if (!runId || !fence) return;
  const text = call.args[0] ?? (await Promise.race([standardInput(call), later(call.clock, INPUT_MS)])) ?? '';
  const note = hookNote(text);
  if (note === null) return;
  const { url, token } = targetOf(call);
  const post = (path: string, body: object) =>
    fetch(`${url.replace(/^ws/, 'http').replace(/\/+$/, '')}/v1/runs/${encodeURIComponent(runId)}/${path}`, {
      method: 'POST',
      signal: AbortSignal.timeout(LONGEST_MS),
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ fence: Number(fence), ...body }),
    });
  const line = { at: call.clock.now(), stream: 'hook', text: storable(note, 4000) };
  await Promise.all([post('heartbeat', { note: storable(note, 500) }), post('log', { lines: [line] })]);
}

async function standardInput({ stdin }: Call): Promise<string> {
  let text = '';
  for await (const chunk of stdin()) {
    text += String(chunk);
    if (text.length > INPUT_BYTES) break;
  }
  return text;
}
