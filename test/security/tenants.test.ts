/** Another company is answered as what does not exist (P15), and a server without the filter of companies is found. */
import { afterEach, describe, expect, it } from 'vitest';
import { start } from '../gateway/support/gateway.ts';
import { TENANT_MUTANTS } from '../mutants/gateway-mutants.ts';
import { areKilled, findNothing } from '../mutants/killed.ts';
import { replaced } from '../simulation/mutants/mutant.ts';
import { missing, tenant } from './foreign-things.ts';

let undo = () => {};
afterEach(() => undo());

describe('every verb of HTTP, WebSocket and MCP, of every role, aimed at another company', () => {
  findNothing(TENANT_MUTANTS);
  areKilled(TENANT_MUTANTS);

  it('costs the same reads as what does not exist, also when it is known and in memory', async () => {
    const bench = await start();
    const mine = await tenant(bench, 'ACME');
    const theirs = await tenant(bench, 'OTH');
    const reads: string[] = [];
    undo = replaced(
      bench.router,
      'get',
      (real) =>
        function (this: typeof bench.router, id) {
          reads.push(id);
          return real.call(this, id);
        },
    );
    const costOf = async (id: string) => {
      reads.length = 0;
      expect((await bench.get(`/v1/issues/${id}`, { token: mine.tokens.operator })).status).toBe(404);
      const known = new Set([theirs.things.issue]);
      // What is not there is looked for in the database; what is there may be in memory.
      return reads.filter((read) => !known.has(read)).length > 0;
    };
    expect(await costOf(missing(theirs.things).issue)).toBe(true);
    expect(await costOf(theirs.things.issue)).toBe(true);
    await bench.get(`/v1/issues/${theirs.things.issue}`);
    expect(await costOf(theirs.things.issue), 'once it is known').toBe(true);
  });
});
