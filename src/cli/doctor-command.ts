/** `baton doctor`: is everything a server needs in order, and if not, what is to be done. */
import type { Client } from '../client/client.ts';
import type { RemoteError } from '../client/remote-error.ts';
import { isLoopback, type Settings, serverUrl } from '../config.ts';
import { isSameServer } from '../local-access.ts';
import { type Call, type Command, SERVER_FLAGS } from './command.ts';
import { clockOf } from './doctor/clock.ts';
import { bad, type Finding } from './doctor/finding.ts';
import { disk, nodeVersion, port } from './doctor/machine.ts';
import { healthOf, quarantinedOf, serverFindings, UNSEEN, workFindings } from './doctor/running.ts';
import { progress } from './progress.ts';
import { clientOf, silentServer, type Target, targetOf } from './server.ts';
import { SETTING_FLAGS, settingsOf } from './settings-of.ts';
import { emit, paint, plain, say } from './terminal.ts';

const OWN = new Set(SERVER_FLAGS.map(({ name }) => name));

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'check database, disk, clock, port, versions, leases and quarantined issues',
  usage: '[options of start]',
  takes: [0, 0],
  about:
    'Looks at what `baton start` would use here, and at the server that runs. Changes nothing. Exit code 1 when something\n' +
    'is bad; warnings are none.',
  flags: [...SERVER_FLAGS, ...SETTING_FLAGS.filter(({ name }) => !OWN.has(name))],
  examples: ['baton doctor', 'DATABASE_URL=postgres://baton@db/baton baton doctor --json'],
  async run(call) {
    const { terminal } = call;
    const findings = await examine(call);
    const signs = {
      ok: ['✓', 'green'],
      warning: ['!', 'yellow'],
      bad: ['✗', 'red'],
      unknown: ['?', 'dim'],
    } as const;
    for (const finding of findings) {
      emit(terminal, finding);
      const [sign, colour] = signs[finding.is];
      say(terminal, `  ${paint(terminal, colour, sign)} ${finding.about.padEnd(15)} ${plain(finding.text)}`);
      if (finding.todo !== null)
        say(terminal, `    ${''.padEnd(15)} ${paint(terminal, 'dim', `→ ${plain(finding.todo)}`)}`);
    }
    return findings.some(({ is }) => is === 'bad') ? 1 : 0;
  },
};

async function examine(call: Call): Promise<Finding[]> {
  const { settings } = settingsOf(call);
  // Read when it is needed: a hook or `baton why` should not wait for a database's driver.
  const { database } = await import('./doctor/database.ts');
  const named = targetOf(call);
  const here = isLoopback(settings.host) && settings.port !== 0;
  // Where nobody named a server and none is announced, it is the one that these settings would start.
  const target =
    named.how !== 'default' || !here ? named : { ...named, url: serverUrl(settings.host, settings.port) };
  const url = target.url.replace(/^ws/, 'http').replace(/\/+$/, '');
  const health = await healthOf(url);
  const isHere = health !== null && (target.how === 'announced' || isOfSettings(url, settings));
  const ours = isHere ? Number(new URL(url).port || 80) : null;
  return [
    nodeVersion(process.versions.node),
    ...(await database(settings, call.cwd, call.clock)),
    await disk(settings, call.cwd),
    await port(settings, ours, call.cwd),
    ...serverFindings(
      url,
      health,
      target.how === 'named',
      health === null ? silentServer(call, target) : null,
    ),
    ...(health?.ready === true ? await asClient(call, target) : UNSEEN),
  ];
}

/** The server that was asked listens where one with these settings would. */
function isOfSettings(url: string, { host, port: number }: Settings): boolean {
  return isSameServer(url, serverUrl(host, number));
}

async function asClient(call: Call, target: Target): Promise<Finding[]> {
  let client: Client;
  try {
    client = await clientOf(call, target);
  } catch (error) {
    const { message, hint } = error as RemoteError;
    return [bad('credential', message, hint), ...UNSEEN];
  }
  try {
    const bar = progress(call.terminal, call.clock, 'reading', 1);
    const url = target.url.replace(/^ws/, 'http').replace(/\/+$/, '');
    const putAside = await quarantinedOf(url, target.token);
    const work = await workFindings(client, putAside, (read, total) =>
      bar.at(read / total, `${read} issues`),
    );
    bar.end();
    return [clockOf(client.serverNow() - call.clock.now(), 'server'), ...work];
  } finally {
    client.close();
  }
}
