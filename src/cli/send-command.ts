/** `baton send ID TYPE [json|key=value…]`: any event one may send, checked here before it goes out. */
import { BatonError } from '../errors.ts';
import { type IssueEvent, issueEvents } from '../machines/events.ts';
import { fieldWords } from '../machines/field-words.ts';
import { whyOf } from './agent-names.ts';
import { type Command, SERVER_FLAGS, textFlag } from './command.ts';
import { ISSUE_COMPANY_FLAG, issueOf } from './issue-ref.ts';
import { stateOf } from './issue-text.ts';
import { httpOf } from './server.ts';
import { emit, say } from './terminal.ts';

export const sendCommand: Command = {
  name: 'send',
  summary: 'send an event to an issue',
  usage: 'ID TYPE [JSON|key=value…]',
  takes: [2, 64],
  about:
    'TYPE is one of protocol.md section 4, in any case. Fields are one JSON object or key=value pairs; a value that is\n' +
    'JSON (a number, true, null, an object) is taken as such, anything else as text.',
  flags: [
    {
      name: 'key',
      value: 'KEY',
      meaning: 'idempotency key: used again, for another event too, it changes nothing',
    },
    ISSUE_COMPANY_FLAG,
    ...SERVER_FLAGS,
  ],
  examples: [
    'baton send ACME-7 ASSIGN agentId=a7f3c0ffee1234567890',
    'baton send ACME-7 comment body="Please look at the log"',
    'baton send ACME-7 retry.now',
  ],
  async run(call) {
    const [ref = '', type = '', ...fields] = call.args;
    const event = eventOf(type, fields);
    const http = httpOf(call);
    const issue = await issueOf(http, call, ref);
    const answer = await http.sendEvent(issue.id, event, textFlag(call, 'key'));
    emit(call.terminal, answer);
    const done = answer.duplicate
      ? 'was known already'
      : answer.unchanged
        ? 'changes nothing'
        : 'is accepted';
    const why = await whyOf(call, http, answer.issue);
    say(
      call.terminal,
      `${event.type} ${done}: ${issue.identifier} is ${stateOf(answer.issue)}, version ${answer.version}. ${why}`,
    );
    return 0;
  },
};

/** @throws BatonError VALIDATION naming what is wrong with it */
export function eventOf(type: string, fields: readonly string[]): IssueEvent {
  const types: readonly string[] = issueEvents.options.map((o) => o.shape.type.value);
  const name = type.toUpperCase();
  if (!types.includes(name)) {
    throw new BatonError('VALIDATION', `${JSON.stringify(type)} is not an event that one may send.`, {
      hint: `The types are ${types.join(', ')}.`,
    });
  }
  const given = fieldsOf(fields);
  if (Object.hasOwn(given, 'type')) {
    throw new BatonError('VALIDATION', `The type is said already: ${name}. No field is called type.`);
  }
  const parsed = issueEvents.safeParse({ ...given, type: name });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((i) => `${i.path.join('.') || name}: ${fieldWords(i.message)}`);
  throw new BatonError('VALIDATION', `${problems.join('; ')}.`, {
    hint: `The fields of ${name} are in docs/protocol.md, section 4.`,
  });
}

function fieldsOf(fields: readonly string[]): Record<string, unknown> {
  if (fields.length === 1 && fields[0]?.trimStart().startsWith('{') === true) {
    const value = asJson(fields[0]);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
    throw new BatonError('VALIDATION', `${fields[0]} is not a JSON object.`);
  }
  const out: Record<string, unknown> = {};
  for (const field of fields) {
    const cut = field.indexOf('=');
    if (cut < 1)
      throw new BatonError('VALIDATION', `${JSON.stringify(field)} is neither key=value nor a JSON object.`);
    out[field.slice(0, cut)] = asJson(field.slice(cut + 1));
  }
  return out;
}

/** JSON where it is JSON, else the text itself. */
function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
