/** An agent as people name it: its id, or its name, which several may have – nothing keeps two from one name. */
import type { Company, HttpApi } from '../client/http.ts';
import { BatonError } from '../errors.ts';
import type { AgentView } from '../machines/view.ts';
import type { Call } from './command.ts';
import { companiesOf } from './companies.ts';

/** Ids in one sentence at most. */
const SHOWN = 20;

interface Found {
  readonly agent: AgentView;
  readonly company: Company;
}

/**
 * The agent of that id, or the only one of that name that is not terminated, in the company of `--company` or in all.
 * @throws BatonError NOT_FOUND when there is none, VALIDATION when the name is that of several
 */
export async function agentNamed(http: HttpApi, call: Call, name: string): Promise<AgentView> {
  const found: Found[] = [];
  for (const company of await companiesOf(http, call)) {
    for await (const agent of http.agents(company.id)) {
      if (agent.id === name) return agent;
      if (agent.name === name) found.push({ agent, company });
    }
  }
  const living = found.filter(({ agent }) => agent.status !== 'terminated');
  const [only] = living;
  if (only === undefined) throw missing(name, found);
  if (living.length > 1) throw ambiguous(name, living);
  return only.agent;
}

function missing(name: string, terminated: readonly Found[]): BatonError {
  if (terminated.length === 0) {
    return new BatonError('NOT_FOUND', `There is no agent ${name}.`, {
      hint: `baton agents lists those there are; baton agents create ${name} makes one.`,
    });
  }
  const ids = terminated.slice(0, SHOWN).map(({ agent }) => agent.id);
  return new BatonError('NOT_FOUND', `Every agent called ${name} is terminated: ${ids.join(', ')}.`, {
    hint: `One of them is named by its id; baton agents create ${name} makes another.`,
  });
}

/** `2 agents of ACME are called w1: name one by its id: a7f3… (active), a7f3… (paused).` */
function ambiguous(name: string, found: readonly Found[]): BatonError {
  const prefixes = [...new Set(found.map(({ company }) => company.prefix))];
  const isOfOne = prefixes.length === 1;
  const whose = isOfOne ? `of ${prefixes[0]}` : `of ${prefixes.length} companies`;
  const each = found.slice(0, SHOWN).map(({ agent, company }) => {
    return `${agent.id} (${isOfOne ? '' : `${company.prefix}, `}${agent.status})`;
  });
  const ids = `${each.join(', ')}${found.length > SHOWN ? ', …' : ''}`;
  return new BatonError(
    'VALIDATION',
    `${found.length} agents ${whose} are called ${name}: name one by its id: ${ids}.`,
    {
      hint: isOfOne
        ? 'baton agents update ID --name NAME gives one another name.'
        : 'Or say whose it is with --company PREFIX.',
    },
  );
}
