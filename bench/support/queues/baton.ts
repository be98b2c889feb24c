/** Baton through its own client: an issue is woken, its run granted to a worker, reported, and the issue is free again. */
import { type Client, connect } from '../../../src/client/client.ts';
import { worker } from '../../../src/client/worker.ts';
import { LANES } from '../../../src/supervisor/node.ts';
import { buildTown } from '../town.ts';
import { CONCURRENCY, type QueueKind } from './queue.ts';

/** One for each lane of the server: what is one company's is one lane's. */
const COMPANIES = LANES;
const AGENTS = 2;
/** Far more than may be handed in at once: there is always a free one. */
const ISSUES_PER_AGENT = 1024;
/** Connections that hand in: each may send 2,000 events a second. */
const OPERATORS = 8;

export const baton: QueueKind = {
  name: 'Baton',
  async open(room, databaseUrl, board) {
    const server = await room.server(databaseUrl);
    const { url } = server.api;
    const town = await buildTown(server.api, {
      companies: COMPANIES,
      agents: AGENTS,
      issuesPerAgent: ISSUES_PER_AGENT,
    });
    const agents = town.flatMap((company) => company.agents);
    // In turns over companies and agents, as work arrives.
    const free = Array.from({ length: ISSUES_PER_AGENT }, (_, n) =>
      agents.map(({ issues }) => issues[n]!),
    ).flat();
    const operators: Client[] = [];
    for (let n = 0; n < OPERATORS; n++) operators.push(await connect({ url }));
    const workers = await Promise.all(
      agents.map(({ token }) =>
        worker({
          url,
          token,
          slots: Math.min(50, CONCURRENCY / agents.length),
          run: () => {
            board.begun();
            return { resolution: 'open' };
          },
          ended: ({ issue }, { is }) => {
            if (is !== 'succeeded') throw new Error(`a run ended ${is}`);
            free.push(issue.id);
            board.ended();
          },
        }),
      ),
    );
    let handedIn = 0;
    return {
      async add() {
        const issueId = free.shift();
        if (issueId === undefined) throw new Error('no issue is free');
        const operator = operators[handedIn++ % OPERATORS]!;
        await operator.event(issueId, { type: 'WAKE', reason: 'schedule', source: 'automation' });
      },
      async cpu() {
        const { user, sys } = await server.cpu();
        return user + sys;
      },
      async close() {
        await Promise.all(workers.map((working) => working.close()));
        for (const operator of operators) operator.close();
        await server.stop();
      },
    };
  },
};
