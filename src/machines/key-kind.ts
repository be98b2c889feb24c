/**
 * The API key as an actor kind: what the journal knows of it – made by whom, for whom, why, and revoked. Its secret is not
 * here but, hashed, in the catalog, which decides who is let in (persistence/catalog.ts); this is the audit of that.
 */
import { assign, setup } from 'xstate';
import { z } from 'zod';
import { LETTER } from '../ids.ts';
import type { ActorKind, Out, Persisted, Stamped } from './kind.ts';
import { migration } from './snapshot-version.ts';

const VERSION = 1;

const keyRole = z.enum(['operator', 'agent', 'viewer']);
const contextSchema = z.strictObject({
  id: z.string(),
  role: keyRole,
  agentId: z.string().nullable(),
  name: z.string().nullable(),
  at: z.int(),
});
type KeyState = z.infer<typeof contextSchema>;
type Context = KeyState & { out?: Out[] };

const reason = z.string().max(1000).optional();
const keyEvents = z.discriminatedUnion('type', [z.strictObject({ type: z.literal('REVOKE'), reason })]);
/** What the creator of a key asks for. */
const newKey = z.strictObject({
  role: keyRole,
  agentId: z.string().nullable(),
  name: z.string().nullable(),
  reason,
});

type Created = { type: 'CREATED'; id: string } & z.infer<typeof newKey>;
type KeyEvent = z.infer<typeof keyEvents> | Created;

export interface KeyAudit {
  readonly id: string;
  readonly companyId: string;
  readonly role: KeyState['role'];
  readonly agentId: string | null;
  readonly name: string | null;
  readonly status: 'active' | 'revoked';
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const UNBORN: Context = { id: '', role: 'viewer', agentId: null, name: null, at: 0 };

const keyMachine = setup({
  types: {} as { context: Context; events: Stamped<KeyEvent> },
  actions: {
    create: assign(({ context, event }) => {
      if (event.type !== 'CREATED') return context;
      const { id, role, agentId, name, stamp } = event;
      const out: Out[] = [
        { out: 'head', patch: { createdAt: stamp.at } },
        { out: 'effect', phase: 2, type: 'key.created', data: { keyId: id, role, agentId } },
      ];
      return { id, role, agentId, name, at: stamp.at, out };
    }),
    revoke: assign(({ context, event }) => ({
      ...context,
      at: event.stamp.at,
      out: [{ out: 'effect', phase: 0, type: 'key.revoked', data: { keyId: context.id } } satisfies Out],
    })),
  },
}).createMachine({
  id: 'key',
  context: UNBORN,
  initial: 'active',
  states: {
    active: {
      description: 'Lets whoever holds it in.',
      on: { CREATED: { actions: 'create' }, REVOKE: { target: 'revoked', actions: 'revoke' } },
    },
    revoked: { description: 'Lets nobody in, for good.' },
  },
});

type S = Persisted<KeyState>;
const HIDDEN = new Set(['type', 'stamp', 'by']);

export function keyKind(): ActorKind<KeyState, KeyEvent, KeyAudit> {
  return {
    kind: 'key',
    letter: LETTER.key,
    version: VERSION,
    machine: keyMachine,
    context: contextSchema,
    head: z.strictObject({ createdAt: z.int() }),
    events: keyEvents as z.ZodType<KeyEvent>,
    internal: ['CREATED'],
    names: {},
    draws: () => 0,
    reads: () => [],
    facts: () => ({}),
    judge(event, s) {
      if (event.type === 'CREATED') return { is: 'ignored' };
      return { is: s.value === 'active' ? 'apply' : 'unchanged' };
    },
    born: (asked, { id }) => ({ type: 'CREATED', id, ...newKey.parse(asked) }),
    judgeBirth: () => null,
    slot: () => null,
    watchers: () => [],
    columns: (s) => ({ state: statusOf(s), substate: null, assignee: null, priority: 0 }),
    view: (s, head, { companyId, version }) => ({
      id: s.context.id,
      companyId,
      role: s.context.role,
      agentId: s.context.agentId,
      name: s.context.name,
      status: statusOf(s),
      version,
      createdAt: (head as { createdAt: number }).createdAt,
      updatedAt: s.context.at,
    }),
    data: (event) =>
      Object.fromEntries(
        Object.entries(event).filter(([name, value]) => !HIDDEN.has(name) && value !== undefined),
      ),
    migrate: migration({
      name: 'key',
      version: VERSION,
      machine: keyMachine,
      context: contextSchema,
      steps: {},
    }),
  };
}

function statusOf(s: S): KeyAudit['status'] {
  return s.value === 'active' ? 'active' : 'revoked';
}
