/** `baton tail`: changes as they are committed, of a company, an issue or all; resumes over reconnects without a gap. */
import type { Client } from '../client/client.ts';
import type { Change } from '../client/frames.ts';
import type { RemoteError } from '../client/remote-error.ts';
import { BatonError } from '../errors.ts';
import { type Call, type Command, SERVER_FLAGS, textFlag, wholeFlag } from './command.ts';
import { COMPANY_FLAG, companiesOf, noCompany, prefixesOf } from './companies.ts';
import { INTERRUPTED } from './failure.ts';
import { issueOf } from './issue-ref.ts';
import { timeOf } from './issue-text.ts';
import { watchLink } from './link.ts';
import { clientOf, targetOf } from './server.ts';
import { emit, jsonLine, paint, plain, say, type Terminal } from './terminal.ts';

/** How soon a new company is noticed, ms. */
const LOOK_MS = 2000;

export const tailCommand: Command = {
  name: 'tail',
  summary: 'follow changes as they are committed',
  usage: '[ID]',
  takes: [0, 1],
  about: 'Without ID and --company every company is followed, also one that is made meanwhile.',
  flags: [
    { name: 'since', value: 'N', meaning: 'begin after this seq (with ID: version); default: now' },
    { name: 'count', value: 'N', meaning: 'end after so many changes' },
    COMPANY_FLAG,
    ...SERVER_FLAGS,
  ],
  examples: [
    'baton tail',
    'baton tail ACME-7 --since 0 --count 10',
    'baton tail --json | jq \'select(.type == "RUN.FAILED")\'',
  ],
  async run(call) {
    const since = wholeFlag(call, 'since', { least: 0 }) ?? null;
    const count = wholeFlag(call, 'count', { least: 0 }) ?? Number.POSITIVE_INFINITY;
    const target = targetOf(call);
    const client = await clientOf(call, target);
    watchLink(client, {
      lost: () =>
        tell(call.terminal, `${target.url} is away; what happens meanwhile is shown when it is back.`),
      back: () => tell(call.terminal, `${target.url} is back.`),
    });
    try {
      await follow(call, client, since, count);
    } finally {
      client.close();
    }
    return call.signal.aborted ? INTERRUPTED : 0;
  },
};

/** Beside the changes, which have standard output to themselves. */
function tell({ err, json, quiet }: Terminal, text: string): void {
  if (!quiet) err.write(json ? `${jsonLine({ text })}\n` : `${text}\n`);
}

async function follow(call: Call, client: Client, since: number | null, count: number): Promise<void> {
  let left = count;
  // A journal topic's changes have no view, so they do not say what their issue is called.
  const identifiers = new Map<string, string>();
  const isOver = new Promise<void>((resolve, reject) => {
    call.signal.addEventListener('abort', () => resolve());
    client.on('closed', ({ error }) => (error === null ? resolve() : reject(error)));
    const error = (e: RemoteError) => reject(e);
    const change = (c: unknown) => {
      if (left <= 0) return;
      print(call, c as Change, identifiers);
      left--;
      if (left <= 0) resolve();
    };
    subscribeAll(call, client, since, identifiers, { change, error }).catch(reject);
    if (call.signal.aborted || left <= 0) resolve();
  });
  await isOver;
}

async function subscribeAll(
  call: Call,
  client: Client,
  since: number | null,
  identifiers: Map<string, string>,
  handlers: { change(c: unknown): void; error(e: RemoteError): void },
): Promise<void> {
  const [ref] = call.args;
  if (ref !== undefined) {
    const issue = await issueOf(client.http, call, ref);
    identifiers.set(issue.id, issue.identifier);
    sayFollowing(call, issue.identifier, since);
    await client.subscribe(`journal:${issue.id}`, { since: since ?? issue.version }, handlers);
    return;
  }
  const companies = await companiesOf(client.http, call);
  if (companies.length === 0) throw noCompany();
  const most = client.limits?.subscriptions ?? companies.length;
  if (companies.length > most) {
    throw new BatonError(
      'VALIDATION',
      `There are ${companies.length} companies, and ${most} can be followed at once.`,
      { hint: `Name one with --company: ${prefixesOf(companies)}.` },
    );
  }
  sayFollowing(call, `${companies.length === 1 ? 'company' : 'companies'} ${prefixesOf(companies)}`, since);
  for (const company of companies) {
    await client.subscribe(`company:${company.id}`, { since }, handlers);
  }
  // A key of one company sees no other, and neither does who names one.
  if (client.principal.companyId === null && textFlag(call, 'company') === undefined) {
    followNew(call, client, new Set(companies.map(({ id }) => id)), handlers);
  }
}

/** Looks for companies made meanwhile, and follows them from their first change on. */
function followNew(
  call: Call,
  client: Client,
  followed: Set<string>,
  { change }: { change(c: unknown): void },
): void {
  let isOver = false;
  let callOff = () => {};
  client.on('closed', () => {
    isOver = true;
    callOff();
  });
  const look = async () => {
    for (const company of await companiesOf(client.http, call)) {
      if (followed.has(company.id) || isOver) continue;
      followed.add(company.id);
      sayFollowing(call, `company ${company.prefix}, too,`, 0);
      const error = (e: RemoteError) =>
        tell(call.terminal, `Company ${company.prefix} is not followed: ${plain(e.message)}`);
      await client.subscribe(`company:${company.id}`, { since: 0 }, { change, error });
    }
  };
  const again = () => {
    if (isOver) return;
    // A look that is not answered is made again: that the server is away is said already.
    callOff = call.clock.after(LOOK_MS, () => void look().then(again, again));
  };
  again();
}

/** Before the first change there would be nothing to see. */
function sayFollowing({ terminal }: Call, what: string, since: number | null): void {
  const from = since === null ? 'from now on' : since === 0 ? 'from the beginning' : `after ${since}`;
  say(terminal, paint(terminal, 'dim', `Following ${what} ${from}; Ctrl-C ends.`));
}

function print({ terminal }: Call, change: Change, identifiers: ReadonlyMap<string, string>): void {
  emit(terminal, change);
  if (terminal.json) return;
  const what =
    change.from === null || change.from === change.to ? change.to : `${change.from} → ${change.to}`;
  const effects = change.effects.map((e) => e.type).join(', ');
  const who = change.issue?.identifier ?? identifiers.get(change.issueId) ?? change.issueId;
  terminal.out.write(
    `${paint(terminal, 'dim', timeOf(change.at))}  ${paint(terminal, 'bold', plain(who))} v${change.version}  ` +
      `${plain(change.type)}  ${plain(what)}  ${paint(terminal, 'dim', plain(effects))}\n`,
  );
}
