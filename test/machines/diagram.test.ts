/** docs/machine.md is made from the charts. After a change of a chart: `npx vitest run test/machines/diagram.test.ts -u`. */
import { expect, it } from 'vitest';
import { agentKind } from '../../src/machines/agent-kind.ts';
import { chartOf } from '../../src/machines/chart.ts';
import { mermaidOf, transitionTable } from '../../src/machines/diagram.ts';
import { DEFAULT_POLICY } from '../../src/machines/facts.ts';
import { kind } from './story.ts';

it('docs/machine.md shows the charts as they are', async () => {
  const agents = agentKind(DEFAULT_POLICY);
  const issue = chartOf(kind.machine, kind.names);
  const agent = chartOf(agents.machine, agents.names);
  const text = `# The machines

Made from the charts by \`src/machines/diagram.ts\`; do not edit. After a change of a chart:
\`npx vitest run test/machines/diagram.test.ts -u\`.

What the words mean is in domain.md. Before an event reaches a chart the judge (\`src/machines/issue-judge.ts\`)
has refused what is fenced, forbidden or not allowed, and has answered what changes nothing; so the tables below show
only what is applied. \`any\` is every state; of several rows with the same event the first whose guard holds is taken.

## Issue

\`\`\`mermaid
${mermaidOf(issue)}\`\`\`

${transitionTable(issue)}
## Agent

\`\`\`mermaid
${mermaidOf(agent)}\`\`\`

${transitionTable(agent)}`;
  await expect(text).toMatchFileSnapshot('../../docs/machine.md');
});
