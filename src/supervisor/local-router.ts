/**
 * The router of one node (architecture A13): what the gateway may ask, put together of the four that answer it.
 */
import type { Catalog } from '../persistence/catalog.ts';
import { Claiming } from './claiming.ts';
import type { Node } from './node.ts';
import type { Ownership } from './ownership.ts';
import { Placement } from './placement.ts';
import { Reading } from './reading.ts';
import { Registry } from './registry.ts';
import type { Router } from './router.ts';
import { Sending } from './sending.ts';

export function localRouter(node: Node, ownership: Ownership, catalog: Catalog): Router {
  const placement = new Placement(node, ownership);
  const sending = new Sending(node, placement);
  const claiming = new Claiming(node, placement);
  const reading = new Reading(node, placement);
  const registry = new Registry(node, placement, catalog, sending);
  return {
    send: (e) => sending.send(e),
    create: (b) => sending.create(b),

    claim: (c) => claiming.claim(c),
    attach: (pool, session) => claiming.attach(pool, session),

    get: (id) => reading.get(id),
    list: (q) => reading.list(q),
    index: (q) => reading.index(q),
    journal: (id, after, limit) => reading.journal(id, after, limit),
    version: (id, version) => reading.version(id, version),
    records: (id, kind, limit, after) => reading.records(id, kind, limit, after),
    companyRecords: (id, kind, limit, equals, after) =>
      reading.companyRecords(id, kind, limit, equals, after),
    record: (actorId, kind, id) => reading.record(actorId, kind, id),
    subscribe: (topic, since, sink) => reading.subscribe(topic, since, sink),
    stats: (companyId) => reading.stats(companyId),

    createCompany: (c, by, key) => registry.createCompany(c, by, key),
    company: (id) => registry.company(id),
    companies: (limit, after) => registry.companies(limit, after),
    createKey: (k, by, key, reason) => registry.createKey(k, by, key, reason),
    key: (id) => registry.key(id),
    keys: (companyId, limit, after) => registry.keys(companyId, limit, after),
    revokeKey: (id, by, reason) => registry.revokeKey(id, by, reason),
    revoked: (ids) => registry.revoked(ids),
    appendLog: (runId, lines, key) => registry.appendLog(runId, lines, key),
    log: (runId, after, limit) => registry.log(runId, after, limit),

    readiness: () => placement.readiness(),
  };
}
