/**
 * What hostile clients send, drawn from a seed. Two sorts:
 *
 * - *answered*: a frame with an id. The server must answer it and change nothing. Those whose id begins with `r` must be
 *   refused; those with `h` are well-formed and harmless – repeated, stale, of a role that may not – and may be `ok`.
 * - *last*: bytes that end their own connection, with the close code they must end it with (null: cut off without one).
 */
import {
  claimFrame,
  eventFrame,
  helloFrame,
  pongFrame,
  subFrame,
  unsubFrame,
} from '../../src/gateway/protocol.ts';
import { AGENT_INTERNAL } from '../../src/machines/agent-machine.ts';
import { ISSUE_INTERNAL } from '../../src/machines/issue-events.ts';
import type { Chance } from '../simulation/world/chance.ts';
import { document, spoiled, type Values, type Variant, variantsOf } from './spoilers.ts';
import { fragments, frameBytes, OPCODE } from './ws-bytes.ts';

export type Role = 'operator' | 'agent' | 'viewer';

/** What there is to aim at. */
export interface Targets {
  readonly companyId: string;
  readonly agents: readonly string[];
  readonly issues: readonly string[];
  /** Of another company. */
  readonly foreign: {
    readonly companyId: string;
    readonly issues: readonly string[];
    readonly agentId: string;
  };
  /** The run in execution, its agent and its fence. */
  readonly run: {
    readonly id: string;
    readonly issueId: string;
    readonly agentId: string;
    readonly fence: number;
  };
  /** Events that were accepted with these keys, by the operator's key: a repeat changes nothing. */
  readonly accepted: readonly { readonly issueId: string; readonly key: string; readonly event: object }[];
}

export interface Last {
  readonly name: string;
  readonly bytes: Buffer;
  readonly code: number | null;
}

const FRAMES = {
  event: eventFrame,
  sub: subFrame,
  unsub: unsubFrame,
  claim: claimFrame,
  pong: pongFrame,
  hello: helloFrame,
};
const INTERNAL = [
  ...[...ISSUE_INTERNAL, ...AGENT_INTERNAL],
  ...[
    'xstate.init',
    'xstate.stop',
    'xstate.error',
    'xstate.done.actor.0',
    'xstate.snapshot.x',
    '*',
    '@xstate.event',
  ],
  ...[
    'xstate.after.1.issue',
    'xstate.done.state.issue',
    'PAUSE',
    'TERMINATE',
    'UPDATE',
    'RETRY.DUE ',
    'retry.now',
  ],
];

type Draw = (source: HostileFrames, role: Role, chance: Chance) => string;

/** How often each kind is drawn. */
const KINDS: Readonly<Record<string, readonly [weight: number, draw: Draw]>> = {
  'wrong field': [40, (s, _, c) => s.refused(spoiled(c.pick(s.variants), s.values, c))],
  'internal event': [
    8,
    (s, _, c) => s.refused(s.event({ type: c.pick(INTERNAL), id: 'x', runId: s.targets.run.id }, c)),
  ],
  'unknown frame': [
    3,
    (s, _, c) => s.refused({ ...document(c.pick(s.variants).node, s.values, c), t: c.pick(UNKNOWN) }),
  ],
  'poisoned key': [5, (s, _, c) => s.poisoned(c)],
  'unstorable text': [6, (s, _, c) => s.unstorable(c)],
  'unsafe number': [
    3,
    (s, _, c) => s.inText(c, c.pick(['1e999', '-1e400', '9007199254740993', '1'.repeat(400), '1e21'])),
  ],
  'deep nest': [2, (s, _, c) => s.inText(c, nest(c.pick([33, 40, 200, 5000]), c.is(0.5)))],
  'many keys': [
    0.3,
    (s, _, c) => s.inText(c, `{${Array.from({ length: 1001 }, (_, n) => `"${n}":0`).join(',')}}`),
  ],
  'huge key': [0.5, (s, _, c) => s.inText(c, `{"${'k'.repeat(c.whole(1000, 20_000))}":0}`, 'x')],
  'huge text': [
    0.5,
    (s, _, c) => s.refused(s.event({ type: 'COMMENT', body: 'x'.repeat(c.whole(16_385, 60_000)) }, c)),
  ],
  'duplicate key': [2, (s, _, c) => s.text(`"t":"event","t":"${c.pick(UNKNOWN)}","issueId":1`)],
  'stale fence': [10, (s, _, c) => s.stale(c)],
  'wrong version': [5, (s, role, c) => s.wrongVersion(role, c)],
  'foreign or missing id': [8, (s, role, c) => s.astray(role, c)],
  repeated: [5, (s, role, c) => s.repeated(role, c)],
  'not its role': [5, (s, role, c) => s.notItsRole(role, c)],
  'claim of nothing': [2, (s, role, c) => s.claim(role, c)],
  'subscribe and leave': [1, (s, _, c) => s.subscribes(c)],
  'second hello': [1, (s) => s.refused({ t: 'hello', token: 'x' })],
};
const UNKNOWN = [
  '',
  'ok',
  'change',
  'welcome',
  'bye',
  'stop',
  'Event',
  'xstate.init',
  '__proto__',
  'toString',
  'hello ',
];

export class HostileFrames {
  readonly targets: Targets;
  readonly values: Values;
  readonly variants: readonly Variant[];
  readonly counts: Record<string, number> = {};
  readonly #chance: Chance;
  readonly #weights: Record<string, number>;
  #ids = 0;

  constructor(targets: Targets, chance: Chance) {
    this.targets = targets;
    this.#chance = chance;
    this.values = {
      issueId: targets.issues,
      agentId: targets.agents,
      runId: [targets.run.id],
      fence: [targets.run.fence],
      assignee: targets.agents,
      topic: [...targets.issues.map((id) => `issue:${id}`), `company:${targets.companyId}`],
    };
    this.variants = Object.entries(FRAMES).flatMap(([name, schema]) => variantsOf(name, schema));
    this.#weights = Object.fromEntries(Object.entries(KINDS).map(([name, [weight]]) => [name, weight]));
  }

  /** The next frame with an id, and that id. */
  next(role: Role): { readonly id: string; readonly text: string } {
    const kind = this.#chance.weighed(this.#weights);
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    const text = KINDS[kind]![1](this, role, this.#chance);
    return { id: this.#last, text };
  }

  /** What ends a connection that is open. */
  last(): Last {
    const c = this.#chance;
    // Twice it, in one ending, must still be a frame.
    let { text } = this.next('viewer');
    while (text.length > 20_000) ({ text } = this.next('viewer'));
    const name = c.pick(Object.keys(LAST));
    const { bytes, code } = LAST[name]!(text, c);
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    return { name, bytes, code };
  }

  /** What is sent in place of a `hello`; each ends the connection. */
  first(): Last {
    const c = this.#chance;
    const name = c.pick(Object.keys(FIRST));
    const { bytes, code } = FIRST[name]!('', c);
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    return { name, bytes, code };
  }

  #last = '';

  #id(letter: 'r' | 'h'): string {
    this.#ids += 1;
    this.#last = `${letter}${this.#ids}`;
    return this.#last;
  }

  refused(document: object): string {
    return JSON.stringify({ ...document, id: this.#id('r') });
  }

  harmless(document: object): string {
    return JSON.stringify({ ...document, id: this.#id('h') });
  }

  /** An object of this text and an id. */
  text(inner: string): string {
    return `{"id":"${this.#id('r')}",${inner}}`;
  }

  event(event: object, c: Chance): object {
    return { t: 'event', issueId: c.pick(this.targets.issues), event };
  }

  /** A value that JSON.stringify would not write, somewhere in a frame that is right but for it. */
  inText(c: Chance, value: string, key = c.pick(['payload', 'context', 'result', 'x'])): string {
    const issueId = c.pick(this.targets.issues);
    return this.text(
      `"t":"event","issueId":"${issueId}","event":{"type":"WAKE","reason":"r","expectedVersion":999999,"${key}":${value}}`,
    );
  }

  poisoned(c: Chance): string {
    const key = c.pick([
      '__proto__',
      'constructor',
      'prototype',
      '\\u005f_proto__',
      'constr\\u0075ctor',
      '\\u0070rototype',
    ]);
    const value = c.pick(['{"isAdmin":true}', '{"prototype":{"x":1}}', 'null', '1', '[]']);
    if (c.is(0.3)) return this.text(`"t":"event","${key}":${value}`);
    return this.inText(c, `{"${key}":${value}}`, 'payload');
  }

  unstorable(c: Chance): string {
    const bad = c.pick(['\\u0000', 'a\\u0000b', '\\ud800', '\\udc00x', 'x\\ud83d', '\\udfff\\ud800']);
    if (c.is(0.2)) return this.inText(c, `{"${bad}":1}`, 'payload');
    return this.inText(c, `"${bad}"`, c.pick(['payload', 'traceparent', 'x']));
  }

  stale(c: Chance): string {
    const { run } = this.targets;
    const fence = c.pick([run.fence - 1, run.fence + 1, 0, 999_999]);
    const runId = c.pick([
      run.id,
      `${run.issueId}.999`,
      `${run.issueId}.0`,
      run.issueId,
      '.',
      'x'.repeat(128),
    ]);
    const event = c.pick([
      { type: 'RUN.SUCCEEDED', runId, fence, result: { ok: true } },
      { type: 'RUN.FAILED', runId, fence, error: '429', errorFamily: 'transient_upstream' },
      { type: 'RUN.STOPPED', runId, fence },
      { type: 'RUN.HEARTBEAT', runId, fence, progress: 0.5 },
    ]);
    return this.refused({ t: 'event', issueId: run.issueId, event });
  }

  wrongVersion(role: Role, c: Chance): string {
    const type = c.pick(
      role === 'operator' ? ['CANCEL', 'WAKE', 'ASSIGN', 'EDIT', 'PRIORITY'] : ['WAKE', 'COMMENT'],
    );
    const more = {
      WAKE: { reason: 'r' },
      ASSIGN: { agentId: null },
      EDIT: { title: 'x' },
      PRIORITY: { priority: 'low' },
      COMMENT: { body: 'x' },
    };
    const event = {
      type,
      ...(more as Record<string, object>)[type],
      expectedVersion: c.whole(100_000, 2_000_000_000),
    };
    return this.refused(this.event(event, c));
  }

  astray(role: Role, c: Chance): string {
    const { foreign, companyId } = this.targets;
    const id = c.pick([
      ...foreign.issues,
      ...[
        `${foreign.issues[0]!.slice(0, 4)}${'0'.repeat(18)}`,
        companyId,
        'i',
        '',
        '../../etc/passwd',
        "' or 1=1 --",
      ],
    ]);
    if (c.is(0.4)) {
      const topic = c.pick([
        `issue:${id}`,
        `journal:${id}`,
        `company:${foreign.companyId}`,
        `agent:${foreign.agentId}`,
        `stats:${foreign.companyId}`,
        `x:${id}`,
        id,
      ]);
      return this.refused({ t: 'sub', topic, since: c.pick([null, 0, 5]) });
    }
    if (role === 'operator' && c.is(0.3))
      return this.refused({ t: 'claim', agentId: foreign.agentId, waitMs: 0 });
    return this.refused({ t: 'event', issueId: id, event: { type: 'WAKE', reason: 'r' } });
  }

  /** As it was accepted before; only the one who sent it then has that key. */
  repeated(role: Role, c: Chance): string {
    const { issueId, key, event } = c.pick(this.targets.accepted);
    if (role === 'operator') return this.harmless({ t: 'event', issueId, key, event });
    return this.refused({ t: 'event', issueId, key, event: { type: 'CANCEL' } });
  }

  notItsRole(role: Role, c: Chance): string {
    if (role === 'operator') return this.wrongVersion(role, c);
    const types = ['CANCEL', 'REOPEN', 'RETRY.NOW', 'RETRY.CANCEL', 'FORCE_RELEASE'];
    if (role === 'agent') return this.refused(this.event({ type: c.pick(types) }, c));
    const { node } = c.pick(this.variants.filter(({ name }) => name.startsWith('event ')));
    return this.refused({ ...document(node, this.values, c), key: 'k' });
  }

  claim(role: Role, c: Chance): string {
    const { agents, run } = this.targets;
    const frame = {
      t: 'claim',
      waitMs: c.pick([0, 0, 5]),
      max: c.whole(1, 1000),
      ...(c.is(0.5) ? { claimId: `c${c.whole(1, 9)}` } : {}),
    };
    if (role === 'viewer') return this.refused(frame);
    if (role === 'agent') {
      const other = agents.find((id) => id !== run.agentId)!;
      return c.is(0.3) ? this.refused({ ...frame, agentId: other }) : this.harmless(frame);
    }
    return c.is(0.3) ? this.refused(frame) : this.harmless({ ...frame, agentId: c.pick(agents) });
  }

  /** A subscription, or the end of one that may not be there. Its id is that of the request. */
  subscribes(c: Chance): string {
    if (c.is(0.6)) return this.harmless({ t: 'unsub' });
    return this.harmless({
      t: 'sub',
      topic: c.pick(this.values.topic as string[]),
      since: c.pick([null, 0, 1, 999_999]),
    });
  }
}

function nest(depth: number, arrays: boolean): string {
  return arrays ? '['.repeat(depth) + ']'.repeat(depth) : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

type Ending = (text: string, c: Chance) => { bytes: Buffer; code: number | null };
const ends = (code: number | null, bytes: Buffer) => ({ code, bytes });
const withoutId = (text: string) => text.replace(/"id":"[rh]\d+",?/, '').replace(/,}$/, '}');

const LAST: Readonly<Record<string, Ending>> = {
  'no JSON': (text, c) => {
    const at = c.whole(0, text.length - 1);
    // A frame cut short is no JSON, wherever it is cut.
    return ends(4400, frameBytes(c.is(0.5) ? text.slice(0, at) : `${text.slice(0, at)}\u0001${text}`));
  },
  'no object': (_, c) =>
    ends(4400, frameBytes(c.pick(['[]', 'null', '1', '"x"', '[{"t":"event"}]', '', '   ', 'NaN']))),
  'no id': (text) => ends(4400, frameBytes(withoutId(text))),
  'bad id': (_, c) =>
    ends(4400, frameBytes(`{"t":"unsub","id":${c.pick(['1', 'null', '""', '{}', `"${'x'.repeat(129)}"`])}}`)),
  'nest without end': (_, c) => ends(4400, frameBytes(c.pick(['[', '{"a":', '[{"a":']).repeat(10_000))),
  binary: (text) => ends(4400, frameBytes(text, { opcode: OPCODE.binary })),
  'too large': (_, c) => ends(1009, frameBytes(`{"id":"${'x'.repeat(c.pick([65_536, 70_000]))}"}`)),
  'larger than it can be': (_, c) =>
    ends(1009, frameBytes('', { claims: c.pick([2n ** 40n, 2n ** 53n, 70_000n]) })),
  'no UTF-8': (_, c) =>
    ends(
      1007,
      frameBytes(Buffer.from(c.pick([[0x22, 0xff, 0x22], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf8]]))),
    ),
  unmasked: (text) => ends(1002, frameBytes(text, { masked: false })),
  'reserved bits': (text, c) => ends(1002, frameBytes(text, { reserved: c.whole(1, 7) })),
  'reserved opcode': (text, c) =>
    ends(1002, frameBytes(text.slice(0, 100), { opcode: c.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) })),
  'long control frame': (_, c) => ends(1002, frameBytes('x'.repeat(126), { opcode: c.pick([8, 9, 10]) })),
  'fragmented control frame': (_, c) => ends(1002, frameBytes('x', { opcode: c.pick([9, 10]), fin: false })),
  'continuation of nothing': (text) => ends(1002, frameBytes(text, { opcode: OPCODE.continuation })),
  'message within a message': (text) =>
    ends(1002, Buffer.concat([frameBytes(text, { fin: false }), frameBytes(text)])),
  'fragments without end': (_, c) =>
    ends(
      1009,
      Buffer.concat([
        frameBytes('x'.repeat(30_000), { fin: false }),
        ...Array.from({ length: c.whole(2, 4) }, () =>
          frameBytes('x'.repeat(30_000), { opcode: 0, fin: false }),
        ),
      ]),
    ),
  'close with a code that is none': (_, c) => {
    const code = Buffer.alloc(2);
    code.writeUInt16BE(c.pick([0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65_535]));
    return ends(1002, frameBytes(code, { opcode: OPCODE.close }));
  },
  'close with half a code': () => ends(1002, frameBytes('x', { opcode: OPCODE.close })),
  'cut within a frame': (text, c) => {
    const bytes = frameBytes(text);
    return ends(null, bytes.subarray(0, c.whole(1, bytes.length - 1)));
  },
  'cut within a message': (text) => ends(null, frameBytes(text, { fin: false })),
};

const FIRST: Readonly<Record<string, Ending>> = {
  'not hello': (_, c) =>
    ends(
      4401,
      c.is(0.5)
        ? fragments('{"t":"event","id":"x"}', 3, true)
        : frameBytes(
            c.pick(['{"t":"pong"}', '{"t":"claim","id":"x"}', '{}', '{"t":"xstate.init"}', '{"t":"hello "}']),
          ),
    ),
  'wrong hello': (_, c) =>
    ends(
      4400,
      frameBytes(
        c.pick([
          '{"t":"hello","token":1}',
          '{"t":"hello","x":1}',
          '{"t":"hello","client":[]}',
          `{"t":"hello","token":"${'x'.repeat(513)}"}`,
          '{"t":"hello","__proto__":{}}',
        ]),
      ),
    ),
  'wrong token': (_, c) =>
    ends(
      4401,
      frameBytes(
        `{"t":"hello","token":"${c.pick(['x', '', 'k000.x', `k000${'0'.repeat(18)}.x`, '.', 'null'])}"}`,
      ),
    ),
  'too much before hello': () =>
    ends(
      4429,
      Buffer.concat([
        frameBytes(`{"t":"hello","token":"k000${'0'.repeat(18)}.x"}`),
        ...Array.from({ length: 20 }, () => frameBytes('{"t":"pong"}')),
      ]),
    ),
  'hello after a throw': (_, c) =>
    ends(4400, frameBytes(c.pick(['', '[', '\u0000', '{"t":"hello"', '"hello"']))),
};
