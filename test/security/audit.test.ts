/** Who did what, when and why (docs/guarantees.md, Security, "audit"): every operator's verb and every change of a key. */
import { afterAll, describe, expect, it } from 'vitest';
import { call, office, startServer } from '../support/server.ts';

const server = await startServer();
afterAll(() => server.stop());

interface Entry {
  readonly seq: number;
  readonly version: number;
  readonly type: string;
  readonly at: number;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly data: Record<string, unknown>;
  readonly effects: readonly { readonly type: string; readonly data: Record<string, unknown> }[];
}

const WHY = 'because the auditor asked';
const journal = async (path: string) =>
  (await call<{ items: Entry[] }>(server, 'GET', `${path}/journal?limit=500`)).body.items;

async function operator(o: { companyId: string }) {
  return (
    await call<{ id: string; token: string }>(server, 'POST', `/companies/${o.companyId}/keys`, {
      role: 'operator',
    })
  ).body;
}

describe('the journal', () => {
  it('says who made and who revoked a key, when, for whom and why', async () => {
    const o = await office(server, 'one');
    const boss = await operator(o);
    const asked = { role: 'agent', agentId: o.agents[0], name: 'build machine', reason: WHY };
    const since = Date.now() - 1000;
    const made = await call<{ id: string }>(server, 'POST', `/companies/${o.companyId}/keys`, asked, {
      token: boss.token,
    });
    expect(made.status).toBe(201);
    const path = `/keys/${made.body.id}`;
    const gone = await call(server, 'DELETE', `${path}?reason=${encodeURIComponent(WHY)}`, undefined, {
      token: boss.token,
    });
    expect(gone).toMatchObject({ status: 200, body: { id: made.body.id, revokedBy: `operator:${boss.id}` } });
    const [created, revoked] = await journal(path);
    const by = { kind: 'operator', id: boss.id };
    expect(created).toMatchObject({
      ...{ version: 1, type: 'CREATED', actor: by, data: asked },
      effects: [{ type: 'key.created', data: { keyId: made.body.id, role: 'agent', agentId: o.agents[0] } }],
    });
    expect(revoked).toMatchObject({ version: 2, type: 'REVOKE', actor: by, data: { reason: WHY } });
    expect(created!.at).toBeGreaterThan(since);
    expect(revoked!.seq).toBe(created!.seq + 1);
    // Again changes nothing, and the first revocation stands.
    expect((await call(server, 'DELETE', path)).status).toBe(200);
    expect(await journal(path)).toHaveLength(2);
  });

  it('says it of a key that was asked for twice once, and of one on a server that started anew', async () => {
    const o = await office(server);
    const options = { key: 'once' };
    const ask = () =>
      call<{ id: string; token: string | null }>(
        server,
        'POST',
        `/companies/${o.companyId}/keys`,
        { role: 'viewer' },
        options,
      );
    const first = await ask();
    const again = await ask();
    expect(again.body).toMatchObject({ id: first.body.id, token: null, duplicate: true });
    await server.restart();
    await call(server, 'DELETE', `/keys/${first.body.id}`);
    expect((await journal(`/keys/${first.body.id}`)).map(({ type }) => type)).toEqual(['CREATED', 'REVOKE']);
  });

  it('says of every verb of an operator who and why', async () => {
    const o = await office(server, 'one');
    const boss = await operator(o);
    const issue = await o.issue(o.agents[0]);
    const as = (method: string, path: string, body: object) =>
      call(server, method, path, { ...body, reason: WHY }, { token: boss.token });
    const agent = `/agents/${o.agents[0]}`;
    const verbs: [string, string, object][] = [
      ['POST', `${agent}/pause`, {}],
      ['POST', `${agent}/resume`, {}],
      ['PATCH', agent, { name: 'two' }],
      ['PATCH', `/issues/${issue.id}`, { title: 'renamed', priority: 'low' }],
      ...['FORCE_RELEASE', 'CANCEL', 'REOPEN', 'COMPLETE'].map((type): [string, string, object] => [
        'POST',
        `/issues/${issue.id}/events`,
        { type },
      ]),
      ['POST', `/issues/${issue.id}/events`, { type: 'ASSIGN', agentId: null }],
      ['POST', `${agent}/terminate`, {}],
    ];
    for (const [method, path, body] of verbs) {
      expect((await as(method, path, body)).status, `${path} ${JSON.stringify(body)}`).toBe(200);
    }
    const by = { kind: 'operator', id: boss.id };
    const told = [...(await journal(agent)), ...(await journal(`/issues/${issue.id}`))].filter(
      ({ actor }) => actor.id === boss.id,
    );
    expect(told.map(({ type }) => type).sort()).toEqual([
      'ASSIGN',
      'CANCEL',
      'COMPLETE',
      'EDIT',
      'FORCE_RELEASE',
      'PAUSE',
      'PRIORITY',
      'REOPEN',
      'RESUME',
      'TERMINATE',
      'UPDATE',
    ]);
    for (const { actor, data, type } of told) expect([actor, data.reason], type).toEqual([by, WHY]);
  });

  it('of a key holds nothing that would let anybody in', async () => {
    const o = await office(server);
    const made = await operator(o);
    const text = JSON.stringify(await journal(`/keys/${made.id}`));
    expect(text).not.toContain(made.token.split('.')[1]);
    expect(text).not.toMatch(/hash|token/);
  });
});
