/** Companies and keys over HTTP. */
import { describe, expect, it } from 'vitest';
import { start } from './support/gateway.ts';

describe('companies', () => {
  it('are made with a prefix, read and listed page by page', async () => {
    const bench = await start();
    const made = await bench.post('/v1/companies', { name: 'Acme', prefix: 'ACME' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: 'Acme', prefix: 'ACME' });
    await bench.post('/v1/companies', { name: 'Other', prefix: 'OTH' });
    expect((await bench.get(`/v1/companies/${made.body.id}`)).body).toEqual(made.body);
    const first = (await bench.get('/v1/companies?limit=1')).body;
    expect(first.items).toHaveLength(1);
    const second = (await bench.get(`/v1/companies?limit=1&cursor=${first.nextCursor}`)).body;
    expect(second.nextCursor).toBeNull();
    expect([...first.items, ...second.items].map((c) => c.prefix).sort()).toEqual(['ACME', 'OTH']);
  });

  it('made again with the same idempotency key answer the first one, marked duplicate', async () => {
    const bench = await start();
    const ask = { headers: { 'idempotency-key': 'once' } };
    const first = await bench.post('/v1/companies', { name: 'Acme', prefix: 'ACME' }, ask);
    const again = await bench.post('/v1/companies', { name: 'Acme', prefix: 'ACME' }, ask);
    expect(first.body.duplicate).toBeUndefined();
    expect(again.body).toEqual({ ...first.body, duplicate: true });
  });

  it('with a prefix that is taken are a CONFLICT, with a malformed one VALIDATION', async () => {
    const bench = await start();
    await bench.company('ACME');
    const taken = await bench.post('/v1/companies', { name: 'Acme', prefix: 'ACME' });
    expect([taken.status, taken.body.code]).toEqual([409, 'CONFLICT']);
    const malformed = await bench.post('/v1/companies', { name: 'Acme', prefix: 'acme', extra: 1 });
    expect([malformed.status, malformed.body.code]).toEqual([400, 'VALIDATION']);
    expect(malformed.body.errors.map((e: { path: string }) => e.path)).toEqual(['prefix', '']);
  });

  it('count their issues by state', async () => {
    const bench = await start();
    const company = await bench.company();
    await bench.issue(company);
    expect((await bench.get(`/v1/companies/${company}/stats`)).body).toMatchObject({
      companyId: company,
      byState: { idle: 1 },
      dueInNextHour: 0,
    });
  });

  it('are the server’s own to make: a company’s operator may not', async () => {
    const bench = await start();
    const { token } = await bench.key(await bench.company(), 'operator');
    const refused = await bench.post('/v1/companies', { name: 'B', prefix: 'BB' }, { token });
    expect([refused.status, refused.body.code]).toEqual([403, 'FORBIDDEN']);
    expect((await bench.get('/v1/companies', { token })).body.items).toHaveLength(1);
  });
});

describe('keys', () => {
  it('show their token once and never their hash', async () => {
    const bench = await start();
    const company = await bench.company();
    const agent = await bench.agent(company);
    const ask = { headers: { 'idempotency-key': 'k' } };
    const path = `/v1/companies/${company}/keys`;
    const made = await bench.post(path, { role: 'agent', agentId: agent, name: 'ci' }, ask);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ role: 'agent', agentId: agent, name: 'ci' });
    expect(made.body.token).toMatch(new RegExp(`^${made.body.id}\\.`));
    const again = await bench.post(path, { role: 'agent', agentId: agent, name: 'ci' }, ask);
    expect(again.body).toMatchObject({ id: made.body.id, token: null, duplicate: true });
    const listed = await bench.get(path);
    expect(listed.body.items).toHaveLength(1);
    expect(listed.text).not.toContain('hash');
    expect(listed.text).not.toContain(made.body.token);
  });

  it('of an agent name an agent of the same company, others name none', async () => {
    const bench = await start();
    const company = await bench.company();
    const foreign = await bench.agent(await bench.company('OTH'));
    const path = `/v1/companies/${company}/keys`;
    expect((await bench.post(path, { role: 'agent' })).body.code).toBe('VALIDATION');
    expect((await bench.post(path, { role: 'viewer', agentId: foreign })).body.code).toBe('VALIDATION');
    expect((await bench.post(path, { role: 'agent', agentId: foreign })).body.code).toBe('NOT_FOUND');
  });

  it('that were revoked are refused at once', async () => {
    const bench = await start();
    const company = await bench.company();
    const key = await bench.key(company, 'viewer');
    expect((await bench.get(`/v1/companies/${company}`, { token: key.token })).status).toBe(200);
    const revoked = await bench.ask('DELETE', `/v1/keys/${key.id}`);
    expect(revoked.body.revokedAt).toBeTypeOf('number');
    const refused = await bench.get(`/v1/companies/${company}`, { token: key.token });
    expect([refused.status, refused.body.code]).toEqual([401, 'UNAUTHENTICATED']);
  });
});
