/** The machine written out for others – JSON, source, Mermaid – and read back: what comes back is the same machine. */
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, createMachine, transition } from 'xstate';
import { agentKind } from '../../src/machines/agent-kind.ts';
import { type Chart, chartOf } from '../../src/machines/chart.ts';
import { sourceOf, strictDefinition } from '../../src/machines/definition.ts';
import { arrowsOf, mermaidOf } from '../../src/machines/diagram.ts';
import { DEFAULT_POLICY } from '../../src/machines/facts.ts';
import { issueKind } from '../../src/machines/issue-kind.ts';

const KINDS = [issueKind(), agentKind(DEFAULT_POLICY)] as const;

/** What a JSON reader does: no function, no shared object comes through. */
function readBack(machine: AnyStateMachine): AnyStateMachine {
  return createMachine(JSON.parse(JSON.stringify(strictDefinition(machine))));
}

describe.each(
  KINDS.map(({ kind, machine, names }) => ({ kind, machine: machine as AnyStateMachine, names })),
)('the $kind machine as JSON', ({ machine, names }) => {
  it('makes a machine of the same states and transitions', () => {
    expect(chartOf(readBack(machine), names)).toEqual(chartOf(machine, names));
  });

  it('writes every transition, guard and action in the one strict way', () => {
    const strict = strictDefinition(machine);
    const states = [strict];
    for (const state of states) states.push(...Object.values(state.states ?? {}));
    const groups = states.flatMap((s) => [
      ...Object.values(s.on ?? {}),
      ...Object.values(s.after ?? {}),
      s.always ?? [],
    ]);
    expect(groups.length).toBeGreaterThan(5);
    for (const one of groups.flat()) {
      expect(one.target === undefined || Array.isArray(one.target)).toBe(true);
      expect(one.guard === undefined || typeof one.guard.type === 'string').toBe(true);
      for (const action of one.actions) expect(Object.keys(action)).toEqual(['type']);
    }
  });

  it('is source that makes the same machine, and holds nothing that ends a script element', () => {
    const source = sourceOf(machine);
    const [, name, body] =
      /^import \{ createMachine \} from 'xstate';\n\nexport const (\w+) = ([\s\S]*);\n$/.exec(source) ?? [];
    expect(name).toBe(`${machine.id}Machine`);
    const made = new Function('createMachine', `'use strict'; return ${body};`)(createMachine);
    expect(chartOf(made, names)).toEqual(chartOf(machine, names));
    expect(source).not.toContain('<');
  });

  it('is a Mermaid diagram with the same states, insides, beginnings and arrows', () => {
    const chart = chartOf(machine, names);
    expect(readMermaid(mermaidOf(chart))).toEqual(drawn(chart));
  });
});

describe('the issue machine read back, with the implementations of the one that runs', () => {
  it('goes the same ways, step by step', () => {
    const { machine } = issueKind();
    const copy = readBack(machine).provide(machine.implementations as never);
    const by = { kind: 'operator', id: 'me' } as const;
    const agent = 'a7f3000000000001';
    const facts = {
      [agent]: {
        ...DEFAULT_POLICY,
        status: 'active',
        wakeOnDemand: true,
        adapterType: 'process',
        maxConcurrentRuns: 1,
      },
    };
    const stamp = { at: 1000, u: 0.5, ids: [], facts };
    const id = 'i7f3000000000001';
    const events = [
      {
        type: 'CREATED',
        id,
        identifier: 'A-1',
        title: 't',
        priority: 'medium',
        assigneeAgentId: agent,
        context: null,
        wake: true,
      },
      { type: 'GRANT', claim: 'c' },
      { type: 'RUN.FAILED', runId: `${id}.1`, fence: 1, error: '429', errorFamily: 'transient_upstream' },
      { type: 'RETRY.NOW' },
      { type: 'GRANT', claim: 'd' },
      { type: 'ASSIGN', agentId: null },
      { type: 'STOPPED', runId: `${id}.2`, how: 'stopped' },
      { type: 'CANCEL' },
      { type: 'REOPEN' },
    ];
    const went = (of: AnyStateMachine) => {
      let [snapshot] = [of.resolveState({ value: 'idle', context: machine.config.context as never })];
      return events.map((event) => {
        [snapshot] = transition(of, snapshot, { ...event, stamp, by } as never);
        const { out, ...context } = snapshot.context as Record<string, unknown>;
        return { value: snapshot.value, context };
      });
    };
    const original = went(machine);
    expect(went(copy)).toEqual(original);
    expect(new Set(original.map(({ value }) => JSON.stringify(value))).size).toBe(5);
  });
});

describe('what cannot be written out', () => {
  it('is refused by name: an entry action, a guard that is a function', () => {
    const entry = createMachine({ id: 'm', initial: 'a', states: { a: { entry: 'x' } } });
    expect(() => strictDefinition(entry)).toThrow('m.a: entry cannot be written out');
    const inline = createMachine({ id: 'm', on: { GO: { guard: () => true, target: '#m' } } });
    expect(() => strictDefinition(inline)).toThrow('without a name');
  });
});

interface Drawn {
  /** Name → name of what it is in. */
  states: Record<string, string>;
  /** What one enters first, by what it is in. */
  initial: Record<string, string>;
  /** `from → to`, with its labels. */
  arrows: Record<string, string[]>;
}

function drawn(chart: Chart): Drawn {
  const inside = chart.states.filter(({ initial }) => initial !== null);
  const labels = (edges: Chart['edges']) => [
    ...new Set(edges.map(({ event, guard }) => (guard === null ? event : `${event} [${guard}]`))),
  ];
  return {
    states: Object.fromEntries(chart.states.map(({ name, parent }) => [name, parent])),
    initial: Object.fromEntries([['', chart.initial], ...inside.map(({ name, initial }) => [name, initial])]),
    arrows: Object.fromEntries(arrowsOf(chart).map((a) => [`${a.source} → ${a.target}`, labels(a.edges)])),
  };
}

/** A small reader of the part of Mermaid's state diagrams that is written here; it knows nothing of the machine. */
function readMermaid(text: string): Drawn {
  const read: Drawn = { states: {}, initial: {}, arrows: {} };
  const names = new Map<string, string>();
  const starts: [string, string][] = [];
  const open: string[] = [];
  for (const line of text.split('\n').slice(2)) {
    const parent = open.at(-1) ?? '';
    const state = /^ *state "([^"]*)" as (\w+)( \{)?$/.exec(line);
    const start = /^ *\[\*\] --> (\w+)$/.exec(line);
    const arrow = /^ *(\w+) --> (\w+) : (.*)$/.exec(line);
    if (state) {
      const [, key = '', id = '', opens] = state;
      const name = parent === '' ? key : `${parent}.${key}`;
      names.set(id, name);
      read.states[name] = parent;
      if (opens) open.push(name);
    } else if (start) starts.push([parent, start[1] ?? '']);
    else if (/^ *\}$/.test(line)) open.pop();
    else if (arrow) {
      const [from, to] = [names.get(arrow[1] ?? ''), names.get(arrow[2] ?? '')];
      read.arrows[`${from} → ${to}`] = (arrow[3] ?? '').split('<br/>');
    } else if (line !== '') throw new Error(`not understood: ${line}`);
  }
  for (const [parent, id] of starts) read.initial[parent] = names.get(id) ?? '';
  return read;
}
